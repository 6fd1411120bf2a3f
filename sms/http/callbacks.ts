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
 * Detects a callback of the other kind: it lacks the fields of this kind and is complete as the other. Some gateways have
 * a single address for receipts and replies.
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

/** Whether a reply is from a phone. A receipt may look like a reply, with our own sender and text. */
export function isFromPhone({ from }: InboundMessage | AnsweringMessage, sender: string): boolean {
  if (from === null) return true;
  const phone = canonicalPhone(from);
  return phone !== null && phone !== canonicalPhone(sender);
}

/** One receipt or message in a callback. */
interface Item {
  /** The value of a field as text; null if it is missing or not a scalar. */
  field: (name: string) => string | null;
  /** Whether the field is there but empty. */
  isEmpty: (name: string) => boolean;
  payload: Payload;
  /** A callback that contains only this item. */
  call: Call;
}

/**
 * The items of a callback. Besides the described format, related formats are accepted: JSON instead of a form, a list
 * instead of one object, and vice versa. Fields that are missing in the body are read from the URL.
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

/** A shorter secret might appear in a callback by chance. */
export const isLong = (secret: string): boolean => secret.length >= 8;

/** Some gateways authenticate with our own credentials, which must not be stored. */
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
  /** Whether requests contain the plain message id, which the gateway may return instead of our reference. */
  isNumberSent: boolean;
  /** Whether the answer to a send contains the gateway's own message id. */
  isIdKnown: boolean;
}

/** What a receipt refers to: a message of ours, a test send (which belongs to no run), or neither. */
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
      // The callback is about no message: a heartbeat, for example.
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

/** The text, possibly empty; null if there is none. */
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

/** An id for a message without one. A repetition within the same minute gets the same id. */
function madeId(parts: readonly string[], receivedAt: Date): string {
  const minute = Math.floor(receivedAt.getTime() / 60_000);
  return `made-${createHash('sha256')
    .update(JSON.stringify([...parts, minute]))
    .digest('base64url')
    .slice(0, 22)}`;
}
