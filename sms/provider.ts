import type { FailureReason } from '../domain/message.ts';

/** One SMS as a provider adapter takes it. */
export interface SendRequest {
  /**
   * `messages.id`: our client reference, given to the provider in whatever way it offers. Null for a test send: it
   * belongs to no run, and no receipts are asked for.
   */
  messageId: number | null;
  /** E.164, with `+`. */
  to: string;
  text: string;
  /**
   * Asked in the same tick in which the first byte would be written, which may be long after the call: a connection had to be
   * made, or the process was stopped meanwhile. False: nothing is written, and the answer is `temporary` with the code
   * `withheld`.
   */
  mayLeave?: (() => boolean) | undefined;
}

/** The code of a send that its own `mayLeave` has stopped. */
export const withheld = 'WITHHELD';

/**
 * What a send can answer. `send` never throws for anything a provider or a network does:
 * each cause is one of these five, and the sender's duty follows from it alone.
 *
 * `code` is the provider's error code or ours for the transport (`ECONNREFUSED`, `HTTP_503`). What a provider calls a
 * code may hold anything, a phone too: it stays with the message in the database. `publicCode` is of a closed set
 * (sms/codes.ts), and `detail` one plain sentence of ours for the operator: these may go into histories and logs.
 */
export type SendOutcome =
  /** The provider took it. */
  | { kind: 'accepted'; providerMessageId: string }
  /** The provider refuses this message for good. */
  | { kind: 'refused'; reason: FailureReason; code: string; publicCode: string; detail: string }
  /** Certainly not taken, and worth another try after `retryAfterMs` (null: the sender's own back-off). */
  | { kind: 'temporary'; code: string; publicCode: string; detail: string; retryAfterMs: number | null }
  /** Perhaps taken: never sent again by itself unless the provider deduplicates by our reference. */
  | { kind: 'ambiguous'; code: string; publicCode: string; detail: string }
  /** Not taken, because of the account (credentials, credit, suspended): no message will be. */
  | { kind: 'account'; code: string; publicCode: string; detail: string };

/** A delivery receipt as an adapter reads it from the provider's callback. */
export interface DeliveryReceipt {
  /** Our reference as it came back; null when the callback does not carry one. */
  messageId: number | null;
  providerMessageId: string;
  /** null: a status that tells us nothing new (queued, sending) or that we do not know: stored, not applied. */
  status: 'sent' | 'delivered' | 'undelivered' | 'failed' | null;
  reason: FailureReason | null;
  code: string | null;
  payload: Payload;
}

/** A message of which nobody knows whether the provider took it. */
export interface LookUpRequest {
  messageId: number;
  /** E.164, with `+`. */
  to: string;
  text: string;
  /** If it was handed to the provider at all, then between these instants, by our clock. */
  from: Date;
  until: Date;
}

export type LookUpAnswer =
  /**
   * All that the provider has and that can be this message; an adapter that finds it by its text names those of others
   * with the same text, too. Empty: it has none, which proves nothing, because a list may be late or incomplete.
   */
  | { kind: 'listed'; messages: ListedMessage[] }
  /** No answer that can be read: worth another look later. */
  | { kind: 'unavailable'; code: string; detail: string; retryAfterMs: number | null };

/** A message that the provider has taken, and what became of it. */
export interface ListedMessage {
  providerMessageId: string;
  /** At least `sent`: it was taken. */
  status: NonNullable<DeliveryReceipt['status']>;
  reason: FailureReason | null;
  code: string | null;
  payload: Payload;
}

/** A message in the provider's own list: one of ours that it has taken, or one from a person. */
export type ListEntry =
  | { kind: 'sent'; /** E.164, with `+`. */ to: string; text: string; message: ListedMessage }
  | { kind: 'inbound'; at: Date; message: InboundMessage };

/** A part of the provider's list; after `unavailable` nothing more comes. */
export type ListPage =
  { kind: 'listed'; entries: ListEntry[] } | Extract<LookUpAnswer, { kind: 'unavailable' }>;

/** A message from a person to us, as an adapter reads it from the provider's callback. */
export interface InboundMessage {
  providerMessageId: string;
  /** The person's number, as the provider gives it. */
  from: string;
  /** The number, short code or name of ours that it was written to. */
  to: string;
  text: string;
  payload: Payload;
}

/** The part of a callback that says this one thing, as it came: kept, whatever becomes of it. */
export type Payload = Record<string, unknown>;

/** Fields of a query or a form, decoded, untrimmed. A repeated field is an array. */
export type Fields = Record<string, string | string[]>;

/** The provider's HTTP callback as it reached us (sms/callback.ts makes one). */
export interface Callback {
  method: string;
  /** The public URL the provider called, with query, exactly as it was signed. */
  url: string;
  headers: Record<string, string | string[] | undefined>;
  query: Fields;
  /** Empty when the body is no form. */
  form: Fields;
  /** Null when the body is no JSON. */
  json: unknown;
  /** The body as it arrived: some providers sign its bytes. */
  rawBody: string;
}

export interface Provider {
  /** True when the provider itself refuses a second message with the same reference: only then is an ambiguous send repeated. */
  readonly deduplicates: boolean;
  send(request: SendRequest): Promise<SendOutcome>;
  /** What the provider itself says of a message whose answer was lost. Missing where it offers no look-up. */
  lookUp?(request: LookUpRequest): Promise<LookUpAnswer>;
  /** All that the provider has taken from us and for us since then, in pages. Missing where it offers no such list. */
  readonly listSince?: (since: Date) => AsyncIterable<ListPage>;
  /** Whether the callback really comes from the provider (constant-time comparison). */
  verify(callback: Callback): boolean;
  /** Call only after `verify`. One callback may tell of many messages; empty: it is no delivery receipt. */
  readReceipts(callback: Callback): DeliveryReceipt[];
  /** Call only after `verify`. Empty: it is no message to us. */
  readInbound(callback: Callback): InboundMessage[];
  /** Waits for the sends under way, then closes the connections. */
  close(): Promise<void>;
}
