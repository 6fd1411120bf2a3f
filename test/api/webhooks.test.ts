import { describe, expect, test } from 'vitest';
import twilio from 'twilio';
import { createReceiptWriter, strongestMoves } from '../../api/services/receipts.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { SecretKeyMissing } from '../../db/core/secrets.ts';
import { optOutPhone } from '../../db/customers/opt-outs.ts';
import { claimLines, recordOutcomes, closeStoppedSenders } from '../../db/messages/claims.ts';
import {
  box,
  createApi,
  createCatalog,
  createRun,
  publicUrl,
  sandboxAccount,
  sandboxProvider,
} from '../kit/api.ts';
import { outcomeWith, recordSent } from '../kit/sending.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { eventually } from '../kit/until.ts';

const api = await createApi();
const { app, sql, as } = api;
const catalog = await createCatalog(api);
const { providerId } = catalog;

type Form = Record<string, string>;
/** A callback signed by Twilio's own library. */
function post(path: string, form: Form, { authToken = sandboxAccount.authToken, headers = {} } = {}) {
  const signature = twilio.getExpectedTwilioSignature(authToken, publicUrl + path, form);
  return app.inject({
    method: 'POST',
    url: path,
    payload: new URLSearchParams(form).toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': signature,
      ...headers,
    },
  });
}
const receiptPath = (messageId: number, provider = providerId) =>
  `/webhooks/providers/${provider}/receipts?message=${messageId}`;
const sidOf = (messageId: number) => `SM${String(messageId).padStart(32, '0')}`;
const receipt = (messageId: number, status: string, more: Form = {}) =>
  post(receiptPath(messageId), { MessageSid: sidOf(messageId), MessageStatus: status, ...more });
const statusOf = async (messageId: number) => {
  const [row] = await sql`select status, reason, provider_code from messages where id = ${messageId}`;
  return row;
};
const eventsOf = (messageId: number) =>
  sql`select kind, payload from inbound_events where message_id = ${messageId} order by id`;

/** A run whose messages have all been sent. */
async function sentRun(phones: string[]): Promise<{ runId: number; messageIds: number[] }> {
  const run = await createRun(api, catalog, { phones });
  await recordSent(sql, { runId: run.runId, count: phones.length, sidOf });
  return run;
}
const phonesOf = (count: number) =>
  Array.from({ length: count }, (_, i) => `+55119${String(10_000_000 + i)}`);

describe('a receipt', () => {
  test('updates its message and the counts, and is stored unchanged', async () => {
    const { runId, messageIds } = await sentRun(phonesOf(1));
    const [id = 0] = messageIds;
    const answer = await receipt(id, 'delivered', {
      To: '+5511900000001',
      ExtraOfTomorrow: ' kept untrimmed ',
    });
    expect([answer.statusCode, answer.body]).toEqual([204, '']);
    expect(await statusOf(id)).toMatchObject({ status: 'delivered' });
    expect(
      await sql`select status, messages from run_counts where run_id = ${runId} and messages > 0`,
    ).toEqual([{ status: 'delivered', messages: 1 }]);
    expect(await eventsOf(id)).toMatchObject([
      { kind: 'receipt', payload: { MessageStatus: 'delivered', ExtraOfTomorrow: ' kept untrimmed ' } },
    ]);
  });

  test('that is repeated is stored and applied once', async () => {
    const [id = 0] = (await sentRun(phonesOf(1))).messageIds;
    const answers = await Promise.all([1, 2, 3].map(() => receipt(id, 'delivered')));
    answers.push(await receipt(id, 'delivered'));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([204, 204, 204, 204]);
    expect(await eventsOf(id)).toHaveLength(1);
  });

  test('that arrives late does not move a message back', async () => {
    const [id = 0] = (await sentRun(phonesOf(1))).messageIds;
    await receipt(id, 'delivered');
    await receipt(id, 'sent');
    await receipt(id, 'undelivered', { ErrorCode: '30003' });
    expect(await statusOf(id)).toMatchObject({ status: 'delivered', reason: null });
    expect(await eventsOf(id)).toHaveLength(3);
  });

  test('of a failure sets the reason', async () => {
    const [id = 0] = (await sentRun(phonesOf(1))).messageIds;
    await receipt(id, 'undelivered', { ErrorCode: '30003' });
    expect(await statusOf(id)).toEqual({
      status: 'undelivered',
      reason: 'number_unreachable',
      providerCode: '30003',
    });
  });

  test('of a phone that opted out at the provider opts out the phone', async () => {
    const [id = 0] = (await sentRun(['+5511977777777'])).messageIds;
    await receipt(id, 'failed', { ErrorCode: '21610' });
    expect(await statusOf(id)).toMatchObject({ status: 'failed', reason: 'number_opted_out' });
    expect(await sql`select source from opt_outs where phone = '+5511977777777'`).toEqual([
      { source: 'provider' },
    ]);
  });

  test('can arrive before the response to its send, which then changes nothing', async () => {
    const { runId, messageIds } = await createRun(api, catalog, { phones: phonesOf(1) });
    const [id = 0] = messageIds;
    await claimLines(sql, { runId, sender: 'slow', from: 1, lines: 10 });
    await receipt(id, 'delivered');
    expect(await statusOf(id)).toMatchObject({ status: 'delivered' });
    const outcomes = [outcomeWith(id, { providerMessageId: sidOf(id) })];
    await recordOutcomes(sql, { runId, sender: 'slow', outcomes });
    expect(await statusOf(id)).toMatchObject({ status: 'delivered' });
    await expectCountsToMatchRows(sql, runId);
  });

  test.each([
    ['sent', 'sent'],
    ['delivered', 'delivered'],
    ['undelivered', 'undelivered'],
    ['failed', 'failed'],
  ])('with %s resolves an unknown message', async (word, status) => {
    const { runId, messageIds } = await createRun(api, catalog, { phones: phonesOf(1) });
    const [id = 0] = messageIds;
    await claimLines(sql, { runId, sender: 'dead', from: 1, lines: 10 });
    await closeStoppedSenders(sql, { runId, deduplicates: false });
    expect(await statusOf(id)).toMatchObject({ status: 'unknown', reason: 'sender_died' });
    await receipt(id, word);
    expect(await statusOf(id)).toMatchObject({ status });
    await expectCountsToMatchRows(sql, runId);
  });

  test('for an unsent or nonexistent message is stored and changes nothing', async () => {
    const { messageIds } = await createRun(api, catalog, { phones: phonesOf(1) });
    const [queued = 0] = messageIds;
    const nonexistent = 9_000_000_000_000;
    for (const id of [queued, nonexistent]) {
      expect((await receipt(id, 'delivered')).statusCode).toBe(204);
      expect(await eventsOf(id)).toHaveLength(1);
    }
    expect(await statusOf(queued)).toMatchObject({ status: 'queued' });
  });

  test('with an unknown status is stored and changes nothing', async () => {
    const [id = 0] = (await sentRun(phonesOf(1))).messageIds;
    expect((await receipt(id, 'teleported')).statusCode).toBe(204);
    expect(await statusOf(id)).toMatchObject({ status: 'sent' });
    expect(await eventsOf(id)).toHaveLength(1);
  });

  test('of a test send, which has no message, is accepted', async () => {
    const path = `/webhooks/providers/${providerId}/receipts`;
    expect((await post(path, { MessageSid: sidOf(0), MessageStatus: 'delivered' })).statusCode).toBe(204);
  });

  test('with text that PostgreSQL cannot store is stored with replacement characters', async () => {
    const [id = 0] = (await sentRun(phonesOf(1))).messageIds;
    expect((await receipt(id, 'delivered', { Odd: 'a\0b' })).statusCode).toBe(204);
    expect(await eventsOf(id)).toMatchObject([{ payload: { Odd: 'a\ufffdb' } }]);
  });
});

describe('concurrent receipts', () => {
  test('are all applied, and the counts add up', async () => {
    const { runId, messageIds } = await sentRun(phonesOf(300));
    const answers = await Promise.all(
      messageIds.flatMap((id) => [
        receipt(id, 'sent'),
        receipt(id, id % 3 === 0 ? 'undelivered' : 'delivered', id % 3 === 0 ? { ErrorCode: '30005' } : {}),
        receipt(id, 'sent', { Repeated: 'yes' }),
      ]),
    );
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([204]));
    const counted = await sql`
      select status, messages from run_counts where run_id = ${runId} and messages > 0 order by status`;
    const found = await sql`
      select status, count(*)::int as messages from messages where run_id = ${runId} group by status order by status`;
    expect(counted).toEqual(found);
    expect(counted.map(({ status }) => status as string)).toEqual(['delivered', 'undelivered']);
  });

  test('are written even if one of them fails', async () => {
    const [one = 0, other = 0] = (await sentRun(phonesOf(2))).messageIds;
    const writer = createReceiptWriter({
      sql,
      log: app.log,
      phoneHash: createPhoneHashing({ sql, box }),
      onReplies: () => undefined,
    });
    const arrival = (messageId: number, payload: string) => ({
      event: { providerId, eventKey: `k${messageId}`, kind: 'receipt' as const, messageId, payload },
      move: {
        providerId,
        messageId,
        providerMessageId: sidOf(messageId),
        status: 'delivered' as const,
        reason: null,
        providerCode: null,
      },
      reply: null,
    });
    const written = await Promise.allSettled([
      writer.write(arrival(one, '{}')),
      writer.write(arrival(other, 'no JSON')),
    ]);
    expect(written.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await statusOf(one)).toMatchObject({ status: 'delivered' });
    expect(await statusOf(other)).toMatchObject({ status: 'sent' });
  });

  test('with an opt-in are stored even if the key for opt-outs of erased customers is missing', async () => {
    const phones = ['+5511900000701', '+5511900000702'];
    const writer = createReceiptWriter({
      sql,
      log: app.log,
      phoneHash: () => Promise.reject(new SecretKeyMissing('old')),
      onReplies: () => undefined,
    });
    // Opt-outs of virtual phones, because the provider is the sandbox.
    for (const phone of phones) await optOutPhone(sql, { phone, source: 'reply', sandbox: true });
    const arrival = (phone: string, text: string) => ({
      event: {
        providerId,
        eventKey: `key-${phone}`,
        kind: 'other' as const,
        messageId: null,
        payload: '{}',
      },
      move: null,
      reply: { providerId, providerMessageId: `SM-${phone}`, phone, recipient: '+5511999990000', text },
    });
    await Promise.all(phones.map((phone, n) => writer.write(arrival(phone, n === 0 ? 'VOLTAR' : 'Oi'))));
    const kept =
      await sql`select phone, intent from inbound_messages where phone = any(${phones}) order by phone`;
    expect(kept).toEqual([
      { phone: phones[0], intent: 'opt_in' },
      { phone: phones[1], intent: null },
    ]);
    const left = await sql`select phone from opt_outs where phone = any(${phones})`;
    expect(left).toEqual([{ phone: phones[1] }]);
  });

  test('for one message are reduced to the strongest', () => {
    const move = (status: 'sent' | 'delivered' | 'undelivered', messageId = 1) => ({
      providerId,
      messageId,
      providerMessageId: 'SM',
      status,
      reason: null,
      providerCode: null,
    });
    const strongest = strongestMoves([
      move('sent'),
      move('delivered'),
      move('sent'),
      move('undelivered'),
      move('sent', 2),
    ]);
    expect(strongest).toEqual([move('delivered'), move('sent', 2)]);
  });
});

describe('a callback', () => {
  test.each([
    ['without a signature', { headers: { 'x-twilio-signature': '' } }],
    ['with the signature of another token', { authToken: 'another' }],
  ])('%s is rejected and not stored', async (_, options) => {
    const [id = 0] = (await sentRun(phonesOf(1))).messageIds;
    const form = { MessageSid: sidOf(id), MessageStatus: 'delivered' };
    const answer = await post(receiptPath(id), form, options);
    expect([answer.statusCode, answer.body]).toEqual([403, '']);
    expect(await statusOf(id)).toMatchObject({ status: 'sent' });
    expect(await eventsOf(id)).toHaveLength(0);
  });

  test('whose fields or URL were changed in transit is rejected', async () => {
    const [id = 0] = (await sentRun(phonesOf(1))).messageIds;
    const form = { MessageSid: sidOf(id), MessageStatus: 'undelivered' };
    const signature = twilio.getExpectedTwilioSignature(
      sandboxAccount.authToken,
      publicUrl + receiptPath(id),
      form,
    );
    const send = (url: string, fields: Form) =>
      app.inject({
        method: 'POST',
        url,
        payload: new URLSearchParams(fields).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature },
      });
    expect((await send(receiptPath(id), { ...form, MessageStatus: 'delivered' })).statusCode).toBe(403);
    expect((await send(receiptPath(id + 1), form)).statusCode).toBe(403);
    expect((await send(receiptPath(id), form)).statusCode).toBe(204);
  });

  test('whose signature is truncated or was made for another provider is rejected', async () => {
    const other = await as('admin')('POST', '/api/providers', { name: 'Replayed', ...sandboxProvider });
    const [id = 0] = (await sentRun(phonesOf(1))).messageIds;
    const form = { MessageSid: sidOf(id), MessageStatus: 'delivered' };
    const valid = twilio.getExpectedTwilioSignature(
      sandboxAccount.authToken,
      publicUrl + receiptPath(id),
      form,
    );
    for (const signature of [valid.slice(0, -1), valid.slice(0, 10), `${valid}=`, valid.toLowerCase()]) {
      const headers = { 'x-twilio-signature': signature };
      expect((await post(receiptPath(id), form, { headers })).statusCode).toBe(403);
    }
    // Another provider with the same account: the signature covers the URL.
    const replayed = receiptPath(id, other.json<{ id: number }>().id);
    const answer = await post(replayed, form, { headers: { 'x-twilio-signature': valid } });
    expect(answer.statusCode).toBe(403);
    expect(await statusOf(id)).toMatchObject({ status: 'sent' });
    expect(await eventsOf(id)).toHaveLength(0);
  });

  test('to a nonexistent provider gets the same response as a wrong signature', async () => {
    for (const provider of ['9999', '0', 'x', '99999999999999999999']) {
      const answer = await post(`/webhooks/providers/${provider}/receipts`, {
        MessageSid: 'SM',
        MessageStatus: 'sent',
      });
      expect([answer.statusCode, answer.body]).toEqual([403, '']);
    }
  });

  test('of another provider does not change a message', async () => {
    const other = await as('admin')('POST', '/api/providers', { name: 'Other', ...sandboxProvider });
    const [id = 0] = (await sentRun(phonesOf(1))).messageIds;
    const path = receiptPath(id, other.json<{ id: number }>().id);
    expect((await post(path, { MessageSid: sidOf(id), MessageStatus: 'failed' })).statusCode).toBe(204);
    expect(await statusOf(id)).toMatchObject({ status: 'sent' });
  });

  test('that is too large is rejected', async () => {
    const answer = await post(receiptPath(1), { Body: 'x'.repeat(1_000_000) });
    expect(answer.statusCode).toBe(413);
  });

  test('is accepted with a new token as soon as the token changes', async () => {
    const added = await as('admin')('POST', '/api/providers', { name: 'Rotated', ...sandboxProvider });
    const { id } = added.json<{ id: number }>();
    const send = async (authToken: string, n: number) =>
      (await post(receiptPath(n, id), { MessageSid: sidOf(n), MessageStatus: 'sent' }, { authToken }))
        .statusCode;
    expect(await send(sandboxAccount.authToken, 1)).toBe(204);
    await as('admin')('PUT', `/api/providers/${id}`, {
      name: 'Rotated',
      config: sandboxProvider.config,
      ratePerSecond: null,
      secrets: { ...sandboxProvider.secrets, authToken: 'rotated' },
    });
    await eventually(async () => expect(await send('rotated', 2)).toBe(204));
    expect(await send(sandboxAccount.authToken, 3)).toBe(403);
  });
});

describe('an incoming message', () => {
  test('is stored once and unchanged', async () => {
    const path = `/webhooks/providers/${providerId}/inbound`;
    const form = {
      MessageSid: 'SMin',
      SmsStatus: 'received',
      From: '+5511988887777',
      To: '+5511999990000',
      Body: 'SAIR',
    };
    expect((await post(path, form)).statusCode).toBe(204);
    expect((await post(path, form)).statusCode).toBe(204);
    expect(await sql`select payload from inbound_events where kind = 'message'`).toMatchObject([
      { payload: form },
    ]);
  });
});
