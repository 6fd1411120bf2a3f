import {
  type CountryCode,
  getCountries,
  getCountryCallingCode,
  type PhoneNumber,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max';
import type { Contact } from './contact.ts';
import type { SkipReason } from './message.ts';
import { withoutExponent } from './text.ts';

export interface PhoneOptions {
  /** The country of a number without a country code. */
  defaultCountry?: CountryCode;
  /**
   * Adds the 9 to Brazilian mobile numbers that lack it (DDD and eight digits, the first of them 6 to 9). Brazil
   * introduced it everywhere by November 2016; an older list also contains numbers that have changed owners since.
   * `where_sure`: eight digits that begin with 9 must be written in two groups of four. Otherwise they may as likely be
   * nine digits of which one was lost, and with another 9 they would be another person's number.
   */
  addNinthDigit?: boolean | 'where_sure';
}

export type PhoneFailure = Extract<SkipReason, 'phone_missing' | 'phone_invalid' | 'not_a_mobile'>;

export type PhoneResult =
  | { ok: true; e164: string }
  | {
      ok: false;
      reason: PhoneFailure;
      /**
       * A problem that the reason does not explain and that a user can fix: the spreadsheet wrote the number as
       * `5,5119E+12` and its digits are lost (`spreadsheet_number`); a Brazilian mobile number lacks its 9
       * (`ninth_digit_missing`); a Brazilian number lacks its DDD (`area_code_missing`).
       */
      hint: 'spreadsheet_number' | 'ninth_digit_missing' | 'area_code_missing' | null;
    };

const missing: PhoneResult & { ok: false } = { ok: false, reason: 'phone_missing', hint: null };
const invalid: PhoneResult & { ok: false } = { ok: false, reason: 'phone_invalid', hint: null };
const notMobile: PhoneResult = { ok: false, reason: 'not_a_mobile', hint: null };
const ninthDigitMissing: PhoneResult = { ok: false, reason: 'phone_invalid', hint: 'ninth_digit_missing' };
const areaCodeMissing: PhoneResult = { ok: false, reason: 'phone_invalid', hint: 'area_code_missing' };
const spreadsheetNumber: PhoneResult = { ok: false, reason: 'phone_invalid', hint: 'spreadsheet_number' };

/**
 * Parses the mobile number in a form field, into E.164.
 *
 * Accepts spaces and punctuation; +55, 55, 0055 (00 always means +, never 00 and a Brazilian carrier), a leading 0, a
 * carrier code after it, 0xx; an apostrophe before the number and `.0` after it, which spreadsheets leave. A text with
 * two numbers, or with an extension, is `phone_invalid`; `readPhoneCell` chooses one.
 *
 * A Brazilian mobile number is a known DDD, a 9 and eight digits. For other countries, it is what libphonenumber
 * classifies as MOBILE or, where the numbering plan does not distinguish (USA), FIXED_LINE_OR_MOBILE.
 */
export function parsePhone(raw: string, options: PhoneOptions = {}): PhoneResult {
  return parseBrazilian(raw, options) ?? parseByLibrary(raw, options);
}

/**
 * Parses Brazilian numbers in their usual formats, without libphonenumber, which takes 12 µs for each; undefined for
 * anything else. Every result equals that of `parseByLibrary`: test/unit/phone.test.ts compares them.
 */
export function parseBrazilian(raw: string, options: PhoneOptions = {}): PhoneResult | undefined {
  let digits = '';
  let hasPlus = false;
  /** The start of the last group of digits. */
  let group = 0;
  let isInGroup = false;
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code >= 0x30 && code <= 0x39) {
      if (!isInGroup) group = digits.length;
      isInGroup = true;
      digits += raw.charAt(i);
      continue;
    }
    isInGroup = false;
    if (code === 0x2b && digits === '' && !hasPlus) hasPlus = true;
    // After ten digits a dot may begin the end of a spreadsheet's 1198765432.0: leave it to libphonenumber.
    else if (code === 0x2e && digits.length < 10) continue;
    else if ((code | 0x20) === 0x78 && i <= 2 && /^\(?0xx/i.test(raw)) i++;
    // Space ( ) -
    else if (code !== 0x20 && code !== 0x28 && code !== 0x29 && code !== 0x2d) return undefined;
  }
  // Two digits at the end may be the DDD: leave it to libphonenumber.
  if (group >= 8 && digits.length - group <= 3) return undefined;
  const national = nationalDigits(digits, hasPlus, options.defaultCountry ?? 'BR');
  if (national === undefined || !isDdd(national)) return undefined;
  const first = national.charCodeAt(2);
  if (national.length === 11) return first === 0x39 ? { ok: true, e164: `+55${national}` } : undefined;
  if (first >= 0x32 && first <= 0x35) return notMobile;
  return first >= 0x36 ? withoutNinthDigit(national, raw, options) : undefined;
}

/** The 10 or 11 digits of a Brazilian number; undefined if the format is ambiguous. */
function nationalDigits(digits: string, hasPlus: boolean, defaultCountry: CountryCode): string | undefined {
  const { length } = digits;
  if (hasPlus || digits.startsWith('00')) {
    const start = hasPlus ? 0 : 2;
    const rest = length - start;
    return digits.startsWith('55', start) && (rest === 12 || rest === 13)
      ? digits.slice(start + 2)
      : undefined;
  }
  if (defaultCountry !== 'BR') return undefined;
  if (digits.startsWith('0')) return length === 11 || length === 12 ? digits.slice(1) : undefined;
  if (length === 10 || length === 11) return digits;
  return digits.startsWith('55') && (length === 12 || length === 13) ? digits.slice(2) : undefined;
}

/** `written`: the number with its grouping. */
function withoutNinthDigit(
  national: string,
  written: string,
  { addNinthDigit = false }: PhoneOptions,
): PhoneResult {
  const isSure =
    addNinthDigit !== 'where_sure' ||
    national.charAt(2) !== '9' ||
    /(?<!\d)9\d{3}[\s().-]+\d{4}\D*$/.test(written);
  if (!addNinthDigit || !isSure) return ninthDigitMissing;
  return { ok: true, e164: `+55${national.slice(0, 2)}9${national.slice(2)}` };
}

/** The 67 area codes in use (Anatel's numbering plan, as in libphonenumber's metadata for BR). */
export const ddds: ReadonlySet<number> = new Set(
  (
    '11 12 13 14 15 16 17 18 19 21 22 24 27 28 31 32 33 34 35 37 38 41 42 43 44 45 46 47 48 49 51 53 54 55 ' +
    '61 62 63 64 65 66 67 68 69 71 73 74 75 77 79 81 82 83 84 85 86 87 88 89 91 92 93 94 95 96 97 98 99'
  )
    .split(' ')
    .map(Number),
);

function isDdd(national: string): boolean {
  return ddds.has((national.charCodeAt(0) - 0x30) * 10 + national.charCodeAt(1) - 0x30);
}

/** `parsePhone` with libphonenumber alone. Exported for the test that compares `parseBrazilian` with it. */
export function parseByLibrary(raw: string, options: PhoneOptions = {}): PhoneResult {
  const written = plainSpelling(raw);
  if (!/\d/.test(written)) return written === '' ? missing : invalid;
  if (/^\d(?:[.,]\d+)?E\+?\d+$/i.test(written)) {
    const digits = withoutExponent(written);
    return digits === null ? spreadsheetNumber : parsePhone(digits, options);
  }
  const parsed = numberOf(written, options);
  if (parsed === undefined) return invalid;
  const national = parsed.nationalNumber;
  const isBrazilian = parsed.countryCallingCode === '55';
  // Before isValid: the metadata still classifies some of these (DDD and 7, formerly Nextel's) as mobile numbers.
  if (isBrazilian && /^\d\d[6-9]\d{7}$/.test(national) && isDdd(national)) {
    return withoutNinthDigit(national, written, options);
  }
  if (!parsed.isValid()) return isBrazilian && /^9?\d{8}$/.test(national) ? areaCodeMissing : invalid;
  const type = parsed.getType();
  if (type !== 'MOBILE' && type !== 'FIXED_LINE_OR_MOBILE') return notMobile;
  return { ok: true, e164: parsed.number };
}

/** The number that libphonenumber finds in a text (`plainSpelling`), without an extension. */
function numberOf(written: string, options: PhoneOptions): PhoneNumber | undefined {
  // libphonenumber treats these as punctuation: "98987-6543/21" would be a number of the DDD 98.
  if (/^(?:\D*\d){5}.*[/~]/s.test(written)) return undefined;
  const parsed = parsePhoneNumberFromString(written, {
    defaultCountry: options.defaultCountry ?? 'BR',
    // Otherwise "11987654321 or 11912345678" would be the first of the two.
    extract: false,
  });
  return parsed?.ext === undefined ? parsed : undefined;
}

/** Removes what users and spreadsheets add to a number and libphonenumber does not recognize. */
function plainSpelling(raw: string): string {
  return (
    raw
      .normalize('NFKC') // full-width digits
      .replaceAll(/\p{Cf}/gu, '') // direction marks, copied along from contact lists
      .replaceAll(/[()[\]]/g, ' ') // libphonenumber treats these as punctuation too, but not in (+55) and (0xx11)
      .replaceAll(/[\u2010-\u2015\u2212]/g, '-')
      .trim()
      .replace(/^'\s*/, '')
      .replace(/^(\+?\d{10,15})[.,]0+$/, '$1')
      .replace(/^(\+?\s*55\s*)?0\s*(?:xx|\*\*)/i, (_, country: string | undefined) => `${country ?? ''}0`)
      .replace(/^0\s*0/, '+')
      // Until August 2019 a Mexican mobile number had a 1 after the country code.
      .replace(/^\+\s?52[\s.-]?1(?=(?:[\s.-]?\d){10}$)/, '+52')
      // 98765-4321 (11): read from the left, these would be digits of the DDD 98.
      .replace(/^(9[\s.-]?\d{4}|[2-9]\d{3})[\s.-]?(\d{4})[\s,.-]+(?:ddd\s*)?0?(\d\d)$/i, '$3 $1-$2')
  );
}

/**
 * How the number was found: the cell contained several, and the first mobile number was taken; or the 9 of a Brazilian
 * mobile number was missing and was added.
 */
export type PhoneNote = 'one_of_several' | 'ninth_digit_added';

export type PhoneCellResult =
  { ok: true; e164: string; note: PhoneNote | null } | (PhoneResult & { ok: false });

/**
 * Finds the mobile number in a cell of a mailing or a customer file, which may also contain several numbers, labels
 * ("Cel:"), names and remarks. Takes the first mobile number; without one, returns the result of `parsePhone` for the
 * whole cell. Never splits consecutive digits into numbers.
 */
export function readPhoneCell(raw: string, options: PhoneOptions = {}): PhoneCellResult {
  const spelled = parseBrazilian(raw, options);
  const whole = spelled ?? parseByLibrary(raw, options);
  if (whole.ok) return isStandIn(whole.e164) ? invalid : { ok: true, e164: whole.e164, note: null };
  // An empty mask, "(  )      -".
  if (!/[\p{L}\d]/u.test(raw)) return missing;
  // Only a landline, as in the second phone column of many lines.
  if (spelled === notMobile) return whole;
  const digits = raw.replaceAll(/\D/g, '').length;
  // Too few digits for a number with its area code. The last digits of 1,2E+10 are lost.
  if (digits < 10 || whole.hint === 'spreadsheet_number') return whole;
  const pieces = piecesOf(raw);
  const parsed = pieces.map((piece) => parsePhone(piece, options));
  const found = parsed.find((result) => result.ok && !isStandIn(result.e164));
  if (found?.ok) {
    // A number with a + is found in two ways.
    const others = parsed.some(
      (result) =>
        (result.ok && result.e164 !== found.e164) || (!result.ok && result.reason === 'not_a_mobile'),
    );
    return { ok: true, e164: found.e164, note: others ? 'one_of_several' : null };
  }
  if (parsed.some((result) => result.ok)) return invalid;
  const next = parsePhone(withSharedDdd(raw), options);
  if (next.ok && !isStandIn(next.e164)) return { ok: true, e164: next.e164, note: 'one_of_several' };
  const plain = parsePhone(withoutLabels(raw), options);
  if (plain.ok && !isStandIn(plain.e164)) return { ok: true, e164: plain.e164, note: null };
  const completed = [raw, ...pieces]
    .map((piece) => parsePhone(piece, { ...options, addNinthDigit: 'where_sure' }))
    .find((result) => result.ok);
  return completed?.ok ? { ok: true, e164: completed.e164, note: 'ninth_digit_added' } : whole;
}

/** (11) 99999-9999: entered where a form demanded a number. It belongs to somebody else. */
const isStandIn = (e164: string): boolean => /^\+55\d\d9{9}$/.test(e164);

/** A landline number with its DDD, and a mobile number without one: "(11) 3333-4444 / 98765-4321". */
const sharedDdd =
  /(?<!\d)\(?0?([1-9]\d)\)?[\s.-]*[2-5]\d{3}[\s.-]{0,3}\d{4}([^\d(]{1,20})(9[\s.-]?\d{4}[\s.-]?\d{4})(?![\s.-]?\d)/;

/** The mobile number, with the DDD of the landline number before it; '' if the cell is different. */
function withSharedDdd(raw: string): string {
  const [, ddd = '', separator = '', mobile = ''] = sharedDdd.exec(raw) ?? [];
  return mobile === '' || documentLabel.test(separator) ? '' : `${ddd} ${mobile}`;
}

/** "DDD: 11 TEL: 98765-4321", "11_98765_4321", "(11) 98765/4321"; '' if these may be digits of a document. */
function withoutLabels(raw: string): string {
  if (documentWord.test(raw)) return '';
  return raw
    .replaceAll(/(?<!\p{L})(?:ddd|tel(?:efone)?|fone|n[uú]m(?:ero)?|cel(?:ular)?)(?!\p{L})[.:º°]*/giu, ' ')
    .replaceAll(/[_{}<>:;=|]/g, ' ')
    .replace(/^(\D*\d\d\D+9\d{4})\/(\d{4}\D*)$/, '$1 $2')
    .trim();
}

/** A Brazilian number with its area code anywhere in a text; +55, 0055, 55, 0xx, 0 or a carrier may precede it. */
const brazilianNumber =
  /(?<!\d|\d[.,])(?:(?:\+|00)?\s?55[\s.-]*)?\(?(?:0(?:xx|\*\*|\d\d[\s.-])?)?\s?[1-9]\d\)?[\s.-]*(?:9[\s.-]?\d{4}|[2-9]\d{3})[\s.-]{0,3}\d{4}(?!\d)/gi;
const foreignNumber = /\+\d[\d\s().-]{7,20}\d(?!\d)/g;

/** Eleven digits after one of these words are not a phone, whatever their format. */
const documents =
  '\\b(?:cpf|cnpj|cpf/cnpj|rg|cnh|nis|pis|ie|cep|conta|cc|c/c|cart[aã]o|protocolo|pedido|contrato|matr[ií]cula|nota|nf-?e?|boleto|c[oó]d(?:igo)?)';
const documentLabel = new RegExp(`${documents}[\\s.:#ºo°n-]*$`, 'i');
const documentWord = new RegExp(documents, 'i');

/**
 * The numbers in a cell, as written. A second number with only its own digits ("(11) 98765-4321/4322") is too short.
 */
function piecesOf(raw: string): string[] {
  const text = /[^\0-\x7f]/.test(raw) ? raw.normalize('NFKC').replaceAll(/[\u2010-\u2015\u2212]/g, '-') : raw;
  return [...text.matchAll(foreignNumber), ...text.matchAll(brazilianNumber)]
    .filter(({ index }) => !documentLabel.test(text.slice(Math.max(0, index - 20), index)))
    .map(([piece]) => piece);
}

/**
 * A phone in a cell in E.164, even one that cannot receive SMS: the mobile number that `readPhoneCell` finds, else any
 * valid number. Null when there is none.
 */
export function normalizePhone(raw: string, options: PhoneOptions = {}): string | null {
  const phone = readPhoneCell(raw, options);
  if (phone.ok) return phone.e164;
  for (const written of [raw, ...piecesOf(raw)]) {
    const parsed = numberOf(plainSpelling(written), options);
    if (parsed?.isValid() === true && !parsePhone(written, options).ok)
      return isOldMobile(parsed.number) ? null : parsed.number;
  }
  return null;
}

/**
 * The canonical form, in E.164, of a phone from a provider or a user. A reply, an opt-out or a search is matched by it
 * with the phones of mailings and customers, which are stored in the same form.
 *
 * Adds the 9 that some carriers still omit to a Brazilian mobile number, after any country code, trunk 0, carrier code
 * or scheme (`tel:`, `whatsapp:`). Providers omit the +: a number that is not a mobile number of the default country is
 * tried with it. Landlines are accepted too. Null: not a phone (a short code, a name).
 */
export function canonicalPhone(written: string): string | null {
  const number = written.trim().replace(/^(?:whatsapp|tel|sms):/i, '');
  for (const spelling of [number, `+${number}`]) {
    const phone = parsePhone(spelling, { addNinthDigit: true });
    if (phone.ok) return phone.e164;
  }
  return normalizePhone(number);
}

/**
 * The phones (E.164) that a user may mean by a number: one, or, for a Brazilian number without its DDD (`97000-0060`),
 * the number in every DDD. Empty: not a phone.
 */
export function phonesMeant(written: string): readonly string[] {
  const digits = written.replaceAll(/\D/g, '');
  if (/^[\d\s().-]+$/.test(written) && (/^9\d{8}$/.test(digits) || /^[2-9]\d{7}$/.test(digits))) {
    const local = /^[6-9]\d{7}$/.test(digits) ? `9${digits}` : digits;
    return [...ddds].map((ddd) => `+55${ddd}${local}`);
  }
  const phone = canonicalPhone(written);
  return phone === null ? [] : [phone];
}

/**
 * All numbers in a text, in E.164, including landlines, for finding a person to erase. Ignores other digits, such as a
 * CPF. For a text with one number this equals `normalizePhone`, but mostly avoids libphonenumber, because it runs on
 * every value of a mailing.
 */
export function phonesIn(raw: string): string[] {
  if (digitsIn(raw) < shortestNumber) return [];
  const text = raw.replace(/^(\D*\d{10,15})[.,]0+\s*$/, '$1');
  const digits = digitsIn(text);
  const isPlain = /^[\d\s().+-]+$/.test(text);
  const whole = isPlain ? spelledBrazilian(text) : undefined;
  if (whole !== undefined) return [whole];
  if (isPlain && digits <= longestNationalNumber && /^[^\d+]*[1-9]/.test(text)) return [];
  const written = piecesOf(text);
  const mayBeOne = digits <= longestNumber && (isPlain || /^\D*0/.test(text));
  if (written.length === 0 && mayBeOne) written.push(text);
  const phones = written.map((piece) => spelledBrazilian(piece) ?? normalizePhone(piece));
  return [...new Set(phones.filter((phone) => phone !== null))];
}

/** DDD and eight digits. */
const shortestNumber = 10;
const longestNationalNumber = 11;
const longestNumber = 15;

function digitsIn(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x30 && code <= 0x39) count++;
  }
  return count;
}

/** A Brazilian number in one of the usual formats, without other words; undefined for anything else. */
function spelledBrazilian(text: string): string | undefined {
  const national = nationalDigits(text.replaceAll(/\D/g, ''), text.includes('+'), 'BR');
  if (national === undefined || !isDdd(national)) return undefined;
  const first = national.charAt(2);
  if (national.length === 11) return first === '9' ? `+55${national}` : undefined;
  if (first < '2') return undefined;
  return first < '6' ? `+55${national}` : `+55${national.slice(0, 2)}9${national.slice(2)}`;
}

/** DDD and eight digits of a former mobile number: the metadata still considers some of them valid. */
const isOldMobile = (e164: string): boolean => /^\+55\d\d[6-9]\d{7}$/.test(e164);

export type PhoneField = 'mobile' | 'phone' | 'phone2';

/** The failures by how much they help a user to fix the contact: see `choosePhone`. */
const telling: readonly PhoneFailure[] = ['phone_missing', 'not_a_mobile', 'phone_invalid'];

/**
 * The number to send to: the first valid mobile number of mobile, phone, phone 2. If there is none, the most helpful
 * failure of the three: an unreadable number (`phone_invalid`, perhaps a typo) before one that is not a mobile number,
 * before none at all; the first of equal ones.
 */
export function choosePhone(
  contact: Pick<Contact, PhoneField>,
  options: PhoneOptions = {},
): (PhoneCellResult & { ok: true; field: PhoneField }) | (PhoneResult & { ok: false }) {
  let failure: PhoneResult & { ok: false } = { ok: false, reason: 'phone_missing', hint: null };
  for (const field of phoneOrder) {
    if (contact[field] === '') continue;
    const result = readPhoneCell(contact[field], options);
    if (result.ok) return { ok: true, e164: result.e164, note: result.note, field };
    if (telling.indexOf(result.reason) > telling.indexOf(failure.reason)) failure = result;
  }
  return failure;
}

const phoneOrder = ['mobile', 'phone', 'phone2'] as const satisfies readonly PhoneField[];

/**
 * A number (E.164) as it is shown to users: `(11) 97000-0060`, and foreign ones in their international form,
 * `+351 912 345 678`. Other text (a short code, the name of a sender) is unchanged.
 */
export function formatPhone(phone: string): string {
  const brazilian = /^\+55(\d\d)(\d{4,5})(\d{4})$/.exec(phone);
  if (brazilian) return `(${brazilian[1] ?? ''}) ${brazilian[2] ?? ''}-${brazilian[3] ?? ''}`;
  if (!/^\+\d{8,15}$/.test(phone)) return phone;
  return parsePhoneNumberFromString(phone)?.formatInternational() ?? phone;
}

/** A masked number for logs: +55 11 9****-4321. Shows less of foreign and unreadable numbers. */
export function maskPhone(e164: string): string {
  const brazilian = /^\+55(\d\d)(9?)\d{4}(\d{4})$/.exec(e164);
  if (brazilian) return `+55 ${brazilian[1] ?? ''} ${brazilian[2] ?? ''}****-${brazilian[3] ?? ''}`;
  return /^\+\d{8,15}$/.test(e164) ? `${e164.slice(0, 3)}****${e164.slice(-2)}` : '****';
}

/**
 * The calling code of a number in E.164, without +: a zone or a country of ITU-T E.164 has one,
 * two or three digits, and no code begins with another one. Null: not E.164. The database has the same function (`calling_code`).
 */
export const callingCodeOf = (e164: string): string | null =>
  /^\+(1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|(?:2[1-689]|3[578]|42|5[09]|6[7-9]|8[035789]|9[679])\d)/.exec(
    e164,
  )?.[1] ?? null;

/** Brazil: the default country of numbers without a country code. */
export const defaultCallingCode = '55';

const regionsByCode = new Map<string, CountryCode[]>();
for (const region of getCountries()) {
  const code = getCountryCallingCode(region);
  regionsByCode.set(code, [...(regionsByCode.get(code) ?? []), region]);
}

/** Whether some country has this calling code. */
export const isCallingCode = (code: string): boolean => regionsByCode.has(code);

/** The countries with this calling code, as ISO 3166 codes. */
export const regionsOf = (code: string): readonly CountryCode[] => regionsByCode.get(code) ?? [];
