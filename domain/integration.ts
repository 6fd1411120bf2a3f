import { z } from 'zod';

/** Stored authentication and headers for calls to a customer's systems ("Integração com o cliente"). */

// RFC 9110, 5.6.2: a token. What HTTP itself has to say in a request is not for an integration to say.
const headerName = z
  .string()
  .max(100)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'This can not be the name of a header.')
  .refine(
    (name) =>
      !/^(?:host|connection|content-length|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*|accept-encoding)$/i.test(
        name,
      ),
    'This header is set by HTTP itself.',
  );
// RFC 9110, 5.5, in ASCII: anything else is read differently by different servers.
const headerValue = z
  .string()
  .max(4000)
  .regex(
    /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/,
    'Use printable ASCII characters, none of them a space at an end.',
  );

/** RFC 7617: a colon would end the user. */
const userName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^:\p{Cc}]*$/u, 'A user name has no colon and no control character.');
const secretText = z
  .string()
  .min(1)
  .max(4000)
  .regex(/^\P{Cc}*$/u, 'A secret has no control character.');

const authentication = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('basic'), user: userName }),
  z.strictObject({ kind: z.literal('bearer') }),
  z.strictObject({ kind: z.literal('api_key'), in: z.enum(['header', 'query']), name: headerName }),
  z.strictObject({
    kind: z.literal('oauth2'),
    /** Where tokens are asked for: RFC 6749, 4.4 (client credentials). */
    tokenUrl: z
      .url({ protocol: /^https?$/, error: 'Give an address that begins with https:// or http://.' })
      .max(2000),
    clientId: z.string().min(1).max(255),
    scope: z.string().max(1000).default(''),
    /** Asked for by some servers beside the standard; '': left out. */
    audience: z.string().max(1000).default(''),
    /** How the client shows its secret: as HTTP basic, or as fields of the form. */
    clientAuthentication: z.enum(['basic', 'form']).default('basic'),
  }),
]);

const host = z
  .string()
  .trim()
  .toLowerCase()
  .max(255)
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])$/,
    'Write a host such as api.example.com, without https:// and without a port.',
  );

/** `integrations.config`: what anyone who may see the integration may see. */
export const integrationConfig = z
  .strictObject({
    authentication,
    /**
     * The only hosts that it is sent to: who edits a campaign chooses its address, and may not by that learn the
     * secrets.
     */
    hosts: z.array(host).min(1, 'Name the hosts that may receive it.').max(20),
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
        context.addIssue({
          code: 'custom',
          path: ['headers', index, 'name'],
          message: `The header ${name} stands here twice, or is set by the authentication.`,
          params: { code: 'header_repeated' },
        });
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
): { field: string; code: string; message: string }[] {
  const problems = [];
  if (authentication.kind !== 'none' && secrets.secret === null) {
    const what = { basic: 'password', bearer: 'token', api_key: 'key', oauth2: 'client secret' }[
      authentication.kind
    ];
    problems.push({ field: 'secrets.secret', code: 'missing', message: `Give the ${what}.` });
  }
  if (secrets.secret !== null && (authentication.kind === 'bearer' || authentication.kind === 'api_key')) {
    if (!headerValue.safeParse(secrets.secret).success) {
      const message =
        'It goes into a header: use printable ASCII characters, none of them a space at an end.';
      problems.push({ field: 'secrets.secret', code: 'invalid', message });
    }
  }
  const secretHeaders = headers.filter(({ value }) => value === null).map(({ name }) => name);
  for (const name of secretHeaders) {
    if (!Object.hasOwn(secrets.headers, name)) {
      const message = `Give the value of the header ${name}.`;
      problems.push({ field: `secrets.headers.${name}`, code: 'missing', message });
    }
  }
  for (const name of Object.keys(secrets.headers)) {
    if (!secretHeaders.includes(name)) {
      const message = 'The config has no such header, or gives its value itself.';
      problems.push({ field: `secrets.headers.${name}`, code: 'unknown_field', message });
    }
  }
  return problems;
}

/**
 * Whether secrets that were entered for `before` may not simply be used for `after`: who changes where or how they are
 * sent has to know them.
 */
export function needsNewSecrets(before: IntegrationConfig, after: IntegrationConfig): boolean {
  const secretHeaders = ({ headers }: IntegrationConfig) =>
    headers.filter(({ value }) => value === null).map(({ name }) => name);
  const tokenUrl = ({ authentication }: IntegrationConfig) =>
    authentication.kind === 'oauth2' ? authentication.tokenUrl : null;
  const hasSecrets = after.authentication.kind !== 'none' || secretHeaders(after).length > 0;
  return (
    hasSecrets &&
    (before.authentication.kind !== after.authentication.kind ||
      tokenUrl(before) !== tokenUrl(after) ||
      after.hosts.some((host) => !before.hosts.includes(host)) ||
      secretHeaders(after).some((name) => !secretHeaders(before).includes(name)))
  );
}
