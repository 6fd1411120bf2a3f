import { z } from 'zod';
import { campaign, type CampaignDraft } from './campaign.ts';
import { sendingHours } from './hours.ts';
import { segmentProfileName } from './segments.ts';
import { parseTemplate } from './template.ts';

/** `running`, `paused` and `cancelling` are live; a `failed` run can be retried; the others are over for good. */
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

/** What they have not reached can be sent again; a failed run is retried instead. */
export const resendableRunStatuses: ReadonlySet<RunStatus> = new Set<RunStatus>(['finished', 'cancelled']);

/**
 * What set a run off: its schedule, or a person. A dry run reads the mailing and says what it would do; a resend takes
 * up messages of an earlier run that failed.
 */
export const runTriggers = ['schedule', 'manual', 'dry_run', 'resend'] as const;
export type RunTrigger = (typeof runTriggers)[number];

/** How far a run has come; a run that ended stays at the step it had reached, a finished one is `done`. */
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

/** Why a run is paused, or ended other than by finishing. Codes and numbers; words by `describeRunReason`. */
export const runReason = z.discriminatedUnion('code', [
  /** Skipped: an earlier run still has contacts to write to. */
  z.object({ code: z.literal('pending_run'), runId: z.int(), unsent: z.int().nullable() }),
  /** Missed: the system was down when it was due, and for longer than the grace period. */
  z.object({ code: z.literal('beyond_grace'), lateMs: z.int(), graceMs: z.int() }),
  /** Missed: the system was down when it was due, and a later occurrence within the grace period runs instead. */
  z.object({ code: z.literal('superseded'), by: z.string() }),
  /** Missed: due before the database was restored, so that it may have run after the backup. */
  z.object({ code: z.literal('missed_by_restore'), backupAt: z.string() }),
  /** Failed: the backup that the database was restored from holds it as live. */
  z.object({ code: z.literal('stopped_by_restore'), backupAt: z.string() }),
  /** Cancelled: the run's expiry came before it was done. */
  z.object({ code: z.literal('expired'), expiresAt: z.string() }),
  /** Finished without a line, though the run of the campaign before it had many. */
  z.object({ code: z.literal('no_contacts'), runId: z.int(), lines: z.int() }),
  z.object({ code: z.literal('hours_never_open') }),
  z.object({ code: z.literal('by_user'), user: z.string() }),
  /** Cancelled in the Temporal UI or by its command line. */
  z.object({ code: z.literal('by_temporal') }),
  /** Paused: the provider refuses the account. */
  z.object({ code: z.literal('provider_account'), providerCode: z.string(), detail: z.string() }),
  /** Paused: more messages failed or opted out than the campaign allows (domain/safeguards.ts). */
  z.object({
    code: z.literal('threshold'),
    failures: z.int(),
    outcomes: z.int(),
    percent: z.int(),
    stopAtPercent: z.int(),
    canary: z.boolean(),
  }),
  /** Failed: the mailing can't be read. */
  z.object({ code: z.literal('mailing_refused'), mailingCode: z.string(), detail: z.string() }),
  /** Failed: the web service of the mailing can't be read. */
  z.object({
    code: z.literal('webservice_refused'),
    mailingCode: z.string(),
    detail: z.string(),
    /** Of the sentence of the code (domain/problems/webservices.ts), where it is kept by its parts. */
    params: z.record(z.string(), z.unknown()).optional(),
  }),
  /** Failed: the run's workflow ended without a word, terminated or lost. Found by housekeeping. */
  z.object({ code: z.literal('workflow_lost') }),
  /** Failed: a fault of the system. */
  z.object({ code: z.literal('fault'), step: z.enum(runSteps), detail: z.string() }),
]);
export type RunReason = z.infer<typeof runReason>;

/** A mailing of so many lines is not expected to be followed by one of none. */
export const manyLines = 10;

/** Plain words for an operator: what happened, and what can be done about it. */
export function describeRunReason(reason: RunReason): string {
  switch (reason.code) {
    case 'pending_run':
      return reason.unsent === null
        ? `Skipped: run ${reason.runId} of this campaign has not finished yet.`
        : `Skipped: run ${reason.runId} of this campaign still has ${reason.unsent} unsent messages. Retry or cancel it, or allow runs despite pending ones.`;
    case 'beyond_grace':
      return `Missed: the system was down, and ${minutes(reason.lateMs)} late is beyond the grace period of ${minutes(reason.graceMs)}.`;
    case 'superseded':
      return `Missed: the system was down; the later occurrence of ${reason.by} runs instead.`;
    case 'missed_by_restore':
      return `Missed: the database was restored from a backup of ${reason.backupAt}, and this run may have been done after that. Run the campaign now if it was not.`;
    case 'stopped_by_restore':
      return `Stopped: the database was restored from a backup of ${reason.backupAt}. What was queued then may have been sent since; what the provider lists is marked as sent. Retry the run to send the rest, or cancel it.`;
    case 'expired':
      return `Cancelled what was left: the run expired at ${reason.expiresAt}.`;
    case 'no_contacts':
      return `Its mailing had no contacts, while run ${reason.runId} before it had ${reason.lines}. Check the source of the mailing: it may answer with nothing by mistake.`;
    case 'hours_never_open':
      return 'The sending hours do not open within a year. This run keeps them, also when it is retried: cancel it, correct them, then run the campaign again.';
    case 'by_user':
      return `By ${reason.user}.`;
    case 'by_temporal':
      return 'Cancelled in Temporal.';
    case 'provider_account':
      return `The SMS provider refuses the account (${reason.providerCode}): ${reason.detail} Mend it there, then resume the run.`;
    case 'threshold':
      return `Stopped: ${reason.failures} of ${reason.canary ? 'the first ' : ''}${reason.outcomes} messages (${reason.percent} %) failed or opted out, more than the ${reason.stopAtPercent} % that the campaign allows. Look into the failures, then resume or cancel the run; once resumed, only what happens from then on is measured.`;
    case 'mailing_refused':
      return `The mailing can't be read: ${reason.detail} Replace the file, then retry the run.`;
    case 'webservice_refused':
      return `The web service can't be read: ${reason.detail} Once that is mended, there or in the campaign, retry the run.`;
    case 'workflow_lost':
      return 'Its workflow in Temporal was terminated or lost. Retry the run to go on where it was, or cancel it.';
    case 'fault':
      return `A fault of the system in the step "${reason.step}": ${reason.detail} Retry the run once it is mended.`;
  }
}

const minutes = (ms: number): string => {
  const whole = Math.round(ms / 60_000);
  return whole === 1 ? '1 minute' : `${whole} minutes`;
};

/** What a run freezes when it is opened: an edit of the campaign, the hours or the holidays counts from the next run. */
export const runSettings = z.object({
  campaign: campaign,
  hours: sendingHours,
  /** Dates `YYYY-MM-DD` on which nothing leaves. */
  holidays: z.array(z.string()),
  segmentProfile: segmentProfileName,
});
export type RunSettings = z.infer<typeof runSettings>;

/**
 * The settings of a run whose mailing was not read, with what its campaign says now of where the contacts are and of their
 * extra fields; with its text, too, where the frozen one has an extra field that is gone. Null: the campaign lacks some of
 * that, and the run keeps what it has.
 */
export function withPresentMailing(
  settings: RunSettings,
  { mailing, message }: CampaignDraft,
  mailingFileId: number | null,
): { settings: RunSettings; mailingFileId: number | null } | null {
  const { source, webservice, extraFields } = mailing;
  if (source === null) return null;
  if (source === 'csv' ? mailingFileId === null : webservice.baseUrl === null) return null;
  const { campaign } = settings;
  const names = extraFields.map(({ name }) => name);
  const { template, removeAccents, maxSegments } = message;
  const isReadable = parseTemplate(campaign.message.template, names).ok;
  if (!isReadable && template === null) return null;
  return {
    settings: {
      ...settings,
      campaign: {
        ...campaign,
        mailing: { ...campaign.mailing, source, webservice, extraFields },
        message:
          isReadable || template === null
            ? campaign.message
            : { ...campaign.message, template, removeAccents, maxSegments },
      },
    },
    mailingFileId: source === 'csv' ? mailingFileId : null,
  };
}
