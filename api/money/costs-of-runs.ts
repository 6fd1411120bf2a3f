import type { Sql } from '../../db/core/client.ts';
import { costsOfRuns } from '../../db/money/costs.ts';
import { listPrices } from '../../db/money/prices.ts';
import type { RunCount, RunRow } from '../../db/runs/runs.ts';
import { dayIn } from '../../domain/calendar.ts';
import { type Cost, costOfSegments, meanCost, type SegmentsByCountry } from '../../domain/price.ts';

/** The deployment's currency, and the zone in which its days begin. */
export interface MoneySettings {
  currency: string;
  timezone: string;
}

/** The costs of runs so far. */
export async function costsSoFar(
  sql: Sql,
  runs: readonly { id: number }[],
  { currency }: MoneySettings,
): Promise<(run: { id: number }) => Cost> {
  const spent = await costsOfRuns(
    sql,
    runs.map(({ id }) => id),
  );
  return ({ id }) => ({ currency, ...spent(id) });
}

/** The cost of segments at a provider's prices of the day. Without a provider there is no price. */
export async function estimate(
  sql: Sql,
  { segments, providerId, at }: { segments: SegmentsByCountry; providerId: number | null; at: Date },
  { currency, timezone }: MoneySettings,
): Promise<Cost> {
  const prices = providerId === null ? [] : await listPrices(sql, providerId);
  return costOfSegments(segments, { prices, day: dayIn(at, timezone), currency });
}

/**
 * What the pre-flight of a run estimates, at the prices of the day on which it sends, and what its messages with an
 * unknown outcome may cost.
 */
export async function estimateOfRun(
  sql: Sql,
  run: RunRow,
  { counts, now, money }: { counts: readonly RunCount[]; now: Date; money: MoneySettings },
): Promise<{ planned: Cost; inDoubt: Cost }> {
  const segments = run.preflight?.countries ?? [];
  const at = run.sendingAt ?? now;
  const planned = await estimate(sql, { segments, providerId: run.providerId, at }, money);
  const unknown = counts.filter(({ status }) => status === 'unknown');
  return {
    planned,
    inDoubt: meanCost(
      planned,
      unknown.reduce((sum, one) => sum + one.segments, 0),
    ),
  };
}
