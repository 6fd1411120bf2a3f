import { toUSVString } from 'node:util';
import { outcomeOf, type Wording } from '../answers.ts';
import { at, textAt } from '../json.ts';
import type { Provider } from '../provider.ts';
import { createTransport } from '../transport.ts';
import { readTwilioInbound, readTwilioReceipts, verifyTwilioCallback } from './callbacks.ts';
import { twilioCodes } from './codes.ts';
import { listPageBytes, listTwilioSince } from './list.ts';
import { lookUpTwilio } from './look-up.ts';

/** For a page of a thousand messages. */
const listTimeoutMs = 30_000;

export interface TwilioOptions {
  /** `https://api.twilio.com`, or the sandbox. */
  baseUrl: string;
  accountSid: string;
  /** Signs the webhooks. Also authenticates sends if there is no API key. */
  authToken: string;
  apiKeySid?: string | undefined;
  apiKeySecret?: string | undefined;
  /** Signs the webhooks that a rule at Twilio selects. */
  sharedKeySecret?: string | undefined;
  /** A number, a short code, an alphanumeric sender, or the SID of a Messaging Service (`MG…`). */
  from: string;
  /** Where Twilio posts receipts. Our message id is added to the query. */
  statusCallbackUrl: string;
  /** The timeout of each phase: the connection, the head of the answer, the whole answer. */
  sendTimeoutMs: number;
  /** Maximum number of connections, and so of concurrent sends. */
  connections: number;
}

/**
 * https://www.twilio.com/docs/global-infrastructure/understanding-edge-locations: the host of a region also contains the
 * edge. api.<region>.twilio.com was shut down in April 2026.
 */
export const twilioUrl = ({
  region,
  edge,
}: {
  region?: string | undefined;
  edge?: string | undefined;
}): string =>
  `https://api.${region !== undefined && edge !== undefined ? `${edge}.${region}.` : ''}twilio.com`;

/**
 * Twilio's Messages API: https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
 *
 * Twilio has no client reference and does not detect duplicates. Our message id is in the StatusCallback URL, so it
 * returns with the receipt. The list of messages does not contain it.
 */
export function createTwilio(options: TwilioOptions): Provider {
  const { accountSid, authToken, apiKeySid, apiKeySecret, from, statusCallbackUrl } = options;
  const credentials =
    apiKeySid !== undefined && apiKeySecret !== undefined
      ? `${apiKeySid}:${apiKeySecret}`
      : `${accountSid}:${authToken}`;
  const server = {
    baseUrl: options.baseUrl,
    headers: {
      authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    },
  };
  const transport = createTransport({
    ...server,
    timeoutMs: options.sendTimeoutMs,
    connections: options.connections,
  });
  const lists = createTransport({
    ...server,
    timeoutMs: listTimeoutMs,
    connections: 1,
    maxAnswerBytes: listPageBytes,
  });

  const path = `/2010-04-01/Accounts/${accountSid}/Messages.json`;
  // The constant part of the form, up to the value of `message` in the query of the callback if there is a reference.
  const sender = from.startsWith('MG') && from.length === 34 ? 'MessagingServiceSid' : 'From';
  const callback = `${statusCallbackUrl}${statusCallbackUrl.includes('?') ? '&' : '?'}message=`;
  const fromField = `${sender}=${encodeURIComponent(from)}`;
  const constantFields = `${fromField}&StatusCallback=${encodeURIComponent(callback)}`;

  return {
    deduplicates: false,
    referenceSuffices: false,
    receiptsById: false,
    send: async ({ messageId, to, text, mayLeave }) => {
      // A lone surrogate is sent as U+FFFD, because encodeURIComponent would throw.
      const fields = messageId === null ? fromField : `${constantFields}${messageId}`;
      const body = `${fields}&To=${encodeURIComponent(to)}&Body=${encodeURIComponent(toUSVString(text))}`;
      return outcomeOf(await transport.post(path, body, mayLeave), wording);
    },
    lookUp: (request) => lookUpTwilio(transport, { path, sender: from }, request),
    listSince: (since) => listTwilioSince(lists, { path, sender: from }, since),
    verify: (received) => verifyTwilioCallback(options, received),
    readReceipts: readTwilioReceipts,
    readInbound: readTwilioInbound,
    close: async () => {
      await Promise.all([transport.close(), lists.close()]);
    },
  };
}

const wording: Wording = {
  provider: 'Twilio',
  accepted: (body) => {
    const sid = at(body, 'sid');
    return typeof sid === 'string' ? { kind: 'accepted', providerMessageId: sid } : null;
  },
  // https://www.twilio.com/docs/usage/twilios-response#twilio-api-errors
  errorCode: (body) => textAt(body, 'code'),
  meaningOf: (code) => twilioCodes.get(Number(code)),
  moreAbout: (code) => `https://www.twilio.com/docs/api/errors/${code}`,
};
