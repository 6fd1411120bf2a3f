import { createHash } from 'node:crypto';
import { z } from 'zod';
import { basicAuthorization, type ClientCredentials } from '../domain/client-credentials.ts';
import type { Integration } from '../domain/integration.ts';
import { WebserviceRefused } from './refused.ts';
import type { WebClient } from './web-client.ts';

/** An integration's credentials for the requests of one mailing, sent only to `origin`, that of its first address. */
export interface Authorization {
  /** Prepares a request: adds the credentials if the address has the mailing's origin. */
  prepare(url: URL): Promise<{ url: URL; headers: Record<string, string> }>;
  /** After a 401: true if there is another way to authenticate, once for each page. */
  renew(): boolean;
  /** A page has been read: the attempt succeeded. */
  pageRead(): void;
  readonly hasCredentials: boolean;
  /** Where the credentials are sent; null: there are none. */
  readonly origin: string | null;
}

export const noAuthorization: Authorization = {
  prepare: async (url) => ({ url, headers: {} }),
  renew: () => false,
  pageRead: () => undefined,
  hasCredentials: false,
  origin: null,
};

/** @throws {WebserviceRefused} integration_origin, when the integration is not for this origin */
export function createAuthorization(
  { id, name, config, secrets }: Integration,
  { origin, client, tokens }: { origin: URL; client: WebClient; tokens: TokenCache },
): Authorization {
  if (!config.origins.includes(origin.origin)) {
    const params = { integration: name, origin: origin.origin };
    throw WebserviceRefused.of({ code: 'integration_origin', params });
  }
  const { authentication } = config;
  const secret = secrets.secret ?? '';
  const fixed: Record<string, string> = {};
  for (const header of config.headers) {
    const value = header.value ?? secrets.headers[header.name];
    if (value !== undefined) fixed[header.name.toLowerCase()] = value;
  }
  // Different secrets mean another account: tokens from the old ones are not used.
  const tokenKey = `${id}:${createHash('sha256')
    .update(JSON.stringify([authentication, secret]))
    .digest('hex')}`;
  let token: string | null = null;
  let renewed = false;

  return {
    origin: origin.origin,
    hasCredentials: authentication.kind !== 'none' || config.headers.length > 0,
    async prepare(url) {
      if (url.origin !== origin.origin) return { url, headers: {} };
      switch (authentication.kind) {
        case 'none':
          return { url, headers: fixed };
        case 'basic':
          return {
            url,
            headers: { ...fixed, authorization: basicAuthorization(authentication.user, secret) },
          };
        case 'bearer':
          return { url, headers: { ...fixed, authorization: `Bearer ${secret}` } };
        case 'api_key': {
          if (authentication.in === 'header')
            return { url, headers: { ...fixed, [authentication.name.toLowerCase()]: secret } };
          const keyed = new URL(url);
          const pair = `${encodeURIComponent(authentication.name)}=${encodeURIComponent(secret)}`;
          // Not with `searchParams`, which would re-encode the whole query.
          if (!keyed.searchParams.has(authentication.name))
            keyed.search = keyed.search === '' ? `?${pair}` : `${keyed.search}&${pair}`;
          return { url: keyed, headers: fixed };
        }
        case 'oauth2':
          token = await tokens.get(tokenKey, () => fetchToken(client, authentication, secret));
          return { url, headers: { ...fixed, authorization: `Bearer ${token}` } };
      }
    },
    renew() {
      if (authentication.kind !== 'oauth2' || token === null || renewed) return false;
      renewed = true;
      tokens.drop(tokenKey, token);
      return true;
    },
    pageRead() {
      renewed = false;
    },
  };
}

interface Token {
  accessToken: string;
  /** Null: the server does not specify it. */
  expiresInS: number | null;
}

/** Access tokens of a process, shared by all its mailings until shortly before they expire. */
export interface TokenCache {
  /** The token under the key, or a new one; concurrent callers wait for the same request. */
  get(key: string, fetch: () => Promise<Token>): Promise<string>;
  /** Drops the token, unless another has replaced it. */
  drop(key: string, token: string): void;
}

/** How long before its end a token is renewed, but at the latest after four fifths of its lifetime. */
const marginMs = 60_000;
/** For a token without a lifetime (RFC 6749, 5.1 only recommends it). */
const unknownLifeMs = 5 * 60_000;

export function createTokenCache({ now = Date.now }: { now?: () => number } = {}): TokenCache {
  const entries = new Map<string, { token: Promise<string>; value: string | null; renewAt: number }>();
  return {
    get(key, fetch) {
      const held = entries.get(key);
      if (held && held.renewAt > now()) return held.token;
      const askedAt = now();
      const entry = { token: Promise.resolve(''), value: null as string | null, renewAt: Infinity };
      entry.token = fetch().then(
        ({ accessToken, expiresInS }) => {
          const lifeMs = expiresInS === null ? unknownLifeMs : expiresInS * 1000;
          entry.renewAt = askedAt + Math.max(lifeMs - marginMs, (lifeMs * 4) / 5);
          entry.value = accessToken;
          return accessToken;
        },
        (error: unknown) => {
          if (entries.get(key) === entry) entries.delete(key);
          throw error;
        },
      );
      entries.set(key, entry);
      return entry.token;
    },
    drop(key, token) {
      if (entries.get(key)?.value === token) entries.delete(key);
    },
  };
}

// RFC 6749, 5.1. Some servers write the number as a text.
const tokenAnswer = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]{1,16384}$/),
  expires_in: z.coerce.number().positive().nullish(),
});
const longestTokenAnswer = 64 * 1024;

/**
 * RFC 6749, 4.4: client credentials.
 *
 * @throws {WebserviceRefused}
 */
export async function fetchToken(
  client: WebClient,
  { tokenUrl, clientId, scope, audience, clientAuthentication }: ClientCredentials,
  secret: string,
): Promise<Token> {
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (scope !== '') form.set('scope', scope);
  if (audience !== '') form.set('audience', audience);
  const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' };
  if (clientAuthentication === 'basic') {
    // RFC 6749, 2.3.1: both are form-encoded first.
    headers.authorization = basicAuthorization(formEncoded(clientId), formEncoded(secret));
  } else {
    form.set('client_id', clientId);
    form.set('client_secret', secret);
  }
  const url = new URL(tokenUrl);
  const host = url.hostname;
  const failed = (why: 'refused' | 'status' | 'too_long' | 'not_a_token', status?: number) => {
    const params = { host, why, ...(status === undefined ? {} : { status }) };
    return WebserviceRefused.of({ code: 'authorization_failed', params });
  };
  const { status, body, cancel } = await client.send(url, { method: 'POST', headers, body: form.toString() });
  if (status >= 500 || status === 429) {
    cancel();
    throw WebserviceRefused.of(
      status === 429
        ? { code: 'too_many_requests', params: { host } }
        : { code: 'server_error', params: { host, status, of: 'tokens' } },
    );
  }
  if (status < 200 || status > 299) {
    cancel();
    throw failed(status === 400 || status === 401 || status === 403 ? 'refused' : 'status', status);
  }
  let text = '';
  for await (const chunk of body) {
    text += chunk.toString('latin1');
    if (text.length > longestTokenAnswer) throw failed('too_long');
  }
  const parsed = tokenAnswer.safeParse(jsonOf(text));
  if (!parsed.success) throw failed('not_a_token');
  return { accessToken: parsed.data.access_token, expiresInS: parsed.data.expires_in ?? null };
}

const formEncoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
