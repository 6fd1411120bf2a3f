import { account, ambiguous, type CodeMeaning, refused } from '../codes.ts';

/**
 * Zenvia's error codes of a send, as its description of "Error Handling" lists them; of a VALIDATION_ERROR, with the
 * field that it names first (sms/zenvia/zenvia.ts).
 * https://github.com/zenvia/zenvia-openapi-spec/blob/master/spec/info/description.md
 */
export const zenviaCodes: ReadonlyMap<string, CodeMeaning> = new Map([
  ['AUTHENTICATION_ERROR', account('Zenvia does not accept the API token.')],
  ['NOT_FOUND', account('Zenvia does not know the sender: check its alias on the integrations page.')],
  ['VALIDATION_ERROR', refused('request_refused', 'Zenvia says that the request is not valid.')],
  ['VALIDATION_ERROR/from', account('Zenvia says that the sender is not valid.')],
  ['VALIDATION_ERROR/to', refused('number_invalid', 'Zenvia says that the number is not valid.')],
  ['VALIDATION_ERROR/contents', refused('content_refused', 'Zenvia says that the text is not valid.')],
  // Nothing says that a second message with the same externalId is refused; if it is, the first one was taken.
  ['DUPLICATED', ambiguous('Zenvia says that it has this message already.')],
]);
