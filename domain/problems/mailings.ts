import { z } from 'zod';
import { kindInWords, valueKind } from './fields.ts';
import { sentence } from './sentence.ts';

const line = z.int();
const names = z.array(z.string());

/** Binary files, by the types that users upload. */
const fileKinds = {
  zip: {
    en: 'an Excel workbook (xlsx) or another ZIP archive',
    'pt-BR': 'uma planilha do Excel (xlsx) ou outro arquivo ZIP',
  },
  xls: { en: 'an Excel workbook (xls)', 'pt-BR': 'uma planilha do Excel (xls)' },
  pdf: { en: 'a PDF document', 'pt-BR': 'um documento PDF' },
  gzip: { en: 'a gzip archive', 'pt-BR': 'um arquivo gzip' },
} as const;
const fileKind = z.enum(['zip', 'xls', 'pdf', 'gzip', 'nul_byte']);

const notText = sentence(
  { line: line.nullable(), found: fileKind },
  {
    en: ({ line, found }) =>
      found === 'nul_byte'
        ? `Line ${line ?? 1} has a NUL byte: the file is not text, or is in UTF-16. Save it as CSV UTF-8 and upload that.`
        : `The file is ${fileKinds[found].en}. Save it as CSV UTF-8 and upload that.`,
    'pt-BR': ({ line, found }) =>
      found === 'nul_byte'
        ? `A linha ${line ?? 1} tem um byte nulo: o arquivo não é texto, ou está em UTF-16. Salve-o como CSV UTF-8 e envie esse.`
        : `O arquivo é ${fileKinds[found]['pt-BR']}. Salve-o como CSV UTF-8 e envie esse.`,
  },
);

const header = z.object({
  line,
  missing: names,
  unknown: names,
  repeated: names,
});
const headerSentence = sentence(header.shape, {
  en: ({ line, missing, unknown, repeated }) =>
    [
      `The header in line ${line} is not the one of the layout.`,
      ...(missing.length > 0 ? [`Missing: ${excerpt(missing)}.`] : []),
      ...(unknown.length > 0 ? [`Not in the layout: ${excerpt(unknown)}.`] : []),
      ...(repeated.length > 0 ? [`More than once: ${excerpt(repeated)}.`] : []),
    ].join(' '),
  'pt-BR': ({ line, missing, unknown, repeated }) =>
    [
      `O cabeçalho da linha ${line} não é o do layout.`,
      ...(missing.length > 0 ? [`Faltam: ${excerpt(missing)}.`] : []),
      ...(unknown.length > 0 ? [`Fora do layout: ${excerpt(unknown)}.`] : []),
      ...(repeated.length > 0 ? [`Repetidas: ${excerpt(repeated)}.`] : []),
    ].join(' '),
});

function excerpt(items: readonly string[]): string {
  const text = items.join(', ');
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** Why a whole file is refused. */
export const fileSentences = {
  empty: sentence({}, { en: 'The file is empty.', 'pt-BR': 'O arquivo está vazio.' }),
  no_lines: sentence(
    {},
    {
      en: 'The file has a header and no line with a contact.',
      'pt-BR': 'O arquivo só tem o cabeçalho, sem nenhum contato.',
    },
  ),
  spreadsheet: notText,
  binary: notText,
  encoding_unknown: sentence(
    { line },
    {
      en: ({ line }) => `Line ${line} has characters in an unknown encoding. Save the file as CSV UTF-8.`,
      'pt-BR': ({ line }) =>
        `A linha ${line} tem caracteres em uma codificação desconhecida. Salve o arquivo como CSV UTF-8.`,
    },
  ),
  line_endings: sentence(
    {},
    {
      en: 'The lines end with a carriage return only, as on old Macintosh computers. Save the file as CSV UTF-8.',
      'pt-BR':
        'As linhas terminam só com retorno de carro, como em Macintosh antigos. Salve o arquivo como CSV UTF-8.',
    },
  ),
  line_too_long: sentence(
    { line, maximum: z.int() },
    {
      en: ({ line, maximum }, { number }) => `Line ${line} is longer than ${number(maximum)} bytes.`,
      'pt-BR': ({ line, maximum }, { number }) => `A linha ${line} passa de ${number(maximum)} bytes.`,
    },
  ),
  quote_not_closed: sentence(
    { line, until: z.int() },
    {
      en: ({ line, until }) =>
        `The quote (") that opens in line ${line} is not closed; the reader searched up to line ${until}.`,
      'pt-BR': ({ line, until }) =>
        `As aspas abertas na linha ${line} não foram fechadas; a leitura foi até a linha ${until}.`,
    },
  ),
  column_missing: headerSentence,
  column_unknown: headerSentence,
  column_repeated: headerSentence,
} as const;

const column = z.string();

/** The expected form of a value. */
const expectations = {
  date: {
    en: 'is not a date: write dd/mm/yyyy or yyyy-mm-dd',
    'pt-BR': 'não é uma data: escreva dd/mm/aaaa ou aaaa-mm-dd',
  },
  birth_date: {
    en: 'is not a birth date: write dd/mm/yyyy or yyyy-mm-dd',
    'pt-BR': 'não é uma data de nascimento: escreva dd/mm/aaaa ou aaaa-mm-dd',
  },
  past_date: { en: 'is in the future', 'pt-BR': 'está no futuro' },
  number: {
    en: 'is not a number: write 1234,56 or 1.234,56 or 1234.56',
    'pt-BR': 'não é um número: escreva 1234,56 ou 1.234,56 ou 1234.56',
  },
  money: {
    en: 'is not an amount of money: write 1.234,56',
    'pt-BR': 'não é um valor em dinheiro: escreva 1.234,56',
  },
  boolean: {
    en: 'is neither yes nor no: write sim or não',
    'pt-BR': 'não é sim nem não: escreva sim ou não',
  },
  phone: { en: 'is not a phone number', 'pt-BR': 'não é um número de telefone' },
  region: {
    en: 'is not a region in the settings',
    'pt-BR': 'não é nenhuma das regiões das configurações',
  },
  customer_type: {
    en: 'is not a customer type in the settings',
    'pt-BR': 'não é nenhum dos tipos de cliente das configurações',
  },
  consent: {
    en: 'is not one of sim, não, não informado',
    'pt-BR': 'não é sim, não nem não informado',
  },
  single_value: {
    en: 'is a list or an object: name the attribute inside it',
    'pt-BR': 'é uma lista ou um objeto: indique o atributo dentro dele',
  },
} as const;
export type Expectation = keyof typeof expectations;
const expectation = z.enum(Object.keys(expectations) as [Expectation, ...Expectation[]]);

/** How a value was damaged before it reached us. */
const damages = {
  encoding: {
    en: 'has characters that were lost in a conversion: save the file in UTF-8',
    'pt-BR': 'tem caracteres que se perderam em uma conversão: salve o arquivo em UTF-8',
  },
  scientific: {
    en: 'was cut by a spreadsheet: format the column as text, then enter the value again',
    'pt-BR': 'foi cortado por uma planilha: formate a coluna como texto e digite o valor de novo',
  },
  formula: {
    en: 'is a formula that was not computed: paste its value into the cell',
    'pt-BR': 'é uma fórmula que não foi calculada: cole o valor dela na célula',
  },
  unfilled: {
    en: 'contains a word for a missing value, such as null',
    'pt-BR': 'contém uma palavra que indica um valor ausente, como null',
  },
} as const;
const damage = z.enum(Object.keys(damages) as [keyof typeof damages, ...(keyof typeof damages)[]]);

/** Problems of one line or record. They name the column and never contain the value, which is personal. */
export const lineSentences = {
  value_missing: sentence(
    { column },
    {
      en: ({ column }) => `"${column}" is required and has no value.`,
      'pt-BR': ({ column }) => `“${column}” é obrigatório e está vazio.`,
    },
  ),
  nobody_named: sentence(
    { column },
    {
      en: ({ column }) => `Neither "${column}" nor a phone has a value: nothing identifies the contact.`,
      'pt-BR': ({ column }) => `Nem “${column}” nem um telefone tem valor: nada identifica o contato.`,
    },
  ),
  value_invalid: sentence(
    { column, expected: expectation },
    {
      en: ({ column, expected }) => `"${column}" ${expectations[expected].en}.`,
      'pt-BR': ({ column, expected }) => `“${column}” ${expectations[expected]['pt-BR']}.`,
    },
  ),
  value_too_long: sentence(
    { column, maximum: z.int() },
    {
      en: ({ column, maximum }, { number }) => `"${column}" is longer than ${number(maximum)} characters.`,
      'pt-BR': ({ column, maximum }, { number }) => `“${column}” passa de ${number(maximum)} caracteres.`,
    },
  ),
  placeholder_missing: sentence(
    { column },
    {
      en: ({ column }) => `The text needs "${column}", which has no value.`,
      'pt-BR': ({ column }) => `O texto precisa de “${column}”, que está sem valor.`,
    },
  ),
  value_damaged: sentence(
    { column, damage },
    {
      en: ({ column, damage }) => `"${column}" ${damages[damage].en}.`,
      'pt-BR': ({ column, damage }) => `“${column}” ${damages[damage]['pt-BR']}.`,
    },
  ),
  phone_chosen: sentence(
    { column },
    {
      en: ({ column }) => `"${column}" has several numbers: the first mobile number is used.`,
      'pt-BR': ({ column }) => `“${column}” tem vários números: o primeiro celular é usado.`,
    },
  ),
  ninth_digit_added: sentence(
    { column },
    {
      en: ({ column }) => `"${column}" lacks the 9 of mobile numbers: it was added.`,
      'pt-BR': ({ column }) => `Faltava o 9 do celular em “${column}”: foi acrescentado.`,
    },
  ),
  code_zeros: sentence(
    { column },
    {
      en: ({ column }) =>
        `A customer with the same phone has this "${column}" with another number of leading zeros: they are treated as the same.`,
      'pt-BR': ({ column }) =>
        `Um cliente com o mesmo telefone tem este “${column}” com outra quantidade de zeros à esquerda: é tratado como o mesmo.`,
    },
  ),
  column_count: sentence(
    { found: z.int(), expected: z.int() },
    {
      en: ({ found, expected }, { count }) =>
        `The line has ${count(found, 'column', 'columns')}, and the header has ${expected}.`,
      'pt-BR': ({ found, expected }, { count }) =>
        `A linha tem ${count(found, 'coluna', 'colunas')}, e o cabeçalho tem ${expected}.`,
    },
  ),
  quote_misplaced: sentence(
    {},
    {
      en: 'A quote (") is misplaced or not closed. Write a quote inside quotes twice.',
      'pt-BR': 'Há aspas fora do lugar ou não fechadas. Aspas dentro de aspas se escrevem duas vezes.',
    },
  ),
  not_an_object: sentence(
    { found: valueKind },
    {
      en: ({ found }) => `The element is ${kindInWords(found, 'en')}, not an object.`,
      'pt-BR': ({ found }) => `O elemento é ${kindInWords(found, 'pt-BR')}, não um objeto.`,
    },
  ),
} as const;

const phoneHints = {
  ninth_digit_missing: { en: 'Its 9 is missing.', 'pt-BR': 'Falta o 9.' },
  area_code_missing: { en: 'Its area code (DDD) is missing.', 'pt-BR': 'Falta o DDD.' },
  spreadsheet_number: {
    en: 'The spreadsheet has cut off its digits: format the column as text, then enter the number again.',
    'pt-BR': 'A planilha cortou os dígitos: formate a coluna como texto e digite o número de novo.',
  },
} as const;
const phoneHint = z.enum(
  Object.keys(phoneHints) as [keyof typeof phoneHints, ...(keyof typeof phoneHints)[]],
);

/** Why a readable line is skipped. The codes are the skip reasons (domain/message.ts). */
export const skipSentences = {
  phone_missing: sentence({}, { en: 'It has no phone.', 'pt-BR': 'Não há telefone.' }),
  phone_invalid: sentence(
    { hint: phoneHint.nullable().default(null) },
    {
      en: ({ hint }) => `None of the phones can be read.${hint === null ? '' : ` ${phoneHints[hint].en}`}`,
      'pt-BR': ({ hint }) =>
        `Nenhum dos telefones pode ser lido.${hint === null ? '' : ` ${phoneHints[hint]['pt-BR']}`}`,
    },
  ),
  not_a_mobile: sentence(
    {},
    { en: 'None of the phones is a mobile number.', 'pt-BR': 'Nenhum dos telefones é um celular.' },
  ),
  duplicate_phone: sentence(
    {},
    {
      en: 'An earlier contact has the same phone.',
      'pt-BR': 'Um contato anterior tem o mesmo telefone.',
    },
  ),
  no_consent: sentence(
    {},
    { en: 'The customer has not consented.', 'pt-BR': 'O cliente não deu consentimento.' },
  ),
  opted_out: sentence({}, { en: 'The phone has opted out.', 'pt-BR': 'O telefone se descadastrou.' }),
  held: sentence(
    {},
    {
      en: 'The phone is held: it has probably opted out.',
      'pt-BR': 'O telefone está em espera: um descadastro provável.',
    },
  ),
  word_exceeds_segment: sentence(
    {},
    {
      en: 'A word is longer than a segment, and the provider cuts messages at spaces only.',
      'pt-BR': 'Uma palavra é maior que um segmento, e o provedor só corta mensagens nos espaços.',
    },
  ),
  message_too_long: sentence(
    {},
    {
      en: 'The text needs more segments than the campaign allows.',
      'pt-BR': 'O texto precisa de mais segmentos do que a campanha permite.',
    },
  ),
  message_empty: sentence({}, { en: 'The text is empty.', 'pt-BR': 'O texto fica vazio.' }),
  line_invalid: sentence({}, { en: 'The line cannot be read.', 'pt-BR': 'A linha não pode ser lida.' }),
} as const;

/** Columns beyond the last one of the header, in a file of lines to correct. */
export const beyondLastColumn = sentence(
  { values: names },
  {
    en: ({ values }) => `Beyond the last column: ${values.join(' | ')}`,
    'pt-BR': ({ values }) => `Além da última coluna: ${values.join(' | ')}`,
  },
);
/** The position of a problem, in a file of lines to correct. */
export const atLine = sentence(
  { line, problem: z.string() },
  {
    en: ({ line, problem }) => `Line ${line}: ${problem}`,
    'pt-BR': ({ line, problem }) => `Linha ${line}: ${problem}`,
  },
);
/** After the warnings of a line that is sent, in the same file. */
export const sentAnyway = sentence({}, { en: 'It is sent anyway.', 'pt-BR': 'É enviada mesmo assim.' });
