import { beforeEach, describe, expect, test } from 'vitest';
import { budgetsIn, costsOfRuns, reprice, setDeploymentBudget, spentIn } from '../../db/money/costs.ts';
import { setPrice } from '../../db/money/prices.ts';
import { setFallback } from '../../db/providers/fallbacks.ts';
import { monthOf } from '../../domain/budget.ts';
import { dayIn, defaultTimezone } from '../../domain/calendar.ts';
import { costOfSegments } from '../../domain/price.ts';
import { createEnabledCampaign, createProvider, mailing, readRun, startRun } from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

/** Costs of runs, and budgets that stop them. */
const system = await createSystem({ failOverAttempts: 2 });
const { sql, temporal, gateway } = system;
const probe = createRunProbe(system);
const today = () => dayIn(system.clock.now(), defaultTimezone);
const by = 'user:1';

beforeEach(async () => {
  await setDeploymentBudget(sql, null);
  await sql`delete from run_costs`;
  system.clock.aheadMs = 0;
});

const priced = async (price: number, options: Parameters<typeof createProvider>[1] = {}): Promise<number> => {
  const providerId = await createProvider(system, options);
  await setPrice(sql, providerId, { prefix: '', firstDay: '2026-01-01', millionths: price });
  return providerId;
};
const costOf = async (id: number) => (await costsOfRuns(sql, [id]))(id);
const estimateOf = async (id: number, price: number) => {
  const { preflight } = await readRun(sql, id);
  return costOfSegments(preflight?.countries ?? [], {
    prices: [{ prefix: '', firstDay: '2026-01-01', millionths: price }],
    day: today(),
    currency: 'BRL',
  }).millionths;
};
const paused = (id: number) =>
  until('it is paused', async () => {
    const run = await readRun(sql, id);
    return run.status === 'paused' && run;
  });

describe('a run costs', () => {
  test.each([
    ['one by one', 4],
    ['streaming', 300],
  ])('what its pre-flight estimates when it sends %s', async (_, lines) => {
    const providerId = await priced(85_000);
    const run = await startRun(system, { providerId, mailing: lines });
    await probe.ended(run);
    const { preflight } = await readRun(sql, run.id);
    expect(preflight?.countries).toEqual([{ country: '55', segments: lines }]);
    expect(await estimateOf(run.id, 85_000)).toBe(lines * 85_000);
    expect(await costOf(run.id)).toEqual({ segments: lines, millionths: lines * 85_000, unpriced: 0 });
  });

  test('the price of each country, and segments without a price are counted separately', async () => {
    const providerId = await createProvider(system);
    await setPrice(sql, providerId, { prefix: '55', firstDay: '2026-01-01', millionths: 85_000 });
    const lines = `${mailing(7)}8;Ana;+351 912 345 678;;;;\n9;Rui;+351 912 345 679;;;;\n`;
    const run = await startRun(system, { providerId, mailing: lines });
    await probe.ended(run);
    expect((await readRun(sql, run.id)).preflight?.countries).toEqual([
      { country: '351', segments: 2 },
      { country: '55', segments: 7 },
    ]);
    expect(await costOf(run.id)).toEqual({ segments: 9, millionths: 7 * 85_000, unpriced: 2 });
    // A price that is added later for a day in the past.
    await setPrice(sql, providerId, { prefix: '351', firstDay: '2026-02-01', millionths: 400_000 });
    await reprice(sql, { providerId, from: '2026-02-01' });
    expect(await costOf(run.id)).toEqual({ segments: 9, millionths: 7 * 85_000 + 2 * 400_000, unpriced: 0 });
  });

  test('the price of the day on which each segment is sent', async () => {
    const providerId = await priced(100_000, { ratePerSecond: 40 });
    const first = today();
    const tomorrow = dayIn(new Date(Date.now() + 86_400_000), defaultTimezone);
    await setPrice(sql, providerId, { prefix: '', firstDay: tomorrow, millionths: 200_000 });
    const run = await startRun(system, { providerId, mailing: 160 });
    const before = await until('some have left', async () => {
      const { segments } = await costOf(run.id);
      return segments >= 40 && segments;
    });
    system.clock.aheadMs = 86_400_000;
    await probe.ended(run);
    const days = await sql<{ day: string; segments: number; millionths: number }[]>`
      select day::text, segments, millionths from run_costs where run_id = ${run.id} order by run_costs.day`;
    expect(days).toMatchObject([{ day: first }, { day: tomorrow }]);
    expect(days[0]?.segments).toBeGreaterThanOrEqual(before);
    expect(days[0]?.millionths).toBe((days[0]?.segments ?? 0) * 100_000);
    expect(days[1]?.millionths).toBe((160 - (days[0]?.segments ?? 0)) * 200_000);
  });

  test('the price of the new provider after a failover', async () => {
    const refusing = await priced(50_000, { authToken: 'wrong' });
    const fallback = await priced(90_000);
    await sql.begin((tx) => setFallback(tx, refusing, fallback));
    const run = await startRun(system, { providerId: refusing, mailing: 60 });
    await probe.ended(run);
    expect(await costOf(run.id)).toEqual({ segments: 60, millionths: 60 * 90_000, unpriced: 0 });
    expect(await sql`select provider_id from run_costs where run_id = ${run.id}`).toEqual([
      { providerId: fallback },
    ]);
  });

  test('nothing in a dry run or without a price', async () => {
    const campaign = await createEnabledCampaign(system, { mailing: 8 });
    const { runId } = await temporal.dryRun(campaign);
    await probe.ended(await readRun(sql, runId));
    expect((await readRun(sql, runId)).preflight?.countries).toEqual([{ country: '55', segments: 8 }]);
    expect(await costOf(runId)).toEqual({ segments: 0, millionths: 0, unpriced: 0 });
    const run = await startRun(system, { campaign });
    await probe.ended(run);
    expect(await costOf(run.id)).toEqual({ segments: 8, millionths: 0, unpriced: 8 });
  });
});

describe('a budget', () => {
  test('that a run would exceed makes the run wait for approval, and approval lets it exceed the budget', async () => {
    const providerId = await priced(1_000_000);
    await setDeploymentBudget(sql, 20_000_000);
    const run = await startRun(system, { providerId, mailing: 21 });
    await until('it waits for approval', async () => (await readRun(sql, run.id)).step === 'approval');
    const waiting = await readRun(sql, run.id);
    expect(waiting.preflight?.overBudget).toEqual({
      scope: 'deployment',
      month: monthOf(today()),
      currency: 'BRL',
      budget: 20_000_000,
      spent: 0,
      estimate: 21_000_000,
    });
    expect(waiting.beyondBudgetAt).toBeNull();
    await temporal.approveRun(run, by);
    await probe.ended(run);
    expect(await costOf(run.id)).toMatchObject({ millionths: 21_000_000 });
    expect((await readRun(sql, run.id)).beyondBudgetAt).not.toBeNull();
    expect((await spentIn(sql, monthOf(today()))).millionths).toBe(21_000_000);
  });

  test('of a campaign does not affect other campaigns or runs that fit in it', async () => {
    const providerId = await priced(1_000_000);
    const choices = { providerId, mailing: 12, safeguards: { monthlyBudget: '12' } };
    const campaign = await createEnabledCampaign(system, choices);
    const run = await startRun(system, { campaign });
    await probe.ended(run);
    expect(await budgetsIn(sql, { month: monthOf(today()), campaignIds: 'all' })).toMatchObject([
      { campaignId: campaign.id, budget: 12_000_000, spent: 12_000_000 },
    ]);
    const again = await startRun(system, { campaign });
    await until('it waits for approval', async () => (await readRun(sql, again.id)).step === 'approval');
    await temporal.cancelRun(again, by);
    await probe.ended(await startRun(system, { providerId, mailing: 12 }));
  });

  test('that is used up during sending pauses the runs, and a resumed run exceeds it', async () => {
    const providerId = await priced(1_000_000, { ratePerSecond: 20 });
    const first = await startRun(system, { providerId, mailing: 300 });
    const second = await startRun(system, { providerId, mailing: 300 });
    for (const { id } of [first, second])
      await until('it sends', async () => (await costOf(id)).segments > 0);
    const budget = (await spentIn(sql, monthOf(today()))).millionths + 40_000_000;
    await setDeploymentBudget(sql, budget);
    const stopped = await paused(first.id);
    await paused(second.id);
    expect(stopped.reason).toMatchObject({
      code: 'budget_used_up',
      scope: 'deployment',
      month: monthOf(today()),
      budget,
    });
    const spent = (await spentIn(sql, monthOf(today()))).millionths;
    expect(spent).toBeGreaterThanOrEqual(budget);
    // The messages of two seconds, with slack for a busy machine.
    expect(spent).toBeLessThanOrEqual(budget + 5 * 20 * 1_000_000);
    await sql`update providers set rate_per_second = null where id = ${providerId}`;
    await temporal.resumeRun(first, by);
    await probe.ended(first);
    expect(await costOf(first.id)).toMatchObject({ millionths: 300_000_000 });
    expect((await readRun(sql, second.id)).status).toBe('paused');
    await temporal.cancelRun(second, by);
    await probe.ended(second);
    expect((await gateway.taken()).length).toBeGreaterThan(0);
  });
});
