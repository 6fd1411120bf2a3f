import { z } from 'zod';

/**
 * A line of a mailing after it has been read and checked. Every value is a string as it was written, cleaned
 * (`cleanText`); '' stands for what was not given. Phones are chosen and checked later: domain/phone.ts.
 */
export interface Contact {
  code: string;
  name: string;
  mobile: string;
  phone: string;
  phone2: string;
  /** ISO date, or ''. */
  birthDate: string;
  /** Replaces the template for this contact. May have several lines. */
  customMessage: string;
  /** Values of the campaign's extra fields, by their names. */
  extra: Record<string, string>;
}

export type ContactField = Exclude<keyof Contact, 'extra'>;

interface FieldRule {
  readonly field: ContactField;
  /** Portuguese first: the name in the layout file; then the English alias. */
  readonly names: readonly [string, string];
  /** In UTF-16 units, like every length here. */
  readonly maxLength: number;
}

/** The fields of a contact in the order of the mailing's layout. */
export const contactFields = [
  { field: 'code', names: ['codigo', 'code'], maxLength: 60 },
  { field: 'name', names: ['nome', 'name'], maxLength: 120 },
  { field: 'mobile', names: ['celular', 'mobile'], maxLength: 40 },
  { field: 'phone', names: ['telefone', 'phone'], maxLength: 40 },
  { field: 'phone2', names: ['telefone2', 'phone2'], maxLength: 40 },
  { field: 'birthDate', names: ['data_nascimento', 'birth_date'], maxLength: 40 },
  // Ten segments, the most a campaign can allow, hold 1,530 septets.
  { field: 'customMessage', names: ['mensagem', 'message'], maxLength: 1600 },
] as const satisfies readonly FieldRule[];

const maxExtraLength = 500;

/**
 * A column or placeholder name as it is compared: without case, accents and surrounding spaces ("Código " is "codigo").
 */
export const foldName = (name: string): string =>
  name
    .normalize('NFD')
    .replaceAll(/\p{Mn}/gu, '')
    .trim()
    .toLowerCase();

// `constructor` is a property of every object: as a name it could be read where no value was set. `problema` is what
// Torpedo writes beside lines that are to be mended (mailing/layout.ts).
const reservedNames: ReadonlySet<string> = new Set([
  ...contactFields.flatMap(({ names }) => names),
  'constructor',
  'problema',
]);

/**
 * An additional column of the mailing, declared in the campaign. Its name is the column's header, the placeholder
 * (`{valor_divida}`) and the key on the ticket.
 */
export const extraField = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z][a-z0-9_]{0,39}$/,
      'Use up to 40 lower-case letters without accents, digits and _, beginning with a letter.',
    )
    .refine(
      (name) => !reservedNames.has(name),
      'This name belongs to a field every mailing has: choose another.',
    ),
  type: z.enum(['text', 'number', 'date', 'boolean']),
  required: z.boolean(),
});
export type ExtraField = z.infer<typeof extraField>;

/** What is wrong with one line of a mailing. Names the column; never holds the value, which is a person's. */
export interface LineProblem {
  code:
    | 'value_missing'
    | 'value_invalid'
    | 'value_too_long'
    | 'column_count'
    | 'quote_misplaced'
    | 'not_an_object';
  /** The column in words of the layout; null when the line as a whole is wrong. */
  column: string | null;
  message: string;
}

export type ContactResult = { ok: true; contact: Contact } | { ok: false; problem: LineProblem };

/**
 * A contact from the raw values of one record, wherever it came from. The first value that is wrong makes the whole
 * record a bad one: a contact is never half taken.
 *
 * @param raw one value for each field; '' or white space where the record has none
 * @param rawExtra one value for each of `extraFields`, in their order
 */
export function readContact(
  raw: Readonly<Record<ContactField, string>>,
  rawExtra: readonly string[],
  extraFields: readonly ExtraField[],
): ContactResult {
  const contact: Contact = {
    code: cleanText(raw.code),
    name: cleanText(raw.name),
    mobile: cleanText(raw.mobile),
    phone: cleanText(raw.phone),
    phone2: cleanText(raw.phone2),
    birthDate: cleanText(raw.birthDate),
    customMessage: cleanLines(raw.customMessage),
    extra: {},
  };
  for (const { field, names, maxLength } of contactFields) {
    if (contact[field].length > maxLength) return tooLong(names[0], maxLength);
  }
  if (contact.birthDate !== '') {
    const birthDate = readBirthDate(contact.birthDate);
    if (birthDate === undefined) {
      return bad('value_invalid', 'data_nascimento', 'is no date: write dd/mm/yyyy or yyyy-mm-dd');
    }
    contact.birthDate = birthDate;
  }
  for (let i = 0; i < extraFields.length; i++) {
    const field = extraFields[i];
    if (field === undefined) break;
    const value = cleanText(rawExtra[i] ?? '');
    if (value.length > maxExtraLength) return tooLong(field.name, maxExtraLength);
    if (value === '') {
      if (field.required) return bad('value_missing', field.name, 'is required, and has no value');
    } else {
      const problem = checkExtraValue(field, value);
      if (problem !== null) return bad('value_invalid', field.name, problem);
    }
    contact.extra[field.name] = value;
  }
  return { ok: true, contact };
}

function tooLong(column: string, maxLength: number): ContactResult {
  return bad('value_too_long', column, `is longer than ${maxLength} characters`);
}

function bad(code: LineProblem['code'], column: string, predicate: string): ContactResult {
  return { ok: false, problem: { code, column, message: `"${column}" ${predicate}.` } };
}

/**
 * What is wrong with a value (cleaned, not empty) of an extra field, as the end of the sentence that begins with the
 * field's name; null when it is of the declared type. The value itself stays as it was written: `1.234,56` is what
 * the message shall say.
 */
export function checkExtraValue(field: ExtraField, value: string): string | null {
  switch (field.type) {
    case 'text':
      return null;
    case 'number':
      return isNumber(value) ? null : 'is no number: write 1234,56 or 1.234,56 or 1234.56';
    case 'date':
      return readDate(value) === undefined ? 'is no date: write dd/mm/yyyy or yyyy-mm-dd' : null;
    case 'boolean':
      return booleanWords.has(foldName(value)) ? null : 'is neither yes nor no: write sim or não';
  }
}

const booleanWords: ReadonlySet<string> = new Set([
  'sim',
  's',
  'nao',
  'n',
  'yes',
  'y',
  'no',
  'true',
  'false',
  'verdadeiro',
  'falso',
  '1',
  '0',
]);

/** Brazilian (1.234,56 and 1234,56) or plain (1234.56). `1.234` is read the Brazilian way, and is a number either way. */
function isNumber(value: string): boolean {
  return /^[+-]?(?:\d+(?:[.,]\d+)?|\d{1,3}(?:\.\d{3})+(?:,\d+)?)$/.test(value);
}

/**
 * The ISO date of a birth date in one of the usual forms, '' for the zeros (00/00/0000) that old systems write for
 * "none", undefined when it is no date.
 */
export function readBirthDate(value: string): string | undefined {
  return /^[0/.-]+$/.test(value) ? '' : readDate(value);
}

/**
 * The ISO date of dd/mm/yyyy (also with - or .), yyyy-mm-dd (also with /) or yyyymmdd, with or without a time behind
 * it; undefined when it is no date between 1900 and 2199. A year of two digits is not guessed at.
 */
export function readDate(value: string): string | undefined {
  const match =
    /^(?<day>\d{1,2})([/.-])(?<month>\d{1,2})\2(?<year>\d{4})(?:[ T]\d{1,2}:\d{2}.*)?$/.exec(value) ??
    /^(?<year>\d{4})([/-])(?<month>\d{1,2})\2(?<day>\d{1,2})(?:[ T]\d{1,2}:\d{2}.*)?$/.exec(value) ??
    /^(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})(?:T\d{2}:?\d{2}.*)?$/.exec(value);
  const { year = '', month = '', day = '' } = match?.groups ?? {};
  const y = Number(year);
  const m = Number(month);
  const d = Number(day);
  if (y < 1900 || y > 2199 || m < 1 || m > 12 || d < 1 || d > daysInMonth(y, m)) return undefined;
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/**
 * A value from outside on one line: control characters and line breaks become spaces; what turns the direction of
 * writing and halves of surrogate pairs (which no UTF-8 can hold) go; the ends are trimmed.
 */
export function cleanText(value: string): string {
  if (isClean(value)) return value;
  return value
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replaceAll(/[\p{Cs}\u202a-\u202e\u2066-\u2069]/gu, '')
    .trim();
}

/** Like `cleanText`, but line breaks stay, written \n. */
export function cleanLines(value: string): string {
  if (isClean(value)) return value;
  return value
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map(cleanText)
    .join('\n')
    .trim();
}

/** Whether `cleanText` would change nothing; false for any surrogate, so that only such values pay for the regexes. */
function isClean(value: string): boolean {
  const { length } = value;
  if (length === 0) return true;
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && (code <= 0xa0 || code >= 0x1680))) return false;
  }
  return value.charCodeAt(0) !== 0x20 && value.charCodeAt(length - 1) !== 0x20;
}
