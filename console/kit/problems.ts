import type { AnsweredProblem } from '../../api/http/errors.ts';
import type { Format } from '../../domain/format.ts';
import { errorWordsOf, problemWords as faultWords, readFault } from '../../domain/problems/catalog.ts';
import type { ApiFailure } from './api.ts';
import { inPortuguese } from './patterns.ts';

/**
 * The API speaks English. Its sentences in Portuguese: by the sentence itself where it says more than its code, else by
 * the code. What is in neither stays English, which is better than saying less.
 */
const sentences: Readonly<Record<string, string>> = {
  'Give a name.': 'Informe o nome.',
  'Say how you know.': 'Diga como você sabe.',
  'Give an address that begins with https:// or http://.':
    'Informe um endereço que comece com https:// ou http://.',
  'The year is out of range. Expected 1900 to 2199.': 'O ano deve estar entre 1900 e 2199.',
  'Choose a password of at least 12 characters.': 'Escolha uma senha de ao menos 12 caracteres.',
  'Choose a password of at most 200 characters.': 'Escolha uma senha de no máximo 200 caracteres.',
  'Use up to 100 letters without accents, digits and . _ @ + -':
    'Use até 100 letras sem acento, números e . _ @ + -',
  'Say what the token is for.': 'Diga para que serve o token.',
  'An account SID is AC and 32 hexadecimal digits.': 'O account SID é AC e 32 dígitos hexadecimais.',
  'A number with +, a short code, a name of up to 11 letters, or the SID of a Messaging Service (MG…).':
    'Um número com +, um código curto, um nome de até 11 letras ou o SID de um Messaging Service (MG…).',
  'A token without spaces or control characters.': 'Um token sem espaços.',
  'The upload broke off.': 'O envio do arquivo foi interrompido. Nada foi guardado.',
  'A word needs a letter or a digit.': 'Uma palavra precisa de uma letra ou de um número.',
  'Give at least one word that opts out.': 'Informe ao menos uma palavra que descadastra.',
  'Use up to 40 lower-case letters without accents, digits and _, beginning with a letter.':
    'Use até 40 letras minúsculas sem acento, números e _, começando com uma letra.',
  'This name belongs to a field every mailing has: choose another.':
    'Este nome é de um campo que todo mailing tem: escolha outro.',
  'The file is empty.': 'O arquivo está vazio.',
  'The file has a header and no line with a contact.': 'O arquivo só tem o cabeçalho, sem nenhum contato.',
  'A closing quote is followed by more text. A quote inside quotes is written twice.':
    'Depois das aspas que fecham vem mais texto. Aspas dentro de aspas se escrevem duas vezes.',
  'The line has no phone.': 'A linha não tem telefone.',
  'The record has no phone.': 'O contato não tem telefone.',
  'None of the phones can be read.': 'Nenhum dos telefones pode ser lido.',
  'None of the phones is a mobile number.': 'Nenhum dos telefones é um celular.',
  'An earlier line has the same phone.': 'Uma linha anterior tem o mesmo telefone.',
  'An earlier record has the same phone.': 'Um contato anterior tem o mesmo telefone.',
  'The line can not be read.': 'A linha não pode ser lida.',
  'Its text needs more segments than the campaign allows.':
    'O texto precisa de mais segmentos do que a campanha permite.',
  'Its text is empty.': 'O texto fica vazio.',
  'Its own message has a placeholder that is not known, or a single brace.':
    'A mensagem própria tem uma tag desconhecida, ou uma chave sozinha.',
  'A secret of 20 to 128 letters, digits, _ and -, made by chance.':
    'Um segredo de 20 a 128 letras, números, _ e -, feito ao acaso.',
  'Give the sender.': 'Informe o remetente.',
  'No control characters.': 'Sem caracteres de controle.',
  "The account's own address, https://xxxxx.api.infobip.com.":
    'O endereço da própria conta, https://xxxxx.api.infobip.com.',
  'The body is nested too deep.': 'O corpo tem níveis demais.',
  'A GET has no body.': 'Um GET não tem corpo.',
  'An address holds neither spaces nor accents: write %20 and the like.':
    'Um endereço não tem espaços nem acentos: escreva %20 e semelhantes.',
  'The address begins with http:// or https:// and a host without placeholders.':
    'O endereço começa com http:// ou https:// e um host sem marcadores.',
  'This is not an address.': 'Isto não é um endereço.',
  'Credentials do not stand in the address: use a header or a secret.':
    'Credenciais não ficam no endereço: use um cabeçalho ou um segredo.',
  'What stands after # is never sent.': 'O que vem depois de # nunca é enviado.',
  'A header is named with letters, digits and -.': 'O nome de um cabeçalho tem letras, números e -.',
  'This header is set by the gateway itself.': 'Este cabeçalho é posto pelo próprio Torpedo.',
  'A header holds ASCII only.': 'Um cabeçalho só tem ASCII.',
  'A name of letters and digits, the first one small.':
    'Um nome de letras e números, começando por minúscula.',
  'A secret without line breaks and accents.': 'Um segredo sem quebras de linha nem acentos.',
  'Name the addresses that may receive it.': 'Informe os endereços que podem recebê-la.',
  'Write an address such as https://api.example.com, with its port if it has one, and without a path.':
    'Escreva um endereço como https://api.exemplo.com.br, com a porta se houver, e sem caminho.',
  'This can not be the name of a header.': 'Isto não pode ser o nome de um cabeçalho.',
  'This header is set by HTTP itself.': 'Este cabeçalho é posto pelo próprio HTTP.',
  'This header is set by HTTP or by Torpedo itself.': 'Este cabeçalho é posto pelo HTTP ou pelo Torpedo.',
  'Use printable ASCII characters, none of them a space at an end.':
    'Use só caracteres ASCII visíveis, sem espaço no início ou no fim.',
  'A user name has no colon and no control character.': 'Um usuário não tem dois-pontos.',
  'A secret has no control character.': 'Um segredo não tem caracteres de controle.',
  'Expected an address that begins with https:// or http://.':
    'Informe um endereço que comece com https:// ou http://.',
  'Leave user and password out of the address: give them as a header.':
    'Deixe usuário e senha fora do endereço: informe-os em um cabeçalho.',
  'Choose at least one event.': 'Escolha ao menos um acontecimento.',
  'Use 24 to 200 characters without spaces or accents.':
    'Use de 24 a 200 caracteres sem espaços nem acentos.',
};

const codes: Readonly<Record<string, string>> = {
  message_too_long: 'O texto precisa de mais segmentos do que a mensagem pode ter.',
  message_empty: 'O texto fica vazio.',
  placeholder_unknown: 'Há uma tag desconhecida.',
  missing: 'Preencha este campo.',
  invalid: 'Valor inválido.',
  too_small: 'Valor curto ou pequeno demais.',
  too_big: 'Valor longo ou grande demais.',
  taken: 'Já está em uso.',
  unknown: 'Esta opção não existe mais.',
  archived: 'Esta opção foi arquivada: escolha outra.',
  phone_missing: 'Informe um telefone.',
  phone_invalid: 'Este telefone não existe.',
  not_a_mobile: 'Este telefone não é um celular.',
};

/** A problem of a field, for a person. */
export function problemWords(format: Format, { code, params, message }: AnsweredProblem): string {
  const fault = readFault(code, params);
  if (fault) return faultWords(fault, format);
  if (format.locale === 'en') return message;
  return sentences[message] ?? inPortuguese(message) ?? codes[code] ?? message;
}

/**
 * A refusal of the API, for a person. `message` counts only where the API says more than the sentence of the code, which
 * it then has in English.
 */
export function failureWords(
  format: Format,
  { code, params, message, details }: Pick<ApiFailure, 'code' | 'params' | 'message' | 'details'>,
): string {
  if ('refusal' in details)
    return format.locale === 'en' ? message : (sentences[message] ?? inPortuguese(message) ?? message);
  return errorWordsOf(code, params, format) ?? message;
}
