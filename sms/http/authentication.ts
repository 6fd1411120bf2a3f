import { ourCode } from '../codes.ts';
import { basicAuthorization, type ClientCredentials } from '../../domain/client-credentials.ts';
import type { HttpGatewayConfig } from '../../domain/http-gateway.ts';
import type { SendOutcome } from '../provider.ts';
import type { Exchange, Transport } from '../transport.ts';

const gateway = { provider: 'gateway' } as const;

/** Access tokens, cached in the process until they expire (mailing/access-tokens.ts). */
export interface AccessTokens {
  /** `refused`: a user must act; `unavailable`: may be temporary. */
  get(
    settings: ClientCredentials,
    secret: string,
  ): Promise<{ kind: 'token'; token: string } | { kind: 'refused' | 'unavailable'; code: string }>;
  /** Removes a token that was refused. */
  drop(settings: ClientCredentials, secret: string, token: string): void;
}

type Authorized = { exchange: Exchange } | { outcome: SendOutcome };

/**
 * Sends with authentication. If the gateway refuses a token, requests a new one and sends once more: a 401 means that
 * the message was not accepted.
 */
export function createAuthorizedSend(
  transport: Transport,
  {
    authentication,
    values,
    tokens,
  }: {
    authentication: HttpGatewayConfig['request']['authentication'];
    /** {secret.name}. */
    values: Readonly<Record<string, string>>;
    tokens: AccessTokens;
  },
): (request: Parameters<Transport['send']>[0]) => Promise<Authorized> {
  const secretOf = (name: string): string => {
    const secret = Object.hasOwn(values, name) ? values[name] : undefined;
    if (secret === undefined) throw new MissingSecret(name);
    return secret;
  };
  switch (authentication.kind) {
    case 'none':
      return async (request) => ({ exchange: await transport.send(request) });
    case 'basic':
      return async ({ headers = [], ...request }) => {
        const authorization = basicAuthorization(authentication.user, secretOf('password'));
        const all = [...headers, 'authorization', authorization];
        return { exchange: await transport.send({ ...request, headers: all }) };
      };
    case 'oauth2': {
      const { tokenUrl, clientId, scope, audience, clientAuthentication } = authentication;
      const credentials = { tokenUrl, clientId, scope, audience, clientAuthentication };
      const attempt = async (
        { headers = [], ...request }: Parameters<Transport['send']>[0],
        secret: string,
        isLast: boolean,
      ): Promise<Authorized> => {
        const answer = await tokens.get(credentials, secret);
        if (answer.kind !== 'token') return { outcome: withoutToken(answer) };
        const all = [...headers, 'authorization', `Bearer ${answer.token}`];
        const exchange = await transport.send({ ...request, headers: all });
        if (exchange.kind !== 'answered' || exchange.status !== 401) return { exchange };
        tokens.drop(credentials, secret, answer.token);
        return isLast ? { exchange } : attempt({ headers, ...request }, secret, true);
      };
      return (request) => attempt(request, secretOf('clientSecret'), false);
    }
  }
}

function withoutToken({ kind, code }: { kind: 'refused' | 'unavailable'; code: string }): SendOutcome {
  const detail = { code: 'no_access_token', params: { ...gateway, code } } as const;
  return kind === 'refused'
    ? { kind: 'account', ...ourCode(code), detail }
    : { kind: 'temporary', ...ourCode(code), detail, retryAfterMs: null, outage: true };
}

/** The error message is the name of the secret. */
export class MissingSecret extends Error {}
