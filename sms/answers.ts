import type { ProviderName } from '../domain/problems/providers.ts';
import { type CodeMeaning, outcomeCode, type OutcomeCode, ourCode } from './codes.ts';
import { parseJson } from './json.ts';
import type { LookUpAnswer, SendOutcome } from './provider.ts';
import type { Exchange } from './transport.ts';

/** How to read the answers of one provider. Bodies are parsed JSON, or null. */
export interface Wording {
  provider: ProviderName;
  /** The outcome of a 2xx; null if it cannot be read. */
  accepted(body: unknown): SendOutcome | null;
  /** The error code in the body of any other answer. */
  errorCode(body: unknown): string | null;
  meaningOf(code: string): CodeMeaning | undefined;
  /** The page that documents an unknown code. */
  moreAbout?(code: string): string;
}

/**
 * The outcome of a send, by the rules for all HTTP providers:
 *
 * - If the request was not written, the message was certainly not accepted. If there was no answer, it may have been.
 * - A 2xx that cannot be read may mean that the message was accepted.
 * - A 429, and a 503 with Retry-After, were not processed, and the message is not their cause. Any other 5xx may have
 *   failed after the message was accepted. A 408 is a timeout of the provider, which is as uncertain as one of ours.
 * - All other answers depend on the provider's code, or on the status if there is no code. A problem that affects every
 *   message (address, credentials, payment) is a problem of the account.
 */
export function outcomeOf(exchange: Exchange, wording: Wording): SendOutcome {
  const { provider } = wording;
  switch (exchange.kind) {
    case 'not_written':
      return {
        kind: 'temporary',
        ...ourCode(exchange.code),
        detail: { code: 'unreachable', params: { provider, code: exchange.code } },
        retryAfterMs: null,
        outage: true,
      };
    case 'unanswered':
      return {
        kind: 'ambiguous',
        ...ourCode(exchange.code),
        detail: { code: 'unanswered', params: { provider, code: exchange.code } },
      };
    case 'answered': {
      const { status } = exchange;
      if (status < 200 || status >= 300) return refusalOf(exchange, wording);
      return (
        wording.accepted(parseJson(exchange.body)) ?? {
          kind: 'ambiguous',
          ...ourCode(`HTTP_${status}`),
          detail: { code: 'id_unreadable', params: { provider, code: String(status) } },
        }
      );
    }
  }
}

function refusalOf(exchange: Extract<Exchange, { kind: 'answered' }>, wording: Wording): SendOutcome {
  const { status } = exchange;
  const byStatus = { provider: wording.provider, code: String(status) };
  const reported = wording.errorCode(parseJson(exchange.body));
  const meaning = reported === null ? undefined : wording.meaningOf(reported);
  const code = outcomeCode(reported, meaning !== undefined, `HTTP_${status}`);
  const retryAfterMs = parseRetryAfter(exchange.retryAfter, Date.now());

  // Some providers also use 429 for a daily limit: an early retry would be useless.
  const isClosed = status === 429 ? meaning?.kind !== 'account' : status === 503 && retryAfterMs !== null;
  if (isClosed) {
    // Too many requests at once. The answer does not say for how long to wait, so the sender slows down.
    return {
      kind: 'temporary',
      ...code,
      detail: { code: 'asks_to_wait', params: byStatus },
      retryAfterMs: retryAfterMs ?? 0,
      outage: true,
    };
  }
  // A temporary code, such as maintenance, is a clear refusal, whatever the status.
  if ((status >= 500 || status === 408) && meaning?.kind !== 'temporary') {
    return { kind: 'ambiguous', ...code, detail: { code: 'failed', params: byStatus } };
  }
  if (meaning !== undefined) return outcomeOfCode(meaning, code, retryAfterMs);
  // Redirects are not followed. They mean that the address of the provider is wrong, for all messages.
  if (status < 400 || [401, 402, 403, 404].includes(status)) {
    return { kind: 'account', ...code, detail: { code: 'refuses_requests', params: byStatus } };
  }
  const more = code.publicCode === reported && wording.moreAbout ? wording.moreAbout(reported) : null;
  return {
    kind: 'refused',
    reason: 'request_refused',
    ...code,
    detail: { code: 'refuses_message', params: { ...byStatus, more } },
  };
}

export function outcomeOfCode(
  { kind, reason, detail, outage }: CodeMeaning,
  code: OutcomeCode,
  retryAfterMs: number | null = null,
): SendOutcome {
  switch (kind) {
    case 'refused':
      return { kind, reason, ...code, detail };
    case 'temporary':
      return { kind, ...code, detail, retryAfterMs, outage };
    case 'account':
    case 'ambiguous':
      return { kind, ...code, detail };
  }
}

/** The JSON in the answer to a lookup, or why there is none. */
export function lookedUp(
  exchange: Exchange,
): { kind: 'read'; json: unknown } | Extract<LookUpAnswer, { kind: 'unavailable' }> {
  if (exchange.kind !== 'answered') {
    return { kind: 'unavailable', code: exchange.code, retryAfterMs: null };
  }
  const { status } = exchange;
  const json = status >= 200 && status < 300 ? parseJson(exchange.body) : null;
  if (json !== null) return { kind: 'read', json };
  return {
    kind: 'unavailable',
    code: `HTTP_${status}`,
    retryAfterMs: parseRetryAfter(exchange.retryAfter, Date.now()),
  };
}

/**
 * The milliseconds from `now` of a Retry-After header: seconds or an HTTP date (RFC 9110, 10.2.3). Null if it is
 * missing or unreadable; 0 for a past date.
 */
export function parseRetryAfter(value: string | null, now: number): number | null {
  if (value === null) return null;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
