import { toUSVString } from 'node:util';
import { outcomeOf, type Wording } from '../answers.ts';
import { asPayload, at, listAt, textAt } from '../json.ts';
import type { Callback, DeliveryReceipt, InboundMessage, Provider } from '../provider.ts';
import { createReference, type Reference } from '../reference.ts';
import { knowsSecret } from '../secret.ts';
import { createTransport } from '../transport.ts';
import { zenviaCodes } from './codes.ts';

export interface ZenviaOptions {
  /** `https://api.zenvia.com`, or a test's. */
  baseUrl: string;
  apiToken: string;
  /** What Zenvia's subscriptions send along in the header X-Torpedo-Key. */
  callbackSecret: string;
  /** The alias of the SMS account at Zenvia. */
  from: string;
  /** What our references begin with (sms/reference.ts). */
  reference: string;
  sendTimeoutMs: number;
  connections: number;
}

/**
 * Zenvia's API v2: https://zenvia.github.io/zenvia-openapi-spec/v2/ (channel SMS).
 *
 * Our reference travels as `externalId` and comes back with each MESSAGE_STATUS. Zenvia does not say that it refuses a
 * second message with the same one, so nothing is sent again that it may have taken. Receipts and replies come from
 * subscriptions that the admin makes at Zenvia; they are not signed, but can carry a header of ours.
 */
export function createZenvia(options: ZenviaOptions): Provider {
  const { from, callbackSecret } = options;
  const reference = createReference(options.reference);
  const transport = createTransport({
    baseUrl: options.baseUrl,
    headers: {
      'x-api-token': options.apiToken,
      'content-type': 'application/json',
      accept: 'application/json',
    },
    timeoutMs: options.sendTimeoutMs,
    connections: options.connections,
  });

  return {
    deduplicates: false,
    send: async ({ messageId, to, text, mayLeave }) => {
      const body = {
        from,
        to: to.slice(1),
        ...(messageId === null ? {} : { externalId: reference.write(messageId) }),
        contents: [{ type: 'text', text: toUSVString(text) }],
      };
      const exchange = await transport.post('/v2/channels/sms/messages', JSON.stringify(body), mayLeave);
      return outcomeOf(exchange, wording);
    },
    verify: (callback) => knowsSecret(callback, callbackSecret),
    readReceipts: (callback) => readReceipts(callback, reference),
    readInbound,
    close: () => transport.close(),
  };
}

const wording: Wording = {
  provider: 'Zenvia',
  accepted: (body) => {
    const id = textAt(body, 'id');
    return id === null ? null : { kind: 'accepted', providerMessageId: id };
  },
  errorCode: (body) => {
    const code = textAt(body, 'code');
    if (code !== 'VALIDATION_ERROR') return code;
    // `contents.0.text`, `body.to`, `["from"]`: of whatever form, it holds the name of the field.
    const field = /\b(from|to|contents)\b/.exec(textAt(body, 'details.0.path') ?? '');
    return field ? `${code}/${field[0]}` : code;
  },
  meaningOf: (code) => zenviaCodes.get(code),
};

/**
 * What each code of a MESSAGE_STATUS says.
 * https://github.com/zenvia/zenvia-openapi-spec/blob/master/spec/tags/subscriptions.md
 */
const statuses: ReadonlyMap<string, DeliveryReceipt['status']> = new Map([
  ['SENT', 'sent'],
  ['DELIVERED', 'delivered'],
  ['READ', 'delivered'],
  ['CLICKED', 'delivered'],
  ['VERIFIED', 'delivered'],
  ['NOT_DELIVERED', 'undelivered'],
  ['REJECTED', 'failed'],
]);

function readReceipts({ json }: Callback, reference: Reference): DeliveryReceipt[] {
  const id = textAt(json, 'message.id') ?? textAt(json, 'messageId');
  const word = textAt(json, 'messageStatus.code');
  if (textAt(json, 'type') !== 'MESSAGE_STATUS' || id === null || word === null) return [];
  const status = statuses.get(word) ?? null;
  const reasons = { undelivered: 'not_delivered', failed: 'request_refused' } as const;
  return [
    {
      messageId: reference.read(at(json, 'message.externalId')),
      providerMessageId: id,
      status,
      // The codes of the carriers behind Zenvia are not published: the status is all the reason there is.
      reason: status === 'undelivered' || status === 'failed' ? reasons[status] : null,
      code: textAt(json, 'messageStatus.causes.0.channelErrorCode'),
      payload: asPayload(json),
    },
  ];
}

function readInbound({ json }: Callback): InboundMessage[] {
  const message = at(json, 'message');
  const id = textAt(message, 'id');
  const from = textAt(message, 'from');
  const to = textAt(message, 'to');
  const outgoing = [at(json, 'direction'), at(message, 'direction')].includes('OUT');
  if (textAt(json, 'type') !== 'MESSAGE' || outgoing || id === null || from === null || to === null)
    return [];
  const texts = listAt(message, 'contents').flatMap((content) => {
    const text = at(content, 'text');
    return at(content, 'type') === 'text' && typeof text === 'string' ? [text] : [];
  });
  return [
    { providerMessageId: id, from: withPlus(from), to, text: texts.join('\n'), payload: asPayload(json) },
  ];
}

/** A complete number with its country code, which Zenvia writes without the plus. */
const withPlus = (number: string): string => (/^\d{10,15}$/.test(number) ? `+${number}` : number);
