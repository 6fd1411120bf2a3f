import { doubtsAllowed, longestPauseInSenderMs } from '../domain/provider-trouble.ts';
import { type Provider, type SendOutcome, withheld } from '../sms/provider.ts';
import { createInFlightLimit } from './in-flight.ts';
import type { Lane, Urgency } from './lane.ts';
import type { Lease } from './lease.ts';
import { outcomeOf, suspect } from './outcome.ts';
import {
  createHealth,
  probeInFlight,
  ProviderAccountError,
  ProviderUnavailableError,
} from './provider-health.ts';
import type { Flow, Held } from './sender-flow.ts';

/** A pause whose length the provider does not give; each consecutive one is twice as long, up to four seconds. */
const holdMs = 1_000;
const longestHoldMs = 4_000;

/** The number of messages by outcome. */
export interface SenderProgress {
  sent: number;
  failed: number;
  unknown: number;
  requeued: number;
}

/**
 * Hands the messages of `flow.waiting` to the provider, each when its turn comes in the provider's lane (lane.ts), with
 * as many in flight as the provider supports (in-flight.ts). The outcomes go to `flow.results`.
 */
export function createPump({
  provider,
  providerId,
  lease,
  flow,
  lane,
  urgency,
  writeSize,
  reached,
  askForPause,
  noteAnswer,
  renewLease,
}: {
  provider: Provider;
  providerId: number;
  lease: Lease;
  flow: Flow;
  lane: Lane;
  urgency: Urgency;
  /** The writer waits for this many outcomes. */
  writeSize: number;
  /** The provider has accepted messages of the run. */
  reached: boolean;
  /** The provider wants a pause for everything that sends through it; `code`: its answer, to be shown. */
  askForPause: (ms: number, code: string) => void;
  /**
   * The number of consecutive answers that leave the outcome unknown. Called when that changes, and for the first clear
   * answer.
   */
  noteAnswer: (doubts: number, code: string) => void;
  /** Called when the lease is no longer trusted; call `wake` once it is. */
  renewLease: () => void;
}) {
  const progress: SenderProgress = { sent: 0, failed: 0, unknown: 0, requeued: 0 };
  const health = createHealth({ reached });
  const taker = { providerId, deduplicates: provider.deduplicates };
  const inFlight = createInFlightLimit();
  /** Consecutive pauses without a length. */
  let slowdowns = 0;
  let hasAnswered = false;

  /** Checked before each send, because the process may have been stopped since the last check. */
  const mayLeave = (): boolean => !flow.isStopping() && lease.isValid();

  const noteTrouble = ({ publicCode, detail }: Extract<SendOutcome, { publicCode: string }>): void => {
    if (health.bad()) flow.stopFor(new ProviderUnavailableError(publicCode, detail));
  };

  const judgeAnswer = ({ message, claim }: Held, answer: SendOutcome, since: number, now: number): void => {
    let outcome = outcomeOf(message, answer, taker, lease.databaseTime(since), now - since);
    switch (answer.kind) {
      case 'accepted':
      case 'refused':
        if (health.doubts() > 0 || !hasAnswered) noteAnswer(0, '');
        hasAnswered = true;
        health.good({ taken: answer.kind === 'accepted' });
        slowdowns = 0;
        inFlight.answered({ handedOverAt: since, now });
        break;
      case 'temporary':
        if (answer.retryAfterMs === null) noteTrouble(answer);
        else {
          inFlight.troubled({ handedOverAt: since, now });
          const ms = answer.retryAfterMs || Math.min(longestHoldMs, holdMs * 2 ** slowdowns++);
          lane.hold(ms);
          askForPause(ms, answer.publicCode);
          if (ms > longestPauseInSenderMs) flow.stopFor('trouble');
        }
        break;
      case 'ambiguous':
        inFlight.troubled({ handedOverAt: since, now });
        if (!provider.deduplicates) {
          const stop = health.doubtful();
          noteAnswer(health.doubts(), answer.publicCode);
          if (stop) flow.stopFor('trouble');
        }
        noteTrouble(answer);
        break;
      case 'account':
        if (health.refusesAccount(message.id))
          flow.stopFor(new ProviderAccountError(answer.publicCode, answer.detail));
        else outcome = suspect(message, outcome);
        break;
    }
    flow.addResult({ message, claim, outcome });
    if (outcome.status === 'failed' && health.failed()) flow.stopFor('threshold');
    if (outcome.status === 'queued') progress.requeued++;
    else progress[outcome.status]++;
  };

  const send = async (held: Held, since: number): Promise<void> => {
    const { id, phone, text } = held.message;
    const answer = await provider.send({ messageId: id, to: phone, text, mayLeave });
    flow.inFlight--;
    if (answer.kind === 'temporary' && answer.code === withheld) flow.putBack(held);
    else judgeAnswer(held, answer, since, performance.now());
    member.done();
    // Not for each one: for those between, the writer is already waiting.
    const { length } = flow.results;
    if (length === 1 || length === writeSize || flow.inFlight === 0) flow.outcomesReady.notify();
  };

  /** Few are risked before the first is accepted, and while the last answer leaves doubt. */
  const limit = (): number => {
    const doubts = health.doubts();
    return Math.min(
      inFlight.limit(),
      lane.inFlight(),
      health.hasTaken() ? Infinity : probeInFlight,
      doubts === 0 ? Infinity : Math.max(1, doubtsAllowed - doubts),
    );
  };

  const member = lane.join(
    {
      next() {
        if (flow.why() !== null || flow.inFlight >= limit()) return null;
        const [next] = flow.waiting;
        if (!next) {
          flow.roomFreed.notify();
          return null;
        }
        if (mayLeave()) return next.message;
        renewLease();
        return null;
      },
      leave() {
        const next = flow.takeNext();
        if (!next) return;
        flow.inFlight++;
        const now = performance.now();
        inFlight.handedOver({ now, inFlight: flow.inFlight });
        void send(next, now);
        if (lane.appetite() !== null) flow.roomFreed.notify();
      },
      waiting: () => (flow.why() === null ? flow.waitingSegments : 0),
      onProviderTrouble(what) {
        if (what === 'pause' || !provider.deduplicates) flow.stopFor('trouble');
      },
    },
    urgency,
  );

  return {
    /** A message may now leave that could not before. */
    wake: member.wake,
    limit,
    latencyMs: inFlight.latencyMs,
    progress,
    end: member.quit,
  };
}
