import { expect, test } from 'vitest';
import { createReplies } from '../../activities/replies.ts';
import { createReceiptWriter } from '../../api/services/receipts.ts';
import { connect, type Database, type Sql } from '../../db/core/client.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { recordConsents } from '../../db/customers/consents.ts';
import { optOutPhone } from '../../db/customers/opt-outs.ts';
import {
  claimLines,
  endRemaining,
  type Outcome,
  recordOutcomes,
  closeStoppedSenders,
} from '../../db/messages/claims.ts';
import { resolveByUser } from '../../db/messages/unknown.ts';
import { decideHold } from '../../db/replies/holds.ts';
import { switchProvider } from '../../db/providers/fallbacks.ts';
import { lockReconciling, lockRun, reconcileCounts } from '../../db/runs/runs.ts';
import { followReceipts, openSendTickets } from '../../db/tickets/opening.ts';
import { openingsOnSend, ticketPolicy } from '../../domain/ticket.ts';
import { box, createApi, createCatalog, createRun } from '../kit/api.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { outcomeWith } from '../kit/sending.ts';
import { createTicketCatalog, onSend } from '../kit/tickets.ts';
import { until } from '../kit/until.ts';

const api = await createApi();
const { app, sql, as, url } = api;
const catalog = await createCatalog(api);
const policy = ticketPolicy.parse(onSend(await createTicketCatalog(sql)));
const phoneHash = createPhoneHashing({ sql, box });
const { providerId } = catalog;

let last = 0;
const newPhones = (count: number): string[] =>
  Array.from({ length: count }, () => `+55119${String(30_000_000 + ++last)}`);
const shuffled = <T>(all: readonly T[]): T[] =>
  all
    .map((one) => ({ one, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ one }) => one);
const rejected = async (work: readonly Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(work))
    .filter((one) => one.status === 'rejected')
    .map(({ reason }): unknown => reason);

const sent = (id: number): Outcome => outcomeWith(id, { providerId, providerMessageId: `SM${id}` });

const lines = 24;
const rounds = 15;

/**
 * Runs everything that changes messages, counts, customers and tickets concurrently on the same messages: a sender, its
 * successor, two API processes, opt-outs and admins.
 */
async function collide(pool: Database): Promise<unknown[]> {
  const phones = newPhones(lines);
  const { runId, campaignId, messageIds } = await createRun(api, catalog, {
    phones,
    changes: { ticketPolicy: policy },
  });
  const customers = await sql<{ id: number }[]>`
    insert into customers (mobile) select unnest(${phones}::text[]) returning id`;
  await sql`
    update messages as m set customer_id = c.id, text = 'Responda CONFIRMAR ou SAIR'
    from customers as c where m.run_id = ${runId} and c.mobile = m.phone`;
  const other = await createRun(api, catalog, { phones });
  const sender = 'frozen#1';
  const claims = [
    await claimLines(sql, { runId, sender, from: 1, lines: 10 }),
    await claimLines(sql, { runId, sender, from: 11, lines: 8 }),
  ];
  const receipt = (messageId: number, index: number) => ({
    event: {
      providerId,
      eventKey: `${runId}/${messageId}`,
      kind: 'receipt' as const,
      messageId,
      payload: '{}',
    },
    move: {
      providerId,
      messageId,
      providerMessageId: `SM${messageId}`,
      status: index % 3 === 0 ? ('undelivered' as const) : ('delivered' as const),
      reason: index % 3 === 0 ? ('number_opted_out' as const) : null,
      providerCode: null,
    },
    reply: null,
  });
  const replyFrom = (phone: string, index: number) => ({
    event: {
      providerId,
      eventKey: `${runId}/${phone}`,
      kind: 'message' as const,
      messageId: null,
      payload: '{}',
    },
    move: null,
    reply: {
      providerId,
      providerMessageId: `${runId}/${phone}`,
      phone,
      recipient: '+5511999990000',
      text: index < 6 ? 'SAIR' : 'me tira dessa lista',
    },
  });
  const handling = createReplies({ sql: pool, replyWindowDays: 30, phoneHash });
  const receive = async () => {
    const writer = createReceiptWriter({ sql: pool, log: app.log, phoneHash, onReplies: () => undefined });
    const arrivals = [
      ...claims.flatMap(({ messages }) => messages.map(({ id }) => id)).map(receipt),
      ...phones.slice(10, 22).map(replyFrom),
    ];
    // The writer groups them: the first alone, then everything that arrived while it was written.
    return rejected(shuffled(arrivals).map((arrival) => writer.write(arrival)));
  };
  const handleReplies = async () => {
    const waiting = await sql<{ id: number }[]>`
      select id from inbound_messages where handled_at is null and phone = any(${phones}::text[])`;
    return rejected(shuffled(waiting).map(({ id }) => handling.handleReply({ inboundMessageId: id })));
  };
  const record = async () => {
    for (const { id, messages } of claims) {
      const outcomes = shuffled(messages).map((message): Outcome => ({
        ...sent(message.id),
        status: message.id % 4 === 0 ? 'queued' : 'sent',
      }));
      await recordOutcomes(pool, { runId, sender, outcomes, endedClaims: id === null ? [] : [id] });
    }
  };
  const decideHolds = async () => {
    const held = await sql<{ id: number }[]>`
      select id from opt_outs where state = 'held' and phone = any(${phones}::text[])`;
    return rejected(
      shuffled(held).flatMap(({ id }) =>
        (['opt_out', 'release'] as const).map((decision) =>
          pool.begin((tx) => decideHold(tx, id, { decision, actor: 'system' })),
        ),
      ),
    );
  };
  const consentsOf = (consent: 'refused' | 'granted') =>
    shuffled(customers).map(({ id }) => ({ customerId: id, consent, at: new Date() }));
  const work: (() => Promise<unknown>)[] = [
    record,
    () =>
      closeStoppedSenders(pool, { runId, before: { activity: 'frozen', attempt: 2 }, deduplicates: false }),
    receive,
    receive,
    decideHolds,
    handleReplies,
    () => pool.begin((tx) => recordConsents(tx, consentsOf('granted'), { source: 'admin', actor: 'system' })),
    () => pool.begin((tx) => recordConsents(tx, consentsOf('refused'), { source: 'admin', actor: 'system' })),
    () =>
      rejected(
        shuffled(phones)
          .slice(0, 6)
          .map((phone) => optOutPhone(pool, { phone, source: 'admin' })),
      ),
    () =>
      rejected(
        customers.slice(2, 5).map(({ id }) => as('admin')('POST', '/api/privacy/erase', { customerId: id })),
      ),
    () =>
      pool.begin((tx) =>
        openSendTickets(tx, {
          runId,
          campaignId,
          after: 0,
          limit: 100,
          openings: openingsOnSend(policy.when === 'on_send' ? policy : never()),
        }),
      ),
    () => pool.begin((tx) => followReceipts(tx, shuffled(messageIds))),
    () =>
      pool.begin((tx) =>
        resolveByUser(tx, { runId }, { arrived: true, by: 'user:1', byName: 'Ana', note: '' }),
      ),
    () =>
      pool.begin((tx) =>
        switchProvider(tx, {
          runId: other.runId,
          from: providerId,
          to: { id: providerId, name: 'the same', segmentProfile: 'twilio' },
          at: new Date().toISOString(),
          cause: 'account',
          providerCode: 'x',
        }),
      ),
    () =>
      pool.begin(async (tx) => {
        await lockReconciling(tx, runId);
        return reconcileCounts(tx, runId);
      }),
    ...[runId, other.runId].map(
      (id) => () =>
        pool.begin(async (tx) => {
          await lockRun(tx, id);
          await endRemaining(tx, id);
          await tx`update runs set status = 'cancelled' where id = ${id}`;
        }),
    ),
  ];
  const failed = await Promise.allSettled(shuffled(work).map((one) => one()));
  await handleReplies();
  const late = await decideHolds();
  await expectCountsToMatchRows(sql, runId);
  await expectCountsToMatchRows(sql, other.runId);
  return [
    ...late,
    ...failed.flatMap((one): unknown[] => {
      if (one.status === 'rejected') return [one.reason];
      return Array.isArray(one.value) ? one.value.filter((error) => error instanceof Error) : [];
    }),
  ];
}

function never(): never {
  throw new Error('The policy opens tickets on send.');
}

/** Blocks the reader of the table, runs `meanwhile` once the reader waits, then releases the table. */
async function whileReaderWaits<T>(
  table: 'messages' | 'inbound_events',
  reader: () => Promise<T>,
  meanwhile: () => Promise<void>,
) {
  const reading: { result?: Promise<T> } = {};
  await sql.begin(async (tx) => {
    await tx`lock table ${tx(table)} in access exclusive mode`;
    reading.result = reader();
    // It is awaited below.
    reading.result.catch(() => undefined);
    await until('the reader waits for the table', async () => {
      const rows = await sql`
        select from pg_locks where not granted and relation = ${table}::regclass
          and database = (select oid from pg_database where datname = current_database())`;
      return rows.count > 0;
    });
    await meanwhile();
  });
  return reading.result ?? reader();
}
const withLockTimeout = (work: (tx: Sql) => Promise<unknown>) =>
  sql.begin(async (tx) => {
    await tx`set local lock_timeout = '3s'`;
    await work(tx);
  });

test('comparing the counts of a run with its messages does not block its senders', async () => {
  const { runId } = await createRun(api, catalog, { phones: newPhones(5) });
  await sql`update run_counts set messages = messages + 2 where run_id = ${runId}`;
  const count = (tx: Sql) =>
    tx`update run_counts set messages = messages - 1 where run_id = ${runId} and status = 'queued'`;
  const differing = await whileReaderWaits(
    'messages',
    () =>
      sql.begin(async (tx) => {
        await lockReconciling(tx, runId);
        return reconcileCounts(tx, runId);
      }),
    () => withLockTimeout(count),
  );
  expect(differing).toBe(1);
  // The old difference is corrected, and the concurrent change is kept.
  expect(await sql`select messages from run_counts where run_id = ${runId}`).toEqual([{ messages: 5 }]);
});

test('searching the provider calls for an erasure does not block senders', async () => {
  const [mine = '', ...others] = newPhones(4);
  const { runId } = await createRun(api, catalog, { phones: [...others, mine] });
  await sql`
    insert into inbound_events (provider_id, event_key, kind, payload)
    values (${providerId}, ${mine}, 'other', ${sql.json({ from: mine })})`;
  const erased = await whileReaderWaits(
    'inbound_events',
    () => as('admin')('POST', '/api/privacy/erase', { phone: mine }),
    () =>
      withLockTimeout(async (tx) => {
        const { id, messages } = await claimLines(tx, { runId, sender: 's#1', from: 1, lines: 2 });
        const outcomes = messages.map((message) => sent(message.id));
        await recordOutcomes(tx, { runId, sender: 's#1', outcomes, endedClaims: id === null ? [] : [id] });
      }),
  );
  expect(erased.json()).toMatchObject({ messages: 1, providerEvents: 1 });
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ queued: 2, sent: 1, 'cancelled: erased': 1 });
});

test('concurrent changes of the same messages cause no deadlock', async () => {
  const pool = connect(url, { max: 20, genericPlans: true });
  const failed: unknown[] = [];
  for (let round = 0; round < rounds; round++) failed.push(...(await collide(pool)));
  // A backend reports its deadlocks when it ends. Failures alone show too few: some callers retry after a deadlock.
  await pool.end();
  await app.close();
  const [{ deadlocks }] = await until('all backends have ended', async () => {
    const rows = await sql<[{ deadlocks: number; others: number }]>`
      select deadlocks::int, (select count(*)::int from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and state = 'active') as others
      from pg_stat_database where datname = current_database()`;
    return rows[0].others === 0 ? rows : null;
  });
  expect({ failed, deadlocks }).toEqual({ failed: [], deadlocks: 0 });
});
