import { z } from 'zod';
import { coded, codedIssue, fault } from '../../domain/problems/coded.ts';
import { normalizePhone, parsePhone } from '../../domain/phone.ts';

/** The parameters that many routes share. */

/** An id as it stands in a URL. */
export const urlId = z.coerce
  .number({ error: coded('id_expected') })
  .int(coded('id_expected'))
  .positive(coded('id_expected'))
  .max(Number.MAX_SAFE_INTEGER, coded('id_expected'));

export const idParams = z.object({ id: urlId });

/** Names a request: the same one again, after an answer that was lost, is done once. */
export const idempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[!-~]{1,100}$/, coded('idempotency_key'))
    .optional(),
});

/** A page of a list, newest first: `before` is the last id of the page before. */
export const page = z.strictObject({
  before: urlId.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** A mobile number as people write it; one that can't be read would find nothing, and is refused. */
export const phoneParam = z
  .string()
  .max(40)
  .transform((text, context) => {
    const phone = parsePhone(text);
    if (phone.ok) return phone.e164;
    context.addIssue(codedIssue(fault('mobile_expected')));
    return z.NEVER;
  });

/** The same for any phone, landlines too. */
export const anyPhoneParam = z
  .string()
  .max(40)
  .transform((text, context) => {
    const e164 = normalizePhone(text);
    if (e164 !== null) return e164;
    context.addIssue(codedIssue(fault('phone_expected')));
    return z.NEVER;
  });
