import { createHash } from 'node:crypto';
import { parse as parseForm } from 'node:querystring';
import { toUSVString } from 'node:util';
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { Database } from '../db/client.ts';
import type { InboundEvent } from '../db/inbound.ts';
import type { ReceiptMove } from '../db/messages.ts';
import type { Callback, Provider } from '../sms/provider.ts';
import type { Adapters } from './adapters.ts';
import { createReceiptWriter } from './receipts.ts';

const bodyLimitBytes = 64 * 1024;

interface Body {
  raw: string;
  form: Callback['form'];
}

interface WebhooksDeps {
  sql: Database;
  adapters: Adapters;
  publicUrl: string;
}

/**
 * What providers call: nobody logs in, each call is verified by its provider's adapter. The raw event is kept first,
 * answered after commit; incoming messages are kept only, their processing comes later.
 *
 * The way of a receipt is kept short, without schemas and hooks: a run of a thousand messages a second is answered with
 * two thousand of them.
 */
export const webhooks: FastifyPluginAsync<WebhooksDeps> = async (app, { sql, adapters, publicUrl }) => {
  const writer = createReceiptWriter({ sql });

  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    '*',
    { parseAs: 'string', bodyLimit: bodyLimitBytes },
    async (request: FastifyRequest, raw: string): Promise<Body> => {
      const isForm =
        request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;
      return { raw, form: isForm ? formOf(raw) : {} };
    },
  );

  for (const kind of ['receipts', 'inbound'] as const) {
    app.post<{ Params: { id: string }; Body: Body | undefined }>(
      `/:id/${kind}`,
      { config: { access: 'open' }, schema: { hide: true } },
      async (request, reply) => {
        const { raw, form } = request.body ?? { raw: '', form: {} };
        const callback: Callback = {
          url: publicUrl + request.url,
          headers: request.headers,
          form,
          rawBody: raw,
        };
        const id = /^[1-9]\d{0,14}$/.test(request.params.id) ? Number(request.params.id) : null;
        const provider = id === null ? null : await verifiedProvider(id, callback);
        // The same answer for an unknown provider: nobody learns which there are.
        if (id === null || !provider) return reply.code(403).send();
        const receipt = kind === 'receipts' ? provider.readReceipt(callback) : null;
        const event: InboundEvent = {
          providerId: id,
          eventKey: digestOf(callback),
          kind: receipt ? 'receipt' : kind === 'inbound' ? 'message' : 'other',
          messageId: receipt?.messageId ?? null,
          payload: storable(form),
        };
        let move: ReceiptMove | null = null;
        if (receipt && receipt.messageId !== null && receipt.status !== null) {
          const { messageId, status, reason, providerMessageId, code } = receipt;
          move = { providerId: id, messageId, status, reason, providerMessageId, providerCode: code };
        }
        await writer.write({ event, move });
        return reply.code(204).send();
      },
    );
  }

  async function verifiedProvider(id: number, callback: Callback): Promise<Provider | null> {
    const provider = await adapters.get(id);
    if (provider?.verify(callback)) return provider;
    // Its secret may have been changed since we last looked.
    const anew = await adapters.get(id, { anew: true });
    return anew && anew !== provider && anew.verify(callback) ? anew : null;
  }
};

/** The same for a repetition of the same call, and for nothing else. */
const digestOf = ({ url, rawBody }: Callback): string =>
  createHash('sha256').update(url).update('\n').update(rawBody).digest('base64url');

/** As providers sign it: untrimmed, a repeated field as an array. */
function formOf(raw: string): Callback['form'] {
  const form: Callback['form'] = {};
  for (const [name, value] of Object.entries(parseForm(raw))) {
    if (value !== undefined && name !== '__proto__') form[name] = value;
  }
  return form;
}

/** What jsonb can hold: no NUL, no half of a surrogate pair. */
function storable(form: Callback['form']): Callback['form'] {
  const clean = (text: string): string => toUSVString(text).replaceAll('\0', '\ufffd');
  return Object.fromEntries(
    Object.entries(form).map(([name, value]) => [
      clean(name),
      Array.isArray(value) ? value.map(clean) : clean(value),
    ]),
  );
}
