import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../db/core/client.ts';
import { insertSetting } from '../db/settings/settings.ts';
import { callbackPath } from '../domain/provider.ts';
import { freePort } from '../embedded/ports.ts';
import { createCallbacks } from '../sandbox/callbacks.ts';
import { account, createFactory, workerEnvironment } from './runs.ts';
import { withServers } from './servers.ts';

/**
 * Customers reply to a run, and the provider delivers each reply three times, in any order, while the worker is
 * repeatedly killed (SIGKILL). Then each reply must have opened one ticket.
 */
export interface RepliesResult {
  replies: number;
  deliveries: number;
  kills: number;
  /** Every reply has a ticket, and no message has two. */
  passed: boolean;
  handled: number;
  tickets: number;
  messagesWithTwoTickets: number;
  seconds: number;
}

const deliveriesEach = 3;
const pollMs = 50;
/** More time than a worker needs that is repeatedly killed. */
const giveUpMs = 10 * 60_000;

export async function benchReplies({ replies = 1_000, kills = 2 } = {}): Promise<RepliesResult> {
  return withServers(async ({ databaseUrl, sql, temporalAddress, start, stops, log }) => {
    const port = await freePort();
    const apiUrl = `http://127.0.0.1:${port}`;
    const environment = {
      ...workerEnvironment,
      PUBLIC_URL: apiUrl,
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporalAddress,
    };
    const makeRun = await createFactory(sql, { ticketPolicy: await onReply(sql) });
    const { id: runId, providerId } = await makeRun(replies);
    await sql`update messages set status = 'sent', sending_at = now(), sent_at = now() where run_id = ${runId}`;
    await start('api/main.ts', environment, /password (\S+)/);
    const startWorker = () => start('worker/main.ts', environment, null);
    let worker = await startWorker();

    const startedAt = Date.now();
    const callbacks = createCallbacks({ authToken: account.authToken, connections: 20 });
    stops.push(() => callbacks.close());
    const url = apiUrl + callbackPath(providerId ?? 0, 'inbound');
    const deliveries = shuffled(
      Array.from({ length: replies * deliveriesEach }, (_, index) => index % replies),
    ).map((n) => ({
      MessageSid: `SM${String(n).padStart(32, '0')}`,
      SmsStatus: 'received',
      From: `+55119${10_000_001 + n}`,
      To: account.from,
      Body: `Resposta ${n}`,
    }));
    const posting = Promise.all(
      Array.from({ length: 20 }, async () => {
        for (let form = deliveries.pop(); form; form = deliveries.pop()) {
          const status = await callbacks.post(url, form);
          if (status !== 204) throw new Error(`Answered ${status}.`);
        }
      }),
    );
    const handled = async (): Promise<number> => {
      const [{ count }] = await sql<[{ count: number }]>`
        select count(*)::int as count from inbound_messages where handled_at is not null`;
      return count;
    };
    const reached = async (mark: number): Promise<void> => {
      while ((await handled()) < mark) {
        if (Date.now() - startedAt > giveUpMs)
          throw new Error(`Only ${await handled()} replies are handled.`);
        await sleep(pollMs);
      }
    };
    for (let kill = 1; kill <= kills; kill++) {
      await reached((replies * kill) / (kills + 1));
      worker.child.kill('SIGKILL');
      log(`Kill ${kill} with ${await handled()} replies handled.`);
      worker = await startWorker();
    }
    await posting;
    await reached(replies);

    const [counts] = await sql<[{ tickets: number; twice: number; effects: number; stored: number }]>`
      select (select count(*)::int from tickets) as tickets,
        (select count(*)::int from (select from tickets group by message_id having count(*) > 1) as t) as twice,
        (select count(*)::int from inbound_messages where effect = 'ticket') as effects,
        (select count(*)::int from inbound_messages) as stored`;
    return {
      replies,
      deliveries: replies * deliveriesEach,
      kills,
      passed:
        [counts.tickets, counts.effects, counts.stored].every((n) => n === replies) && counts.twice === 0,
      handled: await handled(),
      tickets: counts.tickets,
      messagesWithTwoTickets: counts.twice,
      seconds: Math.round((Date.now() - startedAt) / 1000),
    };
  });
}

/** Creates a ticket policy and its settings. */
async function onReply(sql: Database): Promise<object> {
  const make = async (kind: 'departments' | 'assignees' | 'categories'): Promise<number> =>
    (await insertSetting(sql, kind, { name: 'Bench', definition: {} })).id;
  const categoryId = await make('categories');
  const subcategory = {
    name: 'Bench',
    definition: { categoryId, extraFieldGroupId: null, firstAnswerMinutes: null },
  };
  return {
    when: 'on_reply',
    departmentId: await make('departments'),
    assigneeId: await make('assignees'),
    categoryId,
    subcategoryId: (await insertSetting(sql, 'subcategories', subcategory)).id,
  };
}

function shuffled<T>(values: T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
