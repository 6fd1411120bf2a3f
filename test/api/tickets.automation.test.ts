import { expect, test } from 'vitest';
import { finishQuietTickets } from '../../db/tickets/automation.ts';
import { openReplyTicket } from '../../db/tickets/opening.ts';
import { createApi, createCatalog, createRun, errorOf } from '../kit/api.ts';
import { createTicketCatalog, insertReply, onReply } from '../kit/tickets.ts';

/** Automatic changes of tickets, and opt-outs by agents. */
const api = await createApi();
const { as, sql } = api;
const [viewer, agent, admin] = [as('viewer'), as('agent'), as('admin')];
const catalog = await createCatalog(api);
const tickets = await createTicketCatalog(sql);
const settingsUrl = '/api/settings/ticket-automation';

let phones = 0;
async function openTicket(): Promise<{ id: number; messageId: number; replyId: number; phone: string }> {
  const phone = `+55119${String(++phones).padStart(8, '0')}`;
  const { messageIds } = await createRun(api, catalog, {
    phones: [phone],
    changes: { ticketPolicy: onReply(tickets) },
  });
  const [messageId = 0] = messageIds;
  const replyId = await insertReply(sql, { messageId });
  const answer = await sql.begin((tx) => openReplyTicket(tx, { inboundMessageId: replyId }));
  return { id: answer?.ticketId ?? 0, messageId, replyId, phone };
}
const statusOf = async (id: number): Promise<unknown> =>
  (await viewer('GET', `/api/tickets/${id}`)).json<{ ticket: { status: string } }>().ticket.status;
const save = (changes: object) => admin('PUT', settingsUrl, changes);
const receiveReply = async (messageId: number): Promise<void> => {
  const inboundMessageId = await insertReply(sql, { messageId });
  await sql.begin((tx) => openReplyTicket(tx, { inboundMessageId }));
};
const answer = (id: number) => agent('POST', `/api/tickets/${id}/answers`, { text: 'Sim, amanha.' });

test('a reply reopens a waiting ticket, unless this is turned off', async () => {
  const { id, messageId } = await openTicket();
  await sql`update tickets set status = 'waiting' where id = ${id}`;
  await receiveReply(messageId);
  expect(await statusOf(id)).toBe('open');
  await save({ reopenOnReply: false });
  await sql`update tickets set status = 'waiting' where id = ${id}`;
  await receiveReply(messageId);
  expect(await statusOf(id)).toBe('waiting');
  await save({});
});

test('an answer sets the ticket to waiting, unless this is turned off', async () => {
  const { id } = await openTicket();
  expect((await answer(id)).statusCode).toBeLessThan(300);
  const detail = (await viewer('GET', `/api/tickets/${id}`)).json<{ history: object[] }>();
  expect(detail).toMatchObject({ ticket: { status: 'waiting', version: 2, unanswered: false } });
  expect(detail.history.at(-1)).toMatchObject({ kind: 'changed', changes: { status: ['open', 'waiting'] } });
  await save({ waitOnAnswer: false });
  const other = await openTicket();
  expect((await answer(other.id)).statusCode).toBeLessThan(300);
  expect(await statusOf(other.id)).toBe('open');
  await save({});
});

test('a waiting ticket is finished after the configured number of days, unless the customer is still unanswered', async () => {
  const [quiet, recent, unanswered] = [await openTicket(), await openTicket(), await openTicket()];
  for (const { id } of [quiet, recent])
    await sql`update tickets set status = 'waiting', answered_at = now() where id = ${id}`;
  await sql`update tickets set status = 'waiting' where id = ${unanswered.id}`;
  await sql`update tickets set updated_at = now() - interval '8 days' where id in (${quiet.id}, ${unanswered.id})`;
  expect(await finishQuietTickets(sql, 100)).toBe(0);
  const missing = await save({ finishAfterDays: 7 });
  expect(errorOf(missing).problems).toMatchObject([{ field: 'finishResolutionId', code: 'missing' }]);
  const unknown = await save({ finishAfterDays: 7, finishResolutionId: 999_999 });
  expect(errorOf(unknown).problems).toMatchObject([{ field: 'finishResolutionId', code: 'unknown' }]);
  expect((await save({ finishAfterDays: 7, finishResolutionId: tickets.unsolvedId })).statusCode).toBe(200);
  expect(await finishQuietTickets(sql, 100)).toBe(1);
  expect((await viewer('GET', `/api/tickets/${quiet.id}`)).json()).toMatchObject({
    ticket: { status: 'finished', resolutionId: tickets.unsolvedId },
    history: [
      { kind: 'opened' },
      {
        kind: 'changed',
        actor: 'system',
        changes: { status: ['waiting', 'finished'], resolutionId: [null, tickets.unsolvedId] },
      },
    ],
  });
  expect([await statusOf(recent.id), await statusOf(unanswered.id)]).toEqual(['waiting', 'waiting']);
});

test('an agent can opt out the phone of a ticket or a reply, and the opt-out is audited', async () => {
  const [first, second] = [await openTicket(), await openTicket()];
  expect((await agent('POST', `/api/tickets/${first.id}/opt-out`)).statusCode).toBe(204);
  expect((await agent('POST', `/api/replies/${second.replyId}/opt-out`)).statusCode).toBe(204);
  const again = await agent('POST', `/api/replies/${first.replyId}/opt-out`);
  expect(errorOf(again).code).toBe('already_opted_out');
  expect((await viewer('POST', `/api/tickets/${first.id}/opt-out`)).statusCode).toBe(403);
  expect((await agent('POST', '/api/tickets/2000000000/opt-out')).statusCode).toBe(404);
  for (const { phone, replyId } of [first, second]) {
    const events = await sql`
      select kind, source, inbound_message_id from opt_out_events where phone = ${phone} and actor like 'token:%'`;
    expect(events).toEqual([{ kind: 'opt_out', source: 'agent', inboundMessageId: replyId }]);
  }
  const { entries } = (await admin('GET', '/api/audit?subjectKind=opt_out')).json<{ entries: object[] }>();
  expect(entries).toMatchObject([
    { action: 'opt_out.create', actorName: 'agent', details: { replyId: second.replyId } },
    { action: 'opt_out.create', details: { ticketId: first.id } },
  ]);
  await sql`update tickets set phone = null where id = ${first.id}`;
  const erased = await agent('POST', `/api/tickets/${first.id}/opt-out`);
  expect(errorOf(erased).code).toBe('customer_erased');
});
