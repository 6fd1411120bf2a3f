import { z } from 'zod';
import { enabledCampaignNames } from '../../db/campaigns/campaigns.ts';
import type { Sql } from '../../db/core/client.ts';
import { readRetries, retriesBesidesRuns } from '../../db/core/retries.ts';
import { createFormat } from '../../domain/format.ts';
import { workflowKindOf } from '../../domain/ids.ts';
import { keptRetryCause, type Retrying, retryWords } from '../../domain/problems/retries.ts';
import { instant } from './instant.ts';

/** An activity of a workflow that failed and is tried again. */
export const retryingView = z.object({
  /** Its name in the Temporal UI; of several, that of the one that failed last. */
  activity: z.string(),
  /** How many activities of the workflow are tried again. */
  activities: z.int(),
  /** When the first of them failed. */
  since: instant,
  /** The number of the attempt that failed last. */
  attempt: z.int(),
  /** A code with its parameters: no text of an error. */
  cause: keptRetryCause,
  /** When the next attempt is due; in the past while no worker makes it. */
  nextAt: instant,
  /** Since when the next attempt is under way; null: it has not begun. */
  tryingSince: instant.nullable(),
  /** When it is given up; null: never by time. */
  givesUpAt: instant.nullable(),
  /** After how many more attempts it is given up, or the fallback provider takes over; null: after none. */
  attemptsLeft: z.int().nullable(),
  /** All of that in plain words. */
  words: z.string(),
});
export type RetryingView = z.output<typeof retryingView>;

const format = createFormat('en', null);

export const viewRetrying = (retrying: Retrying, now: Date): RetryingView => ({
  ...retrying,
  words: retryWords(retrying, format, now),
});

/** Of one workflow; null: nothing. */
export async function retryingOf(sql: Sql, workflowId: string, now: Date): Promise<RetryingView | null> {
  const retrying = (await readRetries(sql, [workflowId])).get(workflowId);
  return retrying ? viewRetrying(retrying, now) : null;
}

/** What is tried again in the other workflows: of campaigns one by one, of the rest all of a kind together. */
export const otherRetryingView = z.object({
  kind: z.enum(['campaign', 'reply', 'ticket_posts', 'look_ups', 'housekeeping']),
  campaignId: z.int().nullable(),
  campaignName: z.string().nullable(),
  /** How many workflows. */
  workflows: z.int(),
  retrying: retryingView,
});
export type OtherRetryingView = z.output<typeof otherRetryingView>;

const mostWorkflows = 1_000;

export async function otherRetrying(sql: Sql, now: Date): Promise<OtherRetryingView[]> {
  const found = new Map<string, Omit<OtherRetryingView, 'campaignName'>>();
  for (const [workflowId, retrying] of await retriesBesidesRuns(sql, mostWorkflows)) {
    const workflow = workflowKindOf(workflowId);
    if (workflow === null) continue;
    const campaignId = workflow.kind === 'campaign' ? workflow.campaignId : null;
    const key = `${workflow.kind} ${campaignId ?? ''}`;
    const known = found.get(key);
    // The longest comes first.
    if (known) known.workflows++;
    else
      found.set(key, {
        kind: workflow.kind,
        campaignId,
        workflows: 1,
        retrying: viewRetrying(retrying, now),
      });
  }
  const names = await enabledCampaignNames(
    sql,
    [...found.values()].flatMap(({ campaignId }) => campaignId ?? []),
  );
  return (
    [...found.values()]
      .map((one) => ({
        ...one,
        campaignName: one.campaignId === null ? null : (names.get(one.campaignId) ?? null),
      }))
      // The workflow of a campaign that is disabled has nothing to do any more.
      .filter(({ campaignId, campaignName }) => campaignId === null || campaignName !== null)
  );
}
