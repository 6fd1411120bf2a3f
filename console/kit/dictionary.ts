import { locale, type Locale } from '../../domain/user.ts';
import { localeNames } from '../../domain/words/access.ts';

export { dictionary, type Dictionary } from '../../domain/words/dictionary.ts';

/** A formatted number with its noun: `1 mensagem`, `1.200 mensagens`. */
export const counted = (count: string, one: string, more: string): string =>
  `${count} ${count === '1' ? one : more}`;

/** The languages as choices, by their own names. */
export const locales: readonly (readonly [Locale, string])[] = locale.options.map((code) => [
  code,
  localeNames[code],
]);
