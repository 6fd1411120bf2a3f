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

/** All problems of an error, or the error itself if it has none. */
export const allProblemWords = (format: Format, failure: ApiFailure): string =>
  failure.problems.length === 0
    ? failureWords(format, failure)
    : failure.problems.map((problem) => problemWords(format, problem)).join(' ');
