import { describe, expect, test } from 'vitest';
import { createReplies } from '../../activities/replies.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { optOutPhone, skipOptedOut, sendBlockOf } from '../../db/customers/opt-outs.ts';
import { claimLines, claimMessage, recordOutcomes } from '../../db/messages/claims.ts';
import { decideHold, undecidedHolds } from '../../db/replies/holds.ts';
import { box, createApi, createCatalog, createRun, errorOf } from '../kit/api.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { outcomeWith, recordSent } from '../kit/sending.ts';
import { createTicketCatalog, onReply } from '../kit/tickets.ts';
import { inboundForm, postSigned } from '../kit/webhooks.ts';

/** A reply that is probably an opt-out holds its phone until a user decides. */
const api = await createApi();
const { app, sql, as } = api;
const [viewer, operator, admin] = [as('viewer'), as('operator'), as('admin')];
const phoneHash = createPhoneHashing({ sql, box });
const sandbox = await createCatalog(api);
const realProvider = await admin('POST', '/api/providers', {
  name: 'Twilio',
  config: { kind: 'twilio', accountSid: `AC${'0123456789abcdef'.repeat(2)}`, from: '+5511999990000' },
  secrets: { kind: 'twilio', authToken: 'the-token' },
});
const catalog = { ...sandbox, providerId: realProvider.json<{ id: number }>().id };
const ticketPolicy = onReply(await createTicketCatalog(sql));
const handling = createReplies({ sql, replyWindowDays: 30, phoneHash });

let phones = 0;
const newPhone = () => `+55119${String(60_000_000 + ++phones)}`;
/** Receives a reply without handling it: the hold already takes effect. */
async function receive(From: string, Body: string, { providerId } = catalog): Promise<number> {
  const form = inboundForm({ From, Body });
  const answer = await postSigned(app, `/webhooks/providers/${providerId}/inbound`, form);
  expect(answer.statusCode).toBe(204);
  const [row] = await sql<{ id: number }[]>`
    select id from inbound_messages where provider_message_id = ${String(form['MessageSid'])}`;
  return row?.id ?? 0;
}
async function receiveAndHandle(from: string, text: string, which = catalog): Promise<number> {
  const id = await receive(from, text, which);
  await handling.handleReply({ inboundMessageId: id });
  return id;
}
interface Hold {
  id: number;
  phone: string;
  replyId: number;
}
const holdOf = async (phone: string) =>
  (await viewer('GET', '/api/holds?limit=200'))
    .json<{ holds: Hold[] }>()
    .holds.find((one) => one.phone === phone);
const decide = async (phone: string, decision: string, who = operator) =>
  who('POST', `/api/holds/${(await holdOf(phone))?.id ?? 0}/decide`, { decision, note: 'read it' });
const effectOf = async (id: number) =>
  (await viewer('GET', `/api/replies/${id}`)).json<{ reply: { effect: string } }>().reply.effect;
const blockOf = async (phone: string) => sendBlockOf(sql, await phoneHash(), phone);
const statusesOf = (runId: number) => expectCountsToMatchRows(sql, runId);

describe('a probable opt-out', () => {
  test('immediately holds its phone in every run and for every way of sending', async () => {
    const phone = newPhone();
    const other = newPhone();
    const waiting = await createRun(api, catalog, { phones: [phone, other] });
    await receive(phone, 'me tira dessa lista');
    expect(await statusesOf(waiting.runId)).toEqual({ queued: 1, 'skipped: held': 1 });

    const streamed = await createRun(api, catalog, { phones: [phone, other] });
    await claimLines(sql, { runId: streamed.runId, sender: 's#1', from: 1, lines: 10 });
    expect(await statusesOf(streamed.runId)).toEqual({ queued: 1, 'skipped: held': 1 });

    const single = await createRun(api, catalog, { phones: [phone] });
    const [messageId = 0] = single.messageIds;
    const { providerId } = catalog;
    expect(await claimMessage(sql, { messageId, sender: 's#2', providerId })).toBeNull();
    expect(await statusesOf(single.runId)).toEqual({ 'skipped: held': 1 });

    // As an import and a resend do after inserting their messages.
    const read = await createRun(api, catalog, { phones: [phone, other] });
    await skipOptedOut(sql, await phoneHash(), read.runId);
    expect(await statusesOf(read.runId)).toEqual({ queued: 1, 'skipped: held': 1 });

    const tried = await operator('POST', `/api/campaigns/${read.campaignId}/test-send`, { phone });
    expect([tried.statusCode, errorOf(tried).code]).toEqual([409, 'phone_held']);
  });

  test('does not hide the outcome of a message that a sender had already claimed', async () => {
    const phone = newPhone();
    const { runId } = await createRun(api, catalog, { phones: [phone] });
    const claim = await claimLines(sql, { runId, sender: 's#1', from: 1, lines: 10 });
    await receive(phone, 'quero sair');
    expect(await statusesOf(runId)).toEqual({ 'skipped: held': 1 });
    await recordOutcomes(sql, {
      runId,
      sender: 's#1',
      outcomes: claim.messages.map(({ id }) => outcomeWith(id, { providerMessageId: 'SM1' })),
      endedClaims: claim.id === null ? [] : [claim.id],
    });
    expect(await statusesOf(runId)).toEqual({ sent: 1 });
  });

  test('is listed with its text and the answered message, opens a ticket, and is counted in the overview', async () => {
    const phone = newPhone();
    const run = await createRun(api, catalog, { phones: [phone], changes: { ticketPolicy } });
    await recordSent(sql, { runId: run.runId, count: 1, sidOf: (id) => `SM${id}` });
    const id = await receiveAndHandle(phone, 'SAIR\nMaria da Silva');
    expect(await effectOf(id)).toBe('probable_opt_out');
    const hold = await holdOf(phone);
    expect(hold).toMatchObject({
      phone,
      sandbox: false,
      replyId: id,
      text: 'SAIR\nMaria da Silva',
      messageId: run.messageIds[0],
      messageText: 'Ola Maria 1',
      campaignId: run.campaignId,
      ticketId: expect.any(Number) as number,
    });
    const { holds } = (await viewer('GET', '/api/overview')).json<{
      holds: { count: number; since: string };
    }>();
    const [{ count }] = await sql<[{ count: number }]>`
      select count(*)::int as count from opt_outs where state = 'held'`;
    expect(holds.count).toBe(count);
    // It is not listed as an opt-out.
    expect((await viewer('GET', `/api/opt-outs?phone=${phone.slice(1)}`)).json()).toEqual({ optOuts: [] });
  });

  test('is held only once when repeated, and never holds a phone that is opted out', async () => {
    const [phone, optedOut] = [newPhone(), newPhone()];
    await receiveAndHandle(phone, 'quero sair');
    const first = await holdOf(phone);
    await receiveAndHandle(phone, 'me tira da lista!!');
    expect(await holdOf(phone)).toEqual(first);
    await receiveAndHandle(optedOut, 'SAIR');
    expect(await effectOf(await receiveAndHandle(optedOut, 'quero sair'))).toBe('opt_out');
    expect(await holdOf(optedOut)).toBeUndefined();
    expect(await blockOf(optedOut)).toBe('opted_out');
  });

  test('ends with an explicit opt-out or opt-in', async () => {
    const [out, back] = [newPhone(), newPhone()];
    for (const phone of [out, back]) await receiveAndHandle(phone, 'não quero mais receber');
    await receiveAndHandle(out, 'SAIR');
    await receiveAndHandle(back, 'VOLTAR');
    expect([await holdOf(out), await holdOf(back)]).toEqual([undefined, undefined]);
    expect([await blockOf(out), await blockOf(back)]).toEqual(['opted_out', null]);
  });

  test('of a virtual phone holds it for the sandbox only', async () => {
    const phone = newPhone();
    await receiveAndHandle(phone, 'quero sair', sandbox);
    expect(await holdOf(phone)).toMatchObject({ sandbox: true });
    expect(await blockOf(phone)).toBeNull();
    expect(await sendBlockOf(sql, await phoneHash(), phone, sandbox.providerId)).toBe('held');
    expect((await decide(phone, 'opt_out')).statusCode).toBe(204);
    expect(await blockOf(phone)).toBeNull();
    expect(await sendBlockOf(sql, await phoneHash(), phone, sandbox.providerId)).toBe('opted_out');
  });
});

describe('a decision', () => {
  test('to opt out sets the consent to refused, updates the reply, and is audited', async () => {
    const phone = newPhone();
    const made = await operator('POST', '/api/customers', { mobile: phone, name: 'Rui' });
    const customerId = made.json<{ id: number }>().id;
    const id = await receiveAndHandle(phone, 'pare de me mandar mensagem');
    expect((await viewer('GET', `/api/customers/${customerId}`)).json()).toMatchObject({
      held: true,
      optedOut: false,
      consent: 'not_stated',
    });
    const hold = await holdOf(phone);
    expect((await decide(phone, 'opt_out')).statusCode).toBe(204);
    expect(await blockOf(phone)).toBe('opted_out');
    expect(await effectOf(id)).toBe('opt_out');
    expect((await viewer('GET', `/api/customers/${customerId}`)).json()).toMatchObject({
      held: false,
      optedOut: true,
      consent: 'refused',
    });
    const { optOuts } = (await viewer('GET', `/api/customers/${customerId}/consents`)).json<{
      optOuts: { kind: string; actor: string; note: string; inboundMessageId: number }[];
    }>();
    expect(optOuts).toMatchObject([
      {
        kind: 'opt_out',
        actor: expect.stringMatching(/^token:/) as string,
        note: 'read it',
        inboundMessageId: id,
      },
      { kind: 'hold', actor: 'system', inboundMessageId: id },
    ]);
    const audited = await sql`
      select action from audit_log where subject_kind = 'opt_out' and subject_id = ${hold?.id ?? 0}`;
    expect(audited).toEqual([{ action: 'hold.opt_out' }]);
  });

  test('to release allows messages to the phone again and changes no consent', async () => {
    const phone = newPhone();
    const made = await operator('POST', '/api/customers', { mobile: phone });
    const run = await createRun(api, catalog, { phones: [phone], changes: { ticketPolicy } });
    await recordSent(sql, { runId: run.runId, count: 1, sidOf: (id) => `SM${id}` });
    const [answer, unhandled] = [
      await receiveAndHandle(phone, 'Não vou sair de casa hoje'),
      await receive(phone, 'quero sair'),
    ];
    expect((await decide(phone, 'release')).statusCode).toBe(204);
    await handling.handleReply({ inboundMessageId: unhandled });
    expect([await effectOf(answer), await effectOf(unhandled)]).toEqual(['ticket', 'ticket']);
    expect(await blockOf(phone)).toBeNull();
    const customer = await viewer('GET', `/api/customers/${made.json<{ id: number }>().id}`);
    expect(customer.json()).toMatchObject({ held: false, optedOut: false, consent: 'not_stated' });
    const later = await createRun(api, catalog, { phones: [phone] });
    const { messages } = await claimLines(sql, { runId: later.runId, sender: 's', from: 1, lines: 10 });
    expect(messages).toHaveLength(1);
    // Another probable opt-out holds the phone again.
    await receiveAndHandle(phone, 'quero sair');
    expect(await blockOf(phone)).toBe('held');
  });

  test('is made only once, and not by a viewer', async () => {
    const phone = newPhone();
    await receiveAndHandle(phone, 'sair por favor');
    expect((await decide(phone, 'opt_out', viewer)).statusCode).toBe(403);
    const { id = 0 } = (await holdOf(phone)) ?? {};
    const both = await Promise.all(
      (['opt_out', 'release'] as const).map((decision) =>
        operator('POST', `/api/holds/${id}/decide`, { decision }),
      ),
    );
    expect(both.map(({ statusCode }) => statusCode).toSorted()).toEqual([204, 409]);
    expect(errorOf(await operator('POST', `/api/holds/${id}/decide`, { decision: 'opt_out' })).code).toBe(
      'hold_decided',
    );
  });

  test('has no effect after an admin has opted out the phone', async () => {
    const phone = newPhone();
    await receiveAndHandle(phone, 'quero sair');
    const { id = 0 } = (await holdOf(phone)) ?? {};
    expect(await optOutPhone(sql, { phone, source: 'admin' })).toBe(true);
    expect(await decideHold(sql, id, { decision: 'release', actor: 'system' })).toBe(false);
    expect(await blockOf(phone)).toBe('opted_out');
  });
});

test('a held phone is opted out after the configured number of days without a decision', async () => {
  const [old, fresh] = [newPhone(), newPhone()];
  for (const phone of [old, fresh]) await receiveAndHandle(phone, 'quero sair');
  const id = (await holdOf(old))?.id ?? 0;
  await sql`update opt_outs set at = at - interval '7 days' where id = ${id}`;
  expect(await undecidedHolds(sql, { days: 8, limit: 10 })).toEqual([]);
  expect(await undecidedHolds(sql, { days: 7, limit: 10 })).toEqual([id]);
  expect(await holdOf(old)).toMatchObject({ id, text: 'quero sair' });
});

test('the hold of an erased customer becomes a permanent opt-out', async () => {
  const phone = newPhone();
  await receiveAndHandle(phone, 'quero sair');
  expect((await admin('POST', '/api/privacy/erase', { phone })).statusCode).toBe(200);
  expect(await holdOf(phone)).toBeUndefined();
  expect(await blockOf(phone)).toBe('opted_out');
  const read = await createRun(api, catalog, { phones: [phone] });
  await skipOptedOut(sql, await phoneHash(), read.runId);
  expect(await statusesOf(read.runId)).toEqual({ 'skipped: opted_out': 1 });
});
