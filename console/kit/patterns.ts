/**
 * Sentences of the API that name something, in Portuguese: what a pattern finds takes the place of $1, $2 … A name in
 * words of ours (`kinds`) is translated, too.
 */
const patterns: readonly (readonly [RegExp, string])[] = [
  // A web service (mailing/web-errors.ts, web-client.ts, webservice.ts, authorization.ts)
  [
    /^The name (\S+) can not be found \(DNS\)/,
    'O nome $1 não foi encontrado (DNS). Confira se está escrito certo.',
  ],
  [/^(\S+) refuses the connection/, '$1 recusa a conexão: nada responde nesta porta.'],
  [/^(\S+) can not be reached/, 'Não foi possível chegar a $1: nenhuma conexão se abriu a tempo.'],
  [/^The connection to (\S+) broke off/, 'A conexão com $1 caiu antes do fim da resposta.'],
  [/^(\S+) took the request and gave no answer within (\S+) seconds/, '$1 não respondeu em $2 segundos.'],
  [/^(\S+) fell silent in the middle/, '$1 parou no meio da resposta.'],
  [/^(\S+) gave up waiting for the request/, '$1 desistiu de esperar pelo pedido (408).'],
  [/^The answer was not complete after (.+), the longest/, 'A resposta não terminou no tempo máximo de $1.'],
  [/^(\S+) has failed by itself \((\d+)\)/, '$1 falhou do lado de lá (erro $2).'],
  [
    /^(\S+), which gives the access tokens, has failed \((\d+)\)/,
    '$1, que dá os tokens de acesso, falhou ($2).',
  ],
  [/^(\S+) asks for fewer requests/, '$1 pede menos consultas (429). Espere um pouco.'],
  [
    /^(\S+) is in a private or reserved network/,
    '$1 fica numa rede privada ou reservada, onde campanhas não buscam. Quem opera esta instalação pode permitir (WEBSERVICE_ALLOW).',
  ],
  [/^The connection to (\S+) is not safe: (.+) \((\w+)\)\.$/, 'A conexão com $1 não é segura: $2 ($3).'],
  [
    /^(\S+) does not speak TLS as it should/,
    '$1 não fala TLS nesta porta. O endereço começa com http://, ou a porta é outra?',
  ],
  [/^What (\S+) answers is not HTTP/, 'O que $1 responde não é HTTP. A porta está certa?'],
  [
    /^(\S+) does not accept the credentials of the integration/,
    '$1 não aceita as credenciais da integração (401). Corrija-as lá.',
  ],
  [/^(\S+) asks for credentials/, '$1 pede credenciais (401). Escolha uma integração para a campanha.'],
  [/^(\S+) forbids access/, '$1 proíbe o acesso a este endereço (403).'],
  [/^(\S+) has nothing at this address \((\d+)\)/, '$1 não tem nada neste endereço ($2).'],
  [/^(\S+) refuses the request \((\d+)\)/, '$1 recusa o pedido ($2). Todos os parâmetros estão certos?'],
  [
    /^(\S+) answered with the status (\d+), which has no records/,
    '$1 respondeu com o status $2, que não traz contatos.',
  ],
  [/^(\S+) gives no access token: (.+)\.$/, '$1 não dá um token de acesso: $2.'],
  [
    /^The integration “(.+)” may not be sent to (\S+)\. An admin/,
    'A integração “$1” não pode ser enviada a $2. Um administrador pode incluir este endereço nela.',
  ],
  [/^(\S+) redirects more than (\d+) times/, '$1 redireciona mais de $2 vezes seguidas.'],
  [
    /^(\S+) redirects \((\d+)\) without a usable address/,
    '$1 redireciona ($2) sem dizer um endereço válido.',
  ],
  [
    /^(\S+) redirects to an address that is not of the web/,
    '$1 redireciona para um endereço que não é da web.',
  ],
  [/^The answer of (\S+) is larger than (.+), the most/, 'A resposta de $1 passa de $2, o máximo permitido.'],
  [
    /^The answer of (\S+) says that it is compressed/,
    'A resposta de $1 diz que está comprimida, mas não pode ser descomprimida: está quebrada ou cortada.',
  ],
  [
    /^(\S+) compresses its answer in a way/,
    '$1 comprime a resposta de um jeito que não foi pedido. São lidos gzip, deflate e br.',
  ],
  [
    /^(\S+) answers in an encoding that is not read/,
    '$1 responde numa codificação que não é lida aqui. São lidas UTF-8, ISO-8859-1 e Windows-1252.',
  ],
  [/^The answer of (\S+) is UTF-16/, 'A resposta de $1 está em UTF-16. JSON precisa ser UTF-8.'],
  [
    /^The answer of (\S+) is not UTF-8 \(record (\d+)\)/,
    'A resposta de $1 não é UTF-8 (registro $2). Se for ISO-8859-1 ou Windows-1252, o Content-Type precisa dizer.',
  ],
  [
    /^(\S+) answers with a web page \(HTML\)/,
    '$1 responde com uma página da web (HTML) ou XML em vez de JSON: muitas vezes a página de um login ou de um erro.',
  ],
  [
    /^The answer of (\S+) is empty/,
    'A resposta de $1 está vazia. Um serviço sem contatos responde com uma lista vazia: [].',
  ],
  [/^The answer of (\S+) is nothing but blanks/, 'A resposta de $1 só tem espaços em branco.'],
  [
    /^The answer of (\S+) is not JSON; it says that it is (\S+)\.$/,
    'A resposta de $1 não é JSON; ela diz ser $2.',
  ],
  [/^The answer of (\S+) is not JSON\.$/, 'A resposta de $1 não é JSON.'],
  [
    /^The answer of (\S+) is not valid JSON: after (\d+) records, near byte (\d+)/,
    'A resposta de $1 não é um JSON válido: depois de $2 registros, perto do byte $3.',
  ],
  [/^The answer of (\S+) ends in the middle/, 'A resposta de $1 acaba no meio: o JSON não está completo.'],
  [
    /^The answer of (\S+) nests deeper than (\d+) levels/,
    'A resposta de $1 passa de $2 níveis, o que nenhuma lista de contatos faz.',
  ],
  [
    /^Record (\d+) in the answer of (\S+) is larger than (.+), the most/,
    'O registro $1 da resposta de $2 passa de $3, o máximo para um.',
  ],
  [
    /^A value in the answer of (\S+) is larger than (.+), the most/,
    'Um valor da resposta de $1 passa de $2, o máximo para um.',
  ],
  [
    /^The answer of (\S+) has no array at “(.+)”/,
    'A resposta de $1 não tem uma lista em “$2”, onde a campanha espera os contatos.',
  ],
  [
    /^The answer of (\S+) is an object without an array/,
    'A resposta de $1 é um objeto sem uma lista de contatos.',
  ],
  [
    /^The answer of (\S+) has records in more than one place: (.+) and (.+)\. Name one/,
    'A resposta de $1 tem listas em mais de um lugar: $2 e $3. Indique uma em “Caminho da lista na resposta”.',
  ],
  [/^The answer of (\S+) is (.+) alone, not a list/, 'A resposta de $1 é só $2, não uma lista de contatos.'],
  [
    /^The list (?:at .+ )?in the answer of (\S+) does not begin with an object but with (.+): its/,
    'A lista na resposta de $1 não começa com um objeto, e sim com $2: os elementos não são contatos.',
  ],
  [
    /^Page (\d+) of (\S+) is an earlier page again/,
    'A página $1 de $2 é de novo uma anterior: os links andam em círculo.',
  ],
  [
    /^(\S+) has more than (\d+) pages/,
    '$1 tem mais de $2 páginas, o máximo que se segue. Peça mais registros em cada uma.',
  ],
  [
    /^The link of (\S+) to its next page/,
    'O link de $1 para a próxima página não é um endereço http:// ou https://.',
  ],
  [
    /^The answer of (\S+) says at “(.+)” that there is a next page/,
    'A resposta de $1 diz em “$2” que há mais uma página, mas não o endereço dela.',
  ],
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
  'its root': 'a raiz',
  'an Excel workbook (xlsx) or another ZIP archive': 'uma planilha do Excel (xlsx) ou outro arquivo ZIP',
  'an Excel workbook (xls)': 'uma planilha do Excel (xls)',
  'text in UTF-16 ("Unicode text" in Excel)': 'texto em UTF-16 (“Texto Unicode” no Excel)',
  'text in UTF-16 (big-endian)': 'texto em UTF-16 (big-endian)',
  'a PDF document': 'um documento PDF',
  'a gzip archive': 'um arquivo gzip',
  'its certificate has expired': 'o certificado venceu',
  'its certificate is not valid yet': 'o certificado ainda não vale',
  'its certificate is for another name': 'o certificado é de outro nome',
  'its certificate is self-signed': 'o certificado é autoassinado',
  'its certificate comes from an authority that is not trusted here':
    'o certificado vem de uma autoridade em que não se confia aqui',
  'its certificate comes without those between it and a trusted authority':
    'faltam os certificados entre ele e uma autoridade de confiança',
  'its certificate has been revoked': 'o certificado foi revogado',
  'its answer is too long for one': 'a resposta é longa demais',
  'its answer is not that of a token address (RFC 6749)':
    'a resposta não é a de um endereço de tokens (RFC 6749)',
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
  [
    /^it does not accept the client id, secret or scope \((\d+)\)\. Correct the integration$/,
    'ele não aceita o client id, o segredo ou o escopo ($1). Corrija a integração',
  ],
  [/^it answered with the status (\d+)$/, 'ele respondeu com o status $1'],
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
