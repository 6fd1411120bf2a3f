import { hash } from 'node:crypto';
import { toUSVString } from 'node:util';
import { z } from 'zod';
import { type InboundEvent, longestKey } from '../../db/replies/inbound.ts';
import type { CallbackKind } from '../../domain/provider.ts';
import { writerOf } from '../../domain/reply.ts';
import { isSilent, queryOf } from '../../sms/callback.ts';
import type {
  AnsweringMessage,
  Call,
  DeliveryReceipt,
  InboundMessage,
  Payload,
  Provider,
  Reading,
  Unread,
} from '../../sms/provider.ts';
import type { Arrival } from './receipts.ts';

/** The provider of a call, and what distinguishes the call from others. */
interface Origin {
  providerId: number;
  /** The URL of a call, or the key of the event that is read again. */
  identity: string;
  /** It arrived earlier, at `call.receivedAt`. */
  isLate: boolean;
}

/** The contents of a verified callback; never empty. */
export function arrivalsOf(kind: CallbackKind, origin: Origin, call: Call, provider: Provider): Arrival[] {
  const { arrivals, isOther } = readAs(kind, origin, call, provider);
  if (isOther) {
    // It arrived at the address of the other kind: some portals have one address for both.
    const others = readAs(kind === 'receipts' ? 'inbound' : 'receipts', origin, call, provider);
    if (others.arrivals.length > 0 && others.arrivals.every(({ event }) => !event.unread))
      return others.arrivals;
  }
  const isNothing = arrivals.length === 0 || (isSilent(call) && arrivals.every(({ event }) => event.unread));
  return isNothing ? [arrival({ kind: 'other' }, origin, call, wholeOf(call))] : arrivals;
}

function readAs(
  kind: CallbackKind,
  origin: Origin,
  call: Call,
  provider: Provider,
): { arrivals: Arrival[]; isOther: boolean } {
  if (kind === 'receipts') {
    const reading = provider.readReceipts(call);
    return all(reading, origin, 'receipt', (receipt) => receiptArrival(origin, call, receipt, provider));
  }
  return all(provider.readInbound(call), origin, 'message', (message) => replyArrival(origin, call, message));
}

function all<T>(
  { read, unread }: Reading<T>,
  origin: Origin,
  kind: 'receipt' | 'message',
  arrivalOf: (one: T) => Arrival,
): { arrivals: Arrival[]; isOther: boolean } {
  const arrivals = read.map(arrivalOf);
  if (unread.length === 0) return { arrivals, isOther: false };
  return {
    arrivals: [...arrivals, ...unread.map((part) => unreadArrival(origin, kind, part))],
    isOther: read.length === 0 && unread.every(({ fault }) => fault.code === 'other_type'),
  };
}

function receiptArrival(
  origin: Origin,
  call: Call,
  receipt: DeliveryReceipt,
  { referenceSuffices, receiptsById }: Provider,
): Arrival {
  const { messageId, status, reason, payload } = receipt;
  const providerMessageId = storableOrNull(receipt.providerMessageId);
  const code = storableOrNull(receipt.code);
  const { providerId, isLate } = origin;
  const kept = arrival({ kind: 'receipt', messageId }, origin, call, payload);
  if (status === null) return kept;
  const common = { providerId, status, reason, providerCode: code, at: isLate ? call.receivedAt : null };
  const part = receipt.call;
  if (part) kept.call = () => jsonOf(keptCall(part));
  if (messageId !== null) {
    kept.move = { ...common, messageId, providerMessageId, isSure: referenceSuffices };
  } else if (receiptsById && providerMessageId !== null) {
    const id = providerMessageId.slice(0, longestKey);
    kept.move = { ...common, messageId, providerMessageId: id, isSure: true };
  }
  return kept;
}

function replyArrival(origin: Origin, call: Call, message: InboundMessage | AnsweringMessage): Arrival {
  const { providerMessageId, to, text, payload } = message;
  const kept = arrival({ kind: 'message' }, origin, call, payload);
  const common = {
    providerId: origin.providerId,
    providerMessageId: storableText(providerMessageId).slice(0, longestKey),
    recipient: storableText(to).slice(0, longestKey),
    text: storableText(text),
    ...(origin.isLate ? { receivedAt: call.receivedAt } : {}),
  };
  if (message.from !== null) {
    return {
      ...kept,
      reply: { ...common, phone: writerOf(storableText(message.from).slice(0, longestKey)) },
    };
  }
  const { answers, call: part } = message;
  return { ...kept, reply: { ...common, phone: null, answers }, call: () => jsonOf(keptCall(part)) };
}

/** Stored to be read again. The same call on another day is a new one: the first may have been dismissed since. */
function unreadArrival(
  origin: Origin,
  kind: 'receipt' | 'message',
  { fault, messageId, call }: Unread,
): Arrival {
  const day = call.receivedAt.toISOString().slice(0, 10);
  const identity = `${origin.identity}\n${day}`;
  const kept = arrival({ kind, messageId }, { ...origin, identity }, call, keptCall(call));
  return { ...kept, event: { ...kept.event, unread: storedFault(fault) } };
}

function arrival(
  { kind, messageId = null }: Pick<InboundEvent, 'kind'> & { messageId?: number | null },
  { providerId, identity, isLate }: Origin,
  { receivedAt }: Call,
  payload: Payload,
): Arrival {
  const text = jsonOf(payload);
  // Stable if the provider repeats itself, whatever else the same call contains. Half of the digest is enough.
  const eventKey = hash('sha256', `${identity}\n${text}`, 'base64url').slice(0, 22);
  const event: InboundEvent = { providerId, eventKey, kind, messageId, payload: text };
  if (isLate) event.receivedAt = receivedAt;
  return { event, move: null, reply: null };
}

/** The whole content of a callback from which its adapter reads nothing; without the secret in its query. */
function wholeOf(call: Call): Payload {
  if (Object.keys(call.form).length > 0) return call.form;
  if (call.json !== null) return { body: call.json };
  return queryOf(call);
}

/** A call in the form in which it is stored until it can be read; without the secret in its query. */
function keptCall(call: Call): Payload {
  const query = queryOf(call);
  return {
    ...(Object.keys(query).length > 0 ? { query } : {}),
    ...(call.json !== null ? { json: call.json } : {}),
    ...(Object.keys(call.form).length > 0 ? { form: call.form } : {}),
    ...(call.text !== '' ? { text: call.text } : {}),
  };
}

const fields = z.record(z.string(), z.union([z.string(), z.array(z.string())])).default({});
const kept = z.object({
  query: fields,
  form: fields,
  json: z.unknown().default(null),
  text: z.string().default(''),
});

/** The stored call, to be read again. */
export const callOf = (payload: Payload, receivedAt: Date): Call => ({
  ...kept.parse(payload),
  receivedAt,
});

/** Deeper values are cut off: neither we nor PostgreSQL may overflow the stack. */
const maxDepth = 32;

/** A value that jsonb can store. Most are flat and clean, and need no copy. */
function jsonOf(payload: Payload): string {
  if (Object.values(payload).every((value) => typeof value === 'string')) {
    const text = JSON.stringify(payload);
    // Characters that JSON writes as a four-digit escape: a control character, or half of a surrogate pair.
    if (!text.includes('\\u')) return text;
  }
  return JSON.stringify(storable(payload, maxDepth));
}

/** Removes what jsonb cannot store: NUL, half of a surrogate pair, unlimited nesting. */
function storable(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return storableText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return null;
  if (Array.isArray(value)) return value.map((one) => storable(one, depth - 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [storable(name, depth), storable(one, depth - 1)]),
  );
}

const storableOrNull = (text: string | null): string | null => (text === null ? null : storableText(text));

const storableText = (text: string): string => toUSVString(text).replaceAll('\0', '\ufffd');

/** An error message may quote the call. */
const storedFault = (fault: Unread['fault']): Unread['fault'] => storable(fault, maxDepth) as Unread['fault'];
