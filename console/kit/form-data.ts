/**
 * Forms as browsers send them: pairs of names and texts. A name is the dotted path of its field in the API's document
 * (`schedule.recurrence.every`, `mailing.extraFields.0.name`), so that the API's problems can be matched to fields.
 */
export class FormValues {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(pairs: Iterable<readonly [string, string]>) {
    const values = new Map<string, string[]>();
    for (const [name, sent] of pairs) {
      // Browsers send HTTP line ends.
      const value = sent.replaceAll('\r\n', '\n');
      const known = values.get(name);
      if (known) known.push(value);
      else values.set(name, [value]);
    }
    this.#values = values;
  }

  /** The values of a document, as its form shows them. */
  static of(document: unknown): FormValues {
    return new FormValues(pairsOf(document, ''));
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The entered value; empty if there is none. */
  text(name: string): string {
    return this.#values.get(name)?.at(-1) ?? '';
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** Null if nothing was entered. */
  optional(name: string): string | null {
    const text = this.text(name).trim();
    return text === '' ? null : text;
  }

  /** A value that is not a number is kept as entered: the API then reports it, at this field. */
  number(name: string): number | string | null {
    const text = this.optional(name);
    if (text === null) return null;
    const value = Number(text.replace(',', '.'));
    return Number.isFinite(value) ? value : text;
  }

  checked(name: string): boolean {
    return ['on', 'true'].includes(this.text(name));
  }

  /** The indexes of a list, in order: `params.0.key` and `params.3.key` are 0 and 3. */
  rows(prefix: string): number[] {
    const indexes = new Set<number>();
    for (const name of this.#values.keys()) {
      if (!name.startsWith(`${prefix}.`)) continue;
      const index = /^\d{1,4}(?=\.|$)/.exec(name.slice(prefix.length + 1))?.[0];
      if (index !== undefined) indexes.add(Number(index));
    }
    return [...indexes].sort((a, b) => a - b);
  }

  /** The same, with some values replaced; null takes one away. */
  with(changes: Readonly<Record<string, string | null>>): FormValues {
    const kept = [...this.pairs()].filter(([name]) => !(name in changes));
    const added = Object.entries(changes).filter((entry): entry is [string, string] => entry[1] !== null);
    return new FormValues([...kept, ...added]);
  }

  /** The same, without the fields of a part of the document. */
  without(path: string): FormValues {
    return new FormValues([...this.pairs()].filter(([name]) => !name.startsWith(`${path}.`)));
  }

  /** The same, without the spaces around pasted values, except in fields whose spaces count. */
  trimmed(except: RegExp): FormValues {
    return new FormValues(
      [...this.pairs()].map(([name, value]) => [name, except.test(name) ? value : value.trim()]),
    );
  }

  *pairs(): Generator<readonly [string, string]> {
    for (const [name, values] of this.#values) for (const value of values) yield [name, value];
  }
}

function* pairsOf(value: unknown, path: string): Generator<readonly [string, string]> {
  if (value === null || value === undefined) return;
  if (value instanceof Date) yield [path, value.toISOString()];
  else if (Array.isArray(value) && value.every((one) => typeof one === 'string')) {
    for (const one of value) yield [path, one];
  } else if (typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      yield* pairsOf(inner, path === '' ? key : `${path}.${key}`);
    }
  } else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    yield [path, String(value)];
  }
}
