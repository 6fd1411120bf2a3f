import type { ClientCredentials } from '../domain/client-credentials.ts';
import type { AddressGuard } from './address-guard.ts';
import { createTokenCache, fetchToken } from './authorization.ts';
import { WebserviceRefused } from './refused.ts';
import { createWebClient } from './web-client.ts';

/** A token, or why there is none: `refused` lasts until a user acts. */
type TokenAnswer = { kind: 'token'; token: string } | { kind: 'refused' | 'unavailable'; code: string };

const timeoutMs = 10_000;
const limits = { bytes: 64 * 1024, idleMs: timeoutMs, totalMs: 2 * timeoutMs, redirects: 0, pages: 1 };

/** The access tokens of a process for gateways, not for mailings. `drop`: request a new one after a refusal. */
export function createAccessTokens(guard: AddressGuard) {
  const tokens = createTokenCache();
  const keyOf = (settings: ClientCredentials, secret: string): string => JSON.stringify([settings, secret]);
  const ask = async (settings: ClientCredentials, secret: string) => {
    const client = createWebClient({ guard, limits, signal: new AbortController().signal });
    try {
      return await fetchToken(client, settings, secret);
    } finally {
      await client.close();
    }
  };
  return {
    async get(settings: ClientCredentials, secret: string): Promise<TokenAnswer> {
      try {
        const token = await tokens.get(keyOf(settings, secret), () => ask(settings, secret));
        return { kind: 'token', token };
      } catch (error) {
        if (!(error instanceof WebserviceRefused)) throw error;
        return { kind: error.mayPass ? 'unavailable' : 'refused', code: error.code };
      }
    },
    drop(settings: ClientCredentials, secret: string, token: string): void {
      tokens.drop(keyOf(settings, secret), token);
    },
  };
}
