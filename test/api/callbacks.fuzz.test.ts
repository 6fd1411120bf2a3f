import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import { expect, test } from 'vitest';
import twilio from 'twilio';
import { providerKinds } from '../../domain/provider.ts';
import { createApi, createCatalog, createRun, publicUrl, sandboxAccount } from '../kit/api.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { recordSent } from '../kit/sending.ts';

/**
 * Verified receipts and replies of every kind of provider, damaged in many ways. No call is answered with 5xx, and none is
 * lost: it is applied, recognized as a repetition, or listed as unread.
 *
 * CALLBACKS=10000 sets the number of calls; FUZZ_SEED repeats the same calls.
 */
const count = Number(process.env['CALLBACKS'] ?? 300);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);

const api = await createApi();
const { app, as, sql } = api;
const catalog = await createCatalog(api);
const callbackSecret = 'a-secret-of-twenty-letters';
const secrets = { callbackSecret };

const gateway = (config: object) => ({
  config: {
    kind: 'http',
    request: { method: 'POST', url: 'http://gateway.example/?to={to}&dlr={receiptUrl}&ref={reference}' },
    answer: { messageId: { in: 'json', path: 'id' } },
    ...config,
  },
  secrets: { kind: 'http', ...secrets },
});
const statuses = { DELIVRD: 'delivered', UNDELIV: 'undelivered', ACCEPTD: 'sent', QUEUED: 'none' };
const providers: Record<string, { config: object; secrets: object }> = {
  twilio: {
    config: { kind: 'twilio', accountSid: sandboxAccount.accountSid, from: '+5511999990000' },
    secrets: { kind: 'twilio', authToken: sandboxAccount.authToken },
  },
  sandbox: {
    config: { kind: 'sandbox', accountSid: sandboxAccount.accountSid, from: '+5511999990000' },
    secrets: { kind: 'sandbox', authToken: sandboxAccount.authToken },
  },
  zenvia: {
    config: { kind: 'zenvia', from: 'loja' },
    secrets: { kind: 'zenvia', apiToken: 'the-token', ...secrets },
  },
  infobip: {
    config: { kind: 'infobip', baseUrl: 'https://x1.api.infobip.com', from: 'loja' },
    secrets: { kind: 'infobip', apiKey: 'key', ...secrets },
  },
  'http by query': gateway({
    receipts: { format: 'query', providerMessageId: 'id', status: 'status', statuses, code: 'err' },
    inbound: { format: 'query', id: 'id', from: 'from', to: 'to', text: 'text' },
    callbackAnswer: { status: 200, body: 'ACK' },
  }),
  'http by form': gateway({
    receipts: { format: 'form', status: 'status', statuses },
    inbound: { format: 'form', from: 'from', text: 'text' },
  }),
  'http by JSON': gateway({
    receipts: {
      format: 'json',
      list: 'events',
      messageId: 'ref',
      providerMessageId: 'id',
      status: 'state.word',
      statuses,
    },
    inbound: { format: 'json', list: 'messages', id: 'id', from: 'from', to: 'to', text: 'text' },
  }),
  'http without a description': gateway({}),
};

interface Target {
  name: string;
  providerId: number;
  kind: string;
  reference: string;
  messageIds: readonly number[];
}

const idOf = (messageId: number): string => `gw-${messageId}`;
const phones = Array.from({ length: 40 }, (_, i) => `+55119${String(20_000_000 + i)}`);

async function createTarget(name: string): Promise<Target> {
  const made = await as('admin')('POST', '/api/providers', { name, ...providers[name] });
  if (made.statusCode !== 201) throw new Error(made.body);
  const { id: providerId, config } = made.json<{ id: number; config: { kind: string } }>();
  const { runId, messageIds } = await createRun(api, { ...catalog, providerId }, { phones });
  await sql`update runs set provider_id = ${providerId} where id = ${runId}`;
  await sql`update messages set segments = 2 where run_id = ${runId} and line % 2 = 0`;
  await sql`
    update run_counts set segments = (select sum(segments) from messages where run_id = ${runId}) where run_id = ${runId}`;
  const receiptsById = name.startsWith('http by');
  await recordSent(sql, { runId, count: phones.length, sidOf: idOf, providerId, receiptsById });
  const [row] = await sql<[{ reference: string }]>`select reference from providers where id = ${providerId}`;
  return { name, providerId, kind: config.kind, reference: row.reference, messageIds };
}

/** The content of a call, before it is encoded in the format of its provider. */
interface Content {
  kind: 'receipts' | 'inbound';
  messageId: number;
  /** How the call identifies the message. */
  by: 'reference' | 'number' | 'id' | 'nothing' | 'foreign';
  status: string;
  phone: string;
  text: string;
  replyId: string;
}

/** A call in the format of its provider: query fields and a body. */
interface Encoded {
  query: Record<string, string>;
  body: { form: Record<string, string> } | { json: unknown } | null;
}

function format({ kind, reference }: Target, name: string, content: Content): Encoded {
  const number = String(content.messageId);
  const named: { message?: string; id?: string } =
    content.by === 'reference'
      ? { message: `${reference}-${number}` }
      : content.by === 'number'
        ? { message: number }
        : content.by === 'foreign'
          ? { message: `zz-${number}`, id: 'somebody-elses' }
          : content.by === 'id'
            ? { id: idOf(content.messageId) }
            : {};
  const reply = { id: content.replyId, from: content.phone, to: '28282', text: content.text };
  switch (kind) {
    case 'twilio':
    case 'sandbox':
      return content.kind === 'receipts'
        ? {
            query: content.by === 'nothing' ? {} : { message: number },
            body: {
              form: {
                MessageSid: idOf(content.messageId),
                MessageStatus: content.status,
                ErrorCode: '30003',
              },
            },
          }
        : {
            query: {},
            body: {
              form: {
                MessageSid: content.replyId,
                SmsStatus: 'received',
                From: content.phone,
                To: '28282',
                Body: content.text,
              },
            },
          };
    case 'zenvia':
      return {
        query: {},
        body: {
          json:
            content.kind === 'receipts'
              ? {
                  type: 'MESSAGE_STATUS',
                  messageId: idOf(content.messageId),
                  message: { externalId: named.message },
                  messageStatus: { code: content.status.toUpperCase() },
                }
              : {
                  type: 'MESSAGE',
                  message: { ...reply, contents: [{ type: 'text', text: content.text }] },
                },
        },
      };
    case 'infobip': {
      const group = content.status === 'delivered' ? 'DELIVERED' : content.status.toUpperCase();
      const report = { messageId: named.message ?? named.id, status: { groupName: group, name: group } };
      return {
        query: {},
        body: {
          json: {
            results: [content.kind === 'receipts' ? report : { messageId: content.replyId, ...reply }],
          },
        },
      };
    }
    default: {
      if (name === 'http by JSON') {
        const event = { ref: named.message, id: named.id, state: { word: content.status } };
        return {
          query: {},
          body: { json: content.kind === 'receipts' ? { events: [event] } : { messages: [reply] } },
        };
      }
      const fields: Record<string, string> =
        content.kind === 'receipts' ? { ...named, status: content.status } : reply;
      return name === 'http by query' ? { query: fields, body: null } : { query: {}, body: { form: fields } };
    }
  }
}

/** How a call is damaged or deviates from its description. `at` selects the affected field or position. */
const damages = [
  'none',
  'field dropped',
  'field emptied',
  'field twice',
  'field of another type',
  'other case',
  'spaces',
  'no type',
  'other type',
  'byte order mark',
  'cut',
  'form as JSON',
  'JSON as text',
  'list',
  'deep',
  'control characters',
  'prototype',
  'huge',
  'XML',
  'multipart',
  'query instead',
  'other address',
  'amp',
] as const;
type Damage = (typeof damages)[number];

function damaged(
  formatted: Encoded,
  damage: Damage,
  at: number,
): { query: string; payload?: string; type?: string } {
  const { query, body } = formatted;
  const isForm = body !== null && 'form' in body;
  let fields: Record<string, unknown> =
    body === null ? { ...query } : isForm ? { ...body.form } : (body.json as Record<string, unknown>);
  const names = Object.keys(fields);
  const name = names[at % Math.max(1, names.length)] ?? 'x';
  const without = () => Object.fromEntries(Object.entries(fields).filter(([one]) => one !== name));
  if (damage === 'field dropped') fields = without();
  if (damage === 'field emptied') fields = { ...fields, [name]: '' };
  if (damage === 'field of another type') fields = { ...fields, [name]: at % 2 === 0 ? null : { x: [at] } };
  if (damage === 'other case')
    fields = Object.fromEntries(Object.entries(fields).map(([one, value]) => [one.toUpperCase(), value]));
  if (damage === 'spaces')
    fields = Object.fromEntries(Object.entries(fields).map(([one, value]) => [` ${one} `, value]));
  if (damage === 'control characters') fields = { ...fields, [name]: '\0\u0001\ud800x', ['\0n']: '\udfff' };
  if (damage === 'prototype') fields = { ...fields, constructor: 'x', toString: 'y', ['__proto__']: 'z' };
  if (damage === 'huge') fields = { ...fields, extra: 'x'.repeat(100_000), [name]: 'y'.repeat(5_000) };
  if (damage === 'deep')
    fields = { ...fields, extra: JSON.parse('['.repeat(500) + ']'.repeat(500)) as unknown };
  const asText = (value: unknown): string =>
    typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value);
  const formOf = (all: Record<string, unknown>): string =>
    new URLSearchParams(Object.entries(all).map(([one, value]) => [one, asText(value)])).toString();
  const twice = damage === 'field twice' ? `&${formOf({ [name]: fields[name] })}` : '';
  const extra = (one: string): string => (damage === 'amp' ? one.replaceAll('&', '&amp;') : one);

  if (damage === 'XML')
    return { query: formOf(query), payload: `<r>${formOf(fields)}</r>`, type: 'text/xml' };
  if (damage === 'multipart') {
    const parts = Object.entries(fields).map(
      ([one, value]) => `--b\r\ncontent-disposition: form-data; name="${one}"\r\n\r\n${asText(value)}\r\n`,
    );
    return {
      query: formOf(query),
      payload: `${parts.join('')}--b--\r\n`,
      type: 'multipart/form-data; boundary=b',
    };
  }
  if (damage === 'query instead') return { query: formOf({ ...query, ...fields }) };
  if (body === null) {
    if (damage === 'form as JSON' || damage === 'list' || damage === 'JSON as text')
      return {
        query: '',
        payload: JSON.stringify(damage === 'list' ? [fields, fields] : fields),
        type: damage === 'JSON as text' ? 'text/plain' : 'application/json',
      };
    return { query: extra(formOf(fields)) + twice };
  }
  const asJson = !isForm || damage === 'form as JSON' || damage === 'JSON as text' || damage === 'list';
  const text = asJson ? JSON.stringify(damage === 'list' ? [fields, 7] : fields) : formOf(fields) + twice;
  return {
    query: extra(formOf(query)),
    payload:
      damage === 'cut'
        ? text.slice(0, at % text.length)
        : damage === 'byte order mark'
          ? `\ufeff${text}`
          : text,
    ...(damage === 'no type'
      ? {}
      : {
          type:
            damage === 'other type' || damage === 'JSON as text'
              ? 'text/plain'
              : asJson
                ? 'application/json'
                : 'application/x-www-form-urlencoded',
        }),
  };
}

/** The call with the signature or key of its provider. */
function signed(
  target: Target,
  path: string,
  { query, payload, type }: ReturnType<typeof damaged>,
): InjectOptions {
  const isSigned = target.kind === 'twilio' || target.kind === 'sandbox';
  const sep = query === '' ? '' : `?${query}`;
  const url = isSigned ? path + sep : `${path}?key=${callbackSecret}${query === '' ? '' : `&${query}`}`;
  const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
  const options: InjectOptions = { method: payload === undefined ? 'GET' : 'POST', headers };
  if (payload !== undefined) options.payload = payload;
  if (!isSigned) return { ...options, url };
  // Twilio can sign any body by its hash.
  const hash = createHash('sha256')
    .update(payload ?? '')
    .digest('hex');
  const signed = `${url}${sep === '' ? '?' : '&'}bodySHA256=${hash}`;
  headers['x-twilio-signature'] = twilio.getExpectedTwilioSignature(
    sandboxAccount.authToken,
    publicUrl + signed,
    {},
  );
  return { ...options, url: signed };
}

/** The stored rows of a provider: each new call adds to them. */
async function rowsOf(providerId: number) {
  const [row] = await sql<[{ events: number; unread: number; replies: number }]>`
    select (select count(*)::int from inbound_events where provider_id = ${providerId}) as events,
      (select count(*)::int from inbound_events where provider_id = ${providerId} and unread is not null) as unread,
      (select count(*)::int from inbound_messages where provider_id = ${providerId}) as replies`;
  return row;
}

const words = [
  ...Object.keys(statuses),
  'delivered',
  'failed',
  'undelivered',
  'sent',
  'queued',
  'OF_TOMORROW',
  '',
];

test(
  'a verified call is never lost, in whatever form it arrives',
  async () => {
    const targets = await Promise.all(Object.keys(providers).map(createTarget));
    expect(new Set(targets.map(({ kind }) => kind))).toEqual(new Set(providerKinds));
    const content = fc.record({
      kind: fc.constantFrom('receipts' as const, 'inbound' as const),
      target: fc.nat(targets.length - 1),
      message: fc.nat(phones.length - 1),
      by: fc.constantFrom(
        'reference' as const,
        'number' as const,
        'id' as const,
        'nothing' as const,
        'foreign' as const,
      ),
      status: fc.constantFrom(...words),
      phone: fc.constantFrom(...phones.slice(0, 9), '5511920000001', 'Loja', '(11) 92000-0002'),
      text: fc.oneof(
        fc.constantFrom('SAIR', 'VOLTAR', 'oi', '', ' quero sair '),
        fc.string({ unit: 'binary' }),
      ),
      replyId: fc.oneof(fc.uuid(), fc.constantFrom('0', '1')),
      damage: fc.constantFrom(...damages),
      at: fc.nat(10_000),
    });
    const tally: Record<string, number> = {};
    const sample = fc.sample(content, { numRuns: count, seed });
    // The first calls are repeated.
    for (const one of [...sample, ...sample.slice(0, 40)]) {
      const target = targets[one.target];
      if (!target) throw new Error('There is no such provider.');
      const { damage, at, kind } = one;
      const formatted = format(target, target.name, {
        ...one,
        messageId: target.messageIds[one.message] ?? 0,
      });
      const address = damage === 'other address' ? (kind === 'receipts' ? 'inbound' : 'receipts') : kind;
      const call = signed(
        target,
        `/webhooks/providers/${target.providerId}/${address}`,
        damaged(formatted, damage, at),
      );
      const context = `seed ${seed}: ${target.name}, ${kind}, ${damage}: ${JSON.stringify(call).slice(0, 600)}`;
      const before = await rowsOf(target.providerId);
      const answer = await app.inject(call);
      expect([answer.statusCode, context]).toEqual([target.name === 'http by query' ? 200 : 204, context]);
      const after = await rowsOf(target.providerId);
      let result = after.unread > before.unread ? 'unread' : after.events > before.events ? 'kept' : null;
      if (after.replies > before.replies) result = 'reply';
      if (result === null) {
        // Already known: a repetition adds nothing.
        await app.inject(call);
        expect([await rowsOf(target.providerId), context]).toEqual([after, context]);
        result = 'repeated';
      } else if (result === 'kept') {
        // A stored event that is neither a reply nor unread is a receipt or has no content for us.
        const [event] = await sql<[{ kind: string; messageId: number | null; payload: object }]>`
          select kind, message_id, payload from inbound_events where provider_id = ${target.providerId} order by id desc limit 1`;
        result = event.kind === 'receipt' ? (event.messageId === null ? 'of others' : 'receipt') : event.kind;
        // `message`: a new event that repeats a known reply.
        expect([['receipt', 'of others', 'other', 'message'].includes(result), context]).toEqual([
          true,
          context,
        ]);
        if (result === 'other')
          expect([isWithoutContent(target, event.payload), context]).toEqual([true, context]);
        // An account can be shared with other programs; only our own receipts have our reference.
        if (result === 'of others')
          expect([target.kind !== 'http' || isWithoutContent(target, event.payload), context]).toEqual([
            true,
            context,
          ]);
      }
      tally[result] = (tally[result] ?? 0) + 1;
    }
    for (const result of ['receipt', 'reply', 'unread', 'repeated']) expect(tally).toHaveProperty(result);
    for (const { messageIds } of targets) {
      const [row] = await sql<
        { runId: number }[]
      >`select run_id from messages where id = ${messageIds[0] ?? 0}`;
      await expectCountsToMatchRows(sql, row?.runId ?? 0);
    }
    // Unread calls can be listed and read again.
    for (const { providerId } of targets) {
      const shown = await as('viewer')('GET', `/api/providers/${providerId}/unread?limit=200`);
      const again = await as('operator')('POST', `/api/providers/${providerId}/unread/read-again`, {});
      expect([shown.statusCode, again.statusCode]).toEqual([200, 200]);
    }
    if (process.env['CALLBACKS'] !== undefined) console.log(`seed ${seed}`, tally);
  },
  count * 200 + 60_000,
);

/** The call is empty, or contains no receipt or reply. */
function isWithoutContent({ kind }: Target, payload: object): boolean {
  const text = JSON.stringify(payload);
  return (
    ['{}', '{"body":[]}'].includes(text) ||
    (kind === 'http' && /queued/i.test(text)) ||
    /^\{"bodySHA256":"\w+"\}$/.test(text)
  );
}
