import type { ProviderName } from '../domain/problems/providers.ts';
import { type CodeMeaning, outcomeCode, type OutcomeCode, ourCode } from './codes.ts';
import { parseJson } from './json.ts';
import type { LookUpAnswer, SendOutcome } from './provider.ts';
import type { Exchange } from './transport.ts';

/** How one provider phrases its answers. Bodies are parsed JSON, or null. */
export interface Wording {
  provider: ProviderName;
  /** The outcome of a 2xx; null: it cannot be read. */
  accepted(body: unknown): SendOutcome | null;
  /** The error code in the body of any other answer. */
  errorCode(body: unknown): string | null;
  meaningOf(code: string): CodeMeaning | undefined;
  /** Where an unknown code is documented. */
  moreAbout?(code: string): string;
}

/**
 * The outcome of a send, by the rules for every HTTP provider:
 *
 * - not written: certainly not taken; no answer: perhaps taken;
 * - an unreadable 2xx may mean that the message was taken;
 * - a 429 was not processed, and neither was a 503 with a Retry-After: neither is caused by the message. The other 5xx
 *   may have failed after the message was taken, and a 408 is a timeout on the other side, as uncertain as one on ours;
 * - everything else depends on the provider's code, or on the status if there is none: a problem of every message
 *   (address, credentials, payment) is the account's.
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

  // Some also use 429 for a daily limit, where an early retry is useless.
  const isClosed = status === 429 ? meaning?.kind !== 'account' : status === 503 && retryAfterMs !== null;
  if (isClosed) {
    // Too many at once: the sender slows down; the answer does not state for how long.
    return {
      kind: 'temporary',
      ...code,
      detail: { code: 'asks_to_wait', params: byStatus },
      retryAfterMs: retryAfterMs ?? 0,
      outage: true,
    };
  }
  // Such a code is a clear refusal, whatever the status (maintenance).
  if ((status >= 500 || status === 408) && meaning?.kind !== 'temporary') {
    return { kind: 'ambiguous', ...code, detail: { code: 'failed', params: byStatus } };
  }
  if (meaning !== undefined) return outcomeOfCode(meaning, code, retryAfterMs);
  // Redirects are not followed: the provider's address is wrong for every message.
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

/** The JSON of a look-up's answer, or why there is none. */
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
