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

/** "Look again": an admin has changed where tickets are posted, or has asked for posts anew. */
export const ticketPostsChanged = defineSignal('ticketPostsChanged');

/**
 * The one that tells the helpdesk what happens to tickets, for as long as that is switched on. What there is to post
 * stands in the database, written with each event: nobody has to tell this workflow of it, and a million tickets are as
 * many rows, and no workflow more. While the helpdesk is down its activity waits in Temporal's back-off.
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
    // Switched on again meanwhile: the signal must not be lost with this execution.
    if (!enabled && changes === seen) return;
    if (enabled) await postSlice(() => changes > seen);
    if (workflowInfo().continueAsNewSuggested) return continueAsNew<typeof ticketPosts>();
  }
}

/** One slice; cut short by a change, which counts at once and ends a back-off, too. */
async function postSlice(changed: () => boolean): Promise<void> {
  const scope = new CancellationScope();
  let over = false;
  const slice = scope
    .run(() => posting.postTickets.executeWithOptions({ summary: 'Post to the helpdesk' }, []))
    .catch((error: unknown) => {
      // An attempt that fails while it is being cancelled is not repeated, and its failure is the answer.
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
