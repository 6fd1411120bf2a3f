import { z } from 'zod';

const days = z.int().min(1).max(3650).nullable().default(null);

/** What a deployment has decided on privacy. Days count from the end of what is kept; null: it is kept. */
export const privacySettings = z.strictObject({
  /** Without `ignoreConsent`, only customers who granted it are written to. */
  consentRequired: z.boolean().default(false),
  /** Phones, names, texts and extra fields of the messages of ended runs, and what people wrote back. */
  messageDays: days,
  /** What providers called us with, as it came. */
  inboundEventDays: days,
  /** Files of mailings that are no campaign's present file. */
  mailingFileDays: days,
  auditDays: days,
});
export type PrivacySettings = z.infer<typeof privacySettings>;
