import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max';
import type { Contact } from './contact.ts';
import type { SkipReason } from './message.ts';

export interface PhoneOptions {
  /** The country of a number written without a country code. */
  defaultCountry?: CountryCode;
  /**
   * Puts the 9 before Brazilian mobile numbers that lack it (DDD and eight digits, the first of them 6 to 9). Brazil
   * added it everywhere by November 2016; a list older than that also has numbers that have changed hands since.
   */
  addNinthDigit?: boolean;
}

export type PhoneFailure = Extract<SkipReason, 'phone_missing' | 'phone_invalid' | 'not_a_mobile'>;

export type PhoneResult =
  | { ok: true; e164: string }
  | {
      ok: false;
      reason: PhoneFailure;
      /**
       * What the reason does not say and a person can put right: the spreadsheet wrote the number as `5,5119E+12` and
       * its digits are lost (`spreadsheet_number`); a Brazilian mobile number without its 9 (`ninth_digit_missing`); a
       * Brazilian number without its DDD (`area_code_missing`).
       */
      hint: 'spreadsheet_number' | 'ninth_digit_missing' | 'area_code_missing' | null;
    };

const missing: PhoneResult = { ok: false, reason: 'phone_missing', hint: null };
const invalid: PhoneResult = { ok: false, reason: 'phone_invalid', hint: null };
const notMobile: PhoneResult = { ok: false, reason: 'not_a_mobile', hint: null };
const ninthDigitMissing: PhoneResult = { ok: false, reason: 'phone_invalid', hint: 'ninth_digit_missing' };
const areaCodeMissing: PhoneResult = { ok: false, reason: 'phone_invalid', hint: 'area_code_missing' };
const spreadsheetNumber: PhoneResult = { ok: false, reason: 'phone_invalid', hint: 'spreadsheet_number' };

/**
 * The mobile number in a field that people fill in, in E.164.
 *
 * Read are: spaces and punctuation; +55, 55, 0055 (00 is always +, never 00 and a Brazilian carrier), a leading 0, a
 * carrier code behind it, 0xx; an apostrophe before the number and `.0` behind it, which spreadsheets leave. A text
 * with two numbers, or with an extension, is `phone_invalid`: `readPhoneCell` chooses.
 *
 * A Brazilian mobile number is a known DDD, a 9 and eight digits; every other country's is what libphonenumber calls
 * MOBILE or, where the country's numbers do not tell (USA), FIXED_LINE_OR_MOBILE.
 */
export function parsePhone(raw: string, options: PhoneOptions = {}): PhoneResult {
  return parseBrazilian(raw, options) ?? parseByLibrary(raw, options);
}

/**
 * The Brazilian numbers in their usual spellings, without libphonenumber, which takes 12 µs for each; undefined for
 * anything else. Where it answers, it answers as `parseByLibrary` does: test/unit/phone.test.ts holds one against the other.
 */
export function parseBrazilian(raw: string, options: PhoneOptions = {}): PhoneResult | undefined {
  let digits = '';
  let hasPlus = false;
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code >= 0x30 && code <= 0x39) digits += raw.charAt(i);
    else if (code === 0x2b && digits === '' && !hasPlus) hasPlus = true;
    // Behind ten digits a dot may be the end of a spreadsheet's 1198765432.0: the other way tells.
    else if (code === 0x2e && digits.length < 10) continue;
    else if ((code | 0x20) === 0x78 && i <= 2 && /^\(?0xx/i.test(raw)) i++;
    // Space ( ) -
    else if (code !== 0x20 && code !== 0x28 && code !== 0x29 && code !== 0x2d) return undefined;
  }
  const national = nationalDigits(digits, hasPlus, options.defaultCountry ?? 'BR');
  if (national === undefined || !isDdd(national)) return undefined;
  const first = national.charCodeAt(2);
  if (national.length === 11) return first === 0x39 ? { ok: true, e164: `+55${national}` } : undefined;
  if (first >= 0x32 && first <= 0x35) return notMobile;
  return first >= 0x36 ? withoutNinthDigit(national, options) : undefined;
}

/** The 10 or 11 digits of a Brazilian number; undefined unless the spelling is beyond doubt. */
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

function withoutNinthDigit(national: string, { addNinthDigit = false }: PhoneOptions): PhoneResult {
  if (!addNinthDigit) return ninthDigitMissing;
  return { ok: true, e164: `+55${national.slice(0, 2)}9${national.slice(2)}` };
}

/** The 67 area codes in use (Anatel's numbering plan, as libphonenumber's metadata for BR has them). */
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

/** `parsePhone` by libphonenumber alone. Exported for the test that holds `parseBrazilian` against it. */
export function parseByLibrary(raw: string, options: PhoneOptions = {}): PhoneResult {
  const written = plainSpelling(raw);
  if (!/\d/.test(written)) return written === '' ? missing : invalid;
  if (/^\d(?:[.,]\d+)?E\+?\d+$/i.test(written)) return spreadsheetNumber;
  // extract: false, or "11987654321 or 11912345678" would be the first of the two.
  const parsed = parsePhoneNumberFromString(written, {
    defaultCountry: options.defaultCountry ?? 'BR',
    extract: false,
  });
  if (parsed === undefined || parsed.ext !== undefined) return invalid;
  const national = parsed.nationalNumber;
  const isBrazilian = parsed.countryCallingCode === '55';
  // Before isValid: the metadata still takes some of these (DDD and 7, once Nextel's) for mobile numbers.
  if (isBrazilian && /^\d\d[6-9]\d{7}$/.test(national) && isDdd(national)) {
    return withoutNinthDigit(national, options);
  }
  if (!parsed.isValid()) return isBrazilian && /^9?\d{8}$/.test(national) ? areaCodeMissing : invalid;
  const type = parsed.getType();
  if (type !== 'MOBILE' && type !== 'FIXED_LINE_OR_MOBILE') return notMobile;
  return { ok: true, e164: parsed.number };
}

/** Takes away what people and spreadsheets put around a number and libphonenumber does not know. */
function plainSpelling(raw: string): string {
  return (
    raw
      .replaceAll(/\p{Cf}/gu, '') // marks for the direction of writing, copied along from contact lists
      .replaceAll(/[()]/g, ' ') // punctuation to libphonenumber as well, but not in (+55) and (0xx11)
      .trim()
      .replace(/^'\s*/, '')
      .replace(/^(\+?\d{10,15})[.,]0+$/, '$1')
      .replace(/^0\s*(?:xx|\*\*)/i, '0')
      .replace(/^0\s*0/, '+')
      // Until August 2019 a Mexican mobile number had a 1 behind the country code.
      .replace(/^\+\s?52[\s.-]?1(?=(?:[\s.-]?\d){10}$)/, '+52')
  );
}

/**
 * What the number that was found needed: several stood in the cell, and the first mobile number is taken; the 9 of a
 * Brazilian mobile number was missing, and is added.
 */
export type PhoneNote = 'one_of_several' | 'ninth_digit_added';

export type PhoneCellResult =
  { ok: true; e164: string; note: PhoneNote | null } | (PhoneResult & { ok: false });

/**
 * The mobile number in a cell of a mailing or of a file of customers, where people also write several numbers, labels
 * ("Cel:"), names and remarks. The first mobile number is taken; of a cell without one the answer is that of `parsePhone`
 * for all of it. Digits that stand together are never cut into a number.
 */
export function readPhoneCell(raw: string, options: PhoneOptions = {}): PhoneCellResult {
  const whole = parsePhone(raw, options);
  if (whole.ok) return { ...whole, note: null };
  const digits = raw.replaceAll(/\D/g, '').length;
  // Too few for a number with its area code. The last digits of 1,2E+10 are lost.
  if (digits < 10 || whole.hint === 'spreadsheet_number') return whole;
  const pieces = piecesOf(raw);
  const parsed = pieces.map((piece) => parsePhone(piece, options));
  const found = parsed.find((result) => result.ok);
  if (found?.ok) {
    const others = parsed.filter((result) => result.ok || result.reason === 'not_a_mobile').length > 1;
    return { ok: true, e164: found.e164, note: others ? 'one_of_several' : null };
  }
  const completed = [raw, ...pieces]
    .map((piece) => parsePhone(piece, { ...options, addNinthDigit: true }))
    .find((result) => result.ok);
  return completed?.ok ? { ok: true, e164: completed.e164, note: 'ninth_digit_added' } : whole;
}

/** A Brazilian number with its area code, wherever it stands: +55, 0055, 55, 0xx, 0 and a carrier may come before. */
const brazilianNumber =
  /(?<!\d|\d[.,])(?:(?:\+|00)?\s?55[\s.-]*)?\(?(?:0(?:xx|\*\*|\d\d[\s.-])?)?\s?[1-9]\d\)?[\s.-]*(?:9[\s.-]?\d{4}|[2-9]\d{3})[\s.-]{0,3}\d{4}(?!\d)/gi;
const foreignNumber = /\+\d[\d\s().-]{7,20}\d(?!\d)/g;

/**
 * The numbers that a cell holds, as they are written there. A second number that has only its own digits
 * ("(11) 98765-4321/4322") has too few to be one.
 */
function piecesOf(raw: string): string[] {
  return [...(raw.match(foreignNumber) ?? []), ...(raw.match(brazilianNumber) ?? [])];
}

/**
 * A phone of a cell in E.164, also one that no SMS reaches: the mobile number that `readPhoneCell` finds, else any valid
 * number. Null when there is none.
 */
export function normalizePhone(raw: string, options: PhoneOptions = {}): string | null {
  const phone = readPhoneCell(raw, options);
  if (phone.ok) return phone.e164;
  for (const written of [raw, ...piecesOf(raw)]) {
    const parsed = parsePhoneNumberFromString(plainSpelling(written), {
      defaultCountry: options.defaultCountry ?? 'BR',
      extract: false,
    });
    if (parsed?.isValid() === true && parsed.ext === undefined && !parsePhone(written, options).ok)
      return isOldMobile(parsed.number) ? null : parsed.number;
  }
  return null;
}

/**
 * All numbers that a text holds, in E.164, landlines too: those by which a person is found who asks to be erased. Other
 * digits, as of a CPF, are none. Of a text with one number it is what `normalizePhone` gives, mostly without
 * libphonenumber, because every value of a mailing comes here.
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

/** A Brazilian number in one of the usual spellings, without other words; undefined for anything else. */
function spelledBrazilian(text: string): string | undefined {
  const national = nationalDigits(text.replaceAll(/\D/g, ''), text.includes('+'), 'BR');
  if (national === undefined || !isDdd(national)) return undefined;
  const first = national.charAt(2);
  if (national.length === 11) return first === '9' ? `+55${national}` : undefined;
  if (first < '2') return undefined;
  return first < '6' ? `+55${national}` : `+55${national.slice(0, 2)}9${national.slice(2)}`;
}

/** DDD and eight digits that once were a mobile number: the metadata still calls some of them valid. */
const isOldMobile = (e164: string): boolean => /^\+55\d\d[6-9]\d{7}$/.test(e164);

export type PhoneField = 'mobile' | 'phone' | 'phone2';

/** How much a failure tells a person who wants to put the contact right: see `choosePhone`. */
const telling: readonly PhoneFailure[] = ['phone_missing', 'not_a_mobile', 'phone_invalid'];

/**
 * The number a contact is written to: the first valid mobile number of mobile, phone, phone 2. With none, the most
 * telling failure of the three: a number that can't be read (`phone_invalid`, perhaps a slip to correct) before one
 * that is no mobile number, before none at all; of equal ones the first.
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

/** A number as it may stand in a log: +55 11 9****-4321. Of foreign and unreadable ones less is shown. */
export function maskPhone(e164: string): string {
  const brazilian = /^\+55(\d\d)(9?)\d{4}(\d{4})$/.exec(e164);
  if (brazilian) return `+55 ${brazilian[1] ?? ''} ${brazilian[2] ?? ''}****-${brazilian[3] ?? ''}`;
  return /^\+\d{8,15}$/.test(e164) ? `${e164.slice(0, 3)}****${e164.slice(-2)}` : '****';
}
