import { z } from 'zod';
import { foldName } from './contact.ts';
import { anyDate, readDate } from './dates.ts';
import { normalizePhone } from './phone.ts';
import { coded, codedIssue, fault } from './problems/coded.ts';
import { cleanText } from './text.ts';

/** A person in our base, across campaigns, and what we know of their consent to be written to. */

export const consents = ['granted', 'refused', 'not_stated'] as const;
export const consent = z.enum(consents);
export type Consent = z.infer<typeof consent>;

/**
 * Where a statement of consent came from: a program (`api`), a file of customers (`import`), an answer of a web service,
 * a reply by SMS, or a person at the console (`admin`).
 */
export const consentSources = ['api', 'import', 'webservice', 'reply', 'admin'] as const;
export const consentSource = z.enum(consentSources);
export type ConsentSource = z.infer<typeof consentSource>;

/**
 * Whether a customer may be written to; null stands for a contact that is no customer, which counts as not stated.
 *
 * @param required the deployment demands consent beforehand
 */
export const consentSuffices = (given: Consent | null, required: boolean): boolean =>
  required ? given === 'granted' : given !== 'refused';

/** How people write consent in a file, folded (`foldName`). */
const consentWords: Readonly<Record<string, Consent>> = {
  sim: 'granted',
  s: 'granted',
  yes: 'granted',
  y: 'granted',
  true: 'granted',
  1: 'granted',
  verdadeiro: 'granted',
  concedido: 'granted',
  autorizado: 'granted',
  autoriza: 'granted',
  aceito: 'granted',
  aceita: 'granted',
  'opt-in': 'granted',
  optin: 'granted',
  granted: 'granted',
  nao: 'refused',
  n: 'refused',
  no: 'refused',
  false: 'refused',
  0: 'refused',
  falso: 'refused',
  recusado: 'refused',
  recusa: 'refused',
  recusou: 'refused',
  negado: 'refused',
  'nao autorizado': 'refused',
  'nao autoriza': 'refused',
  'nao aceito': 'refused',
  'nao aceita': 'refused',
  'opt-out': 'refused',
  optout: 'refused',
  refused: 'refused',
  'nao informado': 'not_stated',
  nao_informado: 'not_stated',
  'not stated': 'not_stated',
  not_stated: 'not_stated',
};

/** Undefined when the word means none of them. */
export const readConsent = (word: string): Consent | undefined => {
  const folded = foldName(word);
  return Object.hasOwn(consentWords, folded) ? consentWords[folded] : undefined;
};

export const phoneFields = ['mobile', 'phone', 'phone2'] as const;

const text = (max: number) => z.string().max(max).transform(cleanText);
/** As people write it, stored in E.164; a landline is fine. '' and null: none. */
const phone = z
  .string()
  .max(40)
  .nullable()
  .default(null)
  .transform((written, context) => {
    if (written === null || written.trim() === '') return null;
    const e164 = normalizePhone(written);
    if (e164 !== null) return e164;
    context.addIssue(codedIssue(fault('phone_expected')));
    return z.NEVER;
  });
const optionalId = z.int().positive().nullable().default(null);

/** What people enter. Consent is stated by itself, with its source and date. */
export const customerContent = z
  .strictObject({
    code: text(60)
      .nullable()
      .default(null)
      .transform((code) => (code === '' ? null : code)),
    name: text(120).default(''),
    mobile: phone,
    phone,
    phone2: phone,
    birthDate: z.iso
      .date({ abort: true })
      .refine((date) => readDate(date, anyDate) === date, coded('birth_year_range'))
      .nullable()
      .default(null),
    regionId: optionalId,
    customerTypeId: optionalId,
  })
  .superRefine((customer, context) => {
    if (customer.code !== null || phoneFields.some((field) => customer[field] !== null)) return;
    context.addIssue(codedIssue(fault('missing', { what: 'code_or_phone' }), ['code']));
  });
export type CustomerContent = z.infer<typeof customerContent>;
