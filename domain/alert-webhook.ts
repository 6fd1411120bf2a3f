import { z } from 'zod';
import { alertKind, alertKindNames } from './alert.ts';
import { coded } from './problems/coded.ts';
import { postingSecretChanges, postingUrl } from './ticket-posting.ts';
import { locale } from './user.ts';

/** Where alerts are posted. */
export const alertWebhook = z.strictObject({
  enabled: z.boolean().default(false),
  url: postingUrl,
  kinds: z
    .array(alertKind)
    .min(1, coded('event_missing'))
    .max(100)
    .default(() => [...alertKindNames]),
  /** The language of its texts. */
  locale: locale.default('pt-BR'),
});
export type AlertWebhook = z.infer<typeof alertWebhook>;

/** Omitted secrets stay unchanged, and so do headers whose value is null. */
export const alertWebhookChange = alertWebhook.extend(postingSecretChanges.shape);
