import type { ParamsOf } from './sentence.ts';
import type { problemSentences } from './catalog.ts';

/**
 * What is wrong with a field, as a code of the catalog and its parameters: domain and mailing code returns these, and
 * only where a person reads does `problemWords` (catalog.ts) make a sentence of it. Imports of the catalog are types
 * here, so that every schema can use this file.
 */

type Sentences = typeof problemSentences;
export type ProblemCode = keyof Sentences;
export type ProblemParams<C extends ProblemCode> = ParamsOf<Sentences[C]>;

/** A problem that belongs to no field: why a line, a file or a web service is refused. */
export type Fault<C extends ProblemCode = ProblemCode> = {
  [K in C]: { readonly code: K; readonly params: ProblemParams<K> };
}[C];

/** A field by its dotted path, and what is wrong with it. */
export type Problem<C extends ProblemCode = ProblemCode> = Fault<C> & { readonly field: string };

/** Parameters may be left out where a sentence needs none. */
type Params<C extends ProblemCode> =
  Record<string, never> extends ProblemParams<C> ? [params?: ProblemParams<C>] : [params: ProblemParams<C>];

/** `C` is the code itself: of a union of codes, write the object. */
export function fault<C extends ProblemCode>(code: C, ...[params]: Params<C>): Fault<C> {
  return { code, params: params ?? {} } as Fault<C>;
}

export const problem = <C extends ProblemCode>(field: string, code: C, ...params: Params<C>): Problem<C> => ({
  field,
  ...fault(code, ...params),
});

/** Codes whose sentence needs no more than what zod itself knows of the check. */
type PlainCode = {
  [C in ProblemCode]: Record<string, never> extends ProblemParams<C>
    ? C
    : { minimum: number; maximum: number } extends ProblemParams<C>
      ? C
      : never;
}[ProblemCode];

/** A zod check's `error`: the code, which the API reads the problem from (api/http/input.ts). */
export const coded = <C extends PlainCode>(code: C): C => code;

/** For `context.addIssue`: an issue whose code has parameters. */
export const codedIssue = (
  { code, params }: Fault,
  path: PropertyKey[] = [],
): { code: 'custom'; message: string; path: PropertyKey[]; params: Fault } => ({
  code: 'custom',
  message: code,
  path,
  params: { code, params } as Fault,
});
