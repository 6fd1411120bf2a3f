/**
 * Sentences of the API that name something, in Portuguese: what a pattern finds takes the place of $1, $2 … A name in
 * words of ours (`kinds`) is translated, too.
 */
const patterns: readonly (readonly [RegExp, string])[] = [
  // A record, a line (domain/contact.ts, mailing/)
  [/^The element is (.+), not an object\.$/, 'O elemento é $1, não um objeto.'],
  [/^"(.+)" is longer than (\d+) characters\.$/, '“$1” passa de $2 caracteres.'],
  [/^"(.+)" is no date/, '“$1” não é uma data: escreva dd/mm/aaaa ou aaaa-mm-dd.'],
  [/^"(.+)" is no number/, '“$1” não é um número: escreva 1234,56 ou 1.234,56 ou 1234.56.'],
  [/^"(.+)" is neither yes nor no/, '“$1” não é sim nem não.'],
  [/^"(.+)" is required, and has no value\.$/, '“$1” é obrigatório e está vazio.'],
  [
    /^"(.+)" is a number with more digits/,
    '“$1” é um número com dígitos demais para ser lido exato: precisa vir como texto.',
  ],
  [/^"(.+)" is (.+), not a single value/, '“$1” é $2, não um valor só: indique o atributo dentro dele.'],
  [/^The line has (\d+) columns, and the header (\d+)\.$/, 'A linha tem $1 colunas, e o cabeçalho $2.'],
  [
    /^(.+\.) The spreadsheet has cut off its digits/,
    '$1 A planilha cortou os dígitos: formate a coluna como texto e digite o número de novo.',
  ],
  [/^(.+\.) Its 9 is missing\.$/, '$1 Falta o 9.'],
  [/^(.+\.) Its area code \(DDD\) is missing\.$/, '$1 Falta o DDD.'],
  // A file (mailing/csv.ts, layout.ts, lines.ts)
  [/^The header in line (\d+) is not the layout's\. (.*)$/, 'O cabeçalho da linha $1 não é o do layout. $2'],
  [
    /^The file is (.+)\. Save it as /,
    'O arquivo é $1. Salve-o como CSV UTF-8 (no Excel: “CSV UTF-8”) e envie esse.',
  ],
  [/^Line (\d+) is longer than (\d+) bytes/, 'A linha $1 passa de $2 bytes.'],
  [
    /^Line (\d+) has a NUL byte/,
    'A linha $1 tem um byte nulo: o arquivo não é texto, ou está em UTF-16. Salve-o como CSV UTF-8.',
  ],
  [
    /^The file is in (\S+) up to line (\d+), but line (\d+) is in (\S+)\./,
    'O arquivo está em $1 até a linha $2, mas a linha $3 está em $4. Salve tudo numa codificação só.',
  ],
  [/^Line (\d+) is neither UTF-8 nor Windows-1252/, 'A linha $1 não é UTF-8 nem Windows-1252.'],
  [/^The quote \("\) opened in line (\d+)/, 'As aspas abertas na linha $1 não foram fechadas onde deviam.'],
  [
    /^The lines end with a carriage return alone/,
    'As linhas terminam só com retorno de carro, como em Macintosh antigos. Salve o arquivo como “CSV UTF-8”.',
  ],
];

/** Words of ours that stand inside of those sentences. */
const kinds: Readonly<Record<string, string>> = {
  null: 'null',
  'an array': 'uma lista',
  'a text': 'um texto',
  'a number': 'um número',
  'true or false': 'verdadeiro ou falso',
  'an object': 'um objeto',
  'an Excel workbook (xlsx) or another ZIP archive': 'uma planilha do Excel (xlsx) ou outro arquivo ZIP',
  'an Excel workbook (xls)': 'uma planilha do Excel (xls)',
  'text in UTF-16 ("Unicode text" in Excel)': 'texto em UTF-16 (“Texto Unicode” no Excel)',
  'text in UTF-16 (big-endian)': 'texto em UTF-16 (big-endian)',
  'a PDF document': 'um documento PDF',
  'a gzip archive': 'um arquivo gzip',
  'The line has no phone.': 'A linha não tem telefone.',
  'None of the phones can be read.': 'Nenhum dos telefones pode ser lido.',
  'None of the phones is a mobile number.': 'Nenhum dos telefones é um celular.',
};

/** Parts of a list that a sentence ends with, and of a reason. */
const within: readonly (readonly [RegExp, string])[] = [
  [/Missing: /g, 'Faltam: '],
  [/Not in the layout: /g, 'Fora do layout: '],
  [/More than once: /g, 'Repetidas: '],
  [/\(column (\d+) has no name\)/g, '(a coluna $1 não tem nome)'],
];

const worded = (part: string): string =>
  kinds[part] ?? within.reduce((text, [pattern, words]) => text.replace(pattern, words), part);

/** The sentence in Portuguese; null where no pattern knows it. */
export function inPortuguese(sentence: string): string | null {
  for (const [pattern, words] of patterns) {
    const found = pattern.exec(sentence);
    if (!found) continue;
    return words.replaceAll(/\$(\d)/g, (_, index: string) => worded(found[Number(index)] ?? ''));
  }
  return null;
}
