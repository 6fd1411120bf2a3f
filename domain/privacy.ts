import { z } from 'zod';

const days = z.int().min(1).max(3650).nullable().default(null);

/** What a deployment has decided on privacy. Days count from the end of what is kept; null: for ever. */
export const privacySettings = z.strictObject({
  /** Without `ignoreConsent`, only customers who granted it are written to. */
  consentRequired: z.boolean().default(false),
  /**
   * Phones, names, codes, texts and extra fields of the messages of runs that finished or were cancelled. A run that
   * failed and was not retried for so long is cancelled.
   */
  messageDays: days,
  /** Phones and texts of what people wrote to us. */
  replyDays: days,
  /** Phones, names, codes, extra fields and notes of finished tickets. */
  ticketDays: days,
  /** What was posted to the helpdesk and taken, with its answer. */
  ticketPostDays: days,
  /** What providers called us with, as it came. */
  inboundEventDays: days,
  /** Files of mailings that are no campaign's present file, and no live run's. */
  mailingFileDays: days,
  auditDays: days,
});
export type PrivacySettings = z.infer<typeof privacySettings>;
