import type { UnreadFault } from '../../domain/problems/callbacks.ts';
import { createCallback } from '../../sms/callback.ts';
import type {
  AnsweringMessage,
  Callback,
  DeliveryReceipt,
  InboundMessage,
  ListedMessage,
  Provider,
  SendOutcome,
  SendRequest,
} from '../../sms/provider.ts';
import type { RawRequest } from '../kit/raw-server.ts';

/** The required behavior of an SMS provider adapter: adapters.test.ts runs these tables. A new provider adds an entry. */
export interface Adapter {
  create(options: { baseUrl: string; sendTimeoutMs: number; connections: number }): Provider;
  /** The answer of a provider that accepts the message, and the id that is read from it. */
  accepts: { answer: string; providerMessageId: string };
  /** How a text appears in a request; by default it is only escaped. */
  written?: (text: string) => string;
  requests: {
    name: string;
    send: SendRequest;
    /** `body`: the fields of the form, or the JSON. */
    request: Omit<RawRequest, 'headers' | 'body'> & { headers: Record<string, string>; body: unknown };
  }[];
  answers: { name: string; answer: string; outcome: Partial<SendOutcome> }[];
  /** `unread`: the codes of the parts that cannot be read. */
  receipts: {
    name: string;
    callback: Callback;
    receipts: Omit<DeliveryReceipt, 'payload'>[];
    unread?: UnreadFault['code'][];
  }[];
  inbound: {
    name: string;
    callback: Callback;
    messages: (Omit<InboundMessage, 'payload'> | Omit<AnsweringMessage, 'payload' | 'call'>)[];
    unread?: UnreadFault['code'][];
  }[];
  verification: { name: string; callback: Callback; genuine: boolean }[];
  /** Null: the provider offers no look-up. `answers`: one for each request. */
  lookUps:
    | {
        name: string;
        answers: string[];
        paths?: string[];
        found: Omit<ListedMessage, 'payload'>[] | 'unavailable';
      }[]
    | null;
}

type Body = Pick<Callback, 'headers' | 'rawBody'>;

/** A provider's call to `/webhooks/providers/1/<path>`. */
export const call = (path: string, body: Body, headers = {}): Callback =>
  createCallback({
    method: 'POST',
    url: `https://torpedo.example/webhooks/providers/1/${path}`,
    headers: { ...body.headers, ...headers },
    rawBody: body.rawBody,
  });
export const form = (fields: Record<string, string>): Body => ({
  headers: { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' },
  rawBody: new URLSearchParams(fields).toString(),
});

export const json = (value: unknown): Body => ({
  headers: { 'content-type': 'application/json' },
  rawBody: JSON.stringify(value),
});

/** A provider's call by GET. */
export const get = (path: string): Callback =>
  createCallback({
    method: 'GET',
    url: `https://torpedo.example/webhooks/providers/1/${path}`,
    headers: {},
    rawBody: '',
  });
