import type { Locale } from '../../domain/user.ts';

/** Words, sentences that are made from values, and groups of both. */
interface Words {
  [key: string]: string | ((...values: never[]) => string) | Words;
}

export type Dictionary<T> = Readonly<Record<Locale, T>>;

/**
 * The words of one noun of the console in both languages, side by side: a key that one of them lacks is a type error.
 * Portuguese is the first language; its labels are SPEC's.
 */
export const dictionary = <T extends Words>(ptBR: T, en: NoInfer<T>): Dictionary<T> => ({
  'pt-BR': ptBR,
  en,
});

/** A number as it is written, with what it counts: `1 mensagem`, `1.200 mensagens`. */
export const counted = (count: string, one: string, more: string): string =>
  `${count} ${count === '1' ? one : more}`;

/** The languages by their own names. */
export const locales: readonly (readonly [Locale, string])[] = [
  ['pt-BR', 'Português'],
  ['en', 'English'],
];
