import type { ParamsOf } from './sentence.ts';
import type { problemSentences } from './catalog.ts';

/**
 * The problem of a field, as a code of the catalog with its parameters. Domain and mailing code returns these, and
 * `problemWords` (catalog.ts) formats the sentence for a reader. Imports of the catalog are types here, so that every
 * schema can use this file.
 */

type Sentences = typeof problemSentences;
export type ProblemCode = keyof Sentences;
export type ProblemParams<C extends ProblemCode> = ParamsOf<Sentences[C]>;

/** A problem that belongs to no field: why a line, a file or a web service is refused. */
export type Fault<C extends ProblemCode = ProblemCode> = {
  [K in C]: { readonly code: K; readonly params: ProblemParams<K> };
}[C];

/** A problem with the dotted path of its field. */
export type Problem<C extends ProblemCode = ProblemCode> = Fault<C> & { readonly field: string };

/** Parameters are optional if a sentence needs none. */
type Params<C extends ProblemCode> =
  Record<string, never> extends ProblemParams<C> ? [params?: ProblemParams<C>] : [params: ProblemParams<C>];

/** `C` is the code itself: for a union of codes, write the object. */
export function fault<C extends ProblemCode>(code: C, ...[params]: Params<C>): Fault<C> {
  return { code, params: params ?? {} } as Fault<C>;
}

export const problem = <C extends ProblemCode>(field: string, code: C, ...params: Params<C>): Problem<C> => ({
  field,
  ...fault(code, ...params),
});

/** Codes whose sentence needs no parameters beyond those that zod knows about the check. */
type PlainCode = {
  [C in ProblemCode]: Record<string, never> extends ProblemParams<C>
    ? C
    : { minimum: number; maximum: number } extends ProblemParams<C>
      ? C
      : never;
}[ProblemCode];

/** A zod check's `error`: the code, from which the API reads the problem (api/http/input.ts). */
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
