import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { sendingTaskQueue } from './queues.ts';

/**
 * A frozen worker has polls open at the server, which still receive tasks. Such a task is lost until this timeout, and
 * then goes to another worker. Steps send no heartbeats of their own: the worker sends them for each step
 * (worker/heartbeats.ts).
 */
export const stepHeartbeatMs = 5_000;

/** Retrying does not fix a bug in the code: the run fails at once, and can be retried once the bug is fixed. */
const faults = ['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError', 'ZodError'];

/** A quick step in the database. It retries through outages of up to a day; then the run fails and a user decides. */
export const steps = proxyActivities<Activities>({
  startToCloseTimeout: '30 seconds',
  heartbeatTimeout: stepHeartbeatMs,
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds', nonRetryableErrorTypes: faults },
});

/** The same for the campaign itself: it retries forever, because nothing else would start it again. */
export const patientSteps = proxyActivities<Activities>({
  startToCloseTimeout: '30 seconds',
  heartbeatTimeout: stepHeartbeatMs,
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/**
 * Handling a reply: a transaction of milliseconds. A live worker must take it over quickly from a dead one, because the
 * reply may be an opt-out. It also retries forever.
 */
export const replySteps = proxyActivities<Pick<Activities, 'handleReply'>>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Checks over many rows: they are repeated each hour anyway. */
export const housekeepingSteps = proxyActivities<Activities>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '5 minutes',
  retry: { initialInterval: '10 seconds', maximumInterval: '10 minutes' },
});

/** Asking providers about single messages, at their rate: the next round does what this round does not. */
export const lookUpSteps = proxyActivities<Pick<Activities, 'lookUpUnknown'>>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '2 minutes',
  retry: { initialInterval: '10 seconds', maximumInterval: '5 minutes' },
});

/** Counting for reports: bounded in time by itself, and repeated each minute. */
export const reportSteps = proxyActivities<Pick<Activities, 'updateReports'>>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '2 minutes',
  retry: { initialInterval: '10 seconds', maximumInterval: '5 minutes' },
});

/** Reading a mailing: long, in one transaction, and from the start again after a failure. */
export const importing = proxyActivities<Activities>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '30 seconds',
  scheduleToCloseTimeout: '1 day',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1 second', maximumInterval: '1 minute', nonRetryableErrorTypes: faults },
});

/** Ending a run: quick, except when a run is cancelled with many messages left. */
export const closing = proxyActivities<Pick<Activities, 'closeRun'>>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '30 seconds',
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds', nonRetryableErrorTypes: faults },
});

/** Opening the tickets of a run: in batches, from where the last attempt stopped. */
export const ticketing = proxyActivities<Pick<Activities, 'openTickets'>>({
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '30 seconds',
  scheduleToCloseTimeout: '1 day',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1 second', maximumInterval: '1 minute', nonRetryableErrorTypes: faults },
});

/**
 * Posting to the helpdesk: the activity returns by itself after some minutes, and is started again. It retries forever,
 * however long the helpdesk is unavailable; the activity itself sets the pause between attempts.
 */
export const posting = proxyActivities<Pick<Activities, 'postTickets'>>({
  startToCloseTimeout: '15 minutes',
  heartbeatTimeout: '20 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Looking for what needs a user: returns by itself after some minutes. It retries forever. */
export const watching = proxyActivities<Pick<Activities, 'watchAlerts'>>({
  startToCloseTimeout: '15 minutes',
  heartbeatTimeout: stepHeartbeatMs,
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/**
 * Delivering a message to a user or to the webhook, which answers within a minute. The activity itself gives it up after
 * a day; the interval grows to what servers that delay unknown senders expect.
 */
export const notifying = proxyActivities<Pick<Activities, 'deliverNotification'>>({
  startToCloseTimeout: '3 minutes',
  heartbeatTimeout: stepHeartbeatMs,
  retry: { initialInterval: '5 seconds', maximumInterval: '10 minutes' },
});

/** Switching to another provider: it may have to read all queued messages of a run. */
export const failingOver = proxyActivities<Pick<Activities, 'failOver'>>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '30 seconds',
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds', nonRetryableErrorTypes: faults },
});

/**
 * The streaming sender. It returns by itself after some minutes. Its heartbeat detects a dead worker, and a live one
 * takes over within seconds, however many have died before. A worker that was only slow gives back what it holds
 * (db/messages/leases.ts), so the timeout may be short. While the provider is down, the activity itself requests longer
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
 * One send: irreversible, so the activity itself decides what another attempt may do, and how many attempts there are:
 * a pause that the provider asks for does not count. It may wait for minutes for its slot in the provider's rate.
 */
export const single = (taskQueue: string) =>
  proxyActivities<Pick<Activities, 'sendMessage'>>({
    taskQueue: sendingTaskQueue(taskQueue),
    startToCloseTimeout: '15 minutes',
    heartbeatTimeout: '5 seconds',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '2 seconds', maximumInterval: '1 minute', nonRetryableErrorTypes: faults },
  });

/**
 * The same for an answer to a customer. It waits for seconds at most, however many messages wait; the activity itself
 * gives up after an hour (domain/answer.ts).
 */
export const answering = (taskQueue: string) =>
  proxyActivities<Pick<Activities, 'sendAnswer'>>({
    taskQueue: sendingTaskQueue(taskQueue),
    startToCloseTimeout: '2 minutes',
    heartbeatTimeout: '5 seconds',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1 second', maximumInterval: '1 minute', nonRetryableErrorTypes: faults },
  });
