import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  continueAsNew,
  ParentClosePolicy,
  setCurrentDetails,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { notificationWorkflowId } from '../domain/ids.ts';
import { priorities } from './priorities.ts';
import { notifying, watching } from './proxies.ts';
import { workflowTaskTimeout } from './queues.ts';

export interface NotificationInput {
  notificationId: number;
}

/**
 * The single workflow that checks the conditions of alerts. The results are in the database; each message to a recipient
 * is delivered by a workflow of its own, so that an unavailable server delays no other message.
 *
 * Six events for each slice of some minutes, and six for each message; continues as new at the server's suggestion.
 */
export async function alerts(): Promise<void> {
  for (;;) {
    const { notificationIds } = await watching.watchAlerts.executeWithOptions(
      { summary: 'Look for what needs a person' },
      [],
    );
    for (const notificationId of notificationIds) await startNotification(notificationId);
    if (workflowInfo().continueAsNewSuggested) return continueAsNew<typeof alerts>();
  }
}

/** How every caller starts the delivery of a message. */
export const notificationStart = (taskQueue: string, notificationId: number) => ({
  workflowId: notificationWorkflowId(taskQueue, notificationId),
  args: [{ notificationId }] as [NotificationInput],
  workflowTaskTimeout,
  priority: priorities.other,
  staticSummary: `Message ${notificationId} to a user or the webhook`,
});

async function startNotification(notificationId: number): Promise<void> {
  try {
    await startChild(notification, {
      ...notificationStart(workflowInfo().taskQueue, notificationId),
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** One message to one recipient: a single activity, which Temporal retries. About ten events. Returns the outcome. */
export async function notification({ notificationId }: NotificationInput): Promise<string> {
  const outcome = await notifying.deliverNotification({ notificationId });
  setCurrentDetails(`The message is **${outcome}**.`);
  return outcome;
}
