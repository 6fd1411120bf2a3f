import {
  type ContactField,
  contactFields,
  type ExtraField,
  type LineProblem,
  readContact,
} from '../domain/contact.ts';
import { defaultNames, type FieldMap, foldAttribute } from '../domain/webservice.ts';
import { kindOf } from './json-kind.ts';
import type { MailingRecord } from './record.ts';

/** Attribute names whose meaning is remembered. Records have the same few; only an attack has more. */
const rememberedNames = 10_000;

/** What an attribute may be: several of them, the lowest rank first. `slot` counts the fields, then the extra fields. */
interface Meaning {
  slot: number;
  rank: number;
}

/**
 * Reads elements of a web service's answer as contacts, by the campaign's field map and extra fields. Whatever an element
 * is, it becomes a record: one that is not ok says why.
 */
export function createFieldMap({
  fieldMap,
  extraFields,
}: {
  fieldMap: FieldMap;
  extraFields: readonly ExtraField[];
}): (line: number, element: unknown) => MailingRecord {
  const paths = contactFields.flatMap(({ field }, slot) => {
    const path = fieldMap[field];
    return path === null ? [] : [{ slot, path }];
  });
  const slots = contactFields.length + extraFields.length;
  const slotName = (slot: number): string =>
    contactFields[slot]?.names[0] ?? extraFields[slot - contactFields.length]?.name ?? '';

  const byName = new Map<string, Meaning[]>();
  const mean = (name: string, meaning: Meaning) => {
    const folded = foldAttribute(name);
    byName.set(folded, [...(byName.get(folded) ?? []), meaning]);
  };
  contactFields.forEach(({ field }, slot) => {
    if (fieldMap[field] === null) defaultNames[field].forEach((name, rank) => mean(name, { slot, rank }));
  });
  extraFields.forEach(({ name }, index) => mean(name, { slot: contactFields.length + index, rank: 0 }));
  const remembered = new Map<string, readonly Meaning[]>();
  const nothing: readonly Meaning[] = [];
  const meaningsOf = (name: string): readonly Meaning[] => {
    const known = remembered.get(name);
    if (known !== undefined) return known;
    const meanings = byName.get(foldAttribute(name)) ?? nothing;
    if (remembered.size < rememberedNames) remembered.set(name, meanings);
    return meanings;
  };

  // Used anew for each record: a million of them would otherwise make five million arrays.
  const values: unknown[] = new Array<unknown>(slots);
  const ranks: number[] = new Array<number>(slots);
  const texts: string[] = new Array<string>(slots);

  return (line, element) => {
    if (!isObject(element)) {
      const message = `The element is ${kindOf(element)}, not an object.`;
      return bad(line, { code: 'not_an_object', column: null, message });
    }
    values.fill(undefined);
    ranks.fill(Infinity);
    for (const name in element) {
      const value = element[name];
      // An attribute that is null leaves its place to another name of the same field.
      if (value === null) continue;
      for (const { slot, rank } of meaningsOf(name)) {
        if (rank >= (ranks[slot] ?? 0)) continue;
        values[slot] = value;
        ranks[slot] = rank;
      }
    }
    for (const { slot, path } of paths) values[slot] = valueAt(element, path);
    for (let slot = 0; slot < slots; slot++) {
      const value = values[slot];
      const text = typeof value === 'string' ? value : textOf(value);
      if (text === undefined) {
        const column = slotName(slot);
        return bad(line, { code: 'value_invalid', column, message: `"${column}" ${whyNoText(value)}.` });
      }
      texts[slot] = text;
    }
    const raw: Record<ContactField, string> = {
      code: texts[slotOf.code] ?? '',
      name: texts[slotOf.name] ?? '',
      mobile: texts[slotOf.mobile] ?? '',
      phone: texts[slotOf.phone] ?? '',
      phone2: texts[slotOf.phone2] ?? '',
      birthDate: texts[slotOf.birthDate] ?? '',
      customMessage: texts[slotOf.customMessage] ?? '',
    };
    const result = readContact(raw, texts.slice(contactFields.length), extraFields);
    return result.ok ? { line, ok: true, contact: result.contact } : bad(line, result.problem);
  };
}

const bad = (line: number, problem: LineProblem): MailingRecord => ({ line, ok: false, problem });

const indexOf = (wanted: ContactField): number => contactFields.findIndex(({ field }) => field === wanted);
const slotOf: Readonly<Record<ContactField, number>> = {
  code: indexOf('code'),
  name: indexOf('name'),
  mobile: indexOf('mobile'),
  phone: indexOf('phone'),
  phone2: indexOf('phone2'),
  birthDate: indexOf('birthDate'),
  customMessage: indexOf('customMessage'),
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value as a person would write it; undefined for what is no single value, or can't be told exactly. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  // JSON.parse has already rounded what has more digits: a code or a phone would be another's.
  if (typeof value === 'number')
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : String(value);
  return value === undefined || value === null ? '' : undefined;
}

const whyNoText = (value: unknown): string =>
  typeof value === 'number'
    ? 'is a number with more digits than can be read exactly: it has to come as text'
    : `is ${kindOf(value)}, not a single value: name the attribute in it`;

/** What stands at a dotted path; an attribute whose own name has the dots comes first. */
export function valueAt(element: unknown, path: string): unknown {
  if (isObject(element) && Object.hasOwn(element, path)) return element[path];
  let value = element;
  for (const name of path.split('.')) {
    if (Array.isArray(value)) value = /^\d{1,6}$/.test(name) ? (value as unknown[])[Number(name)] : undefined;
    else value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

/** So many attributes of an element are named, and down to this depth. */
const mostPaths = 100;
const deepestPath = 4;

/** The dotted paths of an element's single values, in its order: what a field map can name. Names only, no values. */
export function attributePaths(element: unknown): string[] {
  const paths: string[] = [];
  const visit = (value: unknown, path: string, depth: number): void => {
    if (paths.length >= mostPaths) return;
    if (typeof value !== 'object' || value === null) {
      if (path !== '') paths.push(path);
    } else if (depth < deepestPath) {
      for (const [name, inner] of Object.entries(value)) {
        visit(inner, path === '' ? name : `${path}.${name}`, depth + 1);
      }
    }
  };
  visit(element, '', 0);
  return paths;
}
