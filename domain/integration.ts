import { z } from 'zod';
import { clientCredentials, userName } from './client-credentials.ts';
import { hasNewOrigin, originOf } from './destination.ts';
import { coded, codedIssue, fault, type Problem, problem } from './problems/coded.ts';

/** Stored authentication and headers for requests to a customer's systems ("Integração com o cliente"). */

// RFC 9110, 5.6.2: a token. An integration cannot set headers that HTTP itself sets.
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
// RFC 9110, 5.5, restricted to ASCII: servers decode other characters differently.
const headerValue = z
  .string()
  .max(4000)
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, coded('header_value'));

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
  clientCredentials.extend({ kind: z.literal('oauth2') }),
]);

/** The origin of a text that a user typed; returns other text unchanged. */
function toOrigin(text: string): string {
  const address = text.includes('://') ? text : `https://${text}`;
  const url = URL.canParse(address) ? new URL(address) : null;
  // Without user, path, query and fragment.
  return url?.href === `${url?.origin ?? ''}/` ? url.origin : text;
}

/**
 * Scheme, host and port: `https://api.example.com`, `http://10.1.2.3:8080`. A host alone means https and its default
 * port.
 */
const origin = z
  .string()
  .trim()
  .max(300)
  .overwrite(toOrigin)
  .refine((text) => /^https?:[^*]+$/.test(text) && originOf(text) === text, coded('origin_format'));

/** `integrations.config`: visible to anyone who may see the integration. */
export const integrationConfig = z
  .strictObject({
    authentication,
    /**
     * The only origins that it is sent to. A user who edits a campaign chooses its address, and must not obtain the
     * secrets that way, or have them sent without TLS.
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

/** `integrations.secrets` before sealing: write-only. */
export const integrationSecrets = z.strictObject({
  /** Password, token, key or client secret, depending on the authentication; null for none. */
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

/** The stored secrets that `config` still needs, with the changes applied; still to be validated. */
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

/** Missing or invalid secrets of a config. */
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
 * Whether the secrets entered for `before` must be entered again for `after`: a user who changes where or how they are
 * sent must know them. `elsewhere`: only the addresses differ.
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
  // The client secret is sent only to the token address, and tokens only to the others.
  return hasNewOrigin(tokenUrls(before), tokenUrls(after)) || hasNewOrigin(before.origins, after.origins)
    ? 'elsewhere'
    : 'no';
}
