import { toUSVString } from 'node:util';
import type { UnreadFault } from '../../domain/problems/callbacks.ts';
import { outcomeOf, type Wording } from '../answers.ts';
import { missing, type Part, quoted, readingOf, unreadPart } from '../callback.ts';
import { asPayload, at, listAt, textAt } from '../json.ts';
import type { Call, DeliveryReceipt, InboundMessage, Provider } from '../provider.ts';
import { createReference, type Reference } from '../reference.ts';
import { knowsSecret } from '../secret.ts';
import { createTransport } from '../transport.ts';
import { zenviaCodes } from './codes.ts';

export interface ZenviaOptions {
  /** `https://api.zenvia.com`, or a test server's. */
  baseUrl: string;
  apiToken: string;
  /** The secret that Zenvia's subscriptions send in the header X-Torpedo-Key. */
  callbackSecret: string;
  /** The alias of the SMS account at Zenvia. */
  from: string;
  /** The prefix of our references (sms/reference.ts). */
  reference: string;
  sendTimeoutMs: number;
  connections: number;
}

/**
 * Zenvia's API v2: https://zenvia.github.io/zenvia-openapi-spec/v2/ (channel SMS).
 *
 * Our reference is sent as `externalId` and returned with each MESSAGE_STATUS. It is not documented that Zenvia refuses a
 * second message with the same `externalId`, so a message that it may have accepted is never sent again. Receipts and
 * replies come from subscriptions that the admin creates at Zenvia. They are not signed, but can contain our header.
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
    referenceSuffices: true,
    receiptsById: false,
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
    readReceipts: (call) => readingOf(partsOf(call).map((part) => readReceipt(part, reference))),
    readInbound: (call) => readingOf(partsOf(call).map(readMessage)),
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
    // The field is written as `contents.0.text`, `body.to` or `["from"]`: each contains its name.
    const field = /\b(from|to|contents)\b/.exec(textAt(body, 'details.0.path') ?? '');
    return field ? `${code}/${field[0]}` : code;
  },
  meaningOf: (code) => zenviaCodes.get(code),
};

/**
 * The meaning of each code of a MESSAGE_STATUS.
 * https://github.com/zenvia/zenvia-openapi-spec/blob/master/spec/tags/subscriptions.md
 */
const statuses: ReadonlyMap<string, DeliveryReceipt['status']> = new Map([
  ['SENT', 'sent'],
  ['DELIVERED', 'delivered'],
  ['READ', 'delivered'],
  ['CLICKED', 'delivered'],
  ['VERIFIED', 'delivered'],
  ['DELETED', null],
  ['NOT_DELIVERED', 'undelivered'],
  ['REJECTED', 'failed'],
]);

/** One event, or several in case Zenvia sends a list. */
const partsOf = (call: Call): Call[] =>
  Array.isArray(call.json) ? call.json.map((json: unknown) => ({ ...call, json })) : [call];

/** The types of callbacks from Zenvia's subscriptions. */
const types = { receipts: 'MESSAGE_STATUS', inbound: 'MESSAGE' } as const;

/** Null if it has the expected type. */
function typeFault(call: Call, kind: keyof typeof types): UnreadFault | null {
  const type = textAt(call.json, 'type');
  if (type === types[kind]) return null;
  return type === null ? missing(call, 'type') : { code: 'other_type', params: { type: quoted(type), kind } };
}

function readReceipt(call: Call, reference: Reference): Part<DeliveryReceipt> {
  const { json } = call;
  const wrong = typeFault(call, 'receipts');
  if (wrong) return unreadPart(call, wrong);
  const messageId = reference.read(at(json, 'message.externalId'));
  const id = textAt(json, 'message.id') ?? textAt(json, 'messageId');
  const word = textAt(json, 'messageStatus.code');
  if (id === null && messageId === null) return unreadPart(call, missing(call, 'messageId'));
  if (word === null) return unreadPart(call, missing(call, 'messageStatus.code'), messageId);
  const status = statuses.get(word);
  if (status === undefined)
    return unreadPart(call, { code: 'status_unknown', params: { status: quoted(word) } }, messageId);
  const reasons = { undelivered: 'not_delivered', failed: 'request_refused' } as const;
  return {
    read: {
      messageId,
      providerMessageId: id,
      status,
      // Zenvia does not publish the codes of the carriers, so the status is the only reason.
      reason: status === 'undelivered' || status === 'failed' ? reasons[status] : null,
      code: textAt(json, 'messageStatus.causes.0.channelErrorCode'),
      payload: asPayload(json),
    },
  };
}

function readMessage(call: Call): Part<InboundMessage> {
  const { json } = call;
  const wrong = typeFault(call, 'inbound');
  if (wrong) return unreadPart(call, wrong);
  const message = at(json, 'message');
  // A subscription to both directions also reports our own messages.
  if ([at(json, 'direction'), at(message, 'direction')].includes('OUT')) return null;
  const id = textAt(message, 'id');
  const from = textAt(message, 'from');
  const to = textAt(message, 'to');
  const without = (field: string) => unreadPart(call, missing(call, field));
  if (id === null) return without('message.id');
  if (from === null) return without('message.from');
  if (to === null) return without('message.to');
  if (!Array.isArray(at(message, 'contents'))) return without('message.contents');
  const texts = listAt(message, 'contents').flatMap((content) => {
    const text = at(content, 'text');
    return at(content, 'type') === 'text' && typeof text === 'string' ? [text] : [];
  });
  const text = texts.join('\n');
  return { read: { providerMessageId: id, from: withPlus(from), to, text, payload: asPayload(json) } };
}

/** A complete number with its country code, which Zenvia writes without the +. */
const withPlus = (number: string): string => (/^\d{10,15}$/.test(number) ? `+${number}` : number);
