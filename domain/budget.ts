import { z } from 'zod';

/**
 * Budgets by month: one of the deployment, and one of each campaign that has its own. All amounts are millionths of the
 * deployment's currency; a month begins in the deployment's time zone.
 *
 * - A run whose estimate would exceed what is left of a budget waits for approval before its first message.
 * - A run that sends when a budget is used up is paused for a user.
 * - A run that a user has approved or resumed for this reason continues, however much it costs. Others still stop.
 * - What has no price costs nothing here.
 */
export const budgetScope = z.enum(['deployment', 'campaign']);

/** A budget and what was spent of it. */
export const budgetState = z.object({
  scope: budgetScope,
  /** `2026-11` */
  month: z.string(),
  /** ISO 4217 */
  currency: z.string(),
  budget: z.int(),
  spent: z.int(),
});
export type BudgetState = z.infer<typeof budgetState>;

/** The budget that a run would exceed, with the estimate of the run. */
export const overBudget = budgetState.extend({ estimate: z.int() });
export type OverBudget = z.infer<typeof overBudget>;

/** From this share of a budget on, users are warned. */
const warningShare = 0.8;

export const isNearBudget = ({ budget, spent }: Pick<BudgetState, 'budget' | 'spent'>): boolean =>
  spent >= budget * warningShare;

export const isUsedUp = ({ budget, spent }: Pick<BudgetState, 'budget' | 'spent'>): boolean =>
  spent >= budget;

/** The month of a day. */
export const monthOf = (day: string): string => day.slice(0, 7);
