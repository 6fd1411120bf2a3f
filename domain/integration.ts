import { z } from 'zod';
import { leadsElsewhere, originOf } from './destination.ts';
import { coded, codedIssue, fault, type Problem, problem } from './problems/coded.ts';

/** Stored authentication and headers for calls to a customer's systems ("Integração com o cliente"). */

// RFC 9110, 5.6.2: a token. What HTTP itself has to say in a request is not for an integration to say.
const headerName = z
  .string()
  .max(100)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, coded('header_name'))
  .refine(
    (name) =>
      !/^(?:host|connection|content-length|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*|accept-encoding)$/i.test(
        name,
      ),
    coded('header_reserved'),
  );
// RFC 9110, 5.5, in ASCII: anything else is read differently by different servers.
const headerValue = z
  .string()
  .max(4000)
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, coded('header_value'));

/** RFC 7617: a colon would end the user. */
const userName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^:\p{Cc}]*$/u, coded('user_name_format'));
const secretText = z
  .string()
  .min(1)
  .max(4000)
  .regex(/^\P{Cc}*$/u, coded('control_character'));

const authentication = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('basic'), user: userName }),
  z.strictObject({ kind: z.literal('bearer') }),
  z.strictObject({ kind: z.literal('api_key'), in: z.enum(['header', 'query']), name: headerName }),
  z.strictObject({
    kind: z.literal('oauth2'),
    /** Where tokens are asked for: RFC 6749, 4.4 (client credentials). */
    tokenUrl: z.url({ protocol: /^https?$/, error: coded('url_expected') }).max(2000),
    clientId: z.string().min(1).max(255),
    scope: z.string().max(1000).default(''),
    /** Asked for by some servers beside the standard; '': left out. */
    audience: z.string().max(1000).default(''),
    /** How the client shows its secret: as HTTP basic, or as fields of the form. */
    clientAuthentication: z.enum(['basic', 'form']).default('basic'),
  }),
]);

/** The origin that somebody means by what they write; what is none comes back as it is. */
function toOrigin(text: string): string {
  const address = text.includes('://') ? text : `https://${text}`;
  const url = URL.canParse(address) ? new URL(address) : null;
  // Without user, path, query and fragment.
  return url?.href === `${url?.origin ?? ''}/` ? url.origin : text;
}

/**
 * Scheme, host and port: `https://api.example.com`, `http://10.1.2.3:8080`. Where only a host is written, https and its
 * own port are meant.
 */
const origin = z
  .string()
  .trim()
  .max(300)
  .overwrite(toOrigin)
  .refine((text) => /^https?:[^*]+$/.test(text) && originOf(text) === text, coded('origin_format'));

/** `integrations.config`: what anyone who may see the integration may see. */
export const integrationConfig = z
  .strictObject({
    authentication,
    /**
     * The only origins that it is sent to: who edits a campaign chooses its address, and may not by that learn the
     * secrets, nor have them sent without TLS.
     */
    origins: z.array(origin).min(1, coded('origin_missing')).max(20),
    /** Sent with each request. Null: the value is a secret. */
    headers: z
      .array(z.strictObject({ name: headerName, value: headerValue.nullable() }))
      .max(20)
      .default([]),
  })
  .superRefine(({ authentication, headers }, context) => {
    const taken = new Set<string>(
      authentication.kind === 'api_key'
        ? authentication.in === 'header'
          ? [authentication.name.toLowerCase()]
          : []
        : authentication.kind === 'none'
          ? []
          : ['authorization'],
    );
    headers.forEach(({ name }, index) => {
      const folded = name.toLowerCase();
      if (taken.has(folded)) {
        context.addIssue(codedIssue(fault('header_repeated', { name }), ['headers', index, 'name']));
      }
      taken.add(folded);
    });
  });
export type IntegrationConfig = z.infer<typeof integrationConfig>;

/** `integrations.secrets` before sealing: written, never shown again. */
export const integrationSecrets = z.strictObject({
  /** Password, token, key or client secret, as the authentication needs; null for none. */
  secret: secretText.nullable().default(null),
  /** The values of the headers whose value in the config is null, by name. */
  headers: z.record(z.string(), headerValue).default({}),
});
export type IntegrationSecrets = z.infer<typeof integrationSecrets>;

/** Config and opened secrets of one integration. */
export interface Integration {
  id: number;
  name: string;
  config: IntegrationConfig;
  secrets: IntegrationSecrets;
}

/** The stored secrets that `config` still needs, with the changes made; still to be checked. */
export function changedSecrets(
  { authentication, headers }: IntegrationConfig,
  stored: IntegrationSecrets | undefined,
  changes: IntegrationSecrets | undefined,
): IntegrationSecrets {
  const kept = headers.flatMap(({ name, value }) => {
    const secret = stored?.headers[name];
    return value === null && secret !== undefined ? [[name, secret] as const] : [];
  });
  return {
    secret: changes?.secret ?? (authentication.kind === 'none' ? null : (stored?.secret ?? null)),
    headers: { ...Object.fromEntries(kept), ...changes?.headers },
  };
}

/** What is missing or wrong between a config and its secrets. */
export function secretProblems(
  { authentication, headers }: IntegrationConfig,
  secrets: IntegrationSecrets,
): Problem[] {
  const problems: Problem[] = [];
  if (authentication.kind !== 'none' && secrets.secret === null) {
    const kinds = { basic: 'password', bearer: 'token', api_key: 'key', oauth2: 'client_secret' } as const;
    problems.push(problem('secrets.secret', 'missing', { what: kinds[authentication.kind] }));
  }
  if (secrets.secret !== null && (authentication.kind === 'bearer' || authentication.kind === 'api_key')) {
    if (!headerValue.safeParse(secrets.secret).success) {
      problems.push(problem('secrets.secret', 'header_secret'));
    }
  }
  const secretHeaders = headers.filter(({ value }) => value === null).map(({ name }) => name);
  for (const name of secretHeaders) {
    if (!Object.hasOwn(secrets.headers, name)) {
      problems.push(problem(`secrets.headers.${name}`, 'missing_header', { name }));
    }
  }
  for (const name of Object.keys(secrets.headers)) {
    if (!secretHeaders.includes(name)) {
      problems.push(problem(`secrets.headers.${name}`, 'header_unknown'));
    }
  }
  return problems;
}

/**
 * Whether secrets that were entered for `before` may not simply be used for `after`: who changes where or how they are
 * sent has to know them. `elsewhere`: only the addresses differ.
 */
export function needsNewSecrets(
  before: IntegrationConfig,
  after: IntegrationConfig,
): 'no' | 'elsewhere' | 'other' {
  const secretHeaders = ({ headers }: IntegrationConfig) =>
    headers.filter(({ value }) => value === null).map(({ name }) => name);
  const tokenUrls = ({ authentication }: IntegrationConfig) =>
    authentication.kind === 'oauth2' ? [authentication.tokenUrl] : [];
  if (after.authentication.kind === 'none' && secretHeaders(after).length === 0) return 'no';
  if (before.authentication.kind !== after.authentication.kind) return 'other';
  if (secretHeaders(after).some((name) => !secretHeaders(before).includes(name))) return 'other';
  // The client secret goes only to the token address, and tokens only to the others.
  return leadsElsewhere(tokenUrls(before), tokenUrls(after)) || leadsElsewhere(before.origins, after.origins)
    ? 'elsewhere'
    : 'no';
}
