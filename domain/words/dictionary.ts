import type { Locale } from '../user.ts';

/** Strings, functions that create strings from values, and groups of both. */
interface Words {
  [key: string]: string | ((...values: never[]) => string) | Words;
}

export type Dictionary<T> = Readonly<Record<Locale, T>>;

/**
 * Words in both languages, side by side: a key that one of them lacks is a type error. Portuguese is the first
 * language; its labels are those of SPEC.
 */
export const dictionary = <T extends Words>(ptBR: T, en: NoInfer<T>): Dictionary<T> => ({
  'pt-BR': ptBR,
  en,
});
