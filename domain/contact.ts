import { z } from 'zod';
import { anyDate, birthDates, businessDates, type DateWindow, readDate } from './dates.ts';
import { readMoney } from './money.ts';
import { type Fault, fault } from './problems/coded.ts';
import type { Expectation } from './problems/mailings.ts';
import { cleanText, isGuarded, isScientific, readText, readTextLines, withoutExponent } from './text.ts';

/**
 * A line of a mailing after it has been read and checked. Every value is a string as it was written, cleaned (domain/text.ts
 * `readText`); '' stands for what was not given, or can't be read. Phones are chosen and checked later: domain/phone.ts.
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
  // Several numbers and remarks may be in one cell.
  { field: 'mobile', names: ['celular', 'mobile'], maxLength: 200 },
  { field: 'phone', names: ['telefone', 'phone'], maxLength: 200 },
  { field: 'phone2', names: ['telefone2', 'phone2'], maxLength: 200 },
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

/** `money`: an amount, which texts have as 1.234,56. */
export const extraTypes = ['text', 'number', 'money', 'date', 'boolean'] as const;

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
  type: z.enum(extraTypes),
  required: z.boolean(),
});
export type ExtraField = z.infer<typeof extraField>;

/** What is wrong with one line of a mailing as a whole: nobody can be written to from it. Holds no value. */
export type LineFault = Fault<'column_count' | 'quote_misplaced' | 'not_an_object'>;

/** Why a value was not used, or how it was read. Names the column and never holds the value. */
type ValueFault = Fault<
  | 'value_invalid'
  | 'value_too_long'
  | 'value_damaged'
  | 'quote_misplaced'
  | 'phone_chosen'
  | 'ninth_digit_added'
  | 'code_zeros'
>;

/** A value of a line that was left empty, or read with a doubt. */
export type LineWarning = ValueFault & {
  /** What was there, shortened. Personal: for the database and the people who work with the mailing alone. */
  readonly value: string;
};

export function warningOf(fault: ValueFault, value: string): LineWarning {
  const shown = cleanText(value.slice(0, 200));
  return { ...fault, value: shown.length > mostShown ? `${cleanText(shown.slice(0, mostShown))}…` : shown };
}

const mostShown = 60;

export interface ReadContact {
  contact: Contact;
  warnings: readonly LineWarning[];
}

/** Most lines have none: they share it. */
const noWarnings: readonly LineWarning[] = [];

/** One value for each field; '' or white space where the record has none. Extra values in the order of the extra fields. */
export type ContactReader = (
  raw: Readonly<Record<ContactField, string>>,
  rawExtra: readonly string[],
) => ReadContact;

/**
 * Makes contacts of the raw values of records, wherever these came from. A value that can't be read costs itself: it is
 * left empty, with a warning.
 *
 * @param today ISO date: nobody is born later, and what a year of two digits means depends on it
 */
export function createContactReader(extraFields: readonly ExtraField[], today: string): ContactReader {
  const births = birthDates(today);
  const business = businessDates(today);

  return (raw, rawExtra) => {
    let warnings: LineWarning[] | undefined;
    const warn = (fault: ValueFault, value: string): string => {
      (warnings ??= []).push(warningOf(fault, value));
      return '';
    };
    const readField = ({ field, names: [column], maxLength }: (typeof contactFields)[number]): string => {
      const value = raw[field];
      if (value === '') return value;
      const text = field === 'customMessage' ? readTextLines(value) : readText(value);
      if (text === undefined) return warn(fault('value_damaged', { column, damage: 'encoding' }), value);
      // A message that is too long is judged as a text: without its own, somebody would get another one.
      if (text.length > maxLength && field !== 'customMessage')
        return warn(fault('value_too_long', { column, maximum: maxLength }), text);
      return text;
    };
    const contact: Contact = {
      code: readField(contactFields[0]),
      name: readField(contactFields[1]),
      mobile: readField(contactFields[2]),
      phone: readField(contactFields[3]),
      phone2: readField(contactFields[4]),
      birthDate: readField(contactFields[5]),
      customMessage: readField(contactFields[6]),
      extra: {},
    };
    if (isScientific(contact.code) && !isGuarded(raw.code)) {
      contact.code =
        withoutExponent(contact.code) ??
        warn(fault('value_damaged', { column: 'codigo', damage: 'scientific' }), contact.code);
    }
    if (contact.birthDate !== '') {
      contact.birthDate =
        readDate(contact.birthDate, births) ??
        warn(
          fault('value_invalid', { column: 'data_nascimento', expected: 'birth_date' }),
          contact.birthDate,
        );
    }
    if (contact.customMessage !== '' && noMessages.has(foldName(contact.customMessage)))
      contact.customMessage = '';
    for (let i = 0; i < extraFields.length; i++) {
      const field = extraFields[i];
      if (field === undefined) break;
      const { name: column } = field;
      const value = rawExtra[i] ?? '';
      let text = value === '' ? value : readText(value);
      if (text === undefined) text = warn(fault('value_damaged', { column, damage: 'encoding' }), value);
      else if (text.length > maxExtraLength)
        text = warn(fault('value_too_long', { column, maximum: maxExtraLength }), text);
      else if (text !== '') {
        const read = field.type === 'text' && isGuarded(value) ? text : readExtraValue(field, text, business);
        text = typeof read === 'string' ? read : warn(read, text);
      }
      contact.extra[column] = text;
    }
    return { contact, warnings: warnings ?? noWarnings };
  };
}

/** What programs write as a message where there is none. */
const noMessages: ReadonlySet<string> = new Set(['0', '0.0', '0,0', 'false', 'falso', 'true', '{}', '[]']);

/**
 * A value (`readText`, not empty) of an extra field, as a text shall have it: dates as dd/mm/yyyy, money as 1.234,56;
 * everything else as it was written. '' for a date that stands for none. A fault for what is not of the declared type.
 */
function readExtraValue(field: ExtraField, text: string, window: DateWindow): string | ValueFault {
  const { name: column, type } = field;
  const invalid = (expected: ExtraField['type']): ValueFault =>
    fault('value_invalid', { column, expected: expected === 'text' ? 'single_value' : expected });
  switch (type) {
    case 'text':
      return isScientific(text)
        ? (withoutExponent(text) ?? fault('value_damaged', { column, damage: 'scientific' }))
        : text;
    case 'number': {
      const written = withoutExponent(text) ?? text;
      if (isNumber(written)) return written;
      return isScientific(text) ? fault('value_damaged', { column, damage: 'scientific' }) : invalid(type);
    }
    case 'money':
      return readMoney(text) ?? invalid(type);
    case 'date': {
      const date = readDate(text, window);
      return date === undefined ? invalid(type) : date.split('-').reverse().join('/');
    }
    case 'boolean': {
      const word = foldName(text);
      if (!booleanWords.has(word)) return invalid(type);
      return word === 'true' || word === 'verdadeiro'
        ? 'sim'
        : word === 'false' || word === 'falso'
          ? 'não'
          : text;
    }
  }
}

/** What the value (cleaned, not empty) of an extra field should be where a person enters another; null: it is. */
export function checkExtraValue(field: ExtraField, value: string): Expectation | null {
  if (field.type === 'text') return null;
  const read = readExtraValue(field, value, anyDate);
  return typeof read === 'string' ? null : read.code === 'value_invalid' ? read.params.expected : field.type;
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
