import { z } from 'zod';
import type { Format } from '../format.ts';
import type { Locale } from '../user.ts';

type Words<P> = string | ((params: P, format: Format) => string);

/** One sentence in every language. */
export type Wording<P> = Readonly<Record<Locale, Words<P>>>;

/**
 * A sentence for users in every language, with its parameters. The schema parses stored parameters, and describes them
 * in the API's document.
 */
export interface Sentence<P> {
  readonly params: z.ZodType<P>;
  readonly words: Wording<P>;
}

/** A missing language, or a parameter that the sentence does not have, is a type error. */
export function sentence<S extends z.ZodRawShape>(
  shape: S,
  words: Wording<z.output<z.ZodObject<S>>>,
): Sentence<z.output<z.ZodObject<S>>> {
  return { params: z.object(shape), words };
}

export const worded = <P>(words: Wording<P>, params: P, format: Format): string => {
  const say = words[format.locale];
  return typeof say === 'string' ? say : say(params, format);
};

export const wordsOf = <P>({ words }: Sentence<P>, params: P, format: Format): string =>
  worded(words, params, format);

export type ParamsOf<T> = T extends Sentence<infer P> ? P : never;

/** Sentences by code, each with its own parameters. */
type Sentences = Readonly<Record<string, { readonly params: z.ZodType; readonly words: Wording<never> }>>;

/** A code with the parameters of its sentence. */
export type Coded<S extends Sentences, C extends keyof S & string = keyof S & string> = {
  [K in C]: { readonly code: K; readonly params: ParamsOf<S[K]> };
}[C];

/** Formats codes of one kind as sentences, and parses stored codes. */
export function vocabulary<S extends Sentences>(sentences: S) {
  type Code = keyof S & string;
  const codes = Object.keys(sentences) as [Code, ...Code[]];
  const sentenceOf = (code: Code): S[Code] => sentences[code];
  /** A code as stored, and as the API's document describes it. `read` also checks its parameters. */
  const kept = z.object({ code: z.enum(codes), params: z.record(z.string(), z.unknown()) });
  return {
    codes,
    kept,
    words: ({ code, params }: Coded<S>, format: Format): string =>
      worded<never>(sentenceOf(code).words, params as never, format),
    /** Null for other values. */
    read: (value: unknown): Coded<S> | null => {
      const found = kept.safeParse(value);
      if (!found.success) return null;
      const { code } = found.data;
      const params = sentenceOf(code).params.safeParse(found.data.params);
      return params.success ? ({ code, params: params.data } as Coded<S>) : null;
    },
  };
}
