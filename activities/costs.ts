import type { Sql } from '../db/core/client.ts';
import { budgetsIn, segmentsToSend, syncRunCosts } from '../db/money/costs.ts';
import { listPrices } from '../db/money/prices.ts';
import type { RunRow } from '../db/runs/runs.ts';
import { type BudgetState, isUsedUp, monthOf, type OverBudget } from '../domain/budget.ts';
import { dayIn, defaultTimezone } from '../domain/calendar.ts';
import { costOfSegments, defaultCurrency, type SegmentsByCountry } from '../domain/price.ts';

export interface CostsDeps {
  clock: () => Date;
  /** ISO 4217 */
  currency?: string;
  /** The deployment's zone, in which days and months begin. */
  timezone?: string;
}

/** What the steps of a run do about money: estimate, count, and stop at a budget (domain/budget.ts). */
export function createCosts({ clock, currency = defaultCurrency, timezone = defaultTimezone }: CostsDeps) {
  const today = (): string => dayIn(clock(), timezone);
  const budgetsOf = async (sql: Sql, { campaignId }: RunRow): Promise<BudgetState[]> => {
    const month = monthOf(today());
    const rows = await budgetsIn(sql, { month, campaignIds: [campaignId] });
    return rows.map(({ campaignId, budget, spent }) => ({
      scope: campaignId === null ? 'deployment' : 'campaign',
      month,
      currency,
      budget,
      spent,
    }));
  };
  return {
    today,
    month: (): string => monthOf(today()),
    sync: (sql: Sql, runIds: readonly number[]): Promise<void> => syncRunCosts(sql, runIds, today()),

    /** The segments that the run will send, and the budget that their cost would exceed. */
    async estimate(
      sql: Sql,
      run: RunRow,
    ): Promise<{ countries: SegmentsByCountry; overBudget: OverBudget | null }> {
      const countries = await segmentsToSend(sql, run.id);
      const budgets = run.trigger === 'dry_run' ? [] : await budgetsOf(sql, run);
      if (run.providerId === null || budgets.length === 0) return { countries, overBudget: null };
      const prices = await listPrices(sql, run.providerId);
      const { millionths: estimate } = costOfSegments(countries, { prices, day: today(), currency });
      const exceeded = budgets.find(({ budget, spent }) => spent + estimate > budget);
      return { countries, overBudget: exceeded && estimate > 0 ? { ...exceeded, estimate } : null };
    },

    /** The budget that is used up, unless a user has let the run exceed it; null: none. */
    async usedUp(sql: Sql, run: RunRow): Promise<BudgetState | null> {
      if (run.beyondBudgetAt !== null) return null;
      return (await budgetsOf(sql, run)).find(isUsedUp) ?? null;
    },
  };
}
export type Costs = ReturnType<typeof createCosts>;
