import {
  type Claim,
  type ClaimedMessage,
  claimLines,
  claimRetries,
  nextLine,
  type Outcome,
  recordOutcomes,
  releaseClaims,
} from '../db/messages/claims.ts';
import type { Database } from '../db/core/client.ts';
import { optOutRecipients } from '../db/customers/opt-outs.ts';
import { holdProvider, reserveRate } from '../db/providers/providers.ts';
import { runStatus } from '../db/runs/runs.ts';
import { type Provider, type SendOutcome, withheld } from '../sms/provider.ts';
import type { Lease } from './lease.ts';
import { outcomeOf, unsent } from './outcome.ts';
import { createPace, lateMs } from './pace.ts';
import { persistently } from './persistently.ts';
import {
  createHealth,
  probeInFlight,
  ProviderAccountError,
  ProviderUnavailableError,
} from './provider-health.ts';

/**
 * A micro-batch: how many messages a sender holds at most that are claimed and have no durable outcome yet, whether
 * they wait for their turn, are in flight, or wait for their outcome to be written. It is what a killed worker leaves
 * as `unknown`, and so a promise (docs/architecture.md). 500 keep 50 sends in flight while a claim and a write are under way; with
 * 250 the sender waits for the disk (measured: two thirds of the rate). Under a low rate limit far fewer are held.
 */
export const microBatch = 500;
/** A claim's size: small enough that the next ones fit into the window while the last is being sent. */
const claimSize = 125;
const maxInFlight = 50;
/** Outcomes are written when there are so many, or the first of them has waited for so long: fewer, larger writes. */
const writeSize = 100;
const gatherMs = 5;
/** The provider asked for a pause without saying how long. */
const holdMs = 1_000;
/** Looking whether to go on, and telling of the progress. */
const tickMs = 1_000;

export interface SenderDeps {
  sql: Database;
  provider: Provider;
  providerId: number;
  /** Nothing leaves while it is not valid. Renewed each second. */
  lease: Lease;
}

export interface SenderTask {
  runId: number;
  /** Names this sender in the rows it claims: no other attempt of any activity has the same. */
  sender: string;
  /** Nothing leaves from then on. */
  until: Date;
  /** Leaves messages that were attempted this often to `sendMessage`. */
  maxAttempts: number;
  /** Claims no more than so many that nobody has claimed before; null: all there are. */
  limit: number | null;
  /** Looked at each second: why to stop, if a safeguard says so; null: go on. */
  mayGoOn: () => Promise<'threshold' | null>;
  /** Looked at after each so many outcomes, too, before more is claimed for them; null: by time alone. */
  lookEach: number | null;
  /** Stop claiming: the worker shuts down, or the activity was cancelled. What is in flight is still recorded. */
  signal: AbortSignal;
  onProgress: (progress: SenderProgress) => void;
  /** Told of each write that failed and is tried again: the database is away. */
  onTrouble: (error: unknown) => void;
}

export interface SenderProgress {
  sent: number;
  failed: number;
  unknown: number;
  requeued: number;
}

/**
 * `nothing_due`: the run has no message left that is due now and that this sender may claim. `not_running`: it was paused,
 * cancelled or ended. `superseded`: others have taken over from this sender. `threshold`: too many have failed.
 */
export type SenderStop = 'nothing_due' | 'not_running' | 'superseded' | 'threshold' | 'deadline' | 'shutdown';

/** A claim that has a row of its own in the database. */
interface OpenClaim {
  id: number;
  /** So many of its messages have no durable outcome yet. */
  open: number;
}

interface Held {
  message: ClaimedMessage;
  claim: OpenClaim | null;
}

interface Waiting extends Held {
  /** Its place in the provider's rate (activities/pace.ts): it leaves then. Null: as soon as there is room. */
  at: number | null;
}

/** Wakes whoever waits each time something has changed. */
function createBell() {
  let waiters: (() => void)[] = [];
  return {
    ring: (): void => {
      const woken = waiters;
      waiters = [];
      for (const wake of woken) wake();
    },
    wait: (): Promise<void> => new Promise((resolve) => waiters.push(resolve)),
  };
}

/**
 * Sends the queued messages of a run, streaming: claims ahead in small batches, keeps `maxInFlight` sends under way at
 * the provider's rate, and writes outcomes in batches behind them. Never holds more than `microBatch` messages without
 * a durable outcome.
 *
 * Returns why it stopped, after everything it had claimed has its outcome written or is queued again. Throws
 * `ProviderAccountError` and `ProviderUnavailableError` likewise; a database error only when what was claimed could
 * not be given back.
 */
export async function streamMessages(
  { sql, provider, providerId, lease }: SenderDeps,
  task: SenderTask,
): Promise<SenderStop> {
  const { runId, sender, until, maxAttempts, signal, onProgress, mayGoOn } = task;
  /** Rung when outcomes may have to be written; and when there may be room for another claim. */
  const toWrite = createBell();
  const room = createBell();
  const waiting: Waiting[] = [];
  let settled: (Held & { outcome: Outcome })[] = [];
  /** Since when the first of the settled waits, in `performance.now()` milliseconds. */
  let settledSince = 0;
  let inFlight = 0;
  /** Claimed and without a durable outcome. */
  let held = 0;
  let inFlightLimit = probeInFlight;
  const state: { stop: SenderStop | ProviderAccountError | ProviderUnavailableError | null } = { stop: null };
  const claims = { underWay: true, any: false };
  const progress: SenderProgress = { sent: 0, failed: 0, unknown: 0, requeued: 0 };
  const health = createHealth();
  const taker = { providerId, deduplicates: provider.deduplicates };

  const ringAll = (): void => {
    toWrite.ring();
    room.ring();
  };
  const stopFor = (why: NonNullable<typeof state.stop>): void => {
    state.stop ??= why;
    ringAll();
  };
  const stopping = (): boolean => {
    if (state.stop === null && signal.aborted) stopFor('shutdown');
    if (state.stop === null && Date.now() >= until.getTime()) stopFor('deadline');
    return state.stop !== null;
  };
  /** Asked before each send, because the process may have been stopped since anything else was looked at. */
  const mayLeave = (): boolean => !stopping() && lease.isValid();
  const renewLease = (): void => {
    lease.ask().then(
      ({ held, status }) => {
        if (!held) stopFor(status === 'running' ? 'superseded' : 'not_running');
        else pump();
        room.ring();
      },
      // The database is away: the next tick asks again, and nothing leaves until then.
      () => undefined,
    );
  };

  const settle = (
    { message, claim }: Held,
    answer: SendOutcome,
    handedOverAt: number,
    elapsedMs: number,
  ): void => {
    const outcome = outcomeOf(message, answer, taker, handedOverAt, elapsedMs);
    if (settled.push({ message, claim, outcome }) === 1) settledSince = performance.now();
    switch (answer.kind) {
      case 'accepted':
      case 'refused':
        health.good();
        if (inFlightLimit < maxInFlight) inFlightLimit = Math.min(maxInFlight, inFlightLimit * 2);
        break;
      case 'temporary':
        if (answer.retryAfterMs !== null) {
          const ms = answer.retryAfterMs || holdMs;
          heldUntil = Math.max(heldUntil, performance.now() + ms);
          void holdProvider(sql, providerId, ms).catch(() => undefined);
        } else if (health.bad()) stopFor(new ProviderUnavailableError(answer.publicCode, answer.detail));
        break;
      case 'ambiguous':
        if (health.bad()) stopFor(new ProviderUnavailableError(answer.publicCode, answer.detail));
        break;
      case 'account':
        stopFor(new ProviderAccountError(answer.publicCode, answer.detail));
        break;
    }
    if (outcome.status === 'queued') progress.requeued++;
    else progress[outcome.status]++;
  };

  /** The provider asked for a pause until then; what is claimed waits, too. */
  let heldUntil = 0;
  let timer: NodeJS.Timeout | undefined;
  const pace = createPace((segments) => reserveRate(sql, providerId, segments));
  /** These have lost their places in the rate, and get others, several at a time. */
  const late: Waiting[] = [];
  let placing = false;
  const placeAnew = async (): Promise<void> => {
    if (placing) return;
    placing = true;
    while (late.length > 0 && state.stop === null) {
      await new Promise((resolve) => setTimeout(resolve, lateMs));
      const batch = [...late];
      // While the database is away they wait for it.
      const places = await pace.place(batch.map(({ message }) => message)).catch(() => null);
      // A sender that stops has given them back meanwhile.
      if (places === null || late.length === 0) continue;
      late.splice(0, batch.length);
      for (const [index, { message, claim }] of batch.entries())
        waiting.push({ message, claim, at: places[index] ?? null });
      // What was claimed meanwhile may have a place before theirs.
      waiting.sort((a, b) => (a.at ?? 0) - (b.at ?? 0));
      pump();
    }
    placing = false;
  };
  /** Starts what is due, as far as there is room in flight. */
  const pump = (): void => {
    clearTimeout(timer);
    while (state.stop === null && inFlight < inFlightLimit) {
      const next = waiting[0];
      if (!next) {
        room.ring();
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
      waiting.shift();
      if (next.at !== null && now - next.at > lateMs) {
        late.push(next);
        void placeAnew();
        continue;
      }
      inFlight++;
      void send(next, now);
    }
  };
  const send = async (one: Waiting, since: number): Promise<void> => {
    const { id, phone, text } = one.message;
    const handedOverAt = lease.databaseTime(since);
    const answer = await provider.send({ messageId: id, to: phone, text, mayLeave });
    inFlight--;
    if (answer.kind === 'temporary' && answer.code === withheld) waiting.unshift(one);
    else settle(one, answer, handedOverAt, performance.now() - since);
    pump();
    // Not for each: those between find the writer waiting for them.
    if (settled.length === 1 || settled.length === writeSize || inFlight === 0) toWrite.ring();
  };

  /** So many may be claimed that nobody has claimed before. */
  let unclaimed = task.limit ?? Infinity;
  let after = 0;
  let from: number | null = unclaimed === 0 ? null : 1;
  /** The next batch to send; null when there is nothing to claim now. */
  const claimNext = async (size: number): Promise<Claim | null> => {
    if (from !== null) {
      const claim = await claimLines(sql, { runId, sender, from, lines: Math.min(unclaimed, size) });
      unclaimed -= claim.messages.length;
      if (unclaimed === 0) from = null;
      if (claim.id !== null) return claim;
      from = await nextLine(sql, runId);
      if (from !== null && (await runStatus(sql, runId)) !== 'running') stopFor('not_running');
      return null;
    }
    const triedOnly = task.limit !== null;
    const retries = await claimRetries(sql, { runId, sender, limit: size, after, maxAttempts, triedOnly });
    const last = retries.messages.at(-1);
    if (last) {
      after = last.line;
      return retries;
    }
    // What failed temporarily meanwhile lies behind, and some of it may not be written yet.
    if (held > 0) await room.wait();
    else if (after > 0) after = 0;
    else stopFor('nothing_due');
    return null;
  };

  const claimLoop = async (): Promise<void> => {
    await pace.look();
    while (!stopping()) {
      if (!lease.isValid()) {
        renewLease();
        await room.wait();
        continue;
      }
      const size = pace.claimSize(claimSize);
      if (held + size > microBatch) {
        await room.wait();
        continue;
      }
      const early = pace.claimInMs();
      if (early > 0) {
        const patience = setTimeout(room.ring, early);
        await room.wait();
        clearTimeout(patience);
        continue;
      }
      const batch = await claimNext(size);
      if (!batch) continue;
      claims.any = true;
      const { messages } = batch;
      const places = await pace.place(messages);
      // Not before this: if the reservation fails, nobody settles the batch, and `releaseClaims` queues it again.
      held += messages.length;
      const claim = batch.id === null ? null : { id: batch.id, open: messages.length };
      for (const [index, message] of messages.entries())
        waiting.push({ message, claim, at: places[index] ?? null });
      pump();
    }
  };

  const look = (): Promise<void> =>
    mayGoOn().then(
      (why) => {
        if (why !== null) stopFor(why);
      },
      () => undefined,
    );
  let unlooked = 0;
  const write = async (batch: typeof settled): Promise<void> => {
    const ended: number[] = [];
    for (const { claim } of batch) if (claim && --claim.open === 0) ended.push(claim.id);
    const outcomes = batch.map(({ outcome }) => outcome);
    const refused = outcomes.filter(({ reason }) => reason === 'number_opted_out').map(({ id }) => id);
    // Before the outcome: nobody would say it again if this process ended between the two.
    if (refused.length > 0) await persistently(task, () => optOutRecipients(sql, refused));
    await persistently(task, () => recordOutcomes(sql, { runId, sender, outcomes, endedClaims: ended }));
    unlooked += batch.length;
    if (task.lookEach !== null && unlooked >= task.lookEach) {
      unlooked = 0;
      await look();
    }
    held -= batch.length;
    room.ring();
  };

  const writeLoop = async (): Promise<void> => {
    for (;;) {
      if (state.stop !== null) {
        for (const { message, claim } of [...waiting.splice(0), ...late.splice(0)])
          settled.push({ message, claim, outcome: unsent(message) });
      }
      if (settled.length > 0) {
        const gather = settledSince + gatherMs - performance.now();
        if (settled.length >= writeSize || inFlight === 0 || state.stop !== null || gather <= 0) {
          const batch = settled;
          settled = [];
          await write(batch);
        } else {
          const patience = setTimeout(toWrite.ring, gather);
          await toWrite.wait();
          clearTimeout(patience);
        }
      } else if (claims.underWay || held > 0) {
        await toWrite.wait();
      } else return;
    }
  };

  const tick = setInterval(() => {
    onProgress(progress);
    renewLease();
    void look();
    if (stopping()) ringAll();
  }, tickMs);
  const wake = (): void => void stopping();
  signal.addEventListener('abort', wake);

  try {
    const claiming = claimLoop().then(
      () => null,
      (error: unknown) => {
        stopFor('shutdown');
        return error instanceof Error ? error : new Error(String(error));
      },
    );
    void claiming.then(() => {
      claims.underWay = false;
      toWrite.ring();
    });
    const [claimError] = await Promise.all([claiming, writeLoop()]);
    // All that was sent has its outcome: what is still claimed under our name came from a claim or a reservation whose
    // answer was lost, and was never sent.
    if (claimError) {
      await persistently(task, () => releaseClaims(sql, { runId, sender }));
      throw claimError;
    }
  } finally {
    clearInterval(tick);
    clearTimeout(timer);
    signal.removeEventListener('abort', wake);
    onProgress(progress);
  }
  const { stop } = state;
  if (stop instanceof Error) throw stop;
  if (stop === 'nothing_due' && !claims.any && (await runStatus(sql, runId)) !== 'running')
    return 'not_running';
  return stop ?? 'nothing_due';
}
