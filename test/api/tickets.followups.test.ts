import { expect, test } from 'vitest';
import { openReplyTicket } from '../../db/tickets/opening.ts';
import { createApi, createCatalog, createRun } from '../kit/api.ts';
import { createTicketCatalog, insertReply, onReply, onSend } from '../kit/tickets.ts';

const api = await createApi();
const { sql } = api;
const catalog = await createCatalog(api);
const tickets = await createTicketCatalog(sql);

let phones = 0;
const newPhone = (): string => `+55119${String(10_000_000 + ++phones)}`;

async function messageTo(phone: string, ticketPolicy: object): Promise<number> {
  const { messageIds } = await createRun(api, catalog, { phones: [phone], changes: { ticketPolicy } });
  return messageIds[0] ?? 0;
}
const handle = async (inboundMessageId: number) =>
  sql.begin((tx) => openReplyTicket(tx, { inboundMessageId }));
const ticketOf = async (id: number) => {
  const [ticket] = await sql`
    select status, version, customer_wrote_at, answered_at, first_answered_at from tickets where id = ${id}`;
  return ticket;
};

test('a later reply from a phone is added to its unfinished ticket, regardless of the message that it answers', async () => {
  const phone = newPhone();
  const first = await handle(await insertReply(sql, { messageId: await messageTo(phone, onReply(tickets)) }));
  for (const policy of [onReply(tickets), { when: 'never' }]) {
    const reply = await insertReply(sql, { messageId: await messageTo(phone, policy) });
    expect(await handle(reply)).toEqual({ ticketId: first?.ticketId, opened: false });
  }
  const unmatched = await insertReply(sql, { messageId: await messageTo(phone, { when: 'never' }) });
  await sql`update inbound_messages set message_id = null, run_id = null, campaign_id = null where id = ${unmatched}`;
  expect(await handle(unmatched)).toEqual({ ticketId: first?.ticketId, opened: false });
});

test('a reply from another phone, or after the ticket was finished, opens a new ticket', async () => {
  const phone = newPhone();
  const first = await handle(await insertReply(sql, { messageId: await messageTo(phone, onReply(tickets)) }));
  const other = await insertReply(sql, { messageId: await messageTo(newPhone(), onReply(tickets)) });
  expect(await handle(other)).toMatchObject({ opened: true });
  await sql`
    update tickets set status = 'finished', resolution_id = ${tickets.solvedId} where id = ${first?.ticketId ?? 0}`;
  const later = await insertReply(sql, { messageId: await messageTo(phone, onReply(tickets)) });
  expect(await handle(later)).toMatchObject({ opened: true });
});

test('a reply reopens a waiting ticket and updates the time of the last reply', async () => {
  const messageId = await messageTo(newPhone(), onReply(tickets));
  const opened = await handle(await insertReply(sql, { messageId }));
  const id = opened?.ticketId ?? 0;
  const before = await ticketOf(id);
  expect(before).toMatchObject({
    status: 'open',
    customerWroteAt: expect.any(Date) as Date,
    answeredAt: null,
  });
  await sql`update tickets set status = 'waiting', customer_wrote_at = '2026-01-01' where id = ${id}`;
  const reply = await insertReply(sql, { messageId });
  await Promise.all([handle(reply), handle(reply)]);
  const after = await ticketOf(id);
  expect(after).toMatchObject({ status: 'open', version: Number(before?.version) + 1 });
  expect(after?.customerWroteAt).not.toEqual(new Date('2026-01-01'));
  expect(
    await sql`select kind, changes from ticket_events where ticket_id = ${id} order by id`,
  ).toMatchObject([
    { kind: 'opened', changes: {} },
    { kind: 'reply', changes: { status: ['waiting', 'open'] } },
  ]);
});

test('a reply does not change the status of a ticket in progress', async () => {
  const messageId = await messageTo(newPhone(), onReply(tickets));
  const opened = await handle(await insertReply(sql, { messageId }));
  await sql`update tickets set status = 'in_progress' where id = ${opened?.ticketId ?? 0}`;
  await handle(await insertReply(sql, { messageId }));
  expect(await ticketOf(opened?.ticketId ?? 0)).toMatchObject({ status: 'in_progress', version: 1 });
});

test('a finished ticket that was opened on send receives replies to its own message only', async () => {
  const phone = newPhone();
  const messageId = await messageTo(phone, onSend(tickets));
  const [ticket] = await sql<[{ id: number }]>`
    insert into tickets (cause, campaign_id, run_id, message_id, phone, status, department_id, assignee_id, category_id,
      subcategory_id, resolution_id, finished_at)
    select 'send', r.campaign_id, r.id, m.id, m.phone, 'finished', ${tickets.departmentId}, ${tickets.assigneeId},
      ${tickets.categoryId}, ${tickets.subcategoryId}, ${tickets.solvedId}, now()
    from messages as m join runs as r on r.id = m.run_id where m.id = ${messageId} returning id`;
  expect(await handle(await insertReply(sql, { messageId }))).toEqual({ ticketId: ticket.id, opened: false });
  expect(await ticketOf(ticket.id)).toMatchObject({
    status: 'finished',
    customerWroteAt: expect.any(Date) as Date,
  });
  const other = await insertReply(sql, { messageId: await messageTo(phone, onReply(tickets)) });
  expect(await handle(other)).toMatchObject({ opened: true });
});
