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
 * Receipts and replies of every kind of provider, damaged in many ways, each verified. However they come: the answer is no
 * 5xx, and none is lost. A call counts, is known as a repetition, or is shown as unread.
 *
 * CALLBACKS=10000 for as many calls; FUZZ_SEED for the same ones again.
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

async function makeTarget(name: string): Promise<Target> {
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

/** What a call says, before it is written as its provider writes it. */
interface Said {
  kind: 'receipts' | 'inbound';
  messageId: number;
  /** Of several ways to name the message. */
  by: 'reference' | 'number' | 'id' | 'nothing' | 'foreign';
  status: string;
  phone: string;
  text: string;
  replyId: string;
}

/** A call as its provider would make it: fields of the URL, and a body. */
interface Written {
  query: Record<string, string>;
  body: { form: Record<string, string> } | { json: unknown } | null;
}

function write({ kind, reference }: Target, name: string, said: Said): Written {
  const number = String(said.messageId);
  const named: { message?: string; id?: string } =
    said.by === 'reference'
      ? { message: `${reference}-${number}` }
      : said.by === 'number'
        ? { message: number }
        : said.by === 'foreign'
          ? { message: `zz-${number}`, id: 'somebody-elses' }
          : said.by === 'id'
            ? { id: idOf(said.messageId) }
            : {};
  const reply = { id: said.replyId, from: said.phone, to: '28282', text: said.text };
  switch (kind) {
    case 'twilio':
    case 'sandbox':
      return said.kind === 'receipts'
        ? {
            query: said.by === 'nothing' ? {} : { message: number },
            body: {
              form: { MessageSid: idOf(said.messageId), MessageStatus: said.status, ErrorCode: '30003' },
            },
          }
        : {
            query: {},
            body: {
              form: {
                MessageSid: said.replyId,
                SmsStatus: 'received',
                From: said.phone,
                To: '28282',
                Body: said.text,
              },
            },
          };
    case 'zenvia':
      return {
        query: {},
        body: {
          json:
            said.kind === 'receipts'
              ? {
                  type: 'MESSAGE_STATUS',
                  messageId: idOf(said.messageId),
                  message: { externalId: named.message },
                  messageStatus: { code: said.status.toUpperCase() },
                }
              : {
                  type: 'MESSAGE',
                  message: { ...reply, contents: [{ type: 'text', text: said.text }] },
                },
        },
      };
    case 'infobip': {
      const group = said.status === 'delivered' ? 'DELIVERED' : said.status.toUpperCase();
      const report = { messageId: named.message ?? named.id, status: { groupName: group, name: group } };
      return {
        query: {},
        body: {
          json: { results: [said.kind === 'receipts' ? report : { messageId: said.replyId, ...reply }] },
        },
      };
    }
    default: {
      if (name === 'http by JSON') {
        const event = { ref: named.message, id: named.id, state: { word: said.status } };
        return {
          query: {},
          body: { json: said.kind === 'receipts' ? { events: [event] } : { messages: [reply] } },
        };
      }
      const fields: Record<string, string> =
        said.kind === 'receipts' ? { ...named, status: said.status } : reply;
      return name === 'http by query' ? { query: fields, body: null } : { query: {}, body: { form: fields } };
    }
  }
}

/** How a call is damaged, or written otherwise than described. Each is told apart by a number where it needs one. */
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

function encoded(
  written: Written,
  damage: Damage,
  at: number,
): { query: string; payload?: string; type?: string } {
  const { query, body } = written;
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

/** The call with what proves that the provider makes it. */
function proven(
  target: Target,
  path: string,
  { query, payload, type }: ReturnType<typeof encoded>,
): InjectOptions {
  const isSigned = target.kind === 'twilio' || target.kind === 'sandbox';
  const sep = query === '' ? '' : `?${query}`;
  const url = isSigned ? path + sep : `${path}?key=${callbackSecret}${query === '' ? '' : `&${query}`}`;
  const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
  const options: InjectOptions = { method: payload === undefined ? 'GET' : 'POST', headers };
  if (payload !== undefined) options.payload = payload;
  if (!isSigned) return { ...options, url };
  // Whatever the body is, Twilio can sign it by its hash.
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

/** What the database holds of a provider: it grows with each call that is new. */
async function keptOf(providerId: number) {
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
  'A verified call is never lost, however it is written',
  async () => {
    const targets = await Promise.all(Object.keys(providers).map(makeTarget));
    expect(new Set(targets.map(({ kind }) => kind))).toEqual(new Set(providerKinds));
    const said = fc.record({
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
    const sample = fc.sample(said, { numRuns: count, seed });
    // The first ones come twice.
    for (const one of [...sample, ...sample.slice(0, 40)]) {
      const target = targets[one.target];
      if (!target) throw new Error('There is no such provider.');
      const { damage, at, kind } = one;
      const written = write(target, target.name, { ...one, messageId: target.messageIds[one.message] ?? 0 });
      const address = damage === 'other address' ? (kind === 'receipts' ? 'inbound' : 'receipts') : kind;
      const call = proven(
        target,
        `/webhooks/providers/${target.providerId}/${address}`,
        encoded(written, damage, at),
      );
      const told = `seed ${seed}: ${target.name}, ${kind}, ${damage}: ${JSON.stringify(call).slice(0, 600)}`;
      const before = await keptOf(target.providerId);
      const answer = await app.inject(call);
      expect([answer.statusCode, told]).toEqual([target.name === 'http by query' ? 200 : 204, told]);
      const after = await keptOf(target.providerId);
      let fate = after.unread > before.unread ? 'unread' : after.events > before.events ? 'kept' : null;
      if (after.replies > before.replies) fate = 'reply';
      if (fate === null) {
        // Known already: nothing of it is new, whenever it comes.
        await app.inject(call);
        expect([await keptOf(target.providerId), told]).toEqual([after, told]);
        fate = 'repeated';
      } else if (fate === 'kept') {
        // What is kept and neither a reply nor unread is a receipt, or says nothing for us.
        const [event] = await sql<[{ kind: string; messageId: number | null; payload: object }]>`
          select kind, message_id, payload from inbound_events where provider_id = ${target.providerId} order by id desc limit 1`;
        fate = event.kind === 'receipt' ? (event.messageId === null ? 'of others' : 'receipt') : event.kind;
        // A repetition by a new event: its reply is known.
        expect([['receipt', 'of others', 'other', 'message'].includes(fate), told]).toEqual([true, told]);
        if (fate === 'other') expect([isNobodys(target, event.payload), told]).toEqual([true, told]);
        // Where others use the account, too, our own receipts have our reference.
        if (fate === 'of others')
          expect([target.kind !== 'http' || isNobodys(target, event.payload), told]).toEqual([true, told]);
      }
      tally[fate] = (tally[fate] ?? 0) + 1;
    }
    for (const fate of ['receipt', 'reply', 'unread', 'repeated']) expect(tally).toHaveProperty(fate);
    for (const { messageIds } of targets) {
      const [row] = await sql<
        { runId: number }[]
      >`select run_id from messages where id = ${messageIds[0] ?? 0}`;
      await expectCountsToMatchRows(sql, row?.runId ?? 0);
    }
    // All that is unread can be shown and read again.
    for (const { providerId } of targets) {
      const shown = await as('viewer')('GET', `/api/providers/${providerId}/unread?limit=200`);
      const again = await as('operator')('POST', `/api/providers/${providerId}/unread/read-again`, {});
      expect([shown.statusCode, again.statusCode]).toEqual([200, 200]);
    }
    if (process.env['CALLBACKS'] !== undefined) console.log(`seed ${seed}`, tally);
  },
  count * 200 + 60_000,
);

/** Nothing in it, or nothing that is a receipt or a reply: a status that says nothing new of no message. */
function isNobodys({ kind }: Target, payload: object): boolean {
  const text = JSON.stringify(payload);
  return (
    ['{}', '{"body":[]}'].includes(text) ||
    (kind === 'http' && /queued/i.test(text)) ||
    /^\{"bodySHA256":"\w+"\}$/.test(text)
  );
}
