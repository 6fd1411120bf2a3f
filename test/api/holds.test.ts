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

/** A reply that is probably an opt-out: its phone is left alone until a person has decided. */
const api = await createApi();
const { app, sql, as } = api;
const [viewer, operator, admin] = [as('viewer'), as('operator'), as('admin')];
const phoneHash = createPhoneHashing({ sql, box });
const sandbox = await createCatalog(api);
const real = await admin('POST', '/api/providers', {
  name: 'Twilio',
  config: { kind: 'twilio', accountSid: `AC${'0123456789abcdef'.repeat(2)}`, from: '+5511999990000' },
  secrets: { kind: 'twilio', authToken: 'the-token' },
});
const catalog = { ...sandbox, providerId: real.json<{ id: number }>().id };
const ticketPolicy = onReply(await createTicketCatalog(sql));
const handling = createReplies({ sql, replyWindowDays: 30, phoneHash });

let phones = 0;
const newPhone = () => `+55119${String(60_000_000 + ++phones)}`;
/** What arrives counts before anybody handles it. */
async function arrives(From: string, Body: string, { providerId } = catalog): Promise<number> {
  const form = inboundForm({ From, Body });
  const answer = await postSigned(app, `/webhooks/providers/${providerId}/inbound`, form);
  expect(answer.statusCode).toBe(204);
  const [row] = await sql<{ id: number }[]>`
    select id from inbound_messages where provider_message_id = ${String(form['MessageSid'])}`;
  return row?.id ?? 0;
}
async function says(from: string, text: string, which = catalog): Promise<number> {
  const id = await arrives(from, text, which);
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
const isOptedOut = async (phone: string) => sendBlockOf(sql, await phoneHash(), phone);
const statusesOf = (runId: number) => expectCountsToMatchRows(sql, runId);

describe('a probable opt-out', () => {
  test('holds its phone at once, in every run and on every way to send', async () => {
    const phone = newPhone();
    const other = newPhone();
    const waiting = await createRun(api, catalog, { phones: [phone, other] });
    await arrives(phone, 'me tira dessa lista');
    expect(await statusesOf(waiting.runId)).toEqual({ queued: 1, 'skipped: held': 1 });

    const streamed = await createRun(api, catalog, { phones: [phone, other] });
    await claimLines(sql, { runId: streamed.runId, sender: 's#1', from: 1, lines: 10 });
    expect(await statusesOf(streamed.runId)).toEqual({ queued: 1, 'skipped: held': 1 });

    const single = await createRun(api, catalog, { phones: [phone] });
    const [messageId = 0] = single.messageIds;
    const { providerId } = catalog;
    expect(await claimMessage(sql, { messageId, sender: 's#2', providerId })).toBeNull();
    expect(await statusesOf(single.runId)).toEqual({ 'skipped: held': 1 });

    // As an import and a resend do once their messages are there.
    const read = await createRun(api, catalog, { phones: [phone, other] });
    await skipOptedOut(sql, await phoneHash(), read.runId);
    expect(await statusesOf(read.runId)).toEqual({ queued: 1, 'skipped: held': 1 });

    const tried = await operator('POST', `/api/campaigns/${read.campaignId}/test-send`, { phone });
    expect([tried.statusCode, errorOf(tried).code]).toEqual([409, 'phone_held']);
  });

  test('does not hide what became of a message that a sender had in hand', async () => {
    const phone = newPhone();
    const { runId } = await createRun(api, catalog, { phones: [phone] });
    const claim = await claimLines(sql, { runId, sender: 's#1', from: 1, lines: 10 });
    await arrives(phone, 'quero sair');
    expect(await statusesOf(runId)).toEqual({ 'skipped: held': 1 });
    await recordOutcomes(sql, {
      runId,
      sender: 's#1',
      outcomes: claim.messages.map(({ id }) => outcomeWith(id, { providerMessageId: 'SM1' })),
      endedClaims: claim.id === null ? [] : [claim.id],
    });
    expect(await statusesOf(runId)).toEqual({ sent: 1 });
  });

  test('is listed with what it says and answers, opens its ticket, and is on the first page', async () => {
    const phone = newPhone();
    const run = await createRun(api, catalog, { phones: [phone], changes: { ticketPolicy } });
    await recordSent(sql, { runId: run.runId, count: 1, sidOf: (id) => `SM${id}` });
    const id = await says(phone, 'SAIR\nMaria da Silva');
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
    // An opt-out in force it is not.
    expect((await viewer('GET', `/api/opt-outs?phone=${phone.slice(1)}`)).json()).toEqual({ optOuts: [] });
  });

  test('is held once, however often it is said; and one who has opted out is not held', async () => {
    const [phone, gone] = [newPhone(), newPhone()];
    await says(phone, 'quero sair');
    const first = await holdOf(phone);
    await says(phone, 'me tira da lista!!');
    expect(await holdOf(phone)).toEqual(first);
    await says(gone, 'SAIR');
    expect(await effectOf(await says(gone, 'quero sair'))).toBe('opt_out');
    expect(await holdOf(gone)).toBeUndefined();
    expect(await isOptedOut(gone)).toBe('opted_out');
  });

  test('ends when the person says the word, or comes back', async () => {
    const [out, back] = [newPhone(), newPhone()];
    for (const phone of [out, back]) await says(phone, 'não quero mais receber');
    await says(out, 'SAIR');
    await says(back, 'VOLTAR');
    expect([await holdOf(out), await holdOf(back)]).toEqual([undefined, undefined]);
    expect([await isOptedOut(out), await isOptedOut(back)]).toEqual(['opted_out', null]);
  });

  test('of a virtual phone is held for the sandbox alone', async () => {
    const phone = newPhone();
    await says(phone, 'quero sair', sandbox);
    expect(await holdOf(phone)).toMatchObject({ sandbox: true });
    expect(await isOptedOut(phone)).toBeNull();
    expect(await sendBlockOf(sql, await phoneHash(), phone, sandbox.providerId)).toBe('held');
    expect((await decide(phone, 'opt_out')).statusCode).toBe(204);
    expect(await isOptedOut(phone)).toBeNull();
    expect(await sendBlockOf(sql, await phoneHash(), phone, sandbox.providerId)).toBe('opted_out');
  });
});

describe('a person decides', () => {
  test('that it is an opt-out: the customer refuses, the reply says so, and the log knows who', async () => {
    const phone = newPhone();
    const made = await operator('POST', '/api/customers', { mobile: phone, name: 'Rui' });
    const customerId = made.json<{ id: number }>().id;
    const id = await says(phone, 'pare de me mandar mensagem');
    expect((await viewer('GET', `/api/customers/${customerId}`)).json()).toMatchObject({
      held: true,
      optedOut: false,
      consent: 'not_stated',
    });
    const hold = await holdOf(phone);
    expect((await decide(phone, 'opt_out')).statusCode).toBe(204);
    expect(await isOptedOut(phone)).toBe('opted_out');
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

  test('that it was not meant so: the phone may be written to again, and no consent has changed', async () => {
    const phone = newPhone();
    const made = await operator('POST', '/api/customers', { mobile: phone });
    const run = await createRun(api, catalog, { phones: [phone], changes: { ticketPolicy } });
    await recordSent(sql, { runId: run.runId, count: 1, sidOf: (id) => `SM${id}` });
    const [answer, stray] = [
      await says(phone, 'Não vou sair de casa hoje'),
      await arrives(phone, 'quero sair'),
    ];
    expect((await decide(phone, 'release')).statusCode).toBe(204);
    await handling.handleReply({ inboundMessageId: stray });
    expect([await effectOf(answer), await effectOf(stray)]).toEqual(['ticket', 'ticket']);
    expect(await isOptedOut(phone)).toBeNull();
    const customer = await viewer('GET', `/api/customers/${made.json<{ id: number }>().id}`);
    expect(customer.json()).toMatchObject({ held: false, optedOut: false, consent: 'not_stated' });
    const later = await createRun(api, catalog, { phones: [phone] });
    const { messages } = await claimLines(sql, { runId: later.runId, sender: 's', from: 1, lines: 10 });
    expect(messages).toHaveLength(1);
    // Said once more, it is held once more.
    await says(phone, 'quero sair');
    expect(await isOptedOut(phone)).toBe('held');
  });

  test('once: the second one is told, and a viewer may not', async () => {
    const phone = newPhone();
    await says(phone, 'sair por favor');
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

  test('after an admin has opted the phone out: nothing is left to decide', async () => {
    const phone = newPhone();
    await says(phone, 'quero sair');
    const { id = 0 } = (await holdOf(phone)) ?? {};
    expect(await optOutPhone(sql, { phone, source: 'admin' })).toBe(true);
    expect(await decideHold(sql, id, { decision: 'release', actor: 'system' })).toBe(false);
    expect(await isOptedOut(phone)).toBe('opted_out');
  });
});

test('nobody decides: the phone is opted out after the days that the deployment gives', async () => {
  const [old, fresh] = [newPhone(), newPhone()];
  for (const phone of [old, fresh]) await says(phone, 'quero sair');
  const id = (await holdOf(old))?.id ?? 0;
  await sql`update opt_outs set at = at - interval '7 days' where id = ${id}`;
  expect(await undecidedHolds(sql, { days: 8, limit: 10 })).toEqual([]);
  expect(await undecidedHolds(sql, { days: 7, limit: 10 })).toEqual([id]);
  expect(await holdOf(old)).toMatchObject({ id, text: 'quero sair' });
});

test('the hold of a person who is erased becomes an opt-out that survives them', async () => {
  const phone = newPhone();
  await says(phone, 'quero sair');
  expect((await admin('POST', '/api/privacy/erase', { phone })).statusCode).toBe(200);
  expect(await holdOf(phone)).toBeUndefined();
  expect(await isOptedOut(phone)).toBe('opted_out');
  const read = await createRun(api, catalog, { phones: [phone] });
  await skipOptedOut(sql, await phoneHash(), read.runId);
  expect(await statusesOf(read.runId)).toEqual({ 'skipped: opted_out': 1 });
});
