import { createHash } from 'node:crypto';
import type { HttpGatewayConfig } from '../../domain/http-gateway.ts';
import { canonicalPhone } from '../../domain/phone.ts';
import { missing, type Part, queryOf, quoted, readingOf, unreadPart } from '../callback.ts';
import { asPayload, findAt, findText } from '../json.ts';
import type {
  AnsweringMessage,
  Call,
  DeliveryReceipt,
  InboundMessage,
  Payload,
  Reading,
} from '../provider.ts';
import type { Reference } from '../reference.ts';
import { decodeHex } from './hex.ts';
import { createTable } from './table.ts';

export const notDescribed = (call: Call, kind: 'receipts' | 'inbound'): Reading<never> =>
  readingOf<never>([unreadPart(call, { code: 'not_described', params: { kind } })]);

/**
 * Marks a callback as one for the other address, because it lacks the fields of this one and is complete as the other
 * kind: some gateways have a single address for receipts and replies.
 */
export function orOtherType<T>(
  reading: Reading<T>,
  kind: 'receipts' | 'inbound',
  other: () => Reading<unknown> | null,
): Reading<T> {
  const mayBeOther =
    reading.read.length === 0 &&
    reading.unread.length > 0 &&
    reading.unread.every(
      ({ fault, messageId }) =>
        messageId === null && (fault.code === 'field_missing' || fault.code === 'not_described'),
    );
  const found = mayBeOther ? other() : null;
  if (found === null || found.read.length === 0 || found.unread.length > 0) return reading;
  const fault = {
    code: 'other_type',
    params: { type: kind === 'receipts' ? 'text' : 'status', kind },
  } as const;
  return { read: [], unread: reading.unread.map((part) => ({ ...part, fault })) };
}

/** A receipt whose status is elsewhere may contain our own sender and text: that is no reply. */
export function isFromPhone({ from }: InboundMessage | AnsweringMessage, sender: string): boolean {
  if (from === null) return true;
  const phone = canonicalPhone(from);
  return phone !== null && phone !== canonicalPhone(sender);
}

/** One receipt or message in a callback. */
interface Item {
  /** The value of a field as text; null if it is missing or not a scalar. */
  field: (name: string) => string | null;
  /** Whether the field exists and is empty. */
  isEmpty: (name: string) => boolean;
  payload: Payload;
  /** A callback with only this item. */
  call: Call;
}

/**
 * The items of a callback, read as described or in a related format: JSON instead of a form, a list instead of one
 * object, and the reverse. Fields that the body lacks are read from the URL.
 */
export function itemsOf(
  call: Call,
  { list }: { list: string | null },
  credentials: ReadonlySet<unknown>,
): Item[] {
  const { form, json } = call;
  const inQuery = queryOf(call);
  const keptQuery = withoutCredentials(inQuery, credentials);
  const keptForm = withoutCredentials(form, credentials);
  const isForm = Object.keys(form).length > 0;
  const bodies: unknown[] = json !== null ? jsonItems(json, list) : [isForm ? form : {}];
  return bodies.map((body) => ({
    field: (name) => findText(body, name) ?? findText(inQuery, name),
    isEmpty: (name) => {
      const found = findAt(body, name) ?? findAt(inQuery, name);
      return found === '' || (found === undefined && findAt(body, name) === null);
    },
    payload: json !== null ? withoutCredentials(asPayload(body), credentials) : isForm ? keptForm : keptQuery,
    call: {
      ...call,
      query: keptQuery,
      form: keptForm,
      json:
        isObject(body) && json !== null ? withoutCredentials(body, credentials) : json === null ? null : body,
    },
  }));
}

const isObject = (value: unknown): value is Payload =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A shorter value may appear in a callback by chance. */
export const isLong = (secret: string): boolean => secret.length >= 8;

/** Some gateways authenticate with our own credentials: these are not stored. */
function withoutCredentials<T>(
  fields: Record<string, T>,
  credentials: ReadonlySet<unknown>,
): Record<string, T> {
  const entries = Object.entries(fields);
  return entries.some(([, value]) => credentials.has(value))
    ? Object.fromEntries(entries.filter(([, value]) => !credentials.has(value)))
    : fields;
}

function jsonItems(json: unknown, list: string | null): unknown[] {
  const found = (list === null ? undefined : findAt(json, list)) ?? json;
  return Array.isArray(found) ? found : [found];
}

export interface ReferenceReader {
  reference: Reference;
  /** Whether the gateway receives the plain number of a message, and may return it instead of the reference. */
  isNumberSent: boolean;
  /** Whether the gateway's answer contains its own id of the message. */
  isIdKnown: boolean;
}

/** The message that a receipt refers to: the id of ours, a test send's, which belongs to no run, or none of ours. */
function messageIdOf(ours: string | null, { reference, isNumberSent }: ReferenceReader) {
  if (ours === null) return null;
  if (ours === reference.write(0) || (isNumberSent && ours === '0')) return 'test';
  return isNumberSent && /^[1-9]\d{0,15}$/.test(ours) ? Number(ours) : reference.read(ours);
}

export function createReceiptReader(
  names: NonNullable<HttpGatewayConfig['receipts']>,
  reader: ReferenceReader,
): (item: Item) => Part<DeliveryReceipt> {
  const statuses = createTable(names.statuses);
  const reasons = createTable(names.reasons);
  return ({ field, payload, call }) => {
    const ours = field(names.messageId);
    const id = messageIdOf(ours, reader);
    if (id === 'test') return null;
    const theirs = names.providerMessageId === null ? null : field(names.providerMessageId);
    const word = field(names.status);
    if (word === null) return unreadPart(call, missing(call, names.status), id);
    const status = statuses(word)?.value;
    if (status === undefined)
      return unreadPart(call, { code: 'status_unknown', params: { status: quoted(word) } }, id);
    if (id === null && (theirs === null || !reader.isIdKnown)) {
      // It concerns no message, such as a heartbeat.
      if (status === 'none') return null;
      const ids = reader.isIdKnown && names.providerMessageId !== null ? [names.providerMessageId] : [];
      return unreadPart(
        call,
        ours === null
          ? { code: 'reference_missing', params: { fields: [names.messageId, ...ids] } }
          : { code: 'reference_unknown', params: { reference: quoted(ours) } },
      );
    }
    const ended = status === 'undelivered' || status === 'failed';
    const code = names.code === null ? null : field(names.code);
    const reason = code === null ? undefined : reasons(code);
    return {
      read: {
        messageId: id,
        providerMessageId: theirs,
        status: status === 'none' ? null : status,
        reason: ended ? (reason?.value ?? 'not_delivered') : null,
        code: ended ? (reason?.label ?? code) : null,
        payload,
        call,
      },
    };
  };
}

export function readInbound(
  item: Item,
  names: NonNullable<HttpGatewayConfig['inbound']>,
  sender: string,
  reader: ReferenceReader,
): Part<InboundMessage | AnsweringMessage> {
  const { field, payload, call } = item;
  const optional = (name: string | null): string | null => (name === null ? null : field(name));
  const writer = optional(names.from);
  // Some gateways return our own reference as the sender.
  const from = reader.reference.read(writer) === null ? writer : null;
  const ours = messageIdOf(optional(names.messageId), reader);
  const theirs = reader.isIdKnown ? optional(names.providerMessageId) : null;
  if (from === null && typeof ours !== 'number' && theirs === null) {
    const [first = ''] = [names.from, names.messageId, names.providerMessageId].flatMap((name) => name ?? []);
    return unreadPart(call, missing(call, first));
  }
  const text = inboundText(item, names);
  if (text === null) {
    const isHex = names.hex !== null && field(names.hex) !== null;
    return unreadPart(call, missing(call, isHex ? (names.coding ?? names.text) : names.text));
  }
  const to = optional(names.to) ?? sender;
  const id =
    optional(names.id) ?? madeId([from ?? `${ours ?? ''} ${theirs ?? ''}`, to, text], call.receivedAt);
  const common = { providerMessageId: id, to, text, payload };
  if (from !== null) return { read: { ...common, from } };
  const answers = { messageId: typeof ours === 'number' ? ours : null, providerMessageId: theirs };
  return { read: { ...common, from, answers, call } };
}

/** Null: no text, not even an empty one. */
function inboundText(
  { field, isEmpty }: Item,
  { text, hex, coding }: NonNullable<HttpGatewayConfig['inbound']>,
): string | null {
  const digits = hex === null ? null : field(hex);
  const codingOf = coding === null ? null : field(coding);
  const decoded = digits === null || codingOf === null ? null : decodeHex(digits, codingOf);
  const isNothing = isEmpty(text) || (hex !== null && isEmpty(hex));
  return decoded ?? field(text) ?? (isNothing ? '' : null);
}

/** An id for a message without one: the same if it is repeated within the minute. */
function madeId(parts: readonly string[], receivedAt: Date): string {
  const minute = Math.floor(receivedAt.getTime() / 60_000);
  return `made-${createHash('sha256')
    .update(JSON.stringify([...parts, minute]))
    .digest('base64url')
    .slice(0, 22)}`;
}
