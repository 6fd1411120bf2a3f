import { parseJson } from './callback.ts';
import { type CodeMeaning, outcomeCode, type OutcomeCode, ourCode } from './codes.ts';
import type { LookUpAnswer, SendOutcome } from './provider.ts';
import type { Exchange } from './transport.ts';

/** How one provider words its answers. Bodies are parsed JSON, null when they are none. */
export interface Wording {
  /** Its name, as it stands in what operators read. */
  provider: string;
  /** What a 2xx says; null: it can't be read. */
  accepted(body: unknown): SendOutcome | null;
  /** The error code in the body of any other answer. */
  errorCode(body: unknown): string | null;
  meaningOf(code: string): CodeMeaning | undefined;
  /** Where more is said of a code that we don't know. */
  moreAbout?(code: string): string;
}

/**
 * What became of a send, by the rules that hold for every HTTP provider:
 *
 * - not written: certainly not taken; no answer: perhaps;
 * - a 2xx that can't be read may well mean that the message was taken;
 * - a 429 was not processed, and a 503 that says when to come back is a door that was closed; the other 5xx may have
 *   failed after the message was taken, and a 408 is a time-out on the other side, no better known than one on ours;
 * - all else is by the provider's code, and without one by the status: what is wrong for every message (address,
 *   credentials, payment) is the account's.
 */
export function outcomeOf(exchange: Exchange, wording: Wording): SendOutcome {
  const { provider } = wording;
  switch (exchange.kind) {
    case 'not_written':
      return {
        kind: 'temporary',
        ...ourCode(exchange.code),
        detail: `No connection to ${provider} (${exchange.code}).`,
        retryAfterMs: null,
      };
    case 'unanswered':
      return {
        kind: 'ambiguous',
        ...ourCode(exchange.code),
        detail: `${provider} did not answer (${exchange.code}): it may have taken the message.`,
      };
    case 'answered': {
      const { status } = exchange;
      if (status < 200 || status >= 300) return refusalOf(exchange, wording);
      return (
        wording.accepted(parseJson(exchange.body)) ?? {
          kind: 'ambiguous',
          ...ourCode(`HTTP_${status}`),
          detail: `${provider} answered ${status}, but its message id could not be read.`,
        }
      );
    }
  }
}

function refusalOf(exchange: Extract<Exchange, { kind: 'answered' }>, wording: Wording): SendOutcome {
  const { status } = exchange;
  const { provider } = wording;
  const said = wording.errorCode(parseJson(exchange.body));
  const meaning = said === null ? undefined : wording.meaningOf(said);
  const code = outcomeCode(said, meaning !== undefined, `HTTP_${status}`);
  const retryAfterMs = parseRetryAfter(exchange.retryAfter, Date.now());

  if (status === 429 || (status === 503 && retryAfterMs !== null)) {
    const detail = `${provider} asks to try later (${status}).`;
    return { kind: 'temporary', ...code, detail, retryAfterMs };
  }
  if (status >= 500 || status === 408) {
    const detail = `${provider} failed with ${status}: it may have taken the message.`;
    return { kind: 'ambiguous', ...code, detail };
  }
  if (meaning !== undefined) return outcomeOfCode(meaning, code, retryAfterMs);
  // Redirects are not followed: the address of the provider is wrong for every message.
  if (status < 400 || [401, 402, 403, 404].includes(status)) {
    const detail = `${provider} refuses the request (${status}): check the account.`;
    return { kind: 'account', ...code, detail };
  }
  const more = code.publicCode === said && wording.moreAbout ? ` ${wording.moreAbout(said)}` : '';
  return {
    kind: 'refused',
    reason: 'request_refused',
    ...code,
    detail: `${provider} refuses the message (${status}).${more}`,
  };
}

export function outcomeOfCode(
  { kind, reason, detail }: CodeMeaning,
  code: OutcomeCode,
  retryAfterMs: number | null = null,
): SendOutcome {
  switch (kind) {
    case 'refused':
      return { kind, reason, ...code, detail };
    case 'temporary':
      return { kind, ...code, detail, retryAfterMs };
    case 'account':
    case 'ambiguous':
      return { kind, ...code, detail };
  }
}

/** The JSON of a look-up's answer, or why there is none. */
export function lookedUp(
  exchange: Exchange,
  provider: string,
): { kind: 'read'; json: unknown } | Extract<LookUpAnswer, { kind: 'unavailable' }> {
  if (exchange.kind !== 'answered') {
    const detail = `No answer from ${provider} (${exchange.code}).`;
    return { kind: 'unavailable', code: exchange.code, detail, retryAfterMs: null };
  }
  const { status } = exchange;
  const json = status >= 200 && status < 300 ? parseJson(exchange.body) : null;
  if (json !== null) return { kind: 'read', json };
  return {
    kind: 'unavailable',
    code: `HTTP_${status}`,
    detail: `${provider} answered ${status} without what was asked for.`,
    retryAfterMs: parseRetryAfter(exchange.retryAfter, Date.now()),
  };
}

/**
 * Milliseconds from `now` of a Retry-After header: seconds or an HTTP date (RFC 9110, 10.2.3). Null when there is
 * none that can be read; 0 for a date gone by.
 */
export function parseRetryAfter(value: string | null, now: number): number | null {
  if (value === null) return null;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
