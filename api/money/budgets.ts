import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Database, Sql } from '../../db/core/client.ts';
import {
  budgetsIn,
  getDeploymentBudget,
  lockDeploymentBudget,
  setDeploymentBudget,
  spentByCampaign,
  spentIn,
  spentOnSingles,
} from '../../db/money/costs.ts';
import { budgetState, isNearBudget, monthOf } from '../../domain/budget.ts';
import { dayIn } from '../../domain/calendar.ts';
import { amountText, cost, decimalOf, millionthsOf } from '../../domain/price.ts';
import { audit } from '../http/auth.ts';
import { nameVersion, requireVersion, versionHeaders } from '../http/versions.ts';
import type { MoneySettings } from './costs-of-runs.ts';

/** A budget that is nearly or completely spent. */
export const nearBudgetView = budgetState.extend({
  /** Null: the deployment's budget. */
  campaignId: z.int().nullable(),
  campaignName: z.string().nullable(),
});

const budgetsShown = 20;

/** The month's budgets that users are warned about, the most exhausted first. */
export async function budgetsNear(
  sql: Sql,
  now: Date,
  { currency, timezone }: MoneySettings,
): Promise<z.infer<typeof nearBudgetView>[]> {
  const month = monthOf(dayIn(now, timezone));
  const all = await budgetsIn(sql, { month, campaignIds: 'all' });
  return all
    .filter(isNearBudget)
    .sort((a, b) => b.spent / b.budget - a.spent / a.budget)
    .slice(0, budgetsShown)
    .map((one) => ({
      ...one,
      scope: one.campaignId === null ? ('deployment' as const) : ('campaign' as const),
      month,
      currency,
    }));
}

/** `monthly`: a decimal, `15000.00`, in the deployment's currency; null: no limit. */
export const deploymentBudget = z.strictObject({ monthly: amountText.nullable() });

export const costsView = z.object({
  /** The current one, `2026-11`, in the deployment's time zone. */
  month: z.string(),
  /** What was spent in it, in millionths of the currency. */
  spent: cost,
  /** Of it, answers to customers, automatic ones too. */
  answers: cost,
  /** Of it, test messages. */
  tests: cost,
  /** The campaigns that cost most in it. `budget`: their own for the month. */
  campaigns: z.array(z.object({ id: z.int(), name: z.string(), spent: cost, budget: z.int().nullable() })),
});

const campaignsShown = 10;

interface BudgetsDeps {
  sql: Database;
  money: MoneySettings;
  clock: () => Date;
}

/** What the deployment spends, and may spend. */
export const budgets: FastifyPluginAsyncZod<BudgetsDeps> = async (app, { sql, money, clock }) => {
  const tags = ['costs'];
  const { currency, timezone } = money;
  const viewOf = (monthly: number | null) => ({ monthly: monthly === null ? null : decimalOf(monthly) });

  app.get(
    '',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'What messages have cost this month',
        description:
          'Amounts are integers in millionths of the currency. They include what providers accepted: sent, delivered and undelivered messages of runs, answers to customers (within a minute) and test messages, at the price of the day.',
        response: { 200: costsView },
      },
    },
    async () => {
      const month = monthOf(dayIn(clock(), timezone));
      const campaigns = await spentByCampaign(sql, { month, limit: campaignsShown });
      const { answers, tests } = await spentOnSingles(sql, month);
      return {
        month,
        spent: { currency, ...(await spentIn(sql, month)) },
        answers: { currency, ...answers },
        tests: { currency, ...tests },
        campaigns: campaigns.map(({ id, name, budget, ...spent }) => ({
          id,
          name,
          budget,
          spent: { currency, ...spent },
        })),
      };
    },
  );

  app.get(
    '/budget',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The monthly budget of the deployment',
        response: { 200: deploymentBudget },
      },
    },
    async (_request, reply) => {
      const view = viewOf(await getDeploymentBudget(sql));
      nameVersion(reply, view);
      return view;
    },
  );

  app.put(
    '/budget',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Set the monthly budget of the deployment',
        description:
          'A decimal text in the currency of the deployment, `15000.00`; null: no limit. It applies at once: a run that would exceed it waits for approval, and a run that uses it up pauses. Answers to customers and test messages count, and are never stopped. `safeguards.monthlyBudget` is the budget of one campaign.',
        headers: versionHeaders,
        body: deploymentBudget,
        response: { 200: deploymentBudget },
      },
    },
    async (request, reply) => {
      const { monthly } = request.body;
      await sql.begin(async (tx) => {
        const before = viewOf(await lockDeploymentBudget(tx));
        requireVersion(request, before);
        await setDeploymentBudget(tx, monthly === null ? null : millionthsOf(monthly));
        await audit(
          tx,
          request,
          'budget.update',
          { kind: 'budget', id: null },
          {},
          { monthly: [before.monthly, monthly] },
        );
      });
      nameVersion(reply, { monthly });
      return { monthly };
    },
  );
};
