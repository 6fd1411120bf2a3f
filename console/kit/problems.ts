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
  'The upload broke off.': 'O envio do arquivo foi interrompido. Nada foi guardado.',
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
