import {
  type ContactField,
  contactFields,
  createContactReader,
  type ExtraField,
  type LineWarning,
  warningOf,
} from '../domain/contact.ts';
import { readPhoneCell } from '../domain/phone.ts';
import { fault } from '../domain/problems/coded.ts';
import { isNothing } from '../domain/text.ts';
import { defaultNames, type FieldMap, foldAttribute } from '../domain/webservice.ts';
import { valueKindOf } from './json-kind.ts';
import { numberOf } from './json-number.ts';
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
 *
 * @param today ISO date (domain/contact.ts `createContactReader`)
 */
export function createFieldMap({
  fieldMap,
  extraFields,
  today,
}: {
  fieldMap: FieldMap;
  extraFields: readonly ExtraField[];
  today: string;
}): (line: number, element: unknown) => MailingRecord {
  const toContact = createContactReader(extraFields, today);
  const paths = contactFields.flatMap(({ field }, slot) => {
    const path = fieldMap[field];
    return path === null ? [] : [{ slot, path, parts: path.split(joint) }];
  });
  const slots = contactFields.length + extraFields.length;
  const slotName = (slot: number): string =>
    contactFields[slot]?.names[0] ?? extraFields[slot - contactFields.length]?.name ?? '';
  const isPhone = (slot: number): boolean =>
    slot === slotOf.mobile || slot === slotOf.phone || slot === slotOf.phone2;

  /**
   * A value as a person would write it; undefined for what is no single value. A list of one is its element; a list of
   * phones is a cell with several numbers.
   */
  const textOf = (value: unknown, slot: number): string | undefined => {
    const number = numberOf(value);
    if (number !== null) return numberText(number, slot);
    if (typeof value === 'string') return value;
    if (typeof value === 'boolean') return String(value);
    if (saysNothing(value)) return '';
    if (!Array.isArray(value)) return undefined;
    const elements = value.filter((element) => !saysNothing(element));
    if (elements.length === 1) return textOf(elements[0], slot);
    if (!isPhone(slot) || elements.some((element) => typeof element === 'object')) return undefined;
    return elements.map((element) => textOf(element, slot)).join(' / ');
  };
  const numberText = (number: string, slot: number): string => {
    // Libraries for tables make 1001.0 of the code 1001 where a row has none.
    if (slot === slotOf.code) return number.replace(/\.0+$/, '');
    // 1.234 is a thousand to a person, and never to JSON.
    if (extraFields[slot - contactFields.length]?.type !== 'money') return number;
    return number.replace(/^(-?\d+)\.(\d)(\d?)(\d?).*$/, (_, whole: string, ...digits: string[]) => {
      const cents = BigInt(whole.replace('-', '') + (digits[0] ?? '') + (digits[1] || '0'));
      const rounded = (cents + ((digits[2] ?? '') >= '5' ? 1n : 0n)).toString().padStart(3, '0');
      return `${whole.startsWith('-') ? '-' : ''}${rounded.slice(0, -2)},${rounded.slice(-2)}`;
    });
  };
  /** What several attributes say together. A phone may have its area code in both of them. */
  const joined = (element: unknown, paths: readonly string[], slot: number): string | undefined => {
    const parts = paths
      .map((path) => textOf(valueAt(element, path), slot))
      .filter((part) => part !== undefined && !isNothing(part));
    if (parts.length === 0) return undefined;
    const all = parts.join(' ');
    const last = parts.at(-1) ?? '';
    return isPhone(slot) && !readPhoneCell(all).ok && readPhoneCell(last).ok ? last : all;
  };

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
    if (!isObject(element))
      return { line, ok: false, problem: fault('not_an_object', { found: valueKindOf(element) }) };
    values.fill(undefined);
    ranks.fill(Infinity);
    for (const name in element) {
      const value = element[name];
      // An attribute that says nothing leaves its place to another name of the same field.
      if (saysNothing(value)) continue;
      for (const { slot, rank } of meaningsOf(name)) {
        if (rank >= (ranks[slot] ?? 0)) continue;
        values[slot] = value;
        ranks[slot] = rank;
      }
    }
    for (const { slot, path, parts } of paths)
      values[slot] = valueAt(element, path) ?? (parts.length > 1 ? joined(element, parts, slot) : undefined);
    let warnings: LineWarning[] | undefined;
    for (let slot = 0; slot < slots; slot++) {
      const value = values[slot];
      const text = textOf(value, slot);
      if (text === undefined) {
        const problem = fault('value_invalid', { column: slotName(slot), expected: 'single_value' });
        (warnings ??= []).push(warningOf(problem, JSON.stringify(value)));
      }
      texts[slot] = text ?? '';
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
    const { contact, warnings: ofValues } = toContact(raw, texts.slice(contactFields.length));
    return {
      line,
      ok: true,
      contact,
      warnings: warnings === undefined ? ofValues : [...warnings, ...ofValues],
    };
  };
}

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

const saysNothing = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  (typeof value === 'string' && isNothing(value)) ||
  (Array.isArray(value) && value.every(saysNothing)) ||
  (isObject(value) && Object.keys(value).length === 0);

/** Between attributes that make one value together: `ddd + celular`. */
const joint = /\s*\+\s*/;

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
