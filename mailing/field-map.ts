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

/** Attribute names whose meaning is cached. Records repeat the same few; only an attack has more. */
const rememberedNames = 10_000;

/** The meanings of an attribute, lowest rank first. `slot` counts the fields, then the extra fields. */
interface Meaning {
  slot: number;
  rank: number;
}

/**
 * Reads elements of a web service's answer as contacts, by the campaign's field map and extra fields. Every element
 * becomes a record: one that is not ok contains the reason.
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
   * A value as a user would write it; undefined if it is not a single value. A list with one element is that element; a
   * list of phones becomes a cell with several numbers.
   */
  const textOf = (value: unknown, slot: number): string | undefined => {
    const number = numberOf(value);
    if (number !== null) return numberText(number, slot);
    if (typeof value === 'string') return value;
    if (typeof value === 'boolean') return String(value);
    if (saysNothing(value)) return '';
    if (isObject(value)) {
      const inner = isPhone(slot) ? (phoneIn(value) ?? singleIn(value)) : singleIn(value);
      return inner === undefined ? undefined : textOf(inner, slot);
    }
    if (!Array.isArray(value)) return undefined;
    if (isDate(slot)) {
      const date = dateIn(value);
      if (date !== undefined) return date;
    }
    const elements = value.filter((element) => !saysNothing(element));
    if (elements.length === 1) return textOf(elements[0], slot);
    if (!isPhone(slot)) return undefined;
    const texts = elements
      .map((element) => textOf(element, slot))
      .filter((text) => text !== undefined && text !== '');
    return texts.length === 0 ? undefined : texts.join(' / ');
  };
  const isDate = (slot: number): boolean =>
    slot === slotOf.birthDate || extraFields[slot - contactFields.length]?.type === 'date';
  const numberText = (number: string, slot: number): string => {
    // Table libraries write the code 1001 as 1001.0 if another row has none.
    if (slot === slotOf.code) return number.replace(/\.0+$/, '');
    // A user writes 1.234 for a thousand; JSON does not.
    if (extraFields[slot - contactFields.length]?.type !== 'money') return number;
    return number.replace(/^(-?\d+)\.(\d)(\d?)(\d?).*$/, (_, whole: string, ...digits: string[]) => {
      const cents = BigInt(whole.replace('-', '') + (digits[0] ?? '') + (digits[1] || '0'));
      const rounded = (cents + ((digits[2] ?? '') >= '5' ? 1n : 0n)).toString().padStart(3, '0');
      return `${whole.startsWith('-') ? '-' : ''}${rounded.slice(0, -2)},${rounded.slice(-2)}`;
    });
  };
  /** The combined value of several attributes. Both parts of a phone may contain its area code. */
  const joined = (element: unknown, paths: readonly string[], slot: number): string | undefined => {
    const parts = paths
      .map((path) => textOf(valueAt(element, path), slot))
      .filter((part) => part !== undefined && !isNothing(part));
    if (parts.length === 0) return undefined;
    // An area code alone is not a phone.
    if (isPhone(slot) && parts.join('').replaceAll(/\D/g, '').length < shortestPhone) return undefined;
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

  // Reused for each record: a million records would otherwise create five million arrays.
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
      // An empty attribute yields to another name of the same field.
      if (saysNothing(value)) continue;
      for (const { slot, rank } of meaningsOf(name)) {
        if (rank >= (ranks[slot] ?? 0)) continue;
        values[slot] = value;
        ranks[slot] = rank;
      }
    }
    const inner = wrappedIn(element);
    for (const name in inner) {
      const value = inner[name];
      if (saysNothing(value)) continue;
      for (const { slot, rank } of meaningsOf(name)) {
        if (rank + behindOwn >= (ranks[slot] ?? 0)) continue;
        values[slot] = value;
        ranks[slot] = rank + behindOwn;
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
    const { contact, warnings: ofValues } = toContact(
      raw,
      extraFields.length === 0 ? noExtra : texts.slice(contactFields.length),
    );
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

const noExtra: readonly string[] = [];

/** Eight digits, and no DDD. */
const shortestPhone = 8;
/** Attributes of the element itself take precedence. */
const behindOwn = 1_000;

/** Wrappers of a record's content: JSON:API, HubSpot, GraphQL, Elasticsearch, Airtable. */
const wrappers = ['attributes', 'properties', 'node', '_source', 'fields', 'resource'] as const;

const notWrapped: Readonly<Record<string, unknown>> = {};

/** The object inside an element that only wraps it: `{"contato": {…}}`, `{"id": "1", "attributes": {…}}`. */
function wrappedIn(element: Record<string, unknown>): Readonly<Record<string, unknown>> {
  let count = 0;
  let inner: unknown;
  for (const name in element) {
    inner = element[name];
    if (++count > 1) break;
  }
  if (count === 1) return isObject(inner) ? inner : notWrapped;
  for (const name of wrappers) {
    inner = element[name];
    if (isObject(inner)) return inner;
  }
  return notWrapped;
}

/** Keys of an object that represents one value: XML as JSON, MongoDB, Firestore, DynamoDB, `{"value": 1}`. */
const singleKeys: ReadonlySet<string> = new Set(
  (
    '#text _ $t _text $value __text $numberLong $numberInt $numberDouble $numberDecimal $oid $date ' +
    'stringValue integerValue doubleValue booleanValue timestampValue S N value valor'
  ).split(' '),
);
/** In XML as JSON, attributes may be beside the text. */
const textKeys = ['#text', '_', '$t', '_text', '__text'] as const;

/** The single value that an object represents; undefined for other objects. */
function singleIn(value: Record<string, unknown>): unknown {
  const keys = Object.keys(value);
  const [only = ''] = keys;
  if (keys.length === 1 && singleKeys.has(only)) return value[only];
  const text = textKeys.find((key) => Object.hasOwn(value, key));
  if (text !== undefined) return value[text];
  // xsi:nil, and Firestore's null.
  if (keys.every((key) => /(?:^|[:@_])(?:nil|nullValue)$/.test(key))) return '';
  // PHP's DateTime.
  if (Object.hasOwn(value, 'timezone_type') && typeof value.date === 'string') return value.date;
  return dateIn([value.year ?? value.ano, value.month ?? value.mes, value.day ?? value.dia]);
}

/** Java's LocalDate as Jackson writes it, `[1980, 12, 25]`, optionally with a time. */
function dateIn(parts: readonly unknown[]): string | undefined {
  const [year, month, day] = parts.map(numberOf);
  if (!/^\d{4}$/.test(year ?? '') || !/^\d{1,2}$/.test(month ?? '') || !/^\d{1,2}$/.test(day ?? ''))
    return undefined;
  return [year, month?.padStart(2, '0'), day?.padStart(2, '0')].join('-');
}

const numberNames: ReadonlySet<string> = new Set(
  'numero number telefone phone fone celular mobile phonenumber numerotelefone numerocelular numtelefone'.split(
    ' ',
  ),
);
const areaNames: ReadonlySet<string> = new Set('ddd areacode codigoarea dddtelefone'.split(' '));
const countryNames: ReadonlySet<string> = new Set('ddi countrycode codigopais'.split(' '));

/** The phone in an object with its parts: `{"tipo": "celular", "ddd": "11", "numero": "98765-4321"}`. */
function phoneIn(value: Record<string, unknown>): string | undefined {
  const partOf = (names: ReadonlySet<string>): string | null => {
    const found = Object.entries(value).find(([name]) => names.has(foldAttribute(name)))?.[1];
    const part = numberOf(found) ?? (typeof found === 'string' && !isNothing(found) ? found.trim() : null);
    return part;
  };
  const number = partOf(numberNames);
  if (number === null) return undefined;
  const country = partOf(countryNames)?.replaceAll(/\D/g, '');
  const parts = [country ? `+${country}` : null, partOf(areaNames), number].filter((part) => part !== null);
  const all = parts.join(' ');
  return parts.length > 1 && !readPhoneCell(all).ok ? number : all;
}

/** Joins attributes that form one value: `ddd + celular`. */
const joint = /\s*\+\s*/;

/** The value at a dotted path; an attribute whose own name contains the dots takes precedence. */
export function valueAt(element: unknown, path: string): unknown {
  if (isObject(element) && Object.hasOwn(element, path)) return element[path];
  let value = element;
  for (const name of path.split('.')) {
    if (Array.isArray(value)) value = /^\d{1,6}$/.test(name) ? (value as unknown[])[Number(name)] : undefined;
    else value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

/** The maximum number of attribute names per element, down to this depth. */
const mostPaths = 100;
const deepestPath = 4;

/** The dotted paths of an element's single values, in order, for use in a field map. Names only, no values. */
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
