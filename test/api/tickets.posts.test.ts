import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeEach, expect, inject, test } from 'vitest';
import { LockTakenError } from '../../db/core/held-lock.ts';
import { openReplyTicket } from '../../db/tickets/opening.ts';
import { duePosts, withPostingLock } from '../../db/tickets/posts.ts';
import { ticketPostsWorkflowId } from '../../domain/ids.ts';
import { box, createApi, createCatalog, createRun, errorOf } from '../kit/api.ts';
import { createHelpdeskServer, helpdeskSecret } from '../kit/helpdesk.ts';
import { createTicketCatalog, insertReply, onReply } from '../kit/tickets.ts';
import { until } from '../kit/until.ts';
import { startWorkers } from '../kit/workers.ts';

const api = await createApi();
const { as, sql, taskQueue } = api;
const admin = as('admin');
const operator = as('operator');
const helpdesk = await createHelpdeskServer();
const catalog = await createCatalog(api);
const tickets = await createTicketCatalog(sql);
await startWorkers({ ...api, box, publicUrl: 'http://127.0.0.1:1', sandboxUrl: 'http://127.0.0.1:1' });

const connection = await Connection.connect({ address: inject('temporalAddress') });
afterAll(() => connection.close());
const workflow = new Client({ connection }).workflow.getHandle(ticketPostsWorkflowId(taskQueue));

const settingsUrl = '/api/settings/ticket-posting';
const enable = (changes: object = {}) =>
  admin('PUT', settingsUrl, { enabled: true, url: helpdesk.url, secret: helpdeskSecret, ...changes });

interface Post {
  eventId: number;
  ticketId: number;
  kind: string;
  state: string;
  attempts: number;
  answerStatus: number | null;
  answer: string | null;
}
const postsOf = async (ticketId: number): Promise<Post[]> => {
  const answer = await operator('GET', `/api/ticket-posts?ticketId=${ticketId}`);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<{ posts: Post[] }>().posts.toReversed();
};
const waitForPosts = (ticketId: number, states: string[]) =>
  until(`the posts of ticket ${ticketId} are ${states.join()}`, async () => {
    const posts = await postsOf(ticketId);
    return JSON.stringify(posts.map(({ state }) => state)) === JSON.stringify(states) && posts;
  });
const receivedOf = (ticketId: number) => helpdesk.received.filter(({ ticket }) => ticket.id === ticketId);

let phones = 0;

async function openTicket(text = 'Sim'): Promise<number> {
  // A new phone each time: a reply from the phone of an unfinished ticket opens no new ticket.
  const phone = `+55119${String(++phones).padStart(8, '0')}`;
  const changes = { ticketPolicy: onReply(tickets) };
  const { messageIds } = await createRun(api, catalog, { phones: [phone], changes });
  const inboundMessageId = await insertReply(sql, { messageId: messageIds[0] ?? 0, text });
  const answer = await sql.begin((tx) => openReplyTicket(tx, { inboundMessageId }));
  return answer?.ticketId ?? 0;
}
const change = async (id: number, changes: object) => {
  const [row] = await sql<{ version: number }[]>`select version from tickets where id = ${id}`;
  const answer = await operator('PATCH', `/api/tickets/${id}`, { version: row?.version, ...changes });
  expect(answer.statusCode, answer.body).toBe(200);
};

beforeEach(async () => {
  helpdesk.answer = () => 200;
  await enable();
});

test('only an admin can read and change the settings, and the secret is never shown', async () => {
  for (const role of ['viewer', 'operator'] as const) {
    expect((await as(role)('PUT', settingsUrl, { url: helpdesk.url })).statusCode).toBe(403);
    expect((await as(role)('GET', settingsUrl)).statusCode).toBe(403);
  }
  const saved = await enable({ headers: { Authorization: 'Bearer of-the-helpdesk' } });
  expect(saved.statusCode).toBe(200);
  const shown = await admin('GET', settingsUrl);
  expect(shown.json()).toMatchObject({
    posting: {
      enabled: true,
      url: helpdesk.url,
      events: ['opened', 'changed', 'reply', 'receipt', 'note', 'answer'],
      headerNames: ['Authorization'],
    },
  });
  const [row] = await sql<[{ secrets: string; log: string }]>`
    select secrets, (select string_agg(details::text, '') from audit_log) as log from ticket_posting`;
  for (const place of [saved.body, shown.body, row.secrets, row.log]) {
    expect(place).not.toContain(helpdeskSecret);
    expect(place).not.toContain('of-the-helpdesk');
  }
});

test('a header that is null keeps its value, and a header that is left out is removed', async () => {
  await enable({ headers: { Authorization: 'Bearer of-the-helpdesk', 'X-Shop': '7' } });
  await enable({ headers: { Authorization: null, 'X-Team': 'sms' } });
  const ticketId = await openTicket();
  await waitForPosts(ticketId, ['delivered']);
  const [post] = receivedOf(ticketId);
  expect(post?.headers).toMatchObject({ authorization: 'Bearer of-the-helpdesk', 'x-team': 'sms' });
  expect(post?.headers).not.toHaveProperty('x-shop');
  const refused = await enable({ headers: { 'X-New': null } });
  expect(errorOf(refused).problems).toMatchObject([
    { field: 'headers.X-New', code: 'missing_header', params: { name: 'X-New' } },
  ]);
});

test('invalid settings are rejected with a problem for each field', async () => {
  const answer = await admin('PUT', settingsUrl, {
    url: 'https://user:password@helpdesk',
    events: [],
    secret: 'short',
    headers: { host: 'x' },
  });
  expect(errorOf(answer).problems?.map(({ field }) => field)).toEqual([
    'url',
    'events',
    'secret',
    'headers.host',
  ]);
  await sql`delete from ticket_posting`;
  const unsigned = await admin('PUT', settingsUrl, { url: helpdesk.url, enabled: true });
  expect(errorOf(unsigned).problems).toMatchObject([{ field: 'secret', code: 'missing' }]);
});

test('each ticket event is posted once, in order, signed, and with the ticket', async () => {
  await enable({ headers: { Authorization: 'Bearer of-the-helpdesk' } });
  const id = await openTicket('Quero pagar');
  await change(id, { status: 'in_progress' });
  await change(id, { status: 'finished', resolutionId: tickets.solvedId });
  const posts = await waitForPosts(id, ['delivered', 'delivered', 'delivered']);
  expect(posts).toMatchObject([
    { kind: 'opened', attempts: 1, answerStatus: 200, answer: `answer to event ${posts[0]?.eventId ?? 0}` },
    { kind: 'changed' },
    { kind: 'changed' },
  ]);
  const received = receivedOf(id);
  expect(received.map(({ event }) => event.id)).toEqual(posts.map(({ eventId }) => eventId));
  expect(received.every(({ verified }) => verified)).toBe(true);
  expect(received[0]).toMatchObject({
    event: { kind: 'opened', reply: { text: 'Quero pagar' } },
    ticket: { id, phone: expect.stringMatching(/^\+551190000\d{4}$/) as string },
    headers: {
      authorization: 'Bearer of-the-helpdesk',
      'content-type': 'application/json; charset=utf-8',
      'torpedo-event': String(posts[0]?.eventId),
    },
  });
  expect(received[1]?.event.changes).toEqual({ status: ['open', 'in_progress'] });
  expect((await as('viewer')('GET', `/api/tickets/${id}`)).json()).toMatchObject({
    history: [{ postState: 'delivered' }, { postState: 'delivered' }, { postState: 'delivered' }],
  });
});

test('only the chosen events are posted, and none while posting is disabled', async () => {
  await enable({ events: ['changed'] });
  const id = await openTicket();
  await change(id, { extra: { valor: 'Sim' } });
  expect(await waitForPosts(id, ['delivered'])).toMatchObject([{ kind: 'changed' }]);
  await enable({ enabled: false });
  const whileDisabled = await openTicket();
  expect(await postsOf(whileDisabled)).toEqual([]);
});

test('an outage delays the posts, keeps their order, and its cause is shown', async () => {
  await helpdesk.down();
  const ids = [await openTicket(), await openTicket(), await openTicket()];
  for (const id of ids) await change(id, { status: 'waiting' });
  const [first = 0] = ids;
  await until('the post was retried', async () => ((await postsOf(first))[0]?.attempts ?? 0) > 1);
  expect((await postsOf(first))[0]).toMatchObject({ state: 'waiting', answerStatus: null });
  expect((await postsOf(first))[0]?.answer).toMatch(/ECONNREFUSED/);
  const description = await workflow.describe();
  expect(description.status.name).toBe('RUNNING');
  await helpdesk.up();
  for (const id of ids) {
    await waitForPosts(id, ['delivered', 'delivered']);
    expect(receivedOf(id).map(({ event }) => event.kind)).toEqual(['opened', 'changed']);
  }
});

test('a post that the helpdesk rejects fails without blocking later posts, and can be replayed', async () => {
  helpdesk.answer = ({ event }) => (event.kind === 'opened' ? 422 : 200);
  const id = await openTicket();
  await change(id, { extra: { valor: 'Segue' } });
  const [opened] = await waitForPosts(id, ['failed', 'delivered']);
  expect(opened).toMatchObject({ answerStatus: 422, attempts: 1 });
  expect(
    (await operator('GET', '/api/ticket-posts?state=failed')).json<{ posts: Post[] }>().posts[0],
  ).toEqual(opened);

  helpdesk.answer = () => 200;
  const one = await operator('POST', `/api/ticket-posts/${opened?.eventId ?? 0}/replay`);
  expect(one.statusCode).toBe(202);
  await waitForPosts(id, ['delivered', 'delivered']);
  expect((await operator('POST', '/api/ticket-posts/999999/replay')).statusCode).toBe(404);
  expect((await as('viewer')('POST', '/api/ticket-posts/replay-failed')).statusCode).toBe(403);

  helpdesk.answer = () => 400;
  const others = [await openTicket(), await openTicket()];
  for (const other of others) await waitForPosts(other, ['failed']);
  helpdesk.answer = () => 200;
  expect((await operator('POST', '/api/ticket-posts/replay-failed')).json()).toEqual({ replayed: 2 });
  for (const other of others) await waitForPosts(other, ['delivered']);
});

test('a failing post delays later posts of its own ticket only', async () => {
  const stuck = await openTicket();
  await waitForPosts(stuck, ['delivered']);
  helpdesk.answer = ({ ticket }) => (ticket.id === stuck ? 500 : 200);
  const others: number[] = [];
  await change(stuck, { extra: { valor: '1' } });
  await change(stuck, { extra: { valor: '2' } });
  for (let i = 0; i < 3; i++) others.push(await openTicket());
  for (const id of others) await waitForPosts(id, ['delivered']);
  expect(
    receivedOf(stuck)
      .filter(({ event }) => event.kind === 'changed')
      .map(({ event }) => event.id),
  ).not.toContain((await postsOf(stuck))[2]?.eventId);
  helpdesk.answer = () => 200;
  await sql`update ticket_posts set not_before = now() where state = 'waiting'`;
  await waitForPosts(stuck, ['delivered', 'delivered', 'delivered']);
});

test('a new address is used even before the workflow is notified', async () => {
  const before = await openTicket();
  await waitForPosts(before, ['delivered']);
  // Only the row changes: the running slice is not interrupted.
  const moveTo = (url: string) =>
    sql`update ticket_posting set config = jsonb_set(config, '{url}', to_jsonb(${url}::text))`;
  await moveTo('http://127.0.0.1:1/nobody');
  const id = await openTicket();
  await until('the post was tried', async () => ((await postsOf(id))[0]?.attempts ?? 0) > 0);
  expect(await postsOf(id)).toMatchObject([{ state: 'waiting', answerStatus: null }]);
  await moveTo(helpdesk.url);
  await waitForPosts(id, ['delivered']);
});

test('a corrected address takes effect immediately, even during a retry delay', async () => {
  // Headers that were entered for the old address are not sent to another one.
  const moved = await enable({ url: 'http://127.0.0.1:1/nobody', headers: {} });
  expect(moved.statusCode, moved.body).toBe(200);
  const id = await openTicket();
  await until('the post was retried several times', async () => ((await postsOf(id))[0]?.attempts ?? 0) > 2);
  await enable();
  await waitForPosts(id, ['delivered']);
});

test('a worker that loses its lock connection stops posting, and posting continues later in order', async () => {
  let resume = (): void => undefined;
  helpdesk.pause = new Promise((resolve) => (resume = resolve));
  const ids = [await openTicket(), await openTicket(), await openTicket()];
  for (const id of ids) await change(id, { extra: { valor: '1' } });
  const received = () => helpdesk.received.filter(({ ticket }) => ids.includes(ticket.id));
  await until('posts are in progress', () => received().length > 0);
  const lockKey = sql`hashtext('torpedo.ticket-posts')`;
  await sql.begin(async (tx) => {
    // First in the lock queue, before the next attempt of the worker.
    const taken = tx`select pg_advisory_xact_lock(${lockKey})`.execute();
    const terminated = await until('the holder of the lock is terminated', async () => {
      const rows = await sql`
        select pg_terminate_backend(holder.pid) from pg_locks as holder join pg_locks as waiting
          using (locktype, database, classid, objid, objsubid)
        where locktype = 'advisory' and holder.granted and not waiting.granted
          -- The server also has the databases of other test files.
          and database = (select oid from pg_database where datname = current_database())`;
      return rows.count > 0;
    });
    expect(terminated).toBe(true);
    await taken;
    const known = received().length;
    resume();
    await until('the worker asks for the lock again', async () => {
      const { raw } = await workflow.describe();
      return raw.pendingActivities?.some(({ lastFailure }) =>
        lastFailure?.message?.includes('holds the lock'),
      );
    });
    expect(received()).toHaveLength(known);
  });
  for (const id of ids) {
    await waitForPosts(id, ['delivered', 'delivered']);
    const kinds = receivedOf(id).map(({ event }) => event.kind);
    expect(kinds.toSorted().reverse()).toEqual(kinds);
  }
});

test('the workflow history contains no personal data', async () => {
  const history = JSON.stringify(await workflow.fetchHistory());
  expect(history).not.toContain('1190000');
  expect(history).not.toContain('Maria');
});

test('only one worker posts at a time, and only the oldest post of a ticket is due', async () => {
  await enable({ enabled: false });
  await until('the workflow is idle', async () => {
    const { raw } = await workflow.describe();
    return !raw.pendingActivities?.length;
  });
  // The lock is held to the end, so that the worker does not post what becomes due here.
  await until('no worker posts', () =>
    withPostingLock(sql, async () => {
      await expect(withPostingLock(sql, async () => null)).rejects.toThrow(LockTakenError);
      await sql`update ticket_posting set config = jsonb_set(config, '{enabled}', 'true')`;
      const id = await openTicket();
      await change(id, { extra: { valor: '1' } });
      await change(id, { extra: { valor: '2' } });
      const due = await duePosts(sql, 100);
      expect(due.filter(({ ticketId }) => ticketId === id).map(({ kind }) => kind)).toEqual(['opened']);
      return true;
    }).catch((error: unknown) => {
      if (error instanceof LockTakenError) return false;
      throw error;
    }),
  );
});

test('an answer by SMS is posted once with its text and author, but without its status', async () => {
  const id = await openTicket();
  const headers = { 'idempotency-key': 'posted-once' };
  for (let n = 0; n < 2; n++) {
    await operator('POST', `/api/tickets/${id}/answers`, { text: 'Olá {nome}' }, headers);
  }
  const [answer] = await sql<[{ id: number }]>`
    update answers set status = 'unknown' where ticket_id = ${id} returning id`;
  await operator('POST', `/api/answers/${answer.id}/resolve`, { sent: true });
  // The ticket is waiting for the customer now.
  const posts = await waitForPosts(id, ['delivered', 'delivered', 'delivered']);
  expect(posts.map(({ kind }) => kind)).toEqual(['opened', 'answer', 'changed']);
  const [opened, answered] = receivedOf(id);
  expect(opened).toMatchObject({ event: { answer: null } });
  expect(answered).toMatchObject({
    event: {
      kind: 'answer',
      actor: expect.stringMatching(/^(user|token):/) as string,
      answer: { id: answer.id, kind: 'user', text: 'Ola Maria 1', author: 'operator' },
    },
  });
  const detail = (await operator('GET', `/api/tickets/${id}`)).json<{ history: object[] }>();
  expect(detail.history[1]).toMatchObject({ kind: 'answer', answerId: answer.id, actorName: 'operator' });
});
