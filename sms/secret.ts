import { createHash, timingSafeEqual } from 'node:crypto';
import { secretField } from './callback.ts';
import type { Callback } from './provider.ts';

/** The header with the secret, for providers whose subscriptions can set headers. */
export const secretHeader = 'x-torpedo-key';

/**
 * Whether a callback of a provider that cannot sign contains the shared secret: in the header `X-Torpedo-Key`, as a
 * bearer token, as the password of basic authentication, in the query (`?key=…`) or as the last segment of the path.
 * Each provider supports one of these; which one is not secret.
 */
export function knowsSecret({ url, headers, query }: Callback, secret: string): boolean {
  const candidates = [
    headers[secretHeader],
    query[secretField],
    lastOfPath(url),
    ...credentials(headers['authorization']),
  ];
  // Always compares all of them, so that the time does not depend on the match.
  return candidates.filter((one) => typeof one === 'string' && equal(one, secret)).length > 0;
}

function* credentials(header: string | string[] | undefined): Generator<string> {
  const [scheme = '', value = ''] = typeof header === 'string' ? header.split(' ') : [];
  if (scheme.toLowerCase() === 'bearer') yield value;
  if (scheme.toLowerCase() === 'basic') {
    const pair = Buffer.from(value, 'base64').toString();
    yield pair.slice(pair.indexOf(':') + 1);
  }
}

function lastOfPath(url: string): string | null {
  const path = URL.canParse(url) ? new URL(url).pathname : '';
  try {
    return decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
  } catch {
    return null;
  }
}

/** In constant time, for any lengths. */
function equal(received: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(received), digest(expected));
}
