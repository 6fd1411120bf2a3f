import { expect, test } from 'vitest';
import { optOutPhone } from '../../db/customers/opt-outs.ts';
import { applyAnswerReceipts } from '../../db/tickets/answers.ts';
import { createApi, createCatalog, createRun, errorOf } from '../kit/api.ts';
import { createTicketCatalog, onReply, openTicket } from '../kit/tickets.ts';

const api = await createApi();
const { sql, as } = api;
const catalog = await createCatalog(api);
const tickets = await createTicketCatalog(sql);
const operator = as('operator');

let phones = 0;
async function ticketOf(extra: Record<string, string> = {}) {
  const phone = `+55119${String(10_000_000 + ++phones)}`;
  const { messageIds } = await createRun(api, catalog, {
    phones: [phone],
    changes: { ticketPolicy: onReply(tickets) },
  });
  const messageId = messageIds[0] ?? 0;
  await sql`update messages set extra = ${sql.json(extra)} where id = ${messageId}`;
  return { id: await openTicket(sql, messageId), phone, messageId };
}
const answer = (id: number, body: object, headers: Record<string, string> = {}) =>
  operator('POST', `/api/tickets/${id}/answers`, body, headers);
const rowsOf = (id: number) =>
  sql`select kind, status, text, segments, phone, provider_id, actor from answers where ticket_id = ${id} order by id`;

test('an answer is stored before it is sent, with the phone and the provider of the conversation', async () => {
  const { id, phone } = await ticketOf();
  const answered = await answer(id, { text: 'Olá {nome}, já verificamos.' });
  expect(answered.statusCode).toBe(201);
  expect(answered.json()).toMatchObject({
    kind: 'user',
    status: 'queued',
    text: 'Ola Maria 1, ja verificamos.',
  });
  expect(await rowsOf(id)).toMatchObject([
    { kind: 'user', status: 'queued', segments: 1, phone, providerId: catalog.providerId },
  ]);
  const [ticket] = await sql`select answered_at, first_answered_at from tickets where id = ${id}`;
  expect(ticket).toMatchObject({
    answeredAt: expect.any(Date) as Date,
    firstAnsweredAt: ticket?.answeredAt as Date,
  });
  const [entry] =
    await sql`select action, details from audit_log where subject_kind = 'ticket' and subject_id = ${id}`;
  expect(entry).toEqual({
    action: 'ticket.answer',
    details: { answerId: answered.json<{ id: number }>().id },
  });
  const list = await as('agent')('GET', `/api/tickets/${id}/answers`);
  expect(list.json()).toMatchObject({
    answers: [{ text: 'Ola Maria 1, ja verificamos.', retrying: null }],
    answering: { blocked: null, providerId: catalog.providerId },
  });
});

test('answers and messages share one id sequence, so that a reference identifies one SMS', async () => {
  const { id, messageId } = await ticketOf();
  const answered = await answer(id, { text: 'Olá' });
  const later = await ticketOf();
  expect(answered.json<{ id: number }>().id).toBeGreaterThan(messageId);
  expect(later.messageId).toBeGreaterThan(answered.json<{ id: number }>().id);
});

test('a repeated request creates one answer, even concurrently', async () => {
  const { id } = await ticketOf();
  const headers = { 'idempotency-key': 'twice' };
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => answer(id, { text: 'Uma vez só' }, headers)),
  );
  expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 200, 200, 200, 201]);
  expect(new Set(answers.map((one) => one.json<{ id: number }>().id)).size).toBe(1);
  expect(await rowsOf(id)).toHaveLength(1);
  // The key is scoped to the caller and the ticket.
  expect((await as('agent')('POST', `/api/tickets/${id}/answers`, { text: 'Oi' }, headers)).statusCode).toBe(
    201,
  );
  expect((await answer((await ticketOf()).id, { text: 'Oi' }, headers)).statusCode).toBe(201);
});

test.for([
  ['', 'template_empty'],
  ['x'.repeat(161), 'template_too_long'],
  ['Seu saldo: {saldo}', 'placeholder_unknown'],
  ['Vence em {vencimento}', 'placeholder_missing'],
  ['Olá {nome', 'brace_unbalanced'],
] as const)('the text %j is rejected with %s', async ([text, code]) => {
  const { id } = await ticketOf({ vencimento: '' });
  const refused = await answer(id, { text });
  expect(refused.statusCode).toBe(422);
  expect(errorOf(refused).problems).toMatchObject([{ field: 'text', code }]);
  expect(await rowsOf(id)).toEqual([]);
});

test('160 characters outside GSM-7 are sent unchanged in three segments when accents are kept', async () => {
  const { id } = await ticketOf();
  const text = 'ã'.repeat(160);
  const preview = await operator('POST', `/api/tickets/${id}/answers/preview`, {
    text,
    removeAccents: false,
  });
  expect(preview.json()).toMatchObject({ encoding: 'UCS-2', segments: 3, characters: 160 });
  expect((await answer(id, { text, removeAccents: false })).statusCode).toBe(201);
  expect(await rowsOf(id)).toMatchObject([{ text, segments: 3 }]);
});

test('an answer is rejected for an opted-out or held phone and for an erased or finished ticket', async () => {
  const codeOf = async (id: number) => {
    const refused = await answer(id, { text: 'Olá' });
    const { answering } = (await operator('GET', `/api/tickets/${id}/answers`)).json<{
      answering: { blocked: string };
    }>();
    expect(errorOf(refused).code).toBe(answering.blocked);
    return [refused.statusCode, answering.blocked];
  };
  const out = await ticketOf();
  await optOutPhone(sql, { phone: out.phone, source: 'admin' });
  expect(await codeOf(out.id)).toEqual([409, 'opted_out']);
  await sql`update opt_outs set state = 'held' where phone = ${out.phone}`;
  expect(await codeOf(out.id)).toEqual([409, 'phone_held']);
  const erased = await ticketOf();
  await sql`update tickets set phone = null where id = ${erased.id}`;
  expect(await codeOf(erased.id)).toEqual([409, 'customer_erased']);
  const finished = await ticketOf();
  await sql`update tickets set status = 'finished', resolution_id = ${tickets.solvedId} where id = ${finished.id}`;
  expect(await codeOf(finished.id)).toEqual([409, 'ticket_finished']);
});

test('an unknown ticket returns 404', async () => {
  expect((await answer(999_999, { text: 'Olá' })).statusCode).toBe(404);
  expect((await operator('GET', '/api/tickets/999999/answers')).statusCode).toBe(404);
});

/** An answer with an unknown outcome: the provider may or may not have accepted it. */
async function unknownAnswer() {
  const ticket = await ticketOf();
  const { id } = (await answer(ticket.id, { text: 'Olá' })).json<{ id: number }>();
  await sql`
    update answers set status = 'unknown', reason = 'no_answer', sender = 'dead#1', sending_at = now(), ended_at = now()
    where id = ${id}`;
  return { ...ticket, answerId: id };
}

test.for([
  [true, 'sent', null],
  [false, 'failed', 'stated_unsent'],
] as const)('an agent resolves an unknown answer with sent = %s', async ([sent, status, reason]) => {
  const { id, answerId } = await unknownAnswer();
  const url = `/api/answers/${answerId}/resolve`;
  expect((await as('agent')('POST', url, {})).statusCode).toBe(422);
  const resolved = await as('agent')('POST', url, { sent });
  expect([resolved.statusCode, resolved.json()]).toMatchObject([200, { id: answerId, status, reason }]);
  const [event] = await sql`select kind, payload from inbound_events where message_id = ${answerId}`;
  expect(event).toMatchObject({ kind: 'resolved', payload: { sent, byName: 'agent' } });
  const entries = await sql`select actor_name, details from audit_log
    where action = 'answer.resolve' and subject_kind = 'answer' and subject_id = ${answerId}`;
  expect(entries).toEqual([{ actorName: 'agent', details: { ticketId: id, sent } }]);
  // Nothing is sent again.
  expect(await rowsOf(id)).toMatchObject([{ status }]);
  const again = await as('agent')('POST', url, { sent });
  expect([again.statusCode, errorOf(again)]).toMatchObject([
    409,
    { code: 'not_unknown', params: { status } },
  ]);
  expect((await answer(id, { text: 'Outra vez' })).statusCode).toBe(201);
});

test('a receipt updates an answer that was resolved as sent, but not one resolved as not sent', async () => {
  const receiptOf = async (sent: boolean) => {
    const { id, answerId } = await unknownAnswer();
    await as('agent')('POST', `/api/answers/${answerId}/resolve`, { sent });
    const receipt = {
      messageId: answerId,
      providerId: catalog.providerId,
      providerMessageId: `SM${answerId}`,
    };
    await sql.begin((tx) =>
      applyAnswerReceipts(tx, [{ ...receipt, status: 'delivered', reason: null, providerCode: null }]),
    );
    return (await rowsOf(id)).map((row) => (row as { status: string }).status);
  };
  expect(await receiptOf(true)).toEqual(['delivered']);
  expect(await receiptOf(false)).toEqual(['failed']);
});

test('a message cannot be resolved as an answer', async () => {
  const { messageId } = await ticketOf();
  const refused = await operator('POST', `/api/answers/${messageId}/resolve`, { sent: true });
  expect([refused.statusCode, errorOf(refused).code]).toEqual([404, 'not_found']);
});
