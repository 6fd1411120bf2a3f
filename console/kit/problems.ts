import type { AnsweredProblem } from '../../api/http/errors.ts';
import type { Format } from '../../domain/format.ts';
import { errorWordsOf, problemWords as faultWords, readFault } from '../../domain/problems/catalog.ts';
import type { ApiFailure } from './api.ts';

/** A problem of a field, in the reader's language and time zone. */
export function problemWords(format: Format, { code, params, message }: AnsweredProblem): string {
  const fault = readFault(code, params);
  return fault === null ? message : faultWords(fault, format);
}

/** An error of the API, in the reader's language and time zone. */
export const failureWords = (
  format: Format,
  { code, params, message }: Pick<ApiFailure, 'code' | 'params' | 'message'>,
): string => errorWordsOf(code, params, format) ?? message;
