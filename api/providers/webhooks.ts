import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { CallbackKind } from '../../domain/provider.ts';
import { createCallback } from '../../sms/callback.ts';
import { parseJson } from '../../sms/json.ts';
import type { Callback, Provider } from '../../sms/provider.ts';
import { type Adapters, fewestMsBetweenReads } from '../services/adapters.ts';
import { arrivalsOf } from '../services/callbacks.ts';
import type { Arrival, ReceiptWriter } from '../services/receipts.ts';

/** Some hundred receipts in one call. */
const bodyLimitBytes = 256 * 1024;

interface WebhooksDeps {
  adapters: Adapters;
  writer: ReceiptWriter;
  publicUrl: string;
}

/**
 * The callbacks of providers. No login: each call is verified by its provider's adapter. Its content is stored first,
 * as one event for each message, and answered after commit. Opt-outs are in effect by then. The workflow `reply` handles
 * everything else in a reply. It is started after the commit, or later if Temporal is unavailable.
 *
 * Receipts skip schemas and hooks to stay cheap: a run of a thousand messages per second receives two thousand
 * receipts per second.
 */
export const webhooks: FastifyPluginAsync<WebhooksDeps> = async (app, { adapters, writer, publicUrl }) => {
  readBodiesAsText(app);

  const routes = (['receipts', 'inbound'] as const).flatMap((kind) => [
    { kind, url: `/:id/${kind}` },
    // With the secret as the last part of the path.
    { kind, url: `/:id/${kind}/:key` },
  ]);
  for (const { kind, url } of routes) {
    app.route<{ Params: { id: string }; Body: string | undefined }>({
      // Some gateways call by GET. A HEAD must not have the effects of a GET.
      method: ['GET', 'POST'],
      exposeHeadRoute: false,
      url,
      config: { access: 'open' },
      schema: { hide: true },
      // Not an async function, because promises are a significant part of the cost of a receipt.
      handler: (request, reply) => {
        const callback = createCallback({
          method: request.method,
          url: publicUrl + request.url,
          headers: request.headers,
          rawBody: request.body ?? '',
        });
        const id = /^[1-9]\d{0,14}$/.test(request.params.id) ? Number(request.params.id) : null;
        // The same answer for an unknown provider: callers cannot learn which providers exist.
        if (id === null) return reply.code(403).send();
        const known = adapters.get(id);
        if (known && !(known instanceof Promise) && known.verify(callback))
          return take(reply, kind, id, callback, known);
        return verifiedProvider(id, callback).then((provider) =>
          provider ? take(reply, kind, id, callback, provider) : reply.code(403).send(),
        );
      },
    });
  }

  // Created once, not for each call.
  const take = (
    reply: FastifyReply,
    kind: CallbackKind,
    providerId: number,
    callback: Callback,
    provider: Provider,
  ): Promise<unknown> => {
    const { status, body } = provider.callbackAnswer ?? silent;
    reply.code(status);
    const origin = { providerId, identity: callback.url, isLate: false };
    const kept = keep(arrivalsOf(kind, origin, callback, provider));
    return status === 204 ? kept : kept.then(() => reply.type(typeOf(body)).send(body));
  };

  const keep = (arrivals: readonly Arrival[]): Promise<void> => {
    const [first] = arrivals;
    if (first && arrivals.length === 1) return writer.write(first);
    return Promise.all(arrivals.map(writer.write)).then(() => undefined);
  };

  async function verifiedProvider(id: number, callback: Callback): Promise<Provider | null> {
    const provider = await adapters.get(id);
    if (provider?.verify(callback)) return provider;
    // Its secret may have changed since we last read it.
    const anew = await adapters.get(id, { atMostMs: fewestMsBetweenReads });
    return anew && anew !== provider && anew.verify(callback) ? anew : null;
  }
};

const silent = { status: 204, body: '' } as const;
const typeOf = (body: string): string =>
  parseJson(body) === null ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8';

/** The body as it arrived, whatever its declared type. */
export function readBodiesAsText(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    // Frequent types by name: Fastify caches the parser for a name, but not for `*`.
    ['application/x-www-form-urlencoded', 'application/json', '*'],
    { parseAs: 'string', bodyLimit: bodyLimitBytes },
    (_: FastifyRequest, raw: string, done) => {
      done(null, raw);
    },
  );
}
