import { condition, setCurrentDetails } from '@temporalio/workflow';
import type { HoursState } from '../activities/index.ts';
import type { RunReason } from '../domain/run.ts';
import { steps } from './proxies.ts';
import type { RunControl } from './run-control.ts';

/** How a run ends that was cancelled, expired or skipped while it waited. */
export interface Blocked {
  status: 'cancelled' | 'skipped';
  reason: RunReason | null;
}

const cancelledByUser: Blocked = { status: 'cancelled', reason: null };

/**
 * Returns null once messages may leave and the run is not paused; otherwise how the run ends. `first`: the result of
 * the step before.
 */
export async function waitForHours(
  runId: number,
  control: RunControl,
  first: HoursState | null,
): Promise<Blocked | null> {
  // A change since then may have made it outdated.
  let seen = 0;
  for (let found = first; ; found = null) {
    if (control.cancelled) return cancelledByUser;
    const before = control.paused;
    if (found === null) seen = control.changes;
    const hours = found ?? (await steps.checkHours({ runId }));
    if (hours.state === 'expired') return { status: 'cancelled', reason: hours.reason };
    if (hours.state === 'open' && !control.paused)
      return hours.skip && { status: 'skipped', reason: hours.skip };
    setCurrentDetails(hours.details);
    // A paused run also expires.
    const isNews = (): boolean => control.paused !== before || control.cancelled || control.changes > seen;
    await condition(isNews, hours.waitMs);
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
