import { toUSVString } from 'node:util';
import { z } from 'zod';
import { parseJson } from './callback.ts';
import type { Provider, SendOutcome } from './provider.ts';
import { createTransport, type Exchange } from './transport.ts';
import { readTwilioInbound, readTwilioReceipts, verifyTwilioCallback } from './twilio-callbacks.ts';
import { twilioCodes } from './twilio-codes.ts';

export interface TwilioOptions {
  /** `https://api.twilio.com`, or the sandbox. */
  baseUrl: string;
  accountSid: string;
  authToken: string;
  /** A number, a short code, an alphanumeric sender, or the SID of a Messaging Service (`MG…`). */
  from: string;
  /** Where Twilio posts receipts. Our message id is added to its query. */
  statusCallbackUrl: string;
  /** For each of: the connection, the head of the answer, the whole answer. */
  sendTimeoutMs: number;
  /** Connections at most, and so sends in flight. */
  connections: number;
}

/**
 * Twilio's Messages API: https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
 *
 * Twilio knows no client reference and refuses no repetition: our message id travels in the StatusCallback URL and
 * comes back with the receipt.
 */
export function createTwilio(options: TwilioOptions): Provider {
  const { accountSid, authToken, from, statusCallbackUrl } = options;
  const transport = createTransport({
    baseUrl: options.baseUrl,
    headers: {
      authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    },
    timeoutMs: options.sendTimeoutMs,
    connections: options.connections,
  });

  const path = `/2010-04-01/Accounts/${accountSid}/Messages.json`;
  // All of the form that no message changes; with a reference, up to the value of `message` in the callback's query.
  const sender = from.startsWith('MG') && from.length === 34 ? 'MessagingServiceSid' : 'From';
  const callback = `${statusCallbackUrl}${statusCallbackUrl.includes('?') ? '&' : '?'}message=`;
  const fromField = `${sender}=${encodeURIComponent(from)}`;
  const constantFields = `${fromField}&StatusCallback=${encodeURIComponent(callback)}`;

  return {
    deduplicates: false,
    send: async ({ messageId, to, text }) => {
      // A lone surrogate, which encodeURIComponent throws on, goes out as U+FFFD.
      const fields = messageId === null ? fromField : `${constantFields}${messageId}`;
      const body = `${fields}&To=${encodeURIComponent(to)}&Body=${encodeURIComponent(toUSVString(text))}`;
      return outcomeOf(await transport.post(path, body));
    },
    verify: (received) => verifyTwilioCallback(authToken, received),
    readReceipts: readTwilioReceipts,
    readInbound: readTwilioInbound,
    close: () => transport.close(),
  };
}

function outcomeOf(exchange: Exchange): SendOutcome {
  switch (exchange.kind) {
    case 'not_written':
      return {
        kind: 'temporary',
        code: exchange.code,
        detail: `No connection to Twilio (${exchange.code}).`,
        retryAfterMs: null,
      };
    case 'unanswered':
      return {
        kind: 'ambiguous',
        code: exchange.code,
        detail: `Twilio did not answer (${exchange.code}): it may have taken the message.`,
      };
    case 'answered':
      if (exchange.status >= 200 && exchange.status < 300)
        return acceptedOutcome(exchange.status, exchange.body);
      return refusalOutcome(exchange.status, exchange.retryAfter, exchange.body);
  }
}

function acceptedOutcome(status: number, body: string | null): SendOutcome {
  const answer = parseJson(body);
  // By hand, not by zod: this is read for each message sent.
  if (typeof answer === 'object' && answer !== null && 'sid' in answer && typeof answer.sid === 'string') {
    return { kind: 'accepted', providerMessageId: answer.sid };
  }
  return {
    kind: 'ambiguous',
    code: `HTTP_${status}`,
    detail: `Twilio answered ${status}, but its message id could not be read.`,
  };
}

// https://www.twilio.com/docs/usage/twilios-response#twilio-api-errors
const twilioError = z.object({ code: z.number() });

/**
 * Twilio processes a 429 never and a 5xx perhaps (https://www.twilio.com/docs/api/errors/20429, …/20500). A 503 that
 * says when to come back is a door that was closed; the other 5xx may have failed after the message was taken.
 */
function refusalOutcome(status: number, retryAfter: string | null, body: string | null): SendOutcome {
  const parsed = twilioError.safeParse(parseJson(body));
  const code = parsed.success ? String(parsed.data.code) : `HTTP_${status}`;
  const retryAfterMs = parseRetryAfter(retryAfter, Date.now());

  if (status === 429 || (status === 503 && retryAfterMs !== null)) {
    return { kind: 'temporary', code, detail: `Twilio asks to try later (${status}).`, retryAfterMs };
  }
  // 408 is a time-out on the other side: no better known than one on ours.
  if (status >= 500 || status === 408) {
    return {
      kind: 'ambiguous',
      code,
      detail: `Twilio failed with ${status}: it may have taken the message.`,
    };
  }
  const known = parsed.success ? twilioCodes.get(parsed.data.code) : undefined;
  if (known !== undefined) {
    const { kind, reason, detail } = known;
    switch (kind) {
      case 'refused':
        return { kind, reason, code, detail };
      case 'temporary':
        return { kind, code, detail, retryAfterMs };
      case 'account':
        return { kind, code, detail };
    }
  }
  // Redirects are not followed: the address of the provider is wrong for every message.
  if (status < 400 || status === 401 || status === 403 || status === 404) {
    return { kind: 'account', code, detail: `Twilio refuses the request (${status}): check the account.` };
  }
  const more = parsed.success ? ` https://www.twilio.com/docs/api/errors/${code}` : '';
  return {
    kind: 'refused',
    reason: 'request_refused',
    code,
    detail: `Twilio refuses the message (${status}).${more}`,
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
