import { account, ambiguous, type CodeMeaning, refused } from '../codes.ts';

const params = { provider: 'Zenvia' } as const;

/**
 * Zenvia's error codes of a send, from "Error Handling" in its API description. A VALIDATION_ERROR is followed by the
 * first field that it lists (sms/zenvia/zenvia.ts).
 * https://github.com/zenvia/zenvia-openapi-spec/blob/master/spec/info/description.md
 */
export const zenviaCodes: ReadonlyMap<string, CodeMeaning> = new Map([
  ['AUTHENTICATION_ERROR', account({ code: 'credentials', params })],
  ['NOT_FOUND', account({ code: 'sender_unknown', params })],
  ['VALIDATION_ERROR', refused('request_refused', { code: 'request_invalid', params })],
  ['VALIDATION_ERROR/from', account({ code: 'sender_invalid', params })],
  ['VALIDATION_ERROR/to', refused('number_invalid', { code: 'number_invalid', params })],
  ['VALIDATION_ERROR/contents', refused('content_refused', { code: 'text_invalid', params })],
  // It is not documented that Zenvia refuses a second message with the same externalId. If so, it accepted the first.
  ['DUPLICATED', ambiguous({ code: 'duplicate', params })],
]);
