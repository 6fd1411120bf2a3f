import { expect, test } from 'vitest';
import { followReceipts, openReplyTicket, openSendTickets } from '../../db/tickets/opening.ts';
import { setTicketPosting } from '../../db/tickets/posts.ts';
import { openingsOnSend, ticketPolicy } from '../../domain/ticket.ts';
import { ticketPosting } from '../../domain/ticket-posting.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { createProvider, mailing, phonesOf, readRun, startRun } from '../kit/factories.ts';
import { createHelpdeskServer, helpdeskSecret } from '../kit/helpdesk.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { createTicketCatalog, insertReply, onSend } from '../kit/tickets.ts';
import { until } from '../kit/until.ts';

const system = await createSystem();
const { sql, temporal, gateway } = system;
const { ended, countOf, writtenTo } = createRunProbe(system);
const catalog = await createTicketCatalog(sql);
const { solvedId, unsolvedId } = catalog;

/** The tickets of a run with the status of their messages. */
const ticketsOf = (runId: number) =>
  sql<
    { id: number; status: string; resolutionId: number; message: string; messageId: number; code: string }[]
  >`
    select t.id, t.status, t.resolution_id, m.status as message, t.message_id, t.code
    from tickets as t join messages as m on m.id = t.message_id where t.run_id = ${runId} order by m.line`;
const historyOf = (ticketId: number) =>
  sql`select kind, actor, changes from ticket_events where ticket_id = ${ticketId} order by id`;

test('a run with tickets on send opens one for each message that was passed to the provider', async () => {
  await gateway.misbehave({ refuse: [{ endsWith: '0000007', code: 21211 }] });
  const run = await startRun(system, {
    // The last line has no phone.
    mailing: `${mailing(12)}13;Sem telefone;;;;;\n`,
    ticketPolicy: onSend(catalog),
  });
  expect(await ended(run)).toMatchObject({ status: 'finished' });
  await gateway.behave();
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({
    sent: 11,
    'failed: number_invalid': 1,
    'skipped: phone_missing': 1,
  });
  const tickets = await ticketsOf(run.id);
  expect(tickets.map(({ code }) => Number(code))).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  for (const { code, status, resolutionId, message } of tickets) {
    expect({ code, status, resolutionId }).toEqual({
      code,
      status: 'finished',
      resolutionId: message === 'sent' ? solvedId : unsolvedId,
    });
  }
  expect(tickets[6]).toMatchObject({ message: 'failed', resolutionId: unsolvedId });
  expect(await historyOf(tickets[0]?.id ?? 0)).toEqual([
    { kind: 'opened', actor: `campaign:${run.campaignId}`, changes: {} },
  ]);
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'finished', step: 'done' });
});

test('a cancelled run has tickets only for its sent messages', async () => {
  const providerId = await createProvider(system, { ratePerSecond: 50 });
  const run = await startRun(system, { mailing: 200, providerId, ticketPolicy: onSend(catalog) });
  await until('some are sent', async () => (await countOf(run.id, 'sent')) > 10);
  await temporal.cancelRun(run, 'user:7');
  expect(await ended(run)).toMatchObject({ status: 'cancelled' });
  const { sent = 0, cancelled = 0 } = await expectCountsToMatchRows(sql, run.id);
  expect(sent + cancelled).toBe(200);
  const tickets = await ticketsOf(run.id);
  expect(tickets).toHaveLength(sent);
  expect(new Set(tickets.map(({ message }) => message))).toEqual(new Set(['sent']));
});

test('a run that is cancelled before its mailing was read opens no tickets', async () => {
  const run = await startRun(system, { mailing: mailing(150_000), ticketPolicy: onSend(catalog) });
  await until('the mailing is being read', async () => (await readRun(sql, run.id)).step === 'mailing');
  await temporal.cancelRun(run, 'user:7');
  expect(await ended(run)).toMatchObject({ status: 'cancelled' });
  expect(await ticketsOf(run.id)).toEqual([]);
});

/** Creates a run with sent messages and without tickets, whose workflow has ended. */
async function sentRun(lines: number) {
  const run = await startRun(system, { mailing: lines, ticketPolicy: onSend(catalog) });
  await ended(run);
  await sql`delete from ticket_events using tickets where tickets.id = ticket_id and run_id = ${run.id}`;
  await sql`delete from tickets where run_id = ${run.id}`;
  const messages = await sql<
    { id: number }[]
  >`select id from messages where run_id = ${run.id} order by line`;
  const policy = ticketPolicy.parse(onSend(catalog));
  if (policy.when !== 'on_send') throw new Error('unreachable');
  const openings = openingsOnSend(policy);
  return {
    run,
    messageIds: messages.map(({ id }) => id),
    open: (after: number, limit: number) =>
      sql.begin((tx) =>
        openSendTickets(tx, { runId: run.id, campaignId: run.campaignId, after, limit, openings }),
      ),
  };
}

test('repeated and concurrent batches open every ticket once', async () => {
  const { run, messageIds, open } = await sentRun(300);
  const openAll = async (limit: number): Promise<number> => {
    let opened = 0;
    for (let after = 0; ;) {
      const batch = await open(after, limit);
      if (batch.lastLine === null) return opened;
      opened += batch.opened;
      after = batch.lastLine;
    }
  };
  const opened = await Promise.all([openAll(7), openAll(50), openAll(300), openAll(23)]);
  expect(opened.reduce((sum, one) => sum + one, 0)).toBe(300);
  expect(await openAll(100)).toBe(0);
  const tickets = await ticketsOf(run.id);
  expect(tickets.map(({ messageId }) => messageId)).toEqual(messageIds);
  const [events] = await sql`
    select count(*)::int as events, count(distinct ticket_id)::int as tickets from ticket_events
    where ticket_id in (select id from tickets where run_id = ${run.id})`;
  expect(events).toEqual({ events: 300, tickets: 300 });
});

/** Applies a receipt to a message without the webhook. */
const receive = async (messageId: number, status: string): Promise<void> => {
  await sql.begin(async (tx) => {
    await tx`update messages set status = ${status} where id = ${messageId}`;
    await followReceipts(tx, [messageId]);
  });
};

test('a late receipt that turns a success into a failure corrects the resolution', async () => {
  const { run, messageIds, open } = await sentRun(3);
  await open(0, 10);
  const [first = 0, second = 0] = messageIds;
  await receive(first, 'undelivered');
  await receive(second, 'delivered');
  const tickets = await ticketsOf(run.id);
  expect(tickets.map(({ resolutionId }) => resolutionId)).toEqual([unsolvedId, solvedId, solvedId]);
  expect(await historyOf(tickets[0]?.id ?? 0)).toMatchObject([
    { kind: 'opened' },
    { kind: 'receipt', actor: 'receipt', changes: { resolutionId: [solvedId, unsolvedId] } },
  ]);
  expect(await historyOf(tickets[1]?.id ?? 0)).toHaveLength(1);
});

test('an unknown message counts as a failure until its receipt arrives', async () => {
  const { run, messageIds, open } = await sentRun(1);
  const [messageId = 0] = messageIds;
  await sql`update messages set status = 'unknown' where id = ${messageId}`;
  await open(0, 10);
  expect(await ticketsOf(run.id)).toMatchObject([{ resolutionId: unsolvedId }]);
  await receive(messageId, 'delivered');
  expect(await ticketsOf(run.id)).toMatchObject([{ resolutionId: solvedId }]);
});

test('receipts do not change a resolution that a user has chosen', async () => {
  const { run, messageIds, open } = await sentRun(1);
  await open(0, 10);
  const [ticket] = await ticketsOf(run.id);
  await sql`
    insert into ticket_events (ticket_id, kind, actor, changes)
    values (${ticket?.id ?? 0}, 'changed', 'user:7', '{"resolutionId": [null, 1]}')`;
  await receive(messageIds[0] ?? 0, 'undelivered');
  expect(await ticketsOf(run.id)).toMatchObject([{ resolutionId: solvedId }]);
});

test('a receipt that arrives while tickets are being opened is not lost', async () => {
  const { run, messageIds, open } = await sentRun(40);
  await Promise.all([
    open(0, 40),
    ...messageIds.filter((_, index) => index % 2 === 0).map((id) => receive(id, 'undelivered')),
  ]);
  for (const { message, resolutionId } of await ticketsOf(run.id)) {
    expect({ message, resolutionId }).toEqual({
      message,
      resolutionId: message === 'sent' ? solvedId : unsolvedId,
    });
  }
});

test('replies join the ticket of their message, whether they arrive before or after it is opened', async () => {
  const { run, messageIds, open } = await sentRun(1);
  const [messageId = 0] = messageIds;
  const reply = async () => {
    const inboundMessageId = await insertReply(sql, { messageId });
    return sql.begin((tx) => openReplyTicket(tx, { inboundMessageId }));
  };
  expect(await reply()).toBeNull();
  await open(0, 10);
  const [ticket] = await ticketsOf(run.id);
  expect(await reply()).toEqual({ ticketId: ticket?.id, opened: false });
  expect(await historyOf(ticket?.id ?? 0)).toMatchObject([
    { kind: 'opened', actor: `campaign:${run.campaignId}` },
    { kind: 'reply', actor: 'customer' },
    { kind: 'reply', actor: 'customer' },
  ]);
  expect(await ticketsOf(run.id)).toHaveLength(1);
});

test('a run sends and ends normally while the helpdesk is down, and its tickets are posted afterwards', async () => {
  const helpdesk = await createHelpdeskServer();
  await helpdesk.down();
  const posting = ticketPosting.parse({ enabled: true, url: helpdesk.url });
  await setTicketPosting(sql, system.box, posting, { secret: helpdeskSecret, headers: {} });
  await temporal.syncTicketPosts();

  const run = await startRun(system, { mailing: 60, ticketPolicy: onSend(catalog) });
  expect(await ended(run)).toMatchObject({ status: 'finished' });
  expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(60));
  const stateOf = async () => {
    const rows = await sql<{ state: string; posts: number }[]>`
      select state, count(*)::int as posts from ticket_posts group by state`;
    return Object.fromEntries(rows.map(({ state, posts }) => [state, posts]));
  };
  expect(await stateOf()).toEqual({ waiting: 60 });

  await system.workers.stop();
  await helpdesk.up();
  await system.workers.start();
  await until('all are posted', async () => (await stateOf()).delivered === 60);
  expect(new Set(helpdesk.received.map(({ event }) => event.id)).size).toBe(60);
  expect(helpdesk.received.every(({ verified }) => verified)).toBe(true);
  expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(60));
});
