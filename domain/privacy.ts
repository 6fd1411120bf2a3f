import { z } from 'zod';

const days = z.int().min(1).max(3650).nullable().default(null);

/** A deployment's privacy settings. Days count from the end of the record; null: forever. */
export const privacySettings = z.strictObject({
  /** Without `ignoreConsent`, only customers who granted consent receive messages. */
  consentRequired: z.boolean().default(false),
  /**
   * Phones, names, codes, texts and extra fields of the messages of runs that finished or were cancelled. A failed run
   * that was not retried for this long is cancelled.
   */
  messageDays: days,
  /** Phones and texts of replies, and of automatic texts without a ticket. */
  replyDays: days,
  /** Phones, names, codes, extra fields, notes and answers of finished tickets. */
  ticketDays: days,
  /** Posts that the helpdesk accepted, with its answers. */
  ticketPostDays: days,
  /** Callbacks of providers, as received. */
  inboundEventDays: days,
  /** Files of mailings that neither a campaign nor a live run uses. */
  mailingFileDays: days,
  auditDays: days,
});
export type PrivacySettings = z.infer<typeof privacySettings>;
