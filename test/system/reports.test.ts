import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countForReports, type ReportRound } from '../../activities/reports.ts';
import { purgeRun } from '../../db/core/retention.ts';
import { applyReceipts } from '../../db/messages/receipts.ts';
import { claimLines, endQueued, recordOutcomes } from '../../db/messages/claims.ts';
import { listPrices, setPrice } from '../../db/money/prices.ts';
import { figureColumns } from '../../db/reports/days.ts';
import { dayMs, defaultTimezone as timezone, inZone } from '../../domain/calendar.ts';
import { isoDate } from '../../domain/dates.ts';
import { choosePrice, countryOf, type Price } from '../../domain/price.ts';
import { createApi, createCatalog, createRun, sandboxProvider } from '../kit/api.ts';
import { createTicketCatalog } from '../kit/tickets.ts';
import { outcomeWith, recordSent } from '../kit/sending.ts';

const api = await createApi();
const { sql } = api;
const catalog = await createCatalog(api);
const otherProvider = (
  await api.as('admin')('POST', '/api/providers', {
    ...sandboxProvider,
    name: 'Other',
    config: { ...sandboxProvider.config, accountSid: `AC${'1'.repeat(32)}` },
  })
).json<{ id: number }>().id;

const { departmentId, assigneeId, categoryId, subcategoryId } = await createTicketCatalog(sql);

const round = (options: { rebuild?: boolean; timezone?: string } = {}): Promise<ReportRound> =>
  countForReports(sql, { rebuild: false, timezone, goesOn: () => true, ...options });
/** A round after the pause between two counts of a run has passed. */
async function roundAfterPause(): Promise<ReportRound> {
  await sql`update run_rollups set counted_at = counted_at - interval '1 hour'`;
  return round();
}

type Figures = Record<string, number>;

/** The expected contents of the report tables, computed from all rows. */
async function expectedTables(): Promise<{
  days: Map<string, Figures>;
  hours: Map<string, Figures>;
  months: Map<string, Figures>;
  reasons: Map<string, number>;
}> {
  const days = new Map<string, Figures>();
  const hours = new Map<string, Figures>();
  const months = new Map<string, Figures>();
  const reasons = new Map<string, number>();
  const add = (of: Map<string, Figures>, key: string, changes: Figures): void => {
    const figures = of.get(key) ?? Object.fromEntries(figureColumns.map((name) => [name, 0]));
    for (const [name, value] of Object.entries(changes)) figures[name] = (figures[name] ?? 0) + value;
    of.set(key, figures);
  };
  const addAt = (
    row: { at: Date; campaignId: number | null; regionId: number | null; providerId: number | null },
    changes: Figures,
  ): string => {
    const at = inZone(row.at.getTime(), timezone);
    const day = at.toPlainDate().toString();
    const dimensions = `${row.regionId ?? 0} ${row.providerId ?? 0}`;
    add(days, `${day} ${row.campaignId ?? 0} ${dimensions}`, changes);
    add(months, `${day.slice(0, 7)}-01 ${row.campaignId ?? 0} ${dimensions}`, changes);
    add(hours, `${day} ${at.hour} ${dimensions}`, changes);
    return `${day} ${dimensions}`;
  };
  const prices = new Map<number, Price[]>();
  for (const id of [catalog.providerId, otherProvider]) prices.set(id, await listPrices(sql, id));
  const messages = await sql<
    {
      at: Date;
      campaignId: number;
      regionId: number | null;
      providerId: number | null;
      status: string;
      reason: string | null;
      segments: number;
      phone: string | null;
    }[]
  >`
    select coalesce(m.sending_at, m.sent_at, r.mailing_at, r.occurrence) as at, r.campaign_id, r.region_id,
      coalesce(m.provider_id, r.provider_id) as provider_id, m.status, m.reason, m.segments, m.phone
    from messages as m join runs as r on r.id = m.run_id where r.trigger <> 'dry_run'`;
  for (const row of messages) {
    const accepted = ['sent', 'delivered', 'undelivered'].includes(row.status);
    const country = row.phone === null ? '' : countryOf(row.phone);
    const day = inZone(row.at.getTime(), timezone).toPlainDate().toString();
    const price =
      row.providerId === null ? null : choosePrice(prices.get(row.providerId) ?? [], { country, day });
    const at = addAt(row, {
      [row.status === 'sending' ? 'queued' : row.status]: 1,
      segments: accepted ? row.segments : 0,
      cost: accepted ? row.segments * (price ?? 0) : 0,
      unpriced_segments: accepted && price === null ? row.segments : 0,
      unknown_segments: row.status === 'unknown' ? row.segments : 0,
    });
    if (row.reason !== null) {
      const key = `${at} ${row.status} ${row.reason}`;
      reasons.set(key, (reasons.get(key) ?? 0) + 1);
    }
  }
  const replies = await sql<
    {
      at: Date;
      campaignId: number | null;
      regionId: number | null;
      providerId: number | null;
      effect: string | null;
    }[]
  >`
    select i.received_at as at, r.campaign_id, r.region_id, i.provider_id, i.effect
    from inbound_messages as i left join runs as r on r.id = i.run_id where i.handled_at is not null`;
  for (const row of replies) addAt(row, { replies: 1, opt_outs: row.effect === 'opt_out' ? 1 : 0 });
  const tickets = await sql<
    {
      at: Date;
      campaignId: number;
      regionId: number | null;
      providerId: number | null;
      seconds: number | null;
    }[]
  >`
    select t.opened_at as at, r.campaign_id, r.region_id, coalesce(m.provider_id, r.provider_id) as provider_id,
      extract(epoch from first_answered_at - opened_at)::bigint as seconds
    from tickets as t join runs as r on r.id = t.run_id join messages as m on m.id = t.message_id`;
  for (const row of tickets)
    addAt(row, { tickets: 1, answered: row.seconds === null ? 0 : 1, answer_seconds: row.seconds ?? 0 });
  return { days, hours, months, reasons };
}

const asFigures = (row: Record<string, unknown>): Figures =>
  Object.fromEntries(figureColumns.map((name) => [name, Number(row[name])]));

/** The stored contents of the report tables. */
async function storedTables(): ReturnType<typeof expectedTables> {
  const rowsOf = async (table: string) =>
    sql<Record<string, unknown>[]>`
      select to_jsonb(t) as row from ${sql(table)} as t order by t`.then((rows) =>
      rows.map(({ row }) => row as Record<string, string | number>),
    );
  const keyed = (rows: readonly Record<string, string | number>[], ...keys: string[]) =>
    new Map(rows.map((row) => [keys.map((key) => row[key]).join(' '), asFigures(row)]));
  return {
    days: keyed(await rowsOf('report_days'), 'day', 'campaign_id', 'region_id', 'provider_id'),
    months: keyed(await rowsOf('report_months'), 'day', 'campaign_id', 'region_id', 'provider_id'),
    hours: keyed(await rowsOf('report_hours'), 'day', 'hour', 'region_id', 'provider_id'),
    reasons: new Map(
      (await rowsOf('report_reasons')).map((row) => [
        ['day', 'region_id', 'provider_id', 'status', 'reason'].map((key) => row[key]).join(' '),
        Number(row.messages),
      ]),
    ),
  };
}

/** A step in the life of a run. Steps come in any order, and each affects some messages. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant('send' as const),
    count: fc.integer({ min: 1, max: 6 }),
    status: fc.constantFrom('sent' as const, 'failed' as const, 'unknown' as const, 'queued' as const),
    provider: fc.constantFrom('own' as const, 'other' as const),
    minutes: fc.integer({ min: 0, max: 60 * 24 * 40 }),
  }),
  fc.record({
    kind: fc.constant('receipts' as const),
    skip: fc.integer({ min: 0, max: 5 }),
    count: fc.integer({ min: 1, max: 8 }),
    status: fc.constantFrom('delivered' as const, 'undelivered' as const, 'failed' as const),
  }),
  fc.record({
    kind: fc.constant('replies' as const),
    count: fc.integer({ min: 1, max: 4 }),
    optOut: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('other replies' as const),
    count: fc.integer({ min: 1, max: 3 }),
    optOut: fc.boolean(),
    handled: fc.boolean(),
    hours: fc.integer({ min: 0, max: 24 * 40 }),
  }),
  fc.record({ kind: fc.constant('tickets' as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('answers' as const) }),
  fc.record({ kind: fc.constant('end' as const) }),
  fc.record({ kind: fc.constant('count' as const) }),
);
const life = fc.record({
  lines: fc.integer({ min: 0, max: 12 }),
  skipped: fc.integer({ min: 0, max: 3 }),
  steps: fc.array(step, { maxLength: 10 }),
});
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;

const price = fc.record({
  provider: fc.constantFrom('own', 'other'),
  prefix: fc.constantFrom('', '55', '351', '1'),
  firstDay: fc.integer({ min: 0, max: 60 }).map((days) => isoDate(new Date(Date.now() - days * dayMs))),
  millionths: fc.integer({ min: 0, max: 1_000_000 }),
});

const countries = ['+55119', '+35191', '+1415', '+447'];
let inbound = 0;

async function playLife({ lines, skipped, steps }: Life): Promise<void> {
  const phones = Array.from(
    { length: lines },
    (_, i) => `${countries[i % 4] ?? ''}${String(i).padStart(8, '0')}`,
  );
  const { runId, messageIds } = await createRun(api, catalog, {
    phones: [...phones, ...Array.from({ length: skipped }, () => null)],
  });
  await sql`
    update runs set provider_id = ${catalog.providerId}, mailing_at = now() - interval '3 days',
      occurrence = now() - interval '3 days' where id = ${runId}`;
  for (const one of steps) {
    if (one.kind === 'send') {
      const providerId = one.provider === 'own' ? catalog.providerId : otherProvider;
      const [{ line }] = await sql<[{ line: number | null }]>`
        select min(line) as line from messages where run_id = ${runId} and status = 'queued' and sender is null`;
      if (line === null) continue;
      await sql`delete from send_cursors where run_id = ${runId}`;
      const claim = await claimLines(sql, { runId, sender: 'a', from: line, lines: one.count });
      await recordOutcomes(sql, {
        runId,
        sender: 'a',
        outcomes: claim.messages.map(({ id }) =>
          outcomeWith(id, {
            status: one.status,
            reason:
              one.status === 'failed' ? 'number_invalid' : one.status === 'unknown' ? 'no_answer' : null,
            providerId: one.status === 'queued' ? null : providerId,
            handedOverAt: one.status === 'queued' ? null : Date.now() - one.minutes * 60_000,
          }),
        ),
        endedClaims: claim.id === null ? [] : [claim.id],
      });
    } else if (one.kind === 'receipts') {
      const ids = messageIds.slice(one.skip, one.skip + one.count);
      const rows = await sql<{ id: number; providerId: number }[]>`
        select id, provider_id from messages where id = any(${ids}::bigint[]) and provider_id is not null`;
      await applyReceipts(
        sql,
        rows.map(({ id, providerId }) => ({
          providerId,
          messageId: id,
          providerMessageId: null,
          status: one.status,
          reason: one.status === 'delivered' ? null : ('not_delivered' as const),
          providerCode: null,
        })),
      );
    } else if (one.kind === 'replies') {
      for (const messageId of messageIds.slice(0, one.count)) {
        inbound++;
        await sql`
          insert into inbound_messages (provider_id, provider_message_id, phone, recipient, text, received_at, handled_at,
            effect, message_id, campaign_id, run_id)
          select ${catalog.providerId}, ${`in-${inbound}`}, '', '', '', now() - ${inbound % 50} * interval '1 hour', now(),
            ${one.optOut ? 'opt_out' : 'none'}, m.id, r.campaign_id, r.id
          from messages as m join runs as r on r.id = m.run_id where m.id = ${messageId}`;
      }
    } else if (one.kind === 'other replies') {
      // The replies that were waiting have been handled meanwhile.
      await sql`update inbound_messages set handled_at = now(), effect = 'none' where handled_at is null`;
      for (let index = 0; index < one.count; index++) {
        inbound++;
        await sql`
          insert into inbound_messages (provider_id, provider_message_id, phone, recipient, text, received_at, handled_at, effect)
          values (${catalog.providerId}, ${`in-${inbound}`}, '', '', '', now() - ${one.hours + index} * interval '1 hour',
            ${one.handled ? sql`now()` : null}, ${one.handled ? (one.optOut ? 'opt_out' : 'none') : null})`;
      }
    } else if (one.kind === 'tickets') {
      // Only sent messages get tickets: their provider does not change any more.
      await sql`
        insert into tickets (cause, campaign_id, run_id, message_id, status, department_id, assignee_id, category_id,
          subcategory_id, opened_at)
        select 'send', r.campaign_id, r.id, m.id, 'open', ${departmentId}, ${assigneeId}, ${categoryId}, ${subcategoryId},
          now() - m.line * interval '5 hours'
        from messages as m join runs as r on r.id = m.run_id
        where m.id = any(${messageIds.slice(0, one.count)}::bigint[]) and m.provider_id is not null
        on conflict do nothing`;
    } else if (one.kind === 'answers') {
      await sql`
        update tickets set first_answered_at = now()
        where run_id = ${runId} and first_answered_at is null`;
    } else if (one.kind === 'end') {
      await endQueued(sql, runId, { status: 'cancelled', reason: null });
    } else await roundAfterPause();
  }
}

test('the report tables equal a scan of all messages and replies after any sequence of events', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(life, { minLength: 1, maxLength: 3 }),
      fc.array(price, { maxLength: 5 }),
      async (lives, prices) => {
        for (const one of lives) await playLife(one);
        expect(await roundAfterPause()).toMatchObject({ differing: 0, complete: true });
        expect(await storedTables()).toEqual(await expectedTables());
        await sql`delete from prices`;
        for (const { provider, ...price } of prices) {
          await setPrice(sql, provider === 'own' ? catalog.providerId : otherProvider, price);
        }
        await round();
        expect(await storedTables()).toEqual(await expectedTables());
        // A rebuild changes nothing.
        expect(await round({ rebuild: true })).toMatchObject({ complete: true });
        expect(await storedTables()).toEqual(await expectedTables());
      },
    ),
    { numRuns: 12, interruptAfterTimeLimit: 60_000 },
  );
}, 120_000);

test('a run keeps its counts after retention has purged it, and a later receipt corrects them', async () => {
  const { runId, campaignId, messageIds } = await createRun(api, catalog, {
    phones: ['+5511900000001', '+5511900000002', null],
  });
  await recordSent(sql, { runId, count: 2, sidOf: String, providerId: catalog.providerId });
  await sql`delete from prices`;
  await setPrice(sql, catalog.providerId, { prefix: '55', firstDay: '2020-01-01', millionths: 7 });
  await roundAfterPause();
  const figures = () => sql`
    select sum(sent)::int as sent, sum(delivered)::int as delivered, sum(skipped)::int as skipped, sum(cost)::int as cost,
      sum(unpriced_segments)::int as unpriced
    from report_days where campaign_id = ${campaignId}`;
  expect(await figures()).toEqual([{ sent: 2, delivered: 0, skipped: 1, cost: 14, unpriced: 0 }]);
  await purgeRun(sql, runId, () => undefined);
  await applyReceipts(sql, [
    {
      providerId: catalog.providerId,
      messageId: messageIds[0] ?? 0,
      providerMessageId: null,
      isSure: true,
      status: 'delivered',
      reason: null,
      providerCode: null,
    },
  ]);
  await roundAfterPause();
  expect(await figures()).toEqual([{ sent: 1, delivered: 1, skipped: 1, cost: 14, unpriced: 0 }]);
  // In another time zone messages may belong to other days, but none is lost.
  await round({ timezone: 'Pacific/Auckland' });
  expect(await figures()).toEqual([{ sent: 1, delivered: 1, skipped: 1, cost: 14, unpriced: 0 }]);
  await round();
});

test('a large run is counted again only after a pause', async () => {
  const { runId } = await createRun(api, catalog, { phones: ['+5511900000001', '+5511900000002'] });
  await round();
  await sql`update run_rollups set took_ms = 3000 where run_id = ${runId}`;
  await recordSent(sql, { runId, count: 1, sidOf: String, providerId: catalog.providerId });
  expect(await round()).toMatchObject({ runs: 0 });
  await sql`update run_rollups set counted_at = counted_at - interval '301 seconds' where run_id = ${runId}`;
  expect(await round()).toMatchObject({ runs: 1 });
});
