import type { Format } from '../format.ts';
import { campaignSentences } from './campaigns.ts';
import type { Fault, ProblemCode, ProblemParams } from './coded.ts';
import { deliverySentences } from './delivery.ts';
import { type ErrorCode, errorSentences } from './errors.ts';
import { fieldSentences } from './fields.ts';
import { fileSentences, lineSentences, skipSentences } from './mailings.ts';
import { type ParamsOf, type Sentence, wordsOf } from './sentence.ts';
import { settingSentences } from './settings.ts';
import { webserviceSentences } from './webservices.ts';

/** Every problem of input from a user or a program, by its code, in both languages. */
export const problemSentences = {
  ...fieldSentences,
  ...campaignSentences,
  ...fileSentences,
  ...lineSentences,
  ...skipSentences,
  ...settingSentences,
  ...webserviceSentences,
  ...deliverySentences,
} as const;

const byCode: { readonly [C in ProblemCode]: Sentence<ProblemParams<C>> } = problemSentences;

export const problemWords = <C extends ProblemCode>(
  { code, params }: { code: C; params: ProblemParams<C> },
  format: Format,
): string => wordsOf(byCode[code], params, format);

export type ErrorParams<C extends ErrorCode> = ParamsOf<(typeof errorSentences)[C]>;
const byErrorCode: { readonly [C in ErrorCode]: Sentence<ErrorParams<C>> } = errorSentences;

export const errorWords = <C extends ErrorCode>(code: C, params: ErrorParams<C>, format: Format): string =>
  wordsOf(byErrorCode[code], params, format);

/** The sentence of an API error; null if the code is not one. */
export function errorWordsOf(code: string, params: unknown, format: Format): string | null {
  if (!isErrorCode(code)) return null;
  const parsed = byErrorCode[code].params.safeParse(params);
  return parsed.success ? errorWords<ErrorCode>(code, parsed.data, format) : null;
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorSentences, code);

export const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(problemSentences, code);

/** A fault from storage or from an issue of a schema; null if it is not one. */
export function readFault(code: unknown, params: unknown): Fault | null {
  if (typeof code !== 'string' || !isProblemCode(code)) return null;
  const parsed = byCode[code].params.safeParse(params);
  return parsed.success ? ({ code, params: parsed.data } as Fault) : null;
}
