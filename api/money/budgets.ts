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
  /** The current month, `2026-11`, in the deployment's time zone. */
  month: z.string(),
  /** The costs of the month, in millionths of the currency. */
  spent: cost,
  /** The part of answers to customers, including automatic ones. */
  answers: cost,
  /** The part of test messages. */
  tests: cost,
  /** The campaigns with the highest costs in the month. `budget`: the monthly budget of the campaign. */
  campaigns: z.array(z.object({ id: z.int(), name: z.string(), spent: cost, budget: z.int().nullable() })),
});

const campaignsShown = 10;

interface BudgetsDeps {
  sql: Database;
  money: MoneySettings;
  clock: () => Date;
}

/** The costs and the budget of the deployment. */
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
        summary: 'Get the costs of the current month',
        description:
          'Amounts are integers in millionths of the currency. They include everything that providers have accepted, at the price of the day: sent, delivered and undelivered messages of runs, answers to customers (after at most a minute) and test messages.',
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
        summary: 'Get the monthly budget of the deployment',
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
          'A decimal string in the currency of the deployment, such as `15000.00`; null means no limit. Applies at once: a run that would exceed the budget waits for approval, and a run that exhausts it pauses. Answers to customers and test messages count toward the budget but are never stopped. The budget of a single campaign is `safeguards.monthlyBudget`.',
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
