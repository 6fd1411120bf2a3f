import { expect, test } from 'vitest';
import { openReplyTicket } from '../../db/tickets/opening.ts';
import { createApi, createCatalog, createRun } from '../kit/api.ts';
import { createTicketCatalog, insertReply, onReply } from '../kit/tickets.ts';

const api = await createApi();
const { sql } = api;
const catalog = await createCatalog(api);
const tickets = await createTicketCatalog(sql);

let phones = 0;

/** A message to a new phone, in a run whose campaign has this ticket policy. */
async function messageOf(ticketPolicy: object): Promise<number> {
  const phone = `+55119${String(++phones).padStart(8, '0')}`;
  const { messageIds } = await createRun(api, catalog, { phones: [phone], changes: { ticketPolicy } });
  const [messageId] = messageIds;
  if (messageId === undefined) throw new Error('The run has no message.');
  await sql`update messages set extra = '{"valor": "12,50"}' where id = ${messageId}`;
  return messageId;
}
const handle = (inboundMessageId: number) => sql.begin((tx) => openReplyTicket(tx, { inboundMessageId }));
const ticketsOf = (messageId: number) =>
  sql`select id, cause, status, resolution_id, inbound_message_id, phone, name, code, extra, department_id, finished_at
    from tickets where message_id = ${messageId} order by id`;
const eventsOf = (ticketId: number) =>
  sql`select kind, actor, inbound_message_id from ticket_events where ticket_id = ${ticketId} order by id`;

test('a reply opens a ticket with the settings of the policy and the values of the message', async () => {
  const messageId = await messageOf(onReply(tickets));
  const reply = await insertReply(sql, { messageId });
  const answer = await handle(reply);
  expect(answer).toMatchObject({ opened: true });
  expect(await ticketsOf(messageId)).toEqual([
    {
      id: answer?.ticketId,
      cause: 'reply',
      status: 'open',
      resolutionId: null,
      inboundMessageId: reply,
      phone: '+5511900000001',
      name: 'Maria 1',
      code: '1',
      extra: { valor: '12,50' },
      departmentId: tickets.departmentId,
      finishedAt: null,
    },
  ]);
  expect(await eventsOf(answer?.ticketId ?? 0)).toMatchObject([{ kind: 'opened', inboundMessageId: reply }]);
});

test('handling a reply again, even concurrently, does not open a second ticket', async () => {
  const messageId = await messageOf(onReply(tickets));
  const reply = await insertReply(sql, { messageId });
  const answers = await Promise.all(Array.from({ length: 6 }, () => handle(reply)));
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(await ticketsOf(messageId)).toHaveLength(1);
  expect(await eventsOf(answers[0]?.ticketId ?? 0)).toHaveLength(1);
});

test('concurrent replies to a message share one ticket', async () => {
  const messageId = await messageOf(onReply(tickets));
  const replies = [];
  for (let i = 0; i < 6; i++) replies.push(await insertReply(sql, { messageId }));
  const answers = await Promise.all(replies.map(handle));
  expect(answers.filter((answer) => answer?.opened)).toHaveLength(1);
  const [ticket, ...more] = await ticketsOf(messageId);
  expect(more).toEqual([]);
  expect((await eventsOf(Number(ticket?.id))).map(({ kind }) => String(kind)).toSorted()).toEqual([
    'opened',
    ...Array.from({ length: 5 }, () => 'reply'),
  ]);
});

test('a reply after the ticket was finished opens a new ticket', async () => {
  const messageId = await messageOf(onReply(tickets, { status: 'finished', resolutionId: tickets.solvedId }));
  for (let i = 0; i < 2; i++)
    expect(await handle(await insertReply(sql, { messageId }))).toMatchObject({ opened: true });
  expect(await ticketsOf(messageId)).toMatchObject([
    { status: 'finished', resolutionId: tickets.solvedId, finishedAt: expect.any(Date) as Date },
    { status: 'finished' },
  ]);
});

test('the ticket policy is taken from the settings of the run, not from the current campaign', async () => {
  const messageId = await messageOf(onReply(tickets));
  await sql`
    update campaigns set definition = jsonb_set(definition, '{ticketPolicy}', '{"when": "never"}')
    where id = (select campaign_id from runs join messages on messages.run_id = runs.id where messages.id = ${messageId})`;
  expect(await handle(await insertReply(sql, { messageId }))).toMatchObject({ opened: true });
});

test('a reply to a campaign without a ticket policy opens no ticket', async () => {
  const messageId = await messageOf({ when: 'never' });
  expect(await handle(await insertReply(sql, { messageId }))).toBeNull();
  expect(await ticketsOf(messageId)).toEqual([]);
});
