import { z } from 'zod';
import { httpGatewayFields, httpGatewaySecrets } from './http-gateway.ts';
import { coded, codedIssue, fault } from './problems/coded.ts';
import { segmentProfileName, type SegmentProfileName } from './segments.ts';

/** An SMS provider as an admin configures it: the public config, the secrets, and both together for the adapter. */

// https://www.twilio.com/docs/glossary/what-is-a-sid
const accountSid = z.string().regex(/^AC[0-9a-f]{32}$/, coded('account_sid'));

/**
 * The sender of the messages: a number (E.164), a short code, an alphanumeric sender, or the SID of a Messaging
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
// A name that becomes a part of the host.
const hostLabel = z.string().regex(/^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/, coded('twilio_host_label'));
// Sent in a header without encoding.
const token = z.string().regex(/^[\x21-\x7e]{1,128}$/, coded('provider_token'));

/**
 * The shared secret that a provider that cannot sign its callbacks sends with them, so that nobody else can forge them.
 * Used in URLs and headers.
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
  twilio: {
    kind: z.literal('twilio'),
    ...twilioFields,
    /** Where Twilio stores the account's data (`ie1`), and where it receives requests (`dublin`): both or none. */
    region: hostLabel.optional(),
    edge: hostLabel.optional(),
    /** Sends with this API key; by default with the auth token. */
    apiKeySid: z
      .string()
      .regex(/^SK[0-9a-f]{32}$/, coded('api_key_sid'))
      .optional(),
    /** Webhooks are also signed with this shared key (HMAC-SHA256). */
    sharedKeyId: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,100}$/, coded('shared_key_id'))
      .optional(),
  },
  zenvia: { kind: z.literal('zenvia'), from: senderAlias },
  infobip: { kind: z.literal('infobip'), baseUrl: infobipUrl, from: senderAlias },
  http: { kind: z.literal('http'), ...httpGatewayFields },
};
const secrets = {
  sandbox: { kind: z.literal('sandbox'), authToken: token },
  twilio: {
    kind: z.literal('twilio'),
    /** Signs the webhooks, even of an account that sends with an API key. */
    authToken: token,
    apiKeySecret: token.optional(),
    sharedKeySecret: token.optional(),
  },
  zenvia: { kind: z.literal('zenvia'), apiToken: token, callbackSecret },
  infobip: { kind: z.literal('infobip'), apiKey: token, callbackSecret },
  http: { kind: z.literal('http'), callbackSecret, values: httpGatewaySecrets },
};

/** In display order. */
export const providerKinds = ['twilio', 'zenvia', 'infobip', 'http', 'sandbox'] as const;
export type ProviderKind = (typeof providerKinds)[number];

/** `providers.config`: visible to anyone who may see the provider. */
export const providerConfig = z.discriminatedUnion('kind', [
  z.strictObject(configs.sandbox),
  z.strictObject(configs.twilio).superRefine(({ region, edge }, context) => {
    if ((region === undefined) === (edge === undefined)) return;
    const field = region === undefined ? 'region' : 'edge';
    context.addIssue(codedIssue(fault('missing', { what: 'region_and_edge' }), [field]));
  }),
  z.strictObject(configs.zenvia),
  z.strictObject(configs.infobip),
  z.strictObject(configs.http),
]);
export type ProviderConfig = z.infer<typeof providerConfig>;

/** `providers.secrets` before sealing: write-only. */
export const providerSecrets = z.discriminatedUnion('kind', [
  z.strictObject(secrets.sandbox),
  z.strictObject(secrets.twilio),
  z.strictObject(secrets.zenvia),
  z.strictObject(secrets.infobip),
  z.strictObject(secrets.http),
]);
export type ProviderSecrets = z.infer<typeof providerSecrets>;

/** Changes of some of a provider's secrets: omitted ones stay as stored. */
export const providerSecretChanges = z.discriminatedUnion('kind', [
  z.strictObject(secrets.sandbox).partial({ authToken: true }),
  z.strictObject(secrets.twilio).partial({ authToken: true }),
  z.strictObject(secrets.zenvia).partial({ apiToken: true, callbackSecret: true }),
  z.strictObject(secrets.infobip).partial({ apiKey: true, callbackSecret: true }),
  z.strictObject(secrets.http).partial({ callbackSecret: true }),
]);
export type ProviderSecretChanges = z.infer<typeof providerSecretChanges>;

/** The segment profiles available for the kind. Only Infobip's adapter can request the language tables. */
export const profilesOf = (kind: ProviderKind): SegmentProfileName[] =>
  segmentProfileName.options.filter((name) => name !== 'portuguese' || kind === 'infobip');

/** The admin-configured addresses that a provider's secrets are sent to. */
export function secretAddresses(config: ProviderConfig): string[] {
  switch (config.kind) {
    case 'http': {
      const { url, authentication } = config.request;
      return authentication.kind === 'oauth2' ? [url, authentication.tokenUrl] : [url];
    }
    case 'infobip':
      return [config.baseUrl];
    case 'sandbox':
    case 'twilio':
    case 'zenvia':
      return [];
  }
}

/** Secrets that are required if the config names their key, and unused otherwise. */
const namedSecrets = { apiKeySecret: 'apiKeySid', sharedKeySecret: 'sharedKeyId' } as const;
type NamedSecret = keyof typeof namedSecrets;
const namedSecretsOf = Object.keys(namedSecrets) as NamedSecret[];

/** The named secrets that the config of a Twilio account requires. */
export const secretsAskedFor = (config: ProviderConfig): NamedSecret[] =>
  config.kind === 'twilio' ? namedSecretsOf.filter((name) => config[namedSecrets[name]] !== undefined) : [];

/** Removes secrets that are no longer used: unneeded secrets are not kept. */
export function usedSecrets(config: ProviderConfig, secrets: ProviderSecrets): ProviderSecrets {
  if (secrets.kind !== 'twilio') return secrets;
  const asked = secretsAskedFor(config);
  const unused = namedSecretsOf.filter((name) => !asked.includes(name) && secrets[name] !== undefined);
  if (unused.length === 0) return secrets;
  return { ...secrets, ...Object.fromEntries(unused.map((name) => [name, undefined])) };
}

/** The stored secrets with the changes applied, still to be validated. Secrets of another kind are dropped. */
export function changedSecrets(stored: ProviderSecrets | null, changes: ProviderSecretChanges): unknown {
  if (stored?.kind !== changes.kind) return changes;
  const values =
    stored.kind === 'http' && changes.kind === 'http'
      ? { values: { ...stored.values, ...changes.values } }
      : {};
  return { ...stored, ...changes, ...values };
}

interface ProviderField {
  name: string;
  required: boolean;
}

/** The schemas of a kind's config, and of changes of its secrets, without the kind itself: for its form. */
export const configSchemaOf = (kind: ProviderKind): z.ZodObject => withoutKind(configs[kind]);
export const secretsSchemaOf = (kind: ProviderKind): z.ZodObject => withoutKind(secrets[kind]).partial();

const withoutKind = ({ kind: _, ...fields }: Readonly<Record<string, z.ZodType>>): z.ZodObject =>
  z.strictObject(fields);

interface ProviderField {
  name: string;
  required: boolean;
}

/** The fields of a kind besides `kind` itself, for building a form. */
export const providerFields = (
  kind: ProviderKind,
): { config: ProviderField[]; secrets: ProviderField[] } => ({
  config: fieldsOf(configs[kind]),
  secrets: fieldsOf(secrets[kind]),
});

const fieldsOf = (shape: Readonly<Record<string, z.ZodType>>): ProviderField[] =>
  Object.entries(withoutKind(shape).shape).map(([name, schema]) => ({
    name,
    required: !z.safeParse(schema, undefined).success,
  }));

/** Config and opened secrets of one provider: `providerAccount.parse({ ...config, ...secrets })`. */
export const providerAccount = z.discriminatedUnion('kind', [
  z.strictObject({ ...configs.sandbox, ...secrets.sandbox }),
  z.strictObject({ ...configs.twilio, ...secrets.twilio }),
  z.strictObject({ ...configs.zenvia, ...secrets.zenvia }),
  z.strictObject({ ...configs.infobip, ...secrets.infobip }),
  z.strictObject({ ...configs.http, ...secrets.http }),
]);
export type ProviderAccount = z.infer<typeof providerAccount>;

/** The maximum number of concurrent sends to a provider that an admin can set. */
export const mostInFlight = 5_000;

/**
 * The default maximum of concurrent sends over all workers. A company's own gateway is a small machine; vendors accept
 * a few hundred at once from one account.
 */
export const defaultInFlight: Readonly<Record<ProviderKind, number>> = {
  sandbox: 1_000,
  twilio: 500,
  infobip: 500,
  zenvia: 500,
  http: 100,
};

/** The purpose of a provider's callback. */
export type CallbackKind = 'receipts' | 'inbound';

/** The path of a provider's callbacks under the deployment's public URL. */
export const callbackPath = (providerId: number, kind: CallbackKind): string =>
  `/webhooks/providers/${providerId}/${kind}`;
