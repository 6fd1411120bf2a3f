import { z } from 'zod';
import type { Format } from '../format.ts';
import type { Locale } from '../user.ts';

type Words<P> = string | ((params: P, format: Format) => string);

/**
 * One thing that a person is told, in every language, and the parameters it is told with. The schema reads parameters
 * back from where they are kept, and describes them in the API's document.
 */
export interface Sentence<P> {
  readonly params: z.ZodType<P>;
  readonly words: Readonly<Record<Locale, Words<P>>>;
}

/** A language that is missing, or a parameter that the sentence does not have, is a type error. */
export function sentence<S extends z.ZodRawShape>(
  shape: S,
  words: Readonly<Record<Locale, Words<z.output<z.ZodObject<S>>>>>,
): Sentence<z.output<z.ZodObject<S>>> {
  return { params: z.object(shape), words };
}

export const wordsOf = <P>({ words }: Sentence<P>, params: P, format: Format): string => {
  const say = words[format.locale];
  return typeof say === 'string' ? say : say(params, format);
};

export type ParamsOf<T> = T extends Sentence<infer P> ? P : never;
