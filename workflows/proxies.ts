import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { sendingTaskQueue } from './queues.ts';

/**
 * A worker that is frozen has polls open at the server, which still receive tasks. Such a task is lost until this has
 * passed, and goes to another worker then. Steps have no heartbeat of their own: the worker sends one for each of them
 * (worker/heartbeats.ts).
 */
export const stepHeartbeatMs = 5_000;

/** A fault of the code is not mended by trying again: the run fails at once, and can be retried once it is. */
const faults = ['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError', 'ZodError'];

/**
 * A quick step in the database. Outages are waited out for a day; then the run fails and a person decides.
 */
export const steps = proxyActivities<Activities>({
  startToCloseTimeout: '30 seconds',
  heartbeatTimeout: stepHeartbeatMs,
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds', nonRetryableErrorTypes: faults },
});

/** The same for the campaign itself: it never gives up, because nobody would start it again. */
export const patientSteps = proxyActivities<Activities>({
  startToCloseTimeout: '30 seconds',
  heartbeatTimeout: stepHeartbeatMs,
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/**
 * Handling a reply: a transaction of milliseconds, which a live worker has to take over soon from a dead one, because it
 * may be an opt-out. It never gives up either.
 */
export const replySteps = proxyActivities<Pick<Activities, 'handleReply'>>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Checks over many rows: repeated each hour anyway. */
export const housekeepingSteps = proxyActivities<Activities>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '5 minutes',
  retry: { initialInterval: '10 seconds', maximumInterval: '10 minutes' },
});

/** Asking providers about single messages, at their rate: what is not done in a round is done in the next. */
export const lookUpSteps = proxyActivities<Pick<Activities, 'lookUpUnknown'>>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '2 minutes',
  retry: { initialInterval: '10 seconds', maximumInterval: '5 minutes' },
});

/** Reading a mailing: long, in one transaction, from the start again when it breaks. */
export const importing = proxyActivities<Activities>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '30 seconds',
  scheduleToCloseTimeout: '1 day',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1 second', maximumInterval: '1 minute', nonRetryableErrorTypes: faults },
});

/** Ending a run: quick, but for one that is cancelled with many messages left. */
export const closing = proxyActivities<Pick<Activities, 'closeRun'>>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '30 seconds',
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds', nonRetryableErrorTypes: faults },
});

/** Opening the tickets of a run: in batches, from where the last attempt was. */
export const ticketing = proxyActivities<Pick<Activities, 'openTickets'>>({
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '30 seconds',
  scheduleToCloseTimeout: '1 day',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1 second', maximumInterval: '1 minute', nonRetryableErrorTypes: faults },
});

/**
 * Posting to the helpdesk: returns by itself after some minutes, and is started again. However long the helpdesk is away,
 * it never gives up; how long it pauses between attempts the activity itself says.
 */
export const posting = proxyActivities<Pick<Activities, 'postTickets'>>({
  startToCloseTimeout: '15 minutes',
  heartbeatTimeout: '20 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Going over to another provider: it may have to read all that a run has queued. */
export const failingOver = proxyActivities<Pick<Activities, 'failOver'>>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '30 seconds',
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds', nonRetryableErrorTypes: faults },
});

/**
 * The streaming sender. It returns by itself after some minutes; the heartbeat is what tells of a dead worker, and a
 * live one takes over within seconds, however many have died before. One that was only slow gives back what it holds
 * (db/messages/leases.ts), so the time-out may be short. While the provider is down the activity itself asks for longer
 * pauses, for as long as the run may live.
 */
export const streaming = (taskQueue: string) =>
  proxyActivities<Pick<Activities, 'sendMessages'>>({
    taskQueue: sendingTaskQueue(taskQueue),
    startToCloseTimeout: '15 minutes',
    heartbeatTimeout: '5 seconds',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1 second', backoffCoefficient: 1, nonRetryableErrorTypes: faults },
  });

/**
 * One send: irreversible, so the activity itself decides what another attempt may do, and how many there are: a pause
 * that the provider asks for counts as none. It may wait for minutes for its place in the provider's rate.
 */
export const single = (taskQueue: string) =>
  proxyActivities<Pick<Activities, 'sendMessage'>>({
    taskQueue: sendingTaskQueue(taskQueue),
    startToCloseTimeout: '15 minutes',
    heartbeatTimeout: '5 seconds',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '2 seconds', maximumInterval: '1 minute', nonRetryableErrorTypes: faults },
  });
