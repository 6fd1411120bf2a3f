import { condition, setCurrentDetails } from '@temporalio/workflow';
import type { RunReason } from '../domain/run.ts';
import { steps } from './proxies.ts';
import type { RunControl } from './run-control.ts';

/** How a run ends that was cancelled, or has expired, while it waited. */
export interface Blocked {
  status: 'cancelled';
  reason: RunReason | null;
}

const cancelledByUser: Blocked = { status: 'cancelled', reason: null };

/** Returns null once messages may leave and nobody has paused the run; otherwise how the run ends. */
export async function waitForHours(runId: number, control: RunControl): Promise<Blocked | null> {
  for (;;) {
    if (control.cancelled) return cancelledByUser;
    const before = control.paused;
    const hours = await steps.checkHours({ runId });
    if (hours.state === 'expired') return { status: 'cancelled', reason: hours.reason };
    if (hours.state === 'open' && !control.paused) return null;
    setCurrentDetails(hours.details);
    // A paused run expires, too.
    await condition(() => control.paused !== before || control.cancelled, hours.waitMs);
  }
}

/** Returns null once a user has approved the run; otherwise how the run ends. */
export async function waitForApproval(runId: number, control: RunControl): Promise<Blocked | null> {
  for (;;) {
    if (control.cancelled) return cancelledByUser;
    if (control.approved) return null;
    const approval = await steps.checkApproval({ runId });
    switch (approval.state) {
      case 'approved':
        return null;
      case 'expired':
        return { status: 'cancelled', reason: approval.reason };
      case 'waiting':
        setCurrentDetails(approval.details);
        await condition(() => control.approved || control.cancelled, approval.waitMs);
        break;
    }
  }
}
