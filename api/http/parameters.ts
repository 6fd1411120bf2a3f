import { z } from 'zod';
import { coded, codedIssue, fault } from '../../domain/problems/coded.ts';
import { canonicalPhone, parsePhone, phonesMeant } from '../../domain/phone.ts';

/** Parameters that many routes share. */

/** An id in a URL. */
export const urlId = z.coerce
  .number({ error: coded('id_expected') })
  .int(coded('id_expected'))
  .positive(coded('id_expected'))
  .max(Number.MAX_SAFE_INTEGER, coded('id_expected'));

export const idParams = z.object({ id: urlId });

/** Identifies a request, so that it can be repeated safely when its response was lost. */
export const idempotencyHeaders = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[!-~]{1,100}$/, coded('idempotency_key'))
    .optional(),
});

/** A calendar day in the time zone of the user, or UTC for a token. */
export const dayParam = z.iso.date().optional();

/** A page of a list, newest first: `before` is the last id of the page before. */
export const page = z.strictObject({
  before: urlId.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** A mobile number in any common format, also without its ninth digit; one that cannot be read is rejected. */
export const phoneParam = z
  .string()
  .max(40)
  .transform((text, context) => {
    const phone = parsePhone(canonicalPhone(text) ?? text);
    if (phone.ok) return phone.e164;
    context.addIssue(codedIssue(fault('mobile_expected')));
    return z.NEVER;
  });

/**
 * A search by phone: the phones that a number in any common format may refer to. A Brazilian number without its DDD
 * refers to that number in every DDD.
 */
export const phonesParam = z
  .string()
  .max(40)
  .transform((text, context) => {
    const phones = phonesMeant(text);
    if (phones.length > 0) return phones;
    context.addIssue(codedIssue(fault('phone_expected')));
    return z.NEVER;
  })
  .meta({
    description:
      'A phone in any common format. A Brazilian number without its DDD matches that number in every DDD.',
  });

/** The same for any phone, landlines too. */
export const anyPhoneParam = z
  .string()
  .max(40)
  .transform((text, context) => {
    const e164 = canonicalPhone(text);
    if (e164 !== null) return e164;
    context.addIssue(codedIssue(fault('phone_expected')));
    return z.NEVER;
  });
