import { z } from 'zod';

/** An SMS provider as an admin configures it: what is public, what is secret, and both together for the adapter. */

// https://www.twilio.com/docs/glossary/what-is-a-sid
const accountSid = z.string().regex(/^AC[0-9a-f]{32}$/, 'An account SID is AC and 32 hexadecimal digits.');

/**
 * Who the message comes from: a number (E.164), a short code, an alphanumeric sender, or the SID of a Messaging
 * Service, which then chooses the number.
 */
const twilioSender = z.union(
  [
    z.string().regex(/^\+[1-9]\d{6,14}$/),
    z.string().regex(/^\d{3,8}$/),
    z.string().regex(/^(?=.*[A-Za-z])[A-Za-z0-9 +_&-]{1,11}$/),
    z.string().regex(/^MG[0-9a-f]{32}$/),
  ],
  'A number with +, a short code, a name of up to 11 letters, or the SID of a Messaging Service (MG…).',
);

const twilioFields = { accountSid, from: twilioSender };
// It goes into a header as it is.
const authToken = z.string().regex(/^[\x21-\x7e]{1,128}$/, 'A token without spaces or control characters.');

const sandboxConfig = z.strictObject({ kind: z.literal('sandbox'), ...twilioFields });
const twilioConfig = z.strictObject({ kind: z.literal('twilio'), ...twilioFields });

/** `providers.config`: what anyone who may see the provider may see. */
export const providerConfig = z.discriminatedUnion('kind', [sandboxConfig, twilioConfig]);
export type ProviderConfig = z.infer<typeof providerConfig>;

/** `providers.secrets` before sealing: written, never shown again. */
export const providerSecrets = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sandbox'), authToken }),
  z.strictObject({ kind: z.literal('twilio'), authToken }),
]);
export type ProviderSecrets = z.infer<typeof providerSecrets>;

/** Config and opened secrets of one provider: `providerAccount.parse({ ...config, ...secrets })`. */
export const providerAccount = z.discriminatedUnion('kind', [
  sandboxConfig.extend({ authToken }),
  twilioConfig.extend({ authToken }),
]);
export type ProviderAccount = z.infer<typeof providerAccount>;

/** What the provider calls us for. */
export type CallbackKind = 'receipts' | 'inbound';

/** The path of a provider's callbacks under the deployment's public URL. */
export const callbackPath = (providerId: number, kind: CallbackKind): string =>
  `/webhooks/providers/${providerId}/${kind}`;
