import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
  ServiceError,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { failures } from '../../domain/failures.ts';
import {
  alertsWorkflowId,
  campaignWorkflowId,
  housekeepingScheduleId,
  lookUpsScheduleId,
  replyWorkflowId,
  reportsScheduleId,
  type RunKey,
  runWorkflowId,
  ticketPostsWorkflowId,
} from '../../domain/ids.ts';
import { connectLazily, temporalProbe } from '../../health/temporal.ts';
import { alerts, notification, notificationStart } from '../../workflows/alerts.ts';
import { answer, answerStart } from '../../workflows/answer.ts';
import { attributes } from '../../workflows/attributes.ts';
import {
  campaign,
  campaignChanged,
  campaignStart,
  dryRun,
  resend,
  type ResendRequest,
  runNow,
} from '../../workflows/campaign.ts';
import { housekeeping } from '../../workflows/housekeeping.ts';
import { lookUps } from '../../workflows/look-ups.ts';
import { workflowTaskTimeout } from '../../workflows/queues.ts';
import { reply } from '../../workflows/reply.ts';
import { reports } from '../../workflows/reports.ts';
import { approve, cancel, pause, resume, runChanged } from '../../workflows/run-control.ts';
import { run } from '../../workflows/run.ts';
import { ticketPosts, ticketPostsChanged } from '../../workflows/ticket-posts.ts';
import type { AnswerKey } from '../../db/tickets/answers.ts';
import { ApiError } from '../http/errors.ts';

export interface TemporalOptions {
  address: string;
  namespace: string;
  tls: boolean;
  apiKey?: string | undefined;
  /** The task queues of the workers. */
  taskQueue: string;
  /** The URL of Temporal's UI; null: there is none. */
  uiUrl: string | null;
  /** No request waits longer than this for Temporal or a worker. */
  timeoutMs?: number;
}

/** Workflows that seemed lost are checked again after a minute. */
const secondLookMs = 60_000;
const retryAttempts = 10;
const retryPauseMs = 200;

interface CampaignKey {
  id: number;
  name: string;
}

type IdentifiedRun = { id: number } & RunKey;

/** The result of a cancel request: the workflow does it, or there is no workflow that could. */
export type CancelAnswer = 'asked' | 'no_workflow';

/**
 * The only user of the Temporal client. Connects on first use, so the API starts without Temporal; every method throws
 * `ApiError`: `temporal_unavailable`, `worker_unavailable`, or the workflow's own error.
 */
export function createTemporal(options: TemporalOptions) {
  const { namespace, taskQueue, uiUrl, timeoutMs = 10_000 } = options;
  const { connection, close } = connectLazily(options);
  const { workflow, schedule } = new Client({ connection, namespace });

  /** The call with its time limit, its failures as `ApiError`. */
  const ask = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await connection.withDeadline(Date.now() + timeoutMs, call);
    } catch (error) {
      throw toApiError(error);
    }
  };

  const startOptions = (key: CampaignKey) => ({ ...campaignStart(key), taskQueue });
  const runHandle = (key: RunKey) => workflow.getHandle<typeof run>(runWorkflowId(key));
  /** The workflow of a campaign, started if there is none: for a disabled campaign it ends after its answer. */
  const withCampaign = (key: CampaignKey) => ({
    startWorkflowOperation: new WithStartWorkflowOperation(campaign, {
      ...startOptions(key),
      workflowIdConflictPolicy: 'USE_EXISTING',
    }),
  });

  const syncSchedule = async (wanted: Pick<ScheduleOptions, 'scheduleId' | 'spec' | 'action'>) => {
    const options = {
      ...wanted,
      // The next round makes up for one that is late or missed.
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
    };
    await ask(async () => {
      try {
        await schedule.create({ ...options, state: { triggerImmediately: true } });
      } catch (error) {
        if (!(error instanceof ScheduleAlreadyRunning)) throw error;
        await schedule.getHandle(wanted.scheduleId).update(({ state }) => ({ ...options, state }));
      }
    });
  };

  return {
    /** Signals the campaign's workflow to read its row again, and starts it if necessary. Idempotent. */
    async syncCampaign(key: CampaignKey): Promise<void> {
      await ask(() =>
        workflow.signalWithStart(campaign, { ...startOptions(key), signal: campaignChanged, signalArgs: [] }),
      );
    },

    /** Signals the run's workflow to check again what it waits for. Does nothing if it has ended. */
    async lookAgain(key: RunKey): Promise<void> {
      await ask(async () => {
        try {
          await runHandle(key).signal(runChanged);
        } catch (error) {
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        }
      });
    },

    /** Opens a run at once; a repeated request returns the same run. Throws `run_pending` and `not_enabled`. */
    runNow: (key: CampaignKey, requestKey: string = randomUUID()): Promise<{ runId: number }> =>
      ask(() =>
        workflow.executeUpdateWithStart(runNow, {
          ...withCampaign(key),
          updateId: `run-now/${requestKey}`,
          args: [{ requestKey: `run-now/${requestKey}` }],
        }),
      ),

    /** Opens a dry run, also of a disabled campaign; repeating returns the same run. Throws `incomplete_campaign`. */
    dryRun: (key: CampaignKey, requestKey: string = randomUUID()): Promise<{ runId: number }> =>
      ask(() =>
        workflow.executeUpdateWithStart(dryRun, {
          ...withCampaign(key),
          updateId: `dry-run/${requestKey}`,
          args: [{ requestKey: `dry-run/${requestKey}` }],
        }),
      ),

    /**
     * Opens a resend of a run of the campaign; a repeated request returns the same run. Throws `run_not_over` and
     * `run_pending`.
     */
    resend: (
      key: CampaignKey,
      request: Omit<ResendRequest, 'requestKey'>,
      requestKey: string = randomUUID(),
    ): Promise<{ runId: number }> =>
      ask(() =>
        workflow.executeUpdateWithStart(resend, {
          ...withCampaign(key),
          updateId: `resend/${requestKey}`,
          args: [{ ...request, requestKey: `resend/${requestKey}` }],
        }),
      ),

    /** Throws `not_waiting_for_approval` and `run_ended`. */
    async approveRun(key: RunKey, by: string): Promise<void> {
      await ask(() => runHandle(key).executeUpdate(approve, { args: [{ by }] }));
    },

    /** Returns when no more messages of the run leave. Throws `run_ended`. `by`: `user:7`, never a name. */
    async pauseRun(key: RunKey, by: string): Promise<void> {
      await ask(() => runHandle(key).executeUpdate(pause, { args: [{ by }] }));
    },

    async resumeRun(key: RunKey, by: string): Promise<void> {
      await ask(() => runHandle(key).executeUpdate(resume, { args: [{ by }] }));
    },

    async cancelRun(key: RunKey, by: string): Promise<CancelAnswer> {
      return ask(async () => {
        try {
          await runHandle(key).executeUpdate(cancel, { args: [{ by }] });
          return 'asked';
        } catch (error) {
          if (error instanceof WorkflowNotFoundError) return 'no_workflow';
          throw error;
        }
      });
    },

    /** Starts a failed run again under the same id; does nothing if it is already running. */
    async retryRun({ name, ...key }: IdentifiedRun & { name: string }): Promise<void> {
      const { id, campaignId } = key;
      const start = () =>
        workflow.start(run, {
          workflowId: runWorkflowId(key),
          workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
          taskQueue,
          args: [{ runId: id, campaignId }],
          workflowTaskTimeout,
          staticSummary: `Run ${id} of “${name}”, retried`,
          typedSearchAttributes: [
            { key: attributes.campaign, value: String(campaignId) },
            { key: attributes.run, value: String(id) },
          ],
        });
      await ask(async () => {
        for (let attempt = 1; attempt <= retryAttempts; attempt++) {
          try {
            await start();
            return;
          } catch (error) {
            if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
          }
          // The failed workflow may still be ending: its run is marked as failed shortly before.
          await sleep(retryPauseMs);
        }
      });
    },

    /**
     * Creates or updates the deployment's schedules: housekeeping every hour, lookups every 5 minutes, counts for
     * reports every minute. A schedule that an operator has paused stays paused.
     */
    async syncSchedules(): Promise<void> {
      const common = { type: 'startWorkflow', taskQueue } as const;
      await syncSchedule({
        scheduleId: housekeepingScheduleId(taskQueue),
        spec: { intervals: [{ every: '1 hour' }] },
        action: {
          ...common,
          workflowType: housekeeping,
          args: [{ secondLookMs }],
          workflowId: housekeepingScheduleId(taskQueue),
          workflowTaskTimeout,
          staticSummary: 'Housekeeping: checks what must be true, and repairs it',
        },
      });
      await syncSchedule({
        scheduleId: lookUpsScheduleId(taskQueue),
        spec: { intervals: [{ every: '5 minutes' }] },
        action: {
          ...common,
          workflowType: lookUps,
          args: [],
          workflowId: lookUpsScheduleId(taskQueue),
          workflowTaskTimeout,
          staticSummary: 'Look-ups: asks providers what became of unknown messages',
        },
      });
      await syncSchedule({
        scheduleId: reportsScheduleId(taskQueue),
        spec: { intervals: [{ every: '1 minute' }] },
        action: {
          ...common,
          workflowType: reports,
          args: [{ rebuild: false }],
          workflowId: reportsScheduleId(taskQueue),
          workflowTaskTimeout,
          staticSummary: 'Reports: counts what has changed',
        },
      });
    },

    /** Whether Temporal has the schedules: without them it has lost everything else, too. */
    async hasSchedules(): Promise<boolean> {
      return ask(async () => {
        try {
          await schedule.getHandle(housekeepingScheduleId(taskQueue)).describe();
          return true;
        } catch (error) {
          if (error instanceof ScheduleNotFoundError) return false;
          throw error;
        }
      });
    },

    /** Starts the handling of a reply. Idempotent while it is handled, and harmless afterward. */
    async startReply(inboundMessageId: number): Promise<void> {
      await ask(() =>
        workflow.start(reply, {
          workflowId: replyWorkflowId(inboundMessageId),
          workflowIdConflictPolicy: 'USE_EXISTING',
          taskQueue,
          args: [{ inboundMessageId }],
          workflowTaskTimeout,
          staticSummary: `Reply ${inboundMessageId}`,
        }),
      );
    },

    /** Starts the sending of an answer. Idempotent while it is sent, and harmless afterward. */
    async startAnswer(key: AnswerKey): Promise<void> {
      await ask(() =>
        workflow.start(answer, {
          ...answerStart(key),
          workflowIdConflictPolicy: 'USE_EXISTING',
          taskQueue,
        }),
      );
    },

    /** Signals the workflow that posts tickets to check again, and starts it if necessary. Idempotent. */
    async syncTicketPosts(): Promise<void> {
      await ask(() =>
        workflow.signalWithStart(ticketPosts, {
          workflowId: ticketPostsWorkflowId(taskQueue),
          taskQueue,
          args: [],
          signal: ticketPostsChanged,
          signalArgs: [],
          workflowTaskTimeout,
          staticSummary: 'Posts tickets to the helpdesk',
        }),
      );
    },

    /** Starts the workflow that checks the conditions of alerts, unless it runs. */
    async syncAlerts(): Promise<void> {
      await ask(() =>
        workflow.start(alerts, {
          workflowId: alertsWorkflowId(taskQueue),
          workflowIdConflictPolicy: 'USE_EXISTING',
          taskQueue,
          args: [],
          workflowTaskTimeout,
          staticSummary: 'Checks conditions that require a user, and sends alerts',
        }),
      );
    },

    /** Starts the delivery of a message to a user. Idempotent while it is being delivered, and harmless afterward. */
    async startNotification(notificationId: number): Promise<void> {
      await ask(() =>
        workflow.start(notification, {
          ...notificationStart(taskQueue, notificationId),
          workflowIdConflictPolicy: 'USE_EXISTING',
          taskQueue,
        }),
      );
    },

    /** Resolves when Temporal answers and has the namespace; otherwise throws a `ServerError`. */
    probe: temporalProbe(connection, namespace),

    /** The page of a run's workflow in Temporal's UI. */
    runPage: (key: RunKey): string | null =>
      uiUrl === null
        ? null
        : `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(runWorkflowId(key))}`,

    /** The page of a campaign's workflow in Temporal's UI. */
    campaignPage: (campaignId: number): string | null =>
      uiUrl === null
        ? null
        : `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(campaignWorkflowId(campaignId))}`,

    close,
  };
}
export type Temporal = ReturnType<typeof createTemporal>;

/** Temporal's own error, for an update that came after the end of the workflow. */
const overtaken = 'AcceptedUpdateCompletedWorkflow';

/** By the types of failures (domain/failures.ts), never by their text. */
function toApiError(error: unknown): unknown {
  if (error instanceof WorkflowNotFoundError) return new ApiError('run_ended');
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return new ApiError('worker_unavailable');
  if (error instanceof WorkflowUpdateFailedError) {
    const failure = applicationFailureOf(error);
    if (failure?.type === failures.runPending) return runPending(failure.details);
    if (failure?.type === failures.notEnabled) return new ApiError('not_enabled');
    if (failure?.type === failures.incompleteCampaign)
      return new ApiError('incomplete_campaign', { params: { enabled: false } });
    if (failure?.type === failures.runNotOver)
      return new ApiError('run_not_over', { params: { status: null } });
    if (failure?.type === failures.notWaitingForApproval) return new ApiError('not_waiting_for_approval');
    if (failure?.type === failures.runEnded || failure?.type === overtaken) return new ApiError('run_ended');
  }
  if (error instanceof ServiceError) return new ApiError('temporal_unavailable');
  return error;
}

const pendingDetails = z.tuple([z.int(), z.int().nullable()]);

function runPending(failureDetails: unknown): ApiError {
  const details = pendingDetails.safeParse(failureDetails);
  if (!details.success) return new ApiError('run_pending', { params: { runId: null, unsent: null } });
  const [runId, unsent] = details.data;
  return new ApiError('run_pending', { params: { runId, unsent } });
}

/** An activity's failure arrives wrapped. */
function applicationFailureOf(error: Error): ApplicationFailure | null {
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure) return cause;
  }
  return null;
}
