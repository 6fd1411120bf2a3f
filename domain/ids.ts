import type { RunTrigger } from './run.ts';

/** Workflow ids are business ids: a repeated start is harmless, and the Temporal UI can be read. */

export const campaignWorkflowId = (campaignId: number): string => `campaign/${campaignId}`;

/**
 * The Temporal Schedules of a deployment, which has a task queue of its own. The workflow of each round has the id of its
 * schedule and its time.
 */
export const housekeepingScheduleId = (taskQueue: string): string => `housekeeping/${taskQueue}`;
export const lookUpsScheduleId = (taskQueue: string): string => `look-ups/${taskQueue}`;

/** What names a run: no two of a campaign have the same occurrence (unique in `runs`). */
export interface RunKey {
  campaignId: number;
  /** When the run was due, or was asked for. */
  occurrence: Date;
  trigger: RunTrigger;
}

/** A dry run has a name of its own: in a list of what was sent it has no place. */
export const runWorkflowId = ({ campaignId, occurrence, trigger }: RunKey): string =>
  `campaign/${campaignId}/${trigger === 'dry_run' ? 'dry-run' : 'run'}/${occurrence.toISOString()}`;

/** `inboundMessageId`: the row in `inbound_messages`. */
export const replyWorkflowId = (inboundMessageId: number): string => `reply/${inboundMessageId}`;

/** The one that posts tickets to the helpdesk; one for each deployment, which has a task queue of its own. */
export const ticketPostsWorkflowId = (taskQueue: string): string => `ticket-posts/${taskQueue}`;

/** Temporal's task queue of workflows and quick steps. */
export const taskQueue = 'torpedo';

/** What a workflow is for, by its id; null for a run. */
export function workflowKindOf(
  workflowId: string,
):
  | { kind: 'campaign'; campaignId: number }
  | { kind: 'reply' | 'ticket_posts' | 'housekeeping' | 'look_ups' }
  | null {
  const campaignId = /^campaign\/(\d+)$/.exec(workflowId)?.[1];
  if (campaignId !== undefined) return { kind: 'campaign', campaignId: Number(campaignId) };
  if (workflowId.startsWith('reply/')) return { kind: 'reply' };
  if (workflowId.startsWith('ticket-posts/')) return { kind: 'ticket_posts' };
  if (workflowId.startsWith('look-ups/')) return { kind: 'look_ups' };
  return workflowId.startsWith('housekeeping/') ? { kind: 'housekeeping' } : null;
}
