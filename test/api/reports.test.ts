import { beforeAll, describe, expect, test } from 'vitest';
import { createReplies } from '../../activities/replies.ts';
import { countForReports } from '../../activities/reports.ts';
import type { z } from 'zod';
import { reasonsView, reportView } from '../../api/reports/reports.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { setPrice } from '../../db/money/prices.ts';
import { defaultTimezone as timezone, lastDays } from '../../domain/calendar.ts';
import { breakdowns, periodBefore } from '../../domain/report.ts';
import { box, createApi, createCatalog, createRun, sandboxProvider } from '../kit/api.ts';
import { inboundForm, postSigned } from '../kit/webhooks.ts';

const api = await createApi();
const { sql, as } = api;
const catalog = await createCatalog(api);
const days = lastDays(Date.now(), timezone, 40).map(({ day }) => day);
const today = days.at(-1) ?? '';

const read = async (query = ''): Promise<z.output<typeof reportView>> => {
  const answer = await as('viewer')('GET', `/api/reports?${query}`);
  expect(answer.statusCode, answer.body).toBe(200);
  return reportView.parse(answer.json());
};
const count = (): Promise<unknown> => countForReports(sql, { rebuild: false, timezone, goesOn: () => true });

interface TestRun {
  runId: number;
  campaignId: number;
}
/** A run sent `daysAgo` days ago at noon: ten lines, of which 6 delivered, 2 failed, 1 unknown and 1 skipped. */
async function makeRun(
  daysAgo: number,
  changes: object = {},
  providerId = catalog.providerId,
): Promise<TestRun> {
  const phones = Array.from({ length: 9 }, (_, i) => `+551190000000${i}`);
  const { runId, campaignId } = await createRun(
    api,
    { ...catalog, providerId },
    { phones: [...phones, null], changes },
  );
  const at = `${days[days.length - 1 - daysAgo] ?? ''}T12:00:00-03:00`;
  await sql`update runs set mailing_at = ${at}, occurrence = ${at}, provider_id = ${providerId} where id = ${runId}`;
  await sql`
    update messages set sending_at = ${at}, provider_id = ${providerId}, segments = 2,
      status = case when line <= 7 then 'delivered' when line <= 9 then 'failed' else 'unknown' end,
      reason = case when line <= 7 then null when line <= 9 then 'number_invalid' else 'no_answer' end
    where run_id = ${runId} and status = 'queued'`;
  await sql`delete from run_counts where run_id = ${runId}`;
  await sql`
    insert into run_counts (run_id, status, reason, messages, segments)
    select run_id, status, coalesce(reason, ''), count(*), sum(segments) from messages where run_id = ${runId} group by 1, 2, 3`;
  return { runId, campaignId };
}

let first: TestRun;
let south: { id: number };
beforeAll(async () => {
  south = (await as('admin')('POST', '/api/settings/regions', { name: 'Sul', definition: {} })).json<{
    id: number;
  }>();
  first = await makeRun(1, {
    mailing: { source: 'csv', sendingHoursId: catalog.hoursId, regionId: south.id },
  });
  await makeRun(35);
  await setPrice(sql, catalog.providerId, { prefix: '55', firstDay: '2020-01-01', millionths: 85_000 });
  await count();
});

describe('a report', () => {
  test('of the last 30 days contains the counts of its runs, compared with the 30 days before', async () => {
    const report = await read();
    expect(report.period).toEqual({ from: days[10], to: today });
    expect(report.before).toEqual(periodBefore(report.period));
    expect(report.timezone).toBe(timezone);
    expect(report.countedAt).toBeInstanceOf(Date);
    for (const figures of [report.total, report.previous]) {
      expect(figures).toMatchObject({
        lines: 10,
        toSend: 9,
        accepted: 6,
        delivered: 6,
        failed: 2,
        unknown: 1,
        skipped: 1,
        segments: 12,
        unknownSegments: 2,
        cost: { currency: 'BRL', segments: 12, millionths: 12 * 85_000, unpriced: 0 },
      });
    }
    expect(report.chart.step).toBe('day');
    expect(report.chart.bars).toHaveLength(30);
    expect(report.chart.bars.find(({ key }) => key === days.at(-2))?.figures.delivered).toBe(6);
  });

  test.each(breakdowns)('by %s has rows that add up to its total', async (by) => {
    for (const scope of ['', `&campaignId=${first.campaignId}`, `&regionId=${south.id}`]) {
      const { rows, total } = await read(`by=${by}&from=${days[0]}&to=${today}${scope}`);
      const sum = (of: 'lines' | 'delivered' | 'segments') =>
        rows.reduce((all, { figures }) => all + figures[of], 0);
      expect(total.lines).toBe(scope === '' ? 20 : 10);
      expect(sum('lines')).toBe(total.lines);
      expect(sum('delivered')).toBe(total.delivered);
      expect(sum('segments')).toBe(total.segments);
      expect(rows.reduce((all, { figures }) => all + figures.cost.millionths, 0)).toBe(total.cost.millionths);
    }
  });

  test('names its rows, and lists runs without a region in a separate row', async () => {
    const { rows } = await read(`by=region&from=${days[0]}`);
    expect(rows.map(({ key, name }) => ({ key, name }))).toEqual([
      { key: String(south.id), name: 'Sul' },
      { key: null, name: null },
    ]);
    expect((await read('by=hour')).rows.map(({ key }) => key)).toEqual(['12']);
  });

  test('combines the rows beyond its limit into one', async () => {
    const { rows, others, total } = await read(`by=campaign&limit=1&from=${days[0]}`);
    expect(rows).toHaveLength(1);
    expect(others?.count).toBe(1);
    expect((rows[0]?.figures.lines ?? 0) + (others?.figures.lines ?? 0)).toBe(total.lines);
  });

  test('shows hours for one day and months for a year', async () => {
    const day = await read(`from=${days.at(-2) ?? ''}&to=${days.at(-2) ?? ''}`);
    expect(day.chart).toMatchObject({ step: 'hour' });
    expect(day.chart.bars[12]?.figures.lines).toBe(10);
    const year = await read(`from=${Number(today.slice(0, 4)) - 1}-01-01&to=${today}`);
    expect(year.chart.step).toBe('month');
    expect(year.total.lines).toBe(20);
    // A reversed period is read the other way around.
    expect((await read(`from=${today}&to=${days[0]}`)).total.lines).toBe(20);
  });

  test('lists the reasons why messages were not delivered', async () => {
    const answer = await as('viewer')('GET', '/api/reports/reasons');
    expect(reasonsView.parse(answer.json()).reasons).toEqual([
      { status: 'failed', reason: 'number_invalid', messages: 2 },
      { status: 'skipped', reason: 'phone_missing', messages: 1 },
      { status: 'unknown', reason: 'no_answer', messages: 1 },
    ]);
    const ofCampaign = await as('viewer')('GET', `/api/reports/reasons?campaignId=${first.campaignId}`);
    expect(ofCampaign.json()).toEqual(answer.json());
  });

  test('includes late receipts and prices that are set later', async () => {
    await sql`update messages set status = 'delivered', reason = null where run_id = ${first.runId} and status = 'unknown'`;
    await sql`delete from run_counts where run_id = ${first.runId}`;
    await sql`
      insert into run_counts (run_id, status, reason, messages, segments)
      select run_id, status, coalesce(reason, ''), count(*), sum(segments) from messages where run_id = ${first.runId} group by 1, 2, 3`;
    await setPrice(sql, catalog.providerId, { prefix: '', firstDay: days[0] ?? '', millionths: 1 });
    await setPrice(sql, catalog.providerId, {
      prefix: '55',
      firstDay: days[20] ?? '',
      millionths: 100_000,
    });
    await sql`update run_rollups set counted_at = counted_at - interval '1 hour'`;
    await count();
    const { total, previous } = await read();
    expect(total).toMatchObject({ delivered: 7, unknown: 0, cost: { millionths: 14 * 100_000 } });
    expect(previous).toMatchObject({ delivered: 6, cost: { millionths: 12 * 85_000 } });
  });

  test('lists replies that match no message in a row without a campaign', async () => {
    const phoneHash = createPhoneHashing({ sql, box });
    const replies = createReplies({ sql, replyWindowDays: 30, phoneHash });
    const url = `/webhooks/providers/${catalog.providerId}/inbound`;
    const receive = async (phone: string, text: string): Promise<void> => {
      await postSigned(api.app, url, inboundForm({ From: phone, Body: text }));
      const [{ id }] = await sql<[{ id: number }]>`
        select max(id) as id from inbound_messages where phone = ${phone}`;
      await replies.handleReply({ inboundMessageId: id });
    };
    await receive('+5511977770001', 'Quem fala?');
    await receive('+5511977770002', 'SAIR');
    await receive('+5511977770003', 'me tira dessa lista');
    await count();
    expect((await read()).total).toMatchObject({ replies: 3, optOuts: 1 });
    // A later decision about a hold corrects the counts.
    const [hold] = (await as('agent')('GET', '/api/holds')).json<{ holds: { id: number }[] }>().holds;
    const decided = await as('agent')('POST', `/api/holds/${hold?.id ?? 0}/decide`, { decision: 'opt_out' });
    expect(decided.statusCode, decided.body).toBe(204);
    await count();
    const none = { key: null, name: null, figures: { lines: 0, replies: 3, optOuts: 2, tickets: 0 } };
    const { total, rows, others, chart } = await read(`limit=1&from=${days[0]}`);
    expect(total).toMatchObject({ lines: 20, replies: 3, optOuts: 2 });
    // Only campaigns are combined beyond the limit.
    expect(rows).toMatchObject([{ figures: { lines: 10, replies: 0 } }, none]);
    expect(others?.count).toBe(1);
    expect(chart.bars.at(-1)?.figures.replies).toBe(3);
    const year = await read(`from=${Number(today.slice(0, 4)) - 1}-01-01&to=${today}`);
    expect(year.total.replies).toBe(3);
    const ofProvider = await read('by=provider');
    expect(ofProvider.rows).toMatchObject([{ name: 'Sandbox', figures: { replies: 3, optOuts: 2 } }]);
    for (const by of ['region', 'customerType'])
      expect((await read(`by=${by}`)).rows.at(-1)).toMatchObject({ key: null, figures: { replies: 3 } });
    expect((await read(`campaignId=${first.campaignId}`)).total.replies).toBe(0);
    const file = await as('viewer')('GET', '/api/reports.csv?by=campaign');
    expect(file.body).toMatch(/\r\n;;0;0;/);
  });

  test('excludes sandboxes once there is a real provider, unless a sandbox is requested', async () => {
    expect((await read()).sandboxesLeftOut).toBe(false);
    const { id } = (
      await as('admin')('POST', '/api/providers', {
        name: 'Twilio',
        config: { ...sandboxProvider.config, kind: 'twilio' },
        secrets: { kind: 'twilio', authToken: 'x'.repeat(32) },
      })
    ).json<{ id: number }>();
    await makeRun(0, {}, id);
    await count();
    const report = await read();
    expect(report).toMatchObject({ sandboxesLeftOut: true, total: { lines: 10 } });
    expect((await read(`providerId=${catalog.providerId}`)).total.lines).toBe(10);
    expect((await read(`by=provider`)).rows.map(({ name }) => name)).toEqual(['Twilio']);
  });

  test('never contains dry runs', async () => {
    const { runId } = await makeRun(2);
    await sql`update runs set trigger = 'dry_run' where id = ${runId}`;
    await count();
    expect((await read(`providerId=${catalog.providerId}`)).total.lines).toBe(10);
  });
});
