import { z } from 'zod';
import { budgetState } from './budget.ts';
import { campaign } from './campaign.ts';
import { keptRetryCause } from './problems/retries.ts';
import { segmentProfileName } from './segments.ts';

/** `running`, `paused` and `cancelling` are live; a `failed` run can be retried; the others are final. */
export const runStatuses = [
  'running',
  'paused',
  'cancelling',
  'finished',
  'skipped',
  'missed',
  'cancelled',
  'failed',
] as const;
export type RunStatus = (typeof runStatuses)[number];

export const liveRunStatuses = ['running', 'paused', 'cancelling'] as const satisfies readonly RunStatus[];

/** Statuses after which unsent messages can be sent again; a failed run is retried instead. */
export const resendableRunStatuses: ReadonlySet<RunStatus> = new Set<RunStatus>(['finished', 'cancelled']);

/**
 * The cause of a run: its schedule, or a user. A dry run reads the mailing and reports what it would do; a resend sends
 * failed messages of an earlier run again.
 */
export const runTriggers = ['schedule', 'manual', 'dry_run', 'resend'] as const;
export type RunTrigger = (typeof runTriggers)[number];

/** The step of a run; a run that ended keeps its last step, a finished one is `done`. */
export const runSteps = [
  'due',
  'hours',
  'pending_check',
  'mailing',
  'preflight',
  'approval',
  'sending',
  'tickets',
  'done',
] as const;
export type RunStep = (typeof runSteps)[number];

const faultParams = z.record(z.string(), z.unknown());

/** Why a run is paused, or ended without finishing: codes and numbers, for `runReasonWords` (problems/runs.ts). */
export const runReason = z.discriminatedUnion('code', [
  /** Skipped: an earlier run still has messages to send. */
  z.object({ code: z.literal('pending_run'), runId: z.int(), unsent: z.int().nullable() }),
  /** Skipped: the campaign was disabled before the run read its mailing. */
  z.object({ code: z.literal('campaign_disabled') }),
  /** Missed: the system was down when it was due, for longer than the grace period. */
  z.object({ code: z.literal('beyond_grace'), lateMs: z.int(), graceMs: z.int() }),
  /** Missed: the system was down when it was due, and a later occurrence within the grace period runs instead. */
  z.object({ code: z.literal('superseded'), by: z.string() }),
  /** Missed: due before the database was restored, so it may have run after the backup. */
  z.object({ code: z.literal('missed_by_restore'), backupAt: z.string() }),
  /** Failed: it is live in the backup from which the database was restored. */
  z.object({ code: z.literal('stopped_by_restore'), backupAt: z.string() }),
  /** Cancelled: the run expired before it was done. */
  z.object({ code: z.literal('expired'), expiresAt: z.string() }),
  /** Finished without a line, although the campaign's previous run had many. */
  z.object({ code: z.literal('no_contacts'), runId: z.int(), lines: z.int() }),
  z.object({ code: z.literal('hours_never_open') }),
  /** `name` and `at` are those of the audit log, and only in what the API shows: they are not stored here. */
  z.object({
    code: z.literal('by_user'),
    user: z.string(),
    name: z.string().optional(),
    at: z.string().optional(),
  }),
  /** Cancelled in the Temporal UI or with its command line. */
  z.object({ code: z.literal('by_temporal') }),
  /** Paused: the provider refuses the account. `detail`: a `ProviderDetail`, as the workflow forwards it. */
  z.object({ code: z.literal('provider_account'), providerCode: z.string(), detail: z.unknown() }),
  /** Paused: more messages failed or opted out than the campaign allows (domain/safeguards.ts). */
  z.object({
    code: z.literal('threshold'),
    failures: z.int(),
    outcomes: z.int(),
    percent: z.int(),
    stopAtPercent: z.int(),
    canary: z.boolean(),
  }),
  /** Paused, or shown for a finished run: this many messages failed, and none was accepted (domain/safeguards.ts). */
  z.object({ code: z.literal('reached_nobody'), failures: z.int() }),
  /** Paused: this many consecutive answers of the provider had an unknown outcome (domain/provider-trouble.ts). */
  z.object({ code: z.literal('provider_in_doubt'), providerCode: z.string(), answers: z.int() }),
  /** Paused: the month's budget is used up (domain/budget.ts). */
  budgetState.extend({ code: z.literal('budget_used_up') }),
  /** Failed: the mailing cannot be read. A fault (problems/mailings.ts), which may quote the header of the file. */
  z.object({ code: z.literal('mailing_refused'), mailingCode: z.string(), params: faultParams }),
  /** Failed: the web service of the mailing cannot be read. A fault (problems/webservices.ts). */
  z.object({ code: z.literal('webservice_refused'), mailingCode: z.string(), params: faultParams }),
  /** Failed: the run's workflow was terminated or lost. Housekeeping detects this. */
  z.object({ code: z.literal('workflow_lost') }),
  /** Failed: an error in the system. */
  z.object({ code: z.literal('fault'), step: z.enum(runSteps), cause: keptRetryCause }),
]);
export type RunReason = z.infer<typeof runReason>;

/** After a mailing with this many lines, an empty one is suspicious. */
export const manyLines = 10;

/**
 * The settings that a run freezes when it reads its mailing: until then it follows its campaign, and later edits apply
 * from the next run. Sending hours and holidays are never frozen: every check reads them.
 */
export const runSettings = z.object({
  campaign: campaign,
  segmentProfile: segmentProfileName,
});
export type RunSettings = z.infer<typeof runSettings>;
