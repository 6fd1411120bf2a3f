import type { FailureReason } from '../domain/message.ts';
import type { UnreadFault } from '../domain/problems/callbacks.ts';
import type { ProviderDetail } from '../domain/problems/providers.ts';

/** The input of a provider adapter for one SMS. */
export interface SendRequest {
  /**
   * `messages.id`, our client reference, which is passed to the provider in the way it supports. Null for a test send,
   * which belongs to no run and requests no receipts.
   */
  messageId: number | null;
  /** E.164, with `+`. */
  to: string;
  text: string;
  /**
   * Called in the tick in which the first byte is written. This may be long after the call of `send`, because a
   * connection had to be opened or the process was suspended. If it returns false, nothing is written, and the outcome
   * is `temporary` with the code `withheld`.
   */
  mayLeave?: (() => boolean) | undefined;
}

/** The code of a send that `mayLeave` prevented. */
export const withheld = 'WITHHELD';

/**
 * The possible outcomes of a send. `send` never throws for an error of a provider or a network: it returns one of these
 * five outcomes, which determines what the sender does next.
 *
 * `code` is the provider's error code, or our code for an error of the transport (`ECONNREFUSED`, `HTTP_503`). A
 * provider's code may contain anything, even a phone, so it is stored only with the message. `publicCode` is from a
 * closed set (sms/codes.ts), and `detail` is a code of the catalog (domain/problems/providers.ts): both may appear in
 * histories and logs.
 */
export type SendOutcome =
  /** The provider accepted it. */
  | { kind: 'accepted'; providerMessageId: string }
  /** The provider refuses this message permanently. */
  | { kind: 'refused'; reason: FailureReason; code: string; publicCode: string; detail: ProviderDetail }
  /**
   * Certainly not accepted: retry after `retryAfterMs` (null: the sender's own back-off). `outage`: the provider accepts
   * no messages now, which says nothing about this one.
   */
  | {
      kind: 'temporary';
      code: string;
      publicCode: string;
      detail: ProviderDetail;
      retryAfterMs: number | null;
      outage: boolean;
    }
  /** May have been accepted: never sent again automatically, unless the provider deduplicates by our reference. */
  | { kind: 'ambiguous'; code: string; publicCode: string; detail: ProviderDetail }
  /** Not accepted because of the account (credentials, credit, suspension). No message will be. */
  | { kind: 'account'; code: string; publicCode: string; detail: ProviderDetail };

/** A delivery receipt, parsed from the provider's callback. */
export interface DeliveryReceipt {
  /** Our reference; null if the callback does not contain one. */
  messageId: number | null;
  /** The provider's own id; null if the callback does not contain one. */
  providerMessageId: string | null;
  /** Null for a status without new information (queued, sending), which is stored but not applied. */
  status: 'sent' | 'delivered' | 'undelivered' | 'failed' | null;
  reason: FailureReason | null;
  code: string | null;
  payload: Payload;
  /** Its source, in case there turns out to be no such message. */
  call?: Call;
}

/** A message that the provider may or may not have accepted. */
export interface LookUpRequest {
  messageId: number;
  /** E.164, with `+`. */
  to: string;
  text: string;
  /** If it was passed to the provider at all, this was between these instants, by our clock. */
  from: Date;
  until: Date;
}

export type LookUpAnswer =
  /**
   * All messages at the provider that may be this one. An adapter that searches by text also returns other messages
   * with the same text. An empty list proves nothing, because the provider's list may be late or incomplete.
   */
  | { kind: 'listed'; messages: ListedMessage[] }
  /** There was no readable answer: look it up again later. */
  | { kind: 'unavailable'; code: string; retryAfterMs: number | null };

/** A message that the provider has accepted, with its status. */
export interface ListedMessage {
  providerMessageId: string;
  /** At least `sent`, because it was accepted. */
  status: NonNullable<DeliveryReceipt['status']>;
  reason: FailureReason | null;
  code: string | null;
  payload: Payload;
}

/** A message in the provider's own list: one of ours that it has accepted, or a reply. */
export type ListEntry =
  | { kind: 'sent'; /** E.164, with `+`. */ to: string; text: string; message: ListedMessage }
  | { kind: 'inbound'; at: Date; message: InboundMessage };

/** A page of the provider's list. There are no more pages after `unavailable`. */
export type ListPage =
  { kind: 'listed'; entries: ListEntry[] } | Extract<LookUpAnswer, { kind: 'unavailable' }>;

/** A message from a person to us, parsed from the provider's callback. */
export interface InboundMessage {
  providerMessageId: string;
  /** The sender's number, as the provider sends it. */
  from: string;
  /** Our number, short code or name that received it. */
  to: string;
  text: string;
  payload: Payload;
}

/** The message of ours that a reply answers, by the ids that the provider gives. */
export interface Answered {
  messageId: number | null;
  providerMessageId: string | null;
}

/** A reply for which the provider sends only the answered message. The sender is the recipient of that message. */
export interface AnsweringMessage extends Omit<InboundMessage, 'from'> {
  from: null;
  answers: Answered;
  /** Its source, in case there turns out to be no such message. */
  call: Call;
}

/** The part of a callback about this one item, unchanged: always stored. */
export type Payload = Record<string, unknown>;

/** Fields of a query or a form, decoded, untrimmed. A repeated field is an array. */
export type Fields = Record<string, string | string[]>;

/** A callback in the form that adapters read. A callback that cannot be read is stored in this form, for another try. */
export interface Call {
  query: Fields;
  /** Empty when the body is not a form. */
  form: Fields;
  /** Null when the body is not JSON. */
  json: unknown;
  /** The body if it is neither; otherwise empty. */
  text: string;
  receivedAt: Date;
}

/** The provider's HTTP callback as it reached us (sms/callback.ts makes one). */
export interface Callback extends Call {
  method: string;
  /** The public URL that the provider called, with query, exactly as it was signed. */
  url: string;
  headers: Record<string, string | string[] | undefined>;
  /** The body as received: some providers sign its bytes. */
  rawBody: string;
}

/** An unreadable part of a callback, with the problem and, if known, the message that it refers to. */
export interface Unread {
  fault: UnreadFault;
  messageId: number | null;
  call: Call;
}

/** The content of a callback. */
export interface Reading<T> {
  read: readonly T[];
  unread: readonly Unread[];
}

export interface Provider {
  /** Our answer to a verified callback; default: 204. */
  readonly callbackAnswer?: { readonly status: number; readonly body: string };
  /** Whether the provider refuses a second message with the same reference. Only then are ambiguous sends repeated. */
  readonly deduplicates: boolean;
  send(request: SendRequest): Promise<SendOutcome>;
  /** Looks up a message whose answer was lost. Missing if the provider has no lookup. */
  readonly lookUp?: (request: LookUpRequest) => Promise<LookUpAnswer>;
  /** All messages that the provider accepted from us or received for us since then. Missing if there is no such list. */
  readonly listSince?: (since: Date) => AsyncIterable<ListPage>;
  /** Whether the callback comes from the provider (constant-time comparison). */
  verify(callback: Callback): boolean;
  /**
   * Whether our reference alone proves that a receipt is ours. If not, the receipt must also contain the id that the
   * provider assigned to the message, because another database may have used the same number as a reference.
   */
  readonly referenceSuffices: boolean;
  /** Whether receipts may contain only the provider's own id. Then the outcome of each send stores this id. */
  readonly receiptsById: boolean;
  /** Call only after `verify`. One callback may contain many receipts. */
  readReceipts(call: Call): Reading<DeliveryReceipt>;
  /** Call only after `verify`. */
  readInbound(call: Call): Reading<InboundMessage | AnsweringMessage>;
  /** Waits for the running sends, then closes the connections. */
  close(): Promise<void>;
}
