import { activityInfo, cancellationSignal, heartbeat, log } from '@temporalio/activity';
import { claimMessage, recordOutcomes, takeOver } from '../db/messages/claims.ts';
import { activityName, senderName } from '../db/messages/leases.ts';
import { getMessage } from '../db/messages/messages.ts';
import { optOutRecipients } from '../db/customers/opt-outs.ts';
import { reserveRate } from '../db/providers/providers.ts';
import { holdProvider, providerTrouble, takeProbe } from '../db/providers/trouble.ts';
import { sampleRun } from '../db/runs/samples.ts';
import { getRunHours, haveSender, type RunHours } from '../db/runs/runs.ts';
import { plainEnglish } from '../domain/format.ts';
import { failures } from '../domain/failures.ts';
import { hoursAt } from '../domain/hours.ts';
import type { MessageStatus } from '../domain/message.ts';
import { providerDetailWords } from '../domain/problems/providers.ts';
import { defaultProbeDelaysMs, doubtsAllowed, longestPauseInSenderMs } from '../domain/provider-trouble.ts';
import { finalFailure } from './failure.ts';
import { withheld } from '../sms/provider.ts';
import { startTrust } from './lease.ts';
import { outcomeOf, suspect, unsent } from './outcome.ts';
import { persistently } from './persistently.ts';
import { noteAnswer } from './providers.ts';
import { passingFailure } from './retries.ts';
import { heartbeatMs } from './heartbeat.ts';
import type { Slots } from './slots.ts';
import type { SendingDeps, SendingRuns } from './sending-runs.ts';

/** The pause when the provider asks for one without a length. */
const holdMs = 1_000;
/** A message that is sent by itself waits at most this long for its turn; then the run checks its state again. */
const longestTurnMs = 10 * 60_000;

export function createSendMessage(
  { sql, providers, lanes, clock, probeDelaysMs = defaultProbeDelaysMs }: SendingDeps,
  { need, hasFallback, shouldFailOver, isOfNumber }: SendingRuns,
  slots: Slots,
) {
  return {
    /**
     * Sends one message, visible by itself in the Temporal UI. A temporary failure throws, for Temporal's back-off,
     * until the message was tried `maxAttempts` times; every other answer is recorded and returned. `queued`: the run
     * has to check its state again.
     */
    async sendMessage({
      messageId,
      maxAttempts,
    }: {
      messageId: number;
      maxAttempts: number;
    }): Promise<{ status: MessageStatus }> {
      const message = await getMessage(sql, messageId);
      if (!message) throw finalFailure(failures.notFound, `There is no message ${messageId}.`);
      const run = await need(message.runId);
      const { workflowExecution, activityId, attempt } = activityInfo();
      const activity = activityName(workflowExecution?.runId ?? '', activityId);
      const sender = senderName(activity, attempt);
      const provider = await providers.get(run.providerId);
      const { deduplicates, receiptsById } = provider;
      if (attempt > 1) await takeOver(sql, { runId: run.id, before: { activity, attempt }, deduplicates });
      let present: RunHours | null = run;
      const isOpen = (): boolean => {
        const now = clock();
        if (present === null || (run.expiresAt && run.expiresAt <= now)) return false;
        return hoursAt(present.hours, now, new Set(present.holidays)).open;
      };
      if (!isOpen()) return { status: 'queued' };

      const beat = setInterval(heartbeat, heartbeatMs);
      let turnEnds: (() => void) | null = null;
      const slot = slots.take();
      try {
        await haveSender(sql, run.id);
        turnEnds = await lanes(run.providerId).turn(message.segments, {
          urgency: run.trigger === 'schedule' ? null : 'user',
          until: AbortSignal.any([slot.signal, AbortSignal.timeout(longestTurnMs)]),
          signal: cancellationSignal(),
        });
        if (turnEnds === null) return { status: 'queued' };
        present = await getRunHours(sql, run.id);
        if (!isOpen()) return { status: 'queued' };
        const { heldMs, doubts } = await reserveRate(sql, run.providerId, 0);
        if (heldMs > longestPauseInSenderMs) return { status: 'queued' };
        const isInDoubt = !deduplicates && doubts >= doubtsAllowed;
        if (isInDoubt && !(await takeProbe(sql, run.providerId, probeDelaysMs))) return { status: 'queued' };
        const isTrusted = startTrust();
        const claimed = await claimMessage(sql, { messageId, sender, providerId: run.providerId });
        if (!claimed) return { status: (await getMessage(sql, messageId))?.status ?? 'queued' };
        const since = performance.now();
        const answer = await provider.send({
          messageId,
          to: claimed.phone,
          text: claimed.text,
          mayLeave: () => isTrusted() && isOpen(),
        });
        const isWithheld = answer.kind === 'temporary' && answer.code === withheld;
        const taker = { providerId: run.providerId, deduplicates };
        const elapsedMs = performance.now() - since;
        turnEnds();
        turnEnds = null;
        const writing = {
          signal: cancellationSignal(),
          onWriteRetry: (error: unknown): void => {
            log.warn('The outcome waits for the database', { messageId, error });
          },
        };
        // Before the outcome: the next message may already read it.
        await persistently(writing, () =>
          noteAnswer(sql, { providerId: run.providerId, answer, deduplicates }),
        );
        const isSuspect = answer.kind === 'account' && (await isOfNumber(run, messageId));
        // It was handed over as soon as it was claimed.
        const judged = outcomeOf(claimed, answer, taker, null, elapsedMs);
        const outcome = isWithheld
          ? unsent(claimed)
          : { ...(isSuspect ? suspect(claimed, judged) : judged), notBefore: null };
        if (outcome.status === 'queued' && !outcome.uncounted && claimed.attempts >= maxAttempts) {
          // The provider may have accepted an attempt that got no answer, even where it was safe to repeat it.
          const perhapsTaken = outcome.providerId !== null;
          outcome.status = perhapsTaken ? 'unknown' : 'failed';
          outcome.reason = perhapsTaken ? 'no_answer' : isSuspect ? 'request_refused' : 'temporary_failure';
        }
        // Before the outcome: if this process ended between the two, nobody would report it again.
        if (outcome.reason === 'number_opted_out')
          await persistently(writing, () => optOutRecipients(sql, [messageId]));
        await persistently(writing, () =>
          recordOutcomes(sql, { runId: run.id, sender, outcomes: [outcome], endsLease: true, receiptsById }),
        );
        if (isWithheld) return { status: 'queued' };
        await sampleRun(sql, run.id).catch(() => undefined);
        if (answer.kind === 'account' && !isSuspect)
          throw finalFailure(
            failures.providerAccount,
            providerDetailWords(answer.detail, plainEnglish),
            answer.publicCode,
            run.providerId,
            answer.detail,
          );
        const wasLastProbe =
          isInDoubt &&
          answer.kind === 'ambiguous' &&
          (await providerTrouble(sql, run.providerId, probeDelaysMs))?.doubt?.nextAt === null;
        if (wasLastProbe && (await hasFallback(run)))
          throw finalFailure(
            failures.providerUnavailable,
            providerDetailWords(answer.detail, plainEnglish),
            answer.publicCode,
            run.providerId,
          );
        if (outcome.status !== 'queued') return { status: outcome.status };
        // The remaining kinds are `temporary`, `ambiguous` where the provider deduplicates, and `account` of a number.
        const pauseMs =
          answer.kind === 'temporary' && answer.retryAfterMs !== null ? answer.retryAfterMs || holdMs : null;
        const notTakenCode = answer.kind === 'accepted' ? '' : answer.publicCode;
        if (pauseMs !== null) {
          await holdProvider(sql, run.providerId, { ms: pauseMs, code: notTakenCode });
          if (pauseMs > longestPauseInSenderMs) return { status: 'queued' };
        }
        if (answer.kind !== 'accepted' && pauseMs === null && (await shouldFailOver(run, attempt)))
          throw finalFailure(
            failures.providerUnavailable,
            providerDetailWords(answer.detail, plainEnglish),
            answer.publicCode,
            run.providerId,
          );
        throw passingFailure(failures.notTaken, `${notTakenCode}: the provider has not taken the message.`, {
          cause: { code: 'message_not_taken', params: { providerCode: notTakenCode } },
          // For a pause without a length, Temporal's back-off applies and grows each time.
          nextInMs: answer.kind === 'temporary' && answer.retryAfterMs === 0 ? null : pauseMs,
          attemptsLeft: outcome.uncounted ? null : maxAttempts - claimed.attempts,
        });
      } finally {
        turnEnds?.();
        slot.leave();
        clearInterval(beat);
      }
    },
  };
}
