import { z } from 'zod';
import { anyDate, birthDates, businessDates, type DateWindow, readDate } from './dates.ts';
import { readMoney } from './money.ts';
import { coded, type Fault, fault } from './problems/coded.ts';
import type { Expectation } from './problems/mailings.ts';
import {
  cleanText,
  isFormula,
  isGuarded,
  isNothing,
  isScientific,
  readText,
  readTextLines,
  withoutExponent,
} from './text.ts';

/**
 * A parsed and checked line of a mailing. Every value is the original string, cleaned (domain/text.ts `readText`); ''
 * means that it is missing or unreadable. Phones are chosen and checked later: domain/phone.ts.
 */
export interface Contact {
  code: string;
  name: string;
  mobile: string;
  phone: string;
  phone2: string;
  /** ISO date, or ''. */
  birthDate: string;
  /** Replaces the template for this contact. May contain several lines. */
  customMessage: string;
  /** Values of the campaign's extra fields, by name. */
  extra: Record<string, string>;
}

export type ContactField = Exclude<keyof Contact, 'extra'>;

interface FieldRule {
  readonly field: ContactField;
  /** Portuguese first, as in the layout file; then the English alias. */
  readonly names: readonly [string, string];
  /** In UTF-16 units, like every length here. */
  readonly maxLength: number;
}

/** The fields of a contact in the order of the mailing's layout. */
export const contactFields = [
  { field: 'code', names: ['codigo', 'code'], maxLength: 60 },
  { field: 'name', names: ['nome', 'name'], maxLength: 120 },
  // One cell may contain several numbers and remarks.
  { field: 'mobile', names: ['celular', 'mobile'], maxLength: 200 },
  { field: 'phone', names: ['telefone', 'phone'], maxLength: 200 },
  { field: 'phone2', names: ['telefone2', 'phone2'], maxLength: 200 },
  { field: 'birthDate', names: ['data_nascimento', 'birth_date'], maxLength: 40 },
  // Ten segments, the maximum of a campaign, hold 1,530 septets.
  { field: 'customMessage', names: ['mensagem', 'message'], maxLength: 1600 },
] as const satisfies readonly FieldRule[];

const maxExtraLength = 500;

/**
 * A column or placeholder name for comparison: without case, accents and surrounding spaces ("Código " is "codigo").
 */
export const foldName = (name: string): string =>
  name
    .normalize('NFD')
    .replaceAll(/\p{Mn}/gu, '')
    .trim()
    .toLowerCase();

// `constructor` is a property of every object: as a name, it could be read where no value was set. Torpedo writes
// `problema` in files of lines to correct (mailing/layout.ts).
const reservedNames: ReadonlySet<string> = new Set([
  ...contactFields.flatMap(({ names }) => names),
  'constructor',
  'problema',
]);

/** `money`: an amount, written in texts as 1.234,56. */
export const extraTypes = ['text', 'number', 'money', 'date', 'boolean'] as const;

/**
 * An additional column of the mailing, declared in the campaign. Its name is the column header, the placeholder
 * (`{valor_divida}`) and the key on the ticket.
 */
export const extraField = z.strictObject({
  name: z
    .string()
    .trim()
    .regex(/^[a-z][a-z0-9_]{0,39}$/, coded('extra_field_name'))
    .refine((name) => !reservedNames.has(name), coded('extra_field_reserved')),
  type: z.enum(extraTypes),
  required: z.boolean(),
});
export type ExtraField = z.infer<typeof extraField>;

/** A problem of a whole line that makes it unusable. Contains no value. */
export type LineFault = Fault<'column_count' | 'quote_misplaced' | 'not_an_object'>;

/** Why a value was not used, or how it was read. Names the column and never contains the value. */
type ValueFault = Fault<
  | 'value_invalid'
  | 'value_too_long'
  | 'value_damaged'
  | 'quote_misplaced'
  | 'phone_chosen'
  | 'ninth_digit_added'
  | 'code_zeros'
>;

/** A value of a line that was left empty, or read with doubt. */
export type LineWarning = ValueFault & {
  /** The original value, shortened. Personal: only for the database and for users who work with the mailing. */
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

/** Shared, because most lines have none. */
const noWarnings: readonly LineWarning[] = [];

/** One value per field; '' or white space if the record has none. Extra values in the order of extra fields. */
export type ContactReader = (
  raw: Readonly<Record<ContactField, string>>,
  rawExtra: readonly string[],
) => ReadContact;

/**
 * Creates contacts from the raw values of records, from any source. An unreadable value is left empty, with a warning;
 * the rest of the record stays.
 *
 * @param today ISO date: no birth date is later, and two-digit years depend on it
 */
export function createContactReader(extraFields: readonly ExtraField[], today: string): ContactReader {
  const births = birthDates(today);
  const business = businessDates(today);

  // State of the current record. Functions are created once: tsx names each new one, which is slow.
  let warnings: LineWarning[] | undefined;
  const warn = (fault: ValueFault, value: string): string => {
    (warnings ??= []).push(warningOf(fault, value));
    return '';
  };
  const readField = (
    value: string,
    { field, names: [column], maxLength }: (typeof contactFields)[number],
  ): string => {
    if (value === '') return value;
    const text = field === 'customMessage' ? readTextLines(value) : readText(value);
    if (text === undefined) return warn(fault('value_damaged', { column, damage: 'encoding' }), value);
    // A link to a phone contains the phone.
    if (isFormula(text) && !isGuarded(value) && !phoneFields.has(field))
      return warn(fault('value_damaged', { column, damage: 'formula' }), value);
    // A message that is too long is kept and judged later: without it, the contact would get the template's text.
    if (text.length > maxLength && field !== 'customMessage')
      return warn(fault('value_too_long', { column, maximum: maxLength }), text);
    return text;
  };

  const takeWarnings = (): readonly LineWarning[] => {
    const taken = warnings ?? noWarnings;
    warnings = undefined;
    return taken;
  };

  return (raw, rawExtra) => {
    const contact: Contact = {
      code: readField(raw.code, contactFields[0]),
      name: readField(raw.name, contactFields[1]),
      mobile: readField(raw.mobile, contactFields[2]),
      phone: readField(raw.phone, contactFields[3]),
      phone2: readField(raw.phone2, contactFields[4]),
      birthDate: readField(raw.birthDate, contactFields[5]),
      customMessage: readField(raw.customMessage, contactFields[6]),
      extra: {},
    };
    if (isScientific(contact.code) && !isGuarded(raw.code)) {
      contact.code =
        withoutExponent(contact.code) ??
        warn(fault('value_damaged', { column: 'codigo', damage: 'scientific' }), contact.code);
    }
    contact.name = brokenName.test(contact.name)
      ? warn(fault('value_damaged', { column: 'nome', damage: 'encoding' }), contact.name)
      : nameOf(contact.name);
    if (contact.birthDate !== '') {
      contact.birthDate =
        readDate(contact.birthDate, births) ??
        warn(
          fault('value_invalid', { column: 'data_nascimento', expected: 'birth_date' }),
          contact.birthDate,
        );
    }
    if (contact.customMessage !== '') {
      if (noMessages.has(foldName(contact.customMessage))) contact.customMessage = '';
      else if (brokenMessage.test(contact.customMessage))
        contact.customMessage = warn(
          fault('value_damaged', { column: 'mensagem', damage: 'unfilled' }),
          contact.customMessage,
        );
    }
    for (let i = 0; i < extraFields.length; i++) {
      const field = extraFields[i];
      if (field === undefined) break;
      const { name: column } = field;
      const value = rawExtra[i] ?? '';
      let text = value === '' ? value : readText(value);
      if (text === undefined) text = warn(fault('value_damaged', { column, damage: 'encoding' }), value);
      else if (isFormula(text) && !isGuarded(value))
        text = warn(fault('value_damaged', { column, damage: 'formula' }), value);
      else if (text.length > maxExtraLength)
        text = warn(fault('value_too_long', { column, maximum: maxExtraLength }), text);
      else if (text !== '') {
        const read = field.type === 'text' && isGuarded(value) ? text : readExtraValue(field, text, business);
        text = typeof read === 'string' ? read : warn(read, text);
      }
      contact.extra[column] = text;
    }
    return { contact, warnings: takeWarnings() };
  };
}

const phoneFields: ReadonlySet<ContactField> = new Set(['mobile', 'phone', 'phone2']);

/** Values that programs and yes/no columns write in place of a message. */
const noMessages: ReadonlySet<string> = new Set([
  ...['0', '0.0', '0,0', '0,00', '0.00', '1', 'false', 'falso', 'true', 'verdadeiro', '{}', '[]'],
  ...['sim', 's', 'nao', 'n', 'yes', 'y', 'no', 'x'],
]);

/** A message that a program built from missing values. */
const brokenMessage =
  /\[object Object\]|(?<![\p{L}\d])(?:undefined|NaN)(?![\p{L}\d])|#(?:N\/D|N\/A|VALOR!|VALUE!|REF!|NOME\?|NAME\?|DIV\/0!)/u;

/** Forms of address for a customer whose name is unknown, folded (`foldName`). */
const nobody =
  /^(?:(?:nome )?(?:nao|sem) (?:informad[oa]|cadastrad[oa]|identificad[oa]|definid[oa]|preenchid[oa]|disponivel|consta|tem|nome|cadastro|informacao|identificacao|dados)|nao consta|desconhecid[oa]|indefinid[oa]|(?:consumidor|cliente)(?: final| nao identificado| padrao| balcao| avulso| diverso)|consumidor|cliente|venda (?:a vista|balcao|consumidor|direta)|unknown|no name|not informed|n\/?[ia]|n\.?d\.?|n\.a|s\/ ?n(?:ome)?|nil|nenhuma?|vazi[oa]|a (?:definir|confirmar|informar|cadastrar)|true|false|0+|x+)$/u;

/** A placeholder that another program should have filled in: `{{nome}}`, `%NOME%`, `*|FNAME|*`. */
const unfilled =
  /^(?:\$?\{+|\[+|<+|%+|\*\|)\s*[\w.]*(?:nome|name|cliente|contato|customer)[\w.]*\s*(?:\}+|\]+|>+|%+|\|\*)$/i;

/** Lost characters (`Concei??o`, `JO?O`), and legacy encodings read as Windows-1252: `Concei‡Æo`, `Concei√ß√£o`. */
const brokenName = /\p{L}[?¡-¬¯±²³µ¶¸¹»-¾×÷†‡ˆ‰ƒ„…√∂∫∞±≤≥∑∏π◊░-▓─-╬]+\p{L}|\p{Ll}[À-Þ]\p{Ll}/u;

/** Most names match none of these, and only the others pay for folding. */
const mayBeNobody =
  /^(?:n[aãoieud./]|sem |s\/|desc|indef|cons|clie|unk|v[ae]|a |true|false|0|x+$|[{$[<%*])/iu;

/** A name to address the contact by, without words for a missing part (`Ana null`). */
function nameOf(text: string): string {
  if (text === '' || (mayBeNobody.test(text) && (unfilled.test(text) || nobody.test(foldName(text)))))
    return '';
  if (!/null|undefined/i.test(text)) return text;
  const words = text.split(/\s+/).filter((word) => !/^\(?(?:null|undefined)\)?$/i.test(word));
  const name = words.join(' ');
  return isNothing(name) || isFormula(name) ? '' : name;
}

/**
 * A value (`readText`, not empty) of an extra field in its output format: dates as dd/mm/yyyy, money as 1.234,56;
 * everything else as written. '' for a placeholder date. A fault if it does not have the declared type.
 */
function readExtraValue(field: ExtraField, text: string, window: DateWindow): string | ValueFault {
  const { name: column, type } = field;
  switch (type) {
    case 'text':
      return isScientific(text)
        ? (withoutExponent(text) ?? fault('value_damaged', { column, damage: 'scientific' }))
        : text;
    case 'number': {
      const written = withoutExponent(text) ?? text;
      if (isNumber(written)) return written;
      return isScientific(text)
        ? fault('value_damaged', { column, damage: 'scientific' })
        : invalidExtra(field);
    }
    case 'money':
      return readMoney(text) ?? invalidExtra(field);
    case 'date': {
      const date = readDate(text, window);
      return date === undefined ? invalidExtra(field) : date.split('-').reverse().join('/');
    }
    case 'boolean': {
      const word = foldName(text);
      if (!booleanWords.has(word)) return invalidExtra(field);
      return word === 'true' || word === 'verdadeiro'
        ? 'sim'
        : word === 'false' || word === 'falso'
          ? 'não'
          : text;
    }
  }
}

const invalidExtra = ({ name: column, type }: ExtraField): ValueFault =>
  fault('value_invalid', { column, expected: type === 'text' ? 'single_value' : type });

/** The expected form of a value (cleaned, not empty) that a user entered for an extra field; null: it is valid. */
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

/** Brazilian (1.234,56 and 1234,56) or plain (1234.56). `1.234` is read as Brazilian, and is a number either way. */
function isNumber(value: string): boolean {
  return /^[+-]?(?:\d+(?:[.,]\d+)?|\d{1,3}(?:\.\d{3})+(?:,\d+)?)$/.test(value);
}
