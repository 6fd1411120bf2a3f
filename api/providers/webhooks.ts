import { hash } from 'node:crypto';
import { toUSVString } from 'node:util';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { Database } from '../../db/core/client.ts';
import type { InboundEvent } from '../../db/replies/inbound.ts';
import type { PhoneHash } from '../../db/core/phone-hash.ts';
import { writerOf } from '../../domain/reply.ts';
import { createCallback, secretField } from '../../sms/callback.ts';
import type { Callback, DeliveryReceipt, InboundMessage, Payload, Provider } from '../../sms/provider.ts';
import type { Adapters } from '../services/adapters.ts';
import { type Arrival, createReceiptWriter } from '../services/receipts.ts';
import type { ReplyStarts } from '../services/reply-starts.ts';

/** Some hundred receipts in one call. */
const bodyLimitBytes = 256 * 1024;
/** Deeper is cut: neither we nor PostgreSQL shall run out of stack. */
const maxDepth = 32;

interface WebhooksDeps {
  sql: Database;
  adapters: Adapters;
  phoneHash: () => Promise<PhoneHash>;
  replyStarts: ReplyStarts;
  publicUrl: string;
}

/**
 * What providers call: nobody logs in, each call is verified by its provider's adapter. What it tells is kept first,
 * one event for each message it tells of, answered after commit. An opt-out is in effect then. All else that people
 * write is handled by the workflow `reply`, which is started then, or later when Temporal is away.
 *
 * The way of a receipt is kept short, without schemas and hooks: a run of a thousand messages a second is answered with
 * two thousand of them.
 */
export const webhooks: FastifyPluginAsync<WebhooksDeps> = async (
  app,
  { sql, adapters, phoneHash, replyStarts, publicUrl },
) => {
  const writer = createReceiptWriter({
    sql,
    log: app.log,
    phoneHash,
    onReplies: (ids) => {
      replyStarts.start(ids);
    },
  });

  readBodiesAsText(app);

  const routes = (['receipts', 'inbound'] as const).flatMap((kind) => [
    { kind, url: `/:id/${kind}` },
    // With the secret as the last part of the path.
    { kind, url: `/:id/${kind}/:key` },
  ]);
  for (const { kind, url } of routes) {
    app.route<{ Params: { id: string }; Body: string | undefined }>({
      // Some gateways call by GET. A HEAD must not do what a GET does.
      method: ['GET', 'POST'],
      exposeHeadRoute: false,
      url,
      config: { access: 'open' },
      schema: { hide: true },
      // No async function: promises are a good part of what a receipt costs.
      handler: (request, reply) => {
        const callback = createCallback({
          method: request.method,
          url: publicUrl + request.url,
          headers: request.headers,
          rawBody: request.body ?? '',
        });
        const id = /^[1-9]\d{0,14}$/.test(request.params.id) ? Number(request.params.id) : null;
        // The same answer for an unknown provider: nobody learns which there are.
        if (id === null) return reply.code(403).send();
        reply.code(204);
        const known = adapters.get(id);
        if (known && !(known instanceof Promise) && known.verify(callback)) {
          return keep(arrivalsOf(kind, id, callback, known));
        }
        return verifiedProvider(id, callback).then((provider) =>
          provider ? keep(arrivalsOf(kind, id, callback, provider)) : reply.code(403).send(),
        );
      },
    });
  }

  const keep = (arrivals: readonly Arrival[]): Promise<unknown> => {
    const [first] = arrivals;
    return first && arrivals.length === 1 ? writer.write(first) : Promise.all(arrivals.map(writer.write));
  };

  async function verifiedProvider(id: number, callback: Callback): Promise<Provider | null> {
    const provider = await adapters.get(id);
    if (provider?.verify(callback)) return provider;
    // Its secret may have been changed since we last looked.
    const anew = await adapters.get(id, { anew: true });
    return anew && anew !== provider && anew.verify(callback) ? anew : null;
  }
};

/** The body as it arrived, of whatever type it says it is. */
export function readBodiesAsText(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    // Those of which there are many by their names: Fastify remembers who reads them, but not for `*`.
    ['application/x-www-form-urlencoded', 'application/json', '*'],
    { parseAs: 'string', bodyLimit: bodyLimitBytes },
    (_: FastifyRequest, raw: string, done) => {
      done(null, raw);
    },
  );
}

/** What a verified callback tells of; never nothing. */
function arrivalsOf(
  kind: 'receipts' | 'inbound',
  providerId: number,
  callback: Callback,
  provider: Provider,
): Arrival[] {
  const arrivals =
    kind === 'receipts'
      ? provider.readReceipts(callback).map((receipt) => receiptArrival(providerId, callback, receipt))
      : provider.readInbound(callback).map((message) => replyArrival(providerId, callback, message));
  return arrivals.length > 0
    ? arrivals
    : [arrival({ providerId, kind: 'other' }, callback, wholeOf(callback))];
}

function receiptArrival(providerId: number, callback: Callback, receipt: DeliveryReceipt): Arrival {
  const { messageId, status, reason, providerMessageId, code, payload } = receipt;
  return {
    ...arrival({ providerId, kind: 'receipt', messageId }, callback, payload),
    move:
      messageId === null || status === null
        ? null
        : { providerId, messageId, status, reason, providerMessageId, providerCode: code },
  };
}

/** No provider's ids or numbers are so long; an index takes no more than some thousand bytes. */
const longestKey = 200;

function replyArrival(providerId: number, callback: Callback, message: InboundMessage): Arrival {
  const { providerMessageId, from, to, text, payload } = message;
  return {
    ...arrival({ providerId, kind: 'message' }, callback, payload),
    reply: {
      providerId,
      providerMessageId: storableText(providerMessageId).slice(0, longestKey),
      phone: writerOf(storableText(from).slice(0, longestKey)),
      recipient: storableText(to).slice(0, longestKey),
      text: storableText(text),
    },
  };
}

function arrival(
  {
    providerId,
    kind,
    messageId = null,
  }: Pick<InboundEvent, 'providerId' | 'kind'> & { messageId?: number | null },
  { url }: Callback,
  payload: Payload,
): Arrival {
  const text = jsonOf(payload);
  // The same when the provider repeats itself, whatever else it says in the same call. Half of the digest is enough.
  const eventKey = hash('sha256', `${url}\n${text}`, 'base64url').slice(0, 22);
  return { event: { providerId, eventKey, kind, messageId, payload: text }, move: null, reply: null };
}

/** All that a callback says, when it says nothing that its adapter reads; without the secret in its query. */
function wholeOf({ query, form, json }: Callback): Payload {
  if (Object.keys(form).length > 0) return form;
  if (json !== null) return { body: json };
  return Object.fromEntries(Object.entries(query).filter(([name]) => name !== secretField));
}

/** As jsonb can hold it. Most are flat and clean, and need no copy. */
function jsonOf(payload: Payload): string {
  if (Object.values(payload).every((value) => typeof value === 'string')) {
    const text = JSON.stringify(payload);
    // What JSON writes as an escape of four digits: a control character, or half of a surrogate pair.
    if (!text.includes('\\u')) return text;
  }
  return JSON.stringify(storable(payload, maxDepth));
}

/** What jsonb can hold: no NUL, no half of a surrogate pair, nothing endlessly deep. */
function storable(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return storableText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return null;
  if (Array.isArray(value)) return value.map((one) => storable(one, depth - 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [storable(name, depth), storable(one, depth - 1)]),
  );
}

const storableText = (text: string): string => toUSVString(text).replaceAll('\0', '\ufffd');
