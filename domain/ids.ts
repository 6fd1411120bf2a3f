/** Workflow ids are business ids: a repeated start is harmless, and the Temporal UI can be read. */

export const campaignWorkflowId = (campaignId: number): string => `campaign/${campaignId}`;

/** One for the deployment. */
export const housekeepingWorkflowId = 'housekeeping';

/** `occurrence`: when the run was due; with the campaign it is the run's key (unique in `runs`). */
export const runWorkflowId = (campaignId: number, occurrence: Date): string =>
  `campaign/${campaignId}/run/${occurrence.toISOString()}`;

/** The inverse of `runWorkflowId`; null for any other id. */
export function parseRunWorkflowId(id: string): { campaignId: number; occurrence: Date } | null {
  const match = /^campaign\/(\d+)\/run\/(\d{4}-\d\d-\d\dT[\d:.]+Z)$/.exec(id);
  if (!match?.[1] || !match[2]) return null;
  return { campaignId: Number(match[1]), occurrence: new Date(match[2]) };
}

/** `inboundMessageId`: the row in `inbound_messages`. */
export const replyWorkflowId = (inboundMessageId: number): string => `reply/${inboundMessageId}`;

/** Temporal's task queue of workflows and quick steps. */
export const taskQueue = 'torpedo';
