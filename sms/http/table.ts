import { entryOf } from '../json.ts';

/** The meaning of a gateway's word, as described by an admin, with a label for the word. */
export interface Entry<T> {
  value: T;
  /**
   * The word, or the part of a pattern without `*`, such as `stat:EXPIRED` for the whole receipt of an operator. Empty
   * for the pattern `*`, which matches everything.
   */
  label: string;
}
export type Table<T> = (word: string) => Entry<T> | undefined;

/**
 * Looks words up in a record whose keys may contain `*` for any text. Keys without `*` take precedence, then longer keys.
 */
export function createTable<T>(record: Readonly<Record<string, T>>): Table<T> {
  const patterns = Object.entries(record)
    .filter(([key]) => key.includes('*'))
    .sort(([a], [b]) => b.length - a.length)
    .map(([key, value]) => ({
      pieces: key.toLowerCase().split('*'),
      entry: { value, label: key.replaceAll('*', ' ').trim() },
    }));
  return (word) => {
    const value = entryOf(record, word);
    if (value !== undefined) return { value, label: word };
    if (patterns.length === 0) return undefined;
    const lower = word.toLowerCase();
    return patterns.find(({ pieces }) => fits(lower, pieces))?.entry;
  };
}

/** Compares part by part instead of with a regular expression, because a callback may be long. */
function fits(word: string, [first = '', ...others]: readonly string[]): boolean {
  if (!word.startsWith(first)) return false;
  let from = first.length;
  for (const piece of others.slice(0, -1)) {
    const found = word.indexOf(piece, from);
    if (found === -1) return false;
    from = found + piece.length;
  }
  const last = others.at(-1) ?? '';
  return word.length - last.length >= from && word.endsWith(last);
}
