import {
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { patientSteps, posting } from './proxies.ts';

/** "Look again": an admin has changed where tickets are posted, or has requested posts again. */
export const ticketPostsChanged = defineSignal('ticketPostsChanged');

/**
 * The single workflow that posts ticket events to the helpdesk, for as long as posting is enabled. The database has the
 * events to post, each written together with its ticket: nothing needs to signal this workflow, and a million tickets
 * are a million rows, but no additional workflow. While the helpdesk is down, its activity waits in Temporal's
 * back-off.
 *
 * Six events for each slice of some minutes; continues as new at the server's suggestion.
 */
export async function ticketPosts(): Promise<void> {
  let changes = 0;
  setHandler(ticketPostsChanged, () => {
    changes++;
  });
  for (;;) {
    const seen = changes;
    const { enabled, details } = await patientSteps.planTicketPosts();
    setCurrentDetails(details);
    // Enabled again meanwhile: the signal must not be lost with this execution.
    if (!enabled && changes === seen) return;
    if (enabled) await postSlice(() => changes > seen);
    if (workflowInfo().continueAsNewSuggested) return continueAsNew<typeof ticketPosts>();
  }
}

/** One slice; a change ends it early, takes effect at once, and also ends a back-off. */
async function postSlice(changed: () => boolean): Promise<void> {
  const scope = new CancellationScope();
  let over = false;
  const slice = scope
    .run(() => posting.postTickets.executeWithOptions({ summary: 'Post to the helpdesk' }, []))
    .catch((error: unknown) => {
      // An attempt that fails while it is being cancelled is not retried, and its failure is the result.
      if (!scope.consideredCancelled) throw error;
    })
    .finally(() => {
      over = true;
    });
  slice.catch(() => undefined);
  await condition(() => over || changed());
  if (changed()) scope.cancel();
  await slice;
}
