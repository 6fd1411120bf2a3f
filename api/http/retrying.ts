import { z } from 'zod';
import { enabledCampaignNames } from '../../db/campaigns/campaigns.ts';
import type { Sql } from '../../db/core/client.ts';
import { readRetries, retriesBesidesRuns } from '../../db/core/retries.ts';
import type { Format } from '../../domain/format.ts';
import { workflowKindOf } from '../../domain/ids.ts';
import { keptRetryCause, type Retrying, retryWords } from '../../domain/problems/retries.ts';
import { instant } from './instant.ts';

/** An activity of a workflow that failed and is retried. */
export const retryingView = z.object({
  /** Its name in the Temporal UI; of several activities, the one that failed last. */
  activity: z.string(),
  /** How many activities of the workflow are retried. */
  activities: z.int(),
  /** When the first of them failed. */
  since: instant,
  /** The number of the attempt that failed last. */
  attempt: z.int(),
  /** A code with its parameters, never the text of an error. */
  cause: keptRetryCause,
  /** When the next attempt is due; in the past while no worker has started it. */
  nextAt: instant,
  /** When the current attempt began; null: it has not begun. */
  tryingSince: instant.nullable(),
  /** When Temporal gives it up; null: there is no time limit. */
  givesUpAt: instant.nullable(),
  /** After how many more attempts it is given up, or the fallback provider takes over; null: no limit. */
  attemptsLeft: z.int().nullable(),
  /** All of this as plain text. */
  words: z.string(),
});
export type RetryingView = z.output<typeof retryingView>;

export const viewRetrying = (retrying: Retrying, now: Date, format: Format): RetryingView => ({
  ...retrying,
  words: retryWords(retrying, format, now),
});

/** For one workflow; null: nothing. */
export async function retryingOf(
  sql: Sql,
  workflowId: string,
  now: Date,
  format: Format,
): Promise<RetryingView | null> {
  const retrying = (await readRetries(sql, [workflowId])).get(workflowId);
  return retrying ? viewRetrying(retrying, now, format) : null;
}

/** What is retried in the other workflows: one entry for each campaign, and one for each other type of workflow. */
export const otherRetryingView = z.object({
  kind: z.enum([
    'campaign',
    'reply',
    'answer',
    'ticket_posts',
    'look_ups',
    'housekeeping',
    'reports',
    'alerts',
  ]),
  campaignId: z.int().nullable(),
  campaignName: z.string().nullable(),
  /** How many workflows. */
  workflows: z.int(),
  retrying: retryingView,
});
export type OtherRetryingView = z.output<typeof otherRetryingView>;

const mostWorkflows = 1_000;

export async function otherRetrying(sql: Sql, now: Date, format: Format): Promise<OtherRetryingView[]> {
  const found = new Map<string, Omit<OtherRetryingView, 'campaignName'>>();
  for (const [workflowId, retrying] of await retriesBesidesRuns(sql, mostWorkflows)) {
    const workflow = workflowKindOf(workflowId);
    if (workflow === null) continue;
    const campaignId = workflow.kind === 'campaign' ? workflow.campaignId : null;
    const key = `${workflow.kind} ${campaignId ?? ''}`;
    const known = found.get(key);
    // The longest-running first.
    if (known) known.workflows++;
    else
      found.set(key, {
        kind: workflow.kind,
        campaignId,
        workflows: 1,
        retrying: viewRetrying(retrying, now, format),
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
      // The workflow of a disabled campaign has nothing left to do.
      .filter(({ campaignId, campaignName }) => campaignId === null || campaignName !== null)
  );
}
