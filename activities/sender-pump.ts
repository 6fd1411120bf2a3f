import { type Provider, type SendOutcome, withheld } from '../sms/provider.ts';
import { createInFlightLimit } from './in-flight.ts';
import type { Lease } from './lease.ts';
import { outcomeOf } from './outcome.ts';
import { lateMs, type Pace } from './pace.ts';
import { createHealth, ProviderAccountError, ProviderUnavailableError } from './provider-health.ts';
import type { Flow, Held, Waiting } from './sender-flow.ts';

/** The provider asked for a pause without saying how long. */
const holdMs = 1_000;

/** How many messages have come to which end. */
export interface SenderProgress {
  sent: number;
  failed: number;
  unknown: number;
  requeued: number;
}

/**
 * Hands the messages of `flow.waiting` to the provider, each at its place in the rate, with as many under way as the
 * provider bears (in-flight.ts) and the lease allows, and none while the provider asks for a pause. What its answers mean
 * goes to `flow.settled`.
 */
export function createPump({
  provider,
  providerId,
  lease,
  flow,
  pace,
  writeSize,
  askForPause,
  renewLease,
}: {
  provider: Provider;
  providerId: number;
  lease: Lease;
  flow: Flow;
  pace: Pace;
  /** The writer waits for so many outcomes. */
  writeSize: number;
  /** The provider wants a pause of all that send through it; `code`: what it said, to be shown. */
  askForPause: (ms: number, code: string) => void;
  /** Asked for when the lease is not trusted any more; call `pump` once it is. */
  renewLease: () => void;
}) {
  const progress: SenderProgress = { sent: 0, failed: 0, unknown: 0, requeued: 0 };
  const health = createHealth();
  const taker = { providerId, deduplicates: provider.deduplicates };
  const inFlight = createInFlightLimit();
  /** The provider asked for a pause until then; what is claimed waits, too. */
  let heldUntil = 0;
  let timer: NodeJS.Timeout | undefined;
  let isPlacing = false;

  /** Asked before each send, because the process may have been stopped since anything else was looked at. */
  const mayLeave = (): boolean => !flow.isStopping() && lease.isValid();

  const noteTrouble = ({ publicCode, detail }: Extract<SendOutcome, { publicCode: string }>): void => {
    if (health.bad()) flow.stopFor(new ProviderUnavailableError(publicCode, detail));
  };

  const settle = ({ message, claim }: Held, answer: SendOutcome, since: number, now: number): void => {
    const outcome = outcomeOf(message, answer, taker, lease.databaseTime(since), now - since);
    flow.settle({ message, claim, outcome });
    switch (answer.kind) {
      case 'accepted':
      case 'refused':
        health.good();
        inFlight.answered({ handedOverAt: since, now, inFlight: flow.inFlight + 1 });
        break;
      case 'temporary':
        if (answer.retryAfterMs === null) noteTrouble(answer);
        else {
          inFlight.troubled({ handedOverAt: since, now });
          const ms = answer.retryAfterMs || holdMs;
          heldUntil = Math.max(heldUntil, performance.now() + ms);
          askForPause(ms, answer.publicCode);
        }
        break;
      case 'ambiguous':
        inFlight.troubled({ handedOverAt: since, now });
        noteTrouble(answer);
        break;
      case 'account':
        flow.stopFor(new ProviderAccountError(answer.publicCode, answer.detail));
        break;
    }
    if (outcome.status === 'queued') progress.requeued++;
    else progress[outcome.status]++;
  };

  /** Gives other places to those that are late, several at a time. */
  const placeAnew = async (): Promise<void> => {
    if (isPlacing) return;
    isPlacing = true;
    while (flow.late.length > 0 && flow.why() === null) {
      await new Promise((resolve) => setTimeout(resolve, lateMs));
      const batch = [...flow.late];
      // While the database is away they wait for it.
      const places = await pace.place(batch.map(({ message }) => message)).catch(() => null);
      // A sender that stops has given them back meanwhile.
      if (places === null || flow.late.length === 0) continue;
      flow.late.splice(0, batch.length);
      for (const [index, { message, claim }] of batch.entries())
        flow.waiting.push({ message, claim, at: places[index] ?? null });
      // What was claimed meanwhile may have a place before theirs.
      flow.waiting.sort((a, b) => (a.at ?? 0) - (b.at ?? 0));
      pump();
    }
    isPlacing = false;
  };

  const send = async (one: Waiting, since: number): Promise<void> => {
    const { id, phone, text } = one.message;
    const answer = await provider.send({ messageId: id, to: phone, text, mayLeave });
    flow.inFlight--;
    if (answer.kind === 'temporary' && answer.code === withheld) flow.waiting.unshift(one);
    else settle(one, answer, since, performance.now());
    pump();
    // Not for each: those between find the writer waiting for them.
    const { length } = flow.settled;
    if (length === 1 || length === writeSize || flow.inFlight === 0) flow.outcomesReady.notify();
  };

  const limit = (): number => Math.min(inFlight.limit(), lease.inFlight());

  /** Starts what is due, as far as there is room in flight. */
  const pump = (): void => {
    clearTimeout(timer);
    while (flow.why() === null && flow.inFlight < limit()) {
      const next = flow.waiting[0];
      if (!next) {
        flow.roomFreed.notify();
        return;
      }
      const now = performance.now();
      const early = Math.max(next.at ?? 0, heldUntil) - now;
      if (early > 0.5) {
        timer = setTimeout(pump, early);
        return;
      }
      if (!mayLeave()) {
        renewLease();
        return;
      }
      flow.waiting.shift();
      if (next.at !== null && now - next.at > lateMs) {
        flow.late.push(next);
        void placeAnew();
        continue;
      }
      flow.inFlight++;
      void send(next, now);
    }
  };

  return { pump, limit, progress, end: () => clearTimeout(timer) };
}
