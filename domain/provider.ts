import { z } from 'zod';
import { httpGatewayFields, httpGatewaySecrets } from './http-gateway.ts';
import { coded } from './problems/coded.ts';

/** An SMS provider as an admin configures it: what is public, what is secret, and both together for the adapter. */

// https://www.twilio.com/docs/glossary/what-is-a-sid
const accountSid = z.string().regex(/^AC[0-9a-f]{32}$/, coded('account_sid'));

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
  coded('twilio_sender'),
);

const twilioFields = { accountSid, from: twilioSender };
// It goes into a header as it is.
const token = z.string().regex(/^[\x21-\x7e]{1,128}$/, coded('provider_token'));

/**
 * What a provider that can't sign its callbacks sends along with them, so that nobody else can make them up. It goes
 * into URLs and headers.
 */
const callbackSecret = z.string().regex(/^[A-Za-z0-9_-]{20,128}$/, coded('callback_secret'));

// https://github.com/zenvia/zenvia-openapi-spec: `from` of a message has 1 to 64 characters.
const senderAlias = z
  .string()
  .trim()
  .min(1, coded('missing'))
  .max(64)
  .regex(/^[^\p{Cc}]*$/u, coded('control_character'));
const infobipUrl = z
  .string()
  .regex(/^https:\/\/(?:[a-z0-9-]{1,63}\.)?api\.infobip\.com$/, coded('infobip_url'));

const configs = {
  sandbox: { kind: z.literal('sandbox'), ...twilioFields },
  twilio: { kind: z.literal('twilio'), ...twilioFields },
  zenvia: { kind: z.literal('zenvia'), from: senderAlias },
  infobip: { kind: z.literal('infobip'), baseUrl: infobipUrl, from: senderAlias },
  http: { kind: z.literal('http'), ...httpGatewayFields },
};
const secrets = {
  sandbox: { kind: z.literal('sandbox'), authToken: token },
  twilio: { kind: z.literal('twilio'), authToken: token },
  zenvia: { kind: z.literal('zenvia'), apiToken: token, callbackSecret },
  infobip: { kind: z.literal('infobip'), apiKey: token, callbackSecret },
  http: { kind: z.literal('http'), callbackSecret, values: httpGatewaySecrets },
};

/** In the order in which they are offered. */
export const providerKinds = ['twilio', 'zenvia', 'infobip', 'http', 'sandbox'] as const;
export type ProviderKind = (typeof providerKinds)[number];

/** `providers.config`: what anyone who may see the provider may see. */
export const providerConfig = z.discriminatedUnion('kind', [
  z.strictObject(configs.sandbox),
  z.strictObject(configs.twilio),
  z.strictObject(configs.zenvia),
  z.strictObject(configs.infobip),
  z.strictObject(configs.http),
]);
export type ProviderConfig = z.infer<typeof providerConfig>;

/** `providers.secrets` before sealing: written, never shown again. */
export const providerSecrets = z.discriminatedUnion('kind', [
  z.strictObject(secrets.sandbox),
  z.strictObject(secrets.twilio),
  z.strictObject(secrets.zenvia),
  z.strictObject(secrets.infobip),
  z.strictObject(secrets.http),
]);
export type ProviderSecrets = z.infer<typeof providerSecrets>;

/** Some of a provider's secrets: those that are left out stay as they are stored. */
export const providerSecretChanges = z.discriminatedUnion('kind', [
  z.strictObject(secrets.sandbox).partial({ authToken: true }),
  z.strictObject(secrets.twilio).partial({ authToken: true }),
  z.strictObject(secrets.zenvia).partial({ apiToken: true, callbackSecret: true }),
  z.strictObject(secrets.infobip).partial({ apiKey: true, callbackSecret: true }),
  z.strictObject(secrets.http).partial({ callbackSecret: true }),
]);
export type ProviderSecretChanges = z.infer<typeof providerSecretChanges>;

/** The addresses that a provider's secrets are sent to, where an admin chooses them. */
export function secretAddresses(config: ProviderConfig): string[] {
  switch (config.kind) {
    case 'http':
      return [config.request.url];
    case 'infobip':
      return [config.baseUrl];
    case 'sandbox':
    case 'twilio':
    case 'zenvia':
      return [];
  }
}

/** What is stored with the changes made, still to be checked. Of another kind nothing is kept. */
export function changedSecrets(stored: ProviderSecrets | null, changes: ProviderSecretChanges): unknown {
  if (stored?.kind !== changes.kind) return changes;
  const values =
    stored.kind === 'http' && changes.kind === 'http'
      ? { values: { ...stored.values, ...changes.values } }
      : {};
  return { ...stored, ...changes, ...values };
}

/** The fields of a kind beside `kind` itself, for who makes a form of them. */
export const providerFields = (kind: ProviderKind): { config: string[]; secrets: string[] } => ({
  config: Object.keys(configs[kind]).filter((name) => name !== 'kind'),
  secrets: Object.keys(secrets[kind]).filter((name) => name !== 'kind'),
});

/** Config and opened secrets of one provider: `providerAccount.parse({ ...config, ...secrets })`. */
export const providerAccount = z.discriminatedUnion('kind', [
  z.strictObject({ ...configs.sandbox, ...secrets.sandbox }),
  z.strictObject({ ...configs.twilio, ...secrets.twilio }),
  z.strictObject({ ...configs.zenvia, ...secrets.zenvia }),
  z.strictObject({ ...configs.infobip, ...secrets.infobip }),
  z.strictObject({ ...configs.http, ...secrets.http }),
]);
export type ProviderAccount = z.infer<typeof providerAccount>;

/** No provider is asked for more at once, whatever an admin sets. */
export const mostInFlight = 5_000;

/**
 * How many sends may be under way at once where nobody has set it, over all workers. Gateways of one's own are small
 * machines; vendors take some hundred at once from one account.
 */
export const defaultInFlight: Readonly<Record<ProviderKind, number>> = {
  sandbox: 1_000,
  twilio: 500,
  infobip: 500,
  zenvia: 500,
  http: 100,
};

/** What the provider calls us for. */
export type CallbackKind = 'receipts' | 'inbound';

/** The path of a provider's callbacks under the deployment's public URL. */
export const callbackPath = (providerId: number, kind: CallbackKind): string =>
  `/webhooks/providers/${providerId}/${kind}`;
