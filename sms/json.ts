/** Reads the parsed JSON of providers without a schema library, because this runs for each message and receipt. */

const longNumber = /\d{16}/;
/** A text, or an integer that JSON.parse would round. */
const textOrLongNumber = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;

/** Null if it is not JSON. An integer with so many digits that JSON.parse would round it becomes a text. */
export function parseJson(text: string | null): unknown {
  if (text === null) return null;
  // Some providers send a byte order mark.
  const json = text.startsWith('\ufeff') ? text.slice(1) : text;
  try {
    return JSON.parse(
      longNumber.test(json)
        ? json.replaceAll(textOrLongNumber, (token) => (token.startsWith('"') ? token : `"${token}"`))
        : json,
    );
  } catch {
    return null;
  }
}

/** The value at a dotted path (`messages.0.status.name`); undefined when there is none. */
export function at(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

/** The text of a string, number or boolean; null for anything else and for an empty string. */
export function textAt(value: unknown, path: string): string | null {
  const found = at(value, path);
  if (typeof found === 'number' || typeof found === 'boolean') return String(found);
  return typeof found === 'string' && found !== '' ? found : null;
}

/** A field name for comparison: `MessageId ` is `messageid`. */
const plainName = (name: string): string => name.trim().toLowerCase();

function ownValue(value: unknown, name: string): unknown {
  // Some providers send a list instead of one object.
  if (Array.isArray(value) && !/^\d+$/.test(name))
    return value.length === 1 ? ownValue(value[0], name) : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, name)) return (value as Record<string, unknown>)[name];
  const wanted = plainName(name);
  return Object.entries(value).find(([one]) => plainName(one) === wanted)?.[1];
}

/** The value of a field, by its whole name or at a dotted path, ignoring case; undefined: none. */
export function findAt(value: unknown, path: string): unknown {
  const whole = ownValue(value, path);
  if (whole !== undefined || !path.includes('.')) return whole;
  return path.split('.').reduce<unknown>((found, name) => ownValue(found, name), value);
}

/** The text of a field that is a string, number or boolean, or a list that begins with one; null if it is empty. */
export function findText(value: unknown, path: string): string | null {
  const found = findAt(value, path);
  const first: unknown = Array.isArray(found) ? found[0] : found;
  if (typeof first === 'number' || typeof first === 'boolean') return String(first);
  return typeof first === 'string' && first !== '' ? first : null;
}

/** The entry of a record with this key, or with a key that differs only in case and spaces. */
export function entryOf<T>(record: Readonly<Record<string, T>>, word: string): T | undefined {
  return Object.hasOwn(record, word)
    ? record[word]
    : Object.entries(record).find(([key]) => plainName(key) === plainName(word))?.[1];
}

export function listAt(value: unknown, path: string): unknown[] {
  const found = at(value, path);
  return Array.isArray(found) ? found : [];
}

/** An object for storage: the value itself, or `{ value }` if it is not an object. */
export const asPayload = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : { value };
