import { activityInfo, cancellationSignal, heartbeat, log, sleep } from '@temporalio/activity';
import type { Database } from '../db/core/client.ts';
import { optOutRecipients } from '../db/customers/opt-outs.ts';
import { activityName, senderName } from '../db/messages/leases.ts';
import { reserveAnswerRate, reserveRate } from '../db/providers/providers.ts';
import { holdProvider } from '../db/providers/trouble.ts';
import {
  claimAnswer,
  closeStoppedAnswer,
  getAnswer,
  giveUpAnswer,
  recordAnswerOutcome,
} from '../db/tickets/answers.ts';
import { answerPatienceMs, type AnswerStatus } from '../domain/answer.ts';
import { failures } from '../domain/failures.ts';
import { type RetryCause, showableCode } from '../domain/problems/retries.ts';
import { longestPauseInSenderMs } from '../domain/provider-trouble.ts';
import { withheld } from '../sms/provider.ts';
import { finalFailure } from './failure.ts';
import { heartbeatMs } from './heartbeat.ts';
import type { Lanes } from './lane.ts';
import { startTrust } from './lease.ts';
import { outcomeOf, unsent } from './outcome.ts';
import { persistently } from './persistently.ts';
import { noteAnswer, type Providers } from './providers.ts';
import { passingFailure } from './retries.ts';

/** The maximum wait for a free slot among the messages in flight; then the attempt is repeated. */
const longestTurnMs = 30_000;
/** The wait when the provider asks for a pause without a length. */
const holdMs = 1_000;
/** An answer looks at least this often whether a pause has been lifted, or the account works again. */
const longestPauseMs = 30_000;

export interface AnswersDeps {
  sql: Database;
  providers: Providers;
  lanes: Lanes;
}

/** Sends answers to customers: users' answers on tickets, and automatic texts. */
export function createAnswers({ sql, providers, lanes }: AnswersDeps) {
  const statusOf = async (id: number): Promise<{ status: AnswerStatus }> => {
    const answer = await getAnswer(sql, id);
    if (!answer) throw finalFailure(failures.notFound, `There is no answer ${id}.`);
    return { status: answer.status };
  };

  return {
    /**
     * Sends one answer. Throws for Temporal's back-off while the provider certainly does not take it, for an hour at
     * most; every other outcome is recorded and returned. An answer that an earlier attempt may have sent is not sent
     * again, unless the provider refuses the repetition.
     */
    async sendAnswer({ answerId: id }: { answerId: number }): Promise<{ status: AnswerStatus }> {
      const answer = await getAnswer(sql, id);
      if (!answer) throw finalFailure(failures.notFound, `There is no answer ${id}.`);
      const { providerId, segments, createdAt } = answer;
      const { workflowExecution, activityId, attempt } = activityInfo();
      const sender = senderName(activityName(workflowExecution?.runId ?? '', activityId), attempt);
      const provider = await providers.get(providerId);
      const { deduplicates, receiptsById } = provider;
      // The attempt that claimed it has ended, or is frozen: what it has not handed over yet, it no longer may.
      if (answer.status === 'sending') await closeStoppedAnswer(sql, { id, deduplicates });
      else if (answer.status !== 'queued') return { status: answer.status };

      const givesUpInMs = createdAt.getTime() + answerPatienceMs - Date.now();
      /** Not now: fails for another attempt, or gives the answer up. */
      const later = async (cause: RetryCause, nextInMs: number | null): Promise<{ status: AnswerStatus }> => {
        if (givesUpInMs > 0)
          throw passingFailure(failures.notTaken, 'The provider has not taken the answer.', {
            ...{ cause, nextInMs, givesUpInMs },
          });
        await giveUpAnswer(sql, id, 'temporary_failure');
        return statusOf(id);
      };
      const paused = (heldMs: number) =>
        later({ code: 'provider_pauses', params: { providerCode: '' } }, Math.min(heldMs, longestPauseMs));

      const beat = setInterval(heartbeat, heartbeatMs);
      let turnEnds: (() => void) | null = null;
      try {
        const { heldMs } = await reserveRate(sql, providerId, 0);
        if (heldMs > longestPauseInSenderMs) return await paused(heldMs);
        const { waitMs } = await reserveAnswerRate(sql, providerId, segments);
        if (waitMs > 0) await sleep(waitMs);
        turnEnds = await lanes(providerId).turn(segments, {
          urgency: 'answer',
          until: AbortSignal.timeout(longestTurnMs),
          signal: cancellationSignal(),
        });
        if (turnEnds === null) return await paused(holdMs);
        const isTrusted = startTrust();
        const claimed = await claimAnswer(sql, { id, sender });
        if (!claimed) {
          const { status } = await statusOf(id);
          if (status !== 'sending') return { status };
          throw passingFailure(failures.superseded, 'Another attempt sends the answer.', {
            cause: { code: 'no_answer', params: {} },
          });
        }
        const since = performance.now();
        const answer = await provider.send({
          messageId: id,
          to: claimed.phone,
          text: claimed.text,
          mayLeave: isTrusted,
        });
        const elapsedMs = performance.now() - since;
        turnEnds();
        turnEnds = null;
        const writing = {
          signal: cancellationSignal(),
          onWriteRetry: (error: unknown): void => {
            log.warn('The outcome waits for the database', { answerId: id, error });
          },
        };
        await persistently(writing, () => noteAnswer(sql, { providerId, answer, deduplicates }));
        const message = { ...claimed, line: 0, providerId: null };
        const isWithheld = answer.kind === 'temporary' && answer.code === withheld;
        const outcome = isWithheld
          ? unsent(message)
          : outcomeOf(message, answer, { providerId, deduplicates }, null, elapsedMs);
        // Before the outcome: if this process ended between the two, nobody would report it again.
        if (outcome.reason === 'number_opted_out')
          await persistently(writing, () => optOutRecipients(sql, [id]));
        await persistently(writing, () =>
          recordAnswerOutcome(sql, { outcome, sender, providerId, receiptsById }),
        );
        if (outcome.status !== 'queued' || answer.kind === 'accepted') return await statusOf(id);
        const providerCode = showableCode(answer.publicCode);
        if (answer.kind === 'account')
          return await later({ code: 'provider_account', params: { providerCode } }, longestPauseMs);
        const pauseMs =
          answer.kind === 'temporary' && answer.retryAfterMs !== null ? answer.retryAfterMs || holdMs : null;
        if (pauseMs !== null) await holdProvider(sql, providerId, { ms: pauseMs, code: answer.publicCode });
        return await later(
          { code: 'message_not_taken', params: { providerCode } },
          pauseMs === null ? null : Math.min(pauseMs, longestPauseMs),
        );
      } finally {
        turnEnds?.();
        clearInterval(beat);
      }
    },
  };
}
