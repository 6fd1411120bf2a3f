import type { RunTrigger } from './run.ts';

/** Workflow ids are business ids: a repeated start is harmless, and the Temporal UI is readable. */

export const campaignWorkflowId = (campaignId: number): string => `campaign/${campaignId}`;

/**
 * The Temporal Schedules of a deployment, which has its own task queue. The workflow of each round has the id of its
 * schedule and its time.
 */
export const housekeepingScheduleId = (taskQueue: string): string => `housekeeping/${taskQueue}`;
export const lookUpsScheduleId = (taskQueue: string): string => `look-ups/${taskQueue}`;
export const reportsScheduleId = (taskQueue: string): string => `reports/${taskQueue}`;

/** Identifies a run: no two runs of a campaign have the same occurrence (unique in `runs`). */
export interface RunKey {
  campaignId: number;
  /** When the run was due, or was requested. */
  occurrence: Date;
  trigger: RunTrigger;
}

/** A dry run has another name, so that it does not appear in a list of sending runs. */
export const runWorkflowId = ({ campaignId, occurrence, trigger }: RunKey): string =>
  `campaign/${campaignId}/${trigger === 'dry_run' ? 'dry-run' : 'run'}/${occurrence.toISOString()}`;

/** `inboundMessageId`: the row in `inbound_messages`. */
export const replyWorkflowId = (inboundMessageId: number): string => `reply/${inboundMessageId}`;

/**
 * A user's answer to a customer belongs to its ticket, and an automatic text to the reply that caused it, which may get
 * a ticket later.
 */
export const answerWorkflowId = ({
  id,
  ticketId,
  inboundMessageId,
}: {
  id: number;
  ticketId: number | null;
  inboundMessageId: number | null;
}): string =>
  inboundMessageId === null
    ? `ticket/${ticketId ?? 0}/answer/${id}`
    : `reply/${inboundMessageId}/answer/${id}`;

/** The workflow that posts tickets to the helpdesk; one for each deployment, which has its own task queue. */
export const ticketPostsWorkflowId = (taskQueue: string): string => `ticket-posts/${taskQueue}`;

/** The workflow that checks the conditions of alerts; one for each deployment. */
export const alertsWorkflowId = (taskQueue: string): string => `alerts/${taskQueue}`;

/** `notificationId`: the row in `notifications`. */
export const notificationWorkflowId = (taskQueue: string, notificationId: number): string =>
  `notification/${taskQueue}/${notificationId}`;

/** Temporal's task queue for workflows and quick steps. */
export const taskQueue = 'torpedo';

/** The purpose of a workflow, by its id; null for a run. */
export function workflowKindOf(
  workflowId: string,
):
  | { kind: 'campaign'; campaignId: number }
  | { kind: 'reply' | 'answer' | 'ticket_posts' | 'housekeeping' | 'look_ups' | 'reports' | 'alerts' }
  | null {
  const campaignId = /^campaign\/(\d+)$/.exec(workflowId)?.[1];
  if (campaignId !== undefined) return { kind: 'campaign', campaignId: Number(campaignId) };
  if (/^(?:ticket|reply)\/\d+\/answer\//.test(workflowId)) return { kind: 'answer' };
  if (workflowId.startsWith('reply/')) return { kind: 'reply' };
  if (workflowId.startsWith('ticket-posts/')) return { kind: 'ticket_posts' };
  if (/^(alerts|notification)\//.test(workflowId)) return { kind: 'alerts' };
  if (workflowId.startsWith('look-ups/')) return { kind: 'look_ups' };
  if (workflowId.startsWith('reports/')) return { kind: 'reports' };
  return workflowId.startsWith('housekeeping/') ? { kind: 'housekeeping' } : null;
}
