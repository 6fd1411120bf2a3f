import { z } from 'zod';
import { foldName } from './contact.ts';
import { anyDate, readDate } from './dates.ts';
import { normalizePhone } from './phone.ts';
import { coded, codedIssue, fault } from './problems/coded.ts';
import { cleanText } from './text.ts';

/** A customer, across campaigns, and their consent to receive messages. */

export const consents = ['granted', 'refused', 'not_stated'] as const;
export const consent = z.enum(consents);
export type Consent = z.infer<typeof consent>;

/**
 * The source of a statement of consent: a program (`api`), a customer file (`import`), a web service's answer, a reply
 * by SMS, or a user of the console (`admin`).
 */
export const consentSources = ['api', 'import', 'webservice', 'reply', 'admin'] as const;
export const consentSource = z.enum(consentSources);
export type ConsentSource = z.infer<typeof consentSource>;

/**
 * Whether a customer may receive messages; null is a contact that is no customer, which counts as not stated.
 *
 * @param required the deployment requires consent in advance
 */
export const consentSuffices = (given: Consent | null, required: boolean): boolean =>
  required ? given === 'granted' : given !== 'refused';

/** The words for consent in a file, folded (`foldName`). */
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

const notStated =
  /^(?:(?:nao|sem) (?:informad|inform|sabe|consta|respond|pergunt|consultad|se aplica|definid|preenchid|ha)|indefinid|pendente|not (?:stated|asked|set)|unknown|desconhecid)/;
const refusing =
  /^(?:nao|no|never|nunca|recus|neg(?:ad|ou|a)|revog|cancel|bloque|descadast|desist|opt(?:ed)?[ -]?out|unsubscri|denied|declined|withdrawn|refus)\b|^(?:recus|neg(?:ad|ou)|revog|cancel|bloque|descadast|desist|unsubscri|refus)/;

/**
 * Undefined when the words mean none of them. A refusal matches by its beginning (`não quer receber`), because people
 * phrase refusals freely. A consent matches only a listed word.
 */
export const readConsent = (word: string): Consent | undefined => {
  const folded = foldName(word).replaceAll(/\s+/g, ' ');
  if (Object.hasOwn(consentWords, folded)) return consentWords[folded];
  if (notStated.test(folded)) return 'not_stated';
  return refusing.test(folded) ? 'refused' : undefined;
};

export const phoneFields = ['mobile', 'phone', 'phone2'] as const;

const text = (max: number) => z.string().max(max).transform(cleanText);
/** As users write it, stored in E.164; a landline is allowed. '' and null: none. */
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

/** The fields that users enter. Consent is separate, with its source and date. */
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
