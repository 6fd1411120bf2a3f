import type { Callbacks } from './callbacks.ts';
import { draw, type Faults, refusalCode, streams } from './faults.ts';
import type { Ledger } from './ledger.ts';

interface Receipt {
  index: number;
  status: 'sent' | 'delivered' | 'undelivered';
  errorCode: number;
}
interface Retry extends Receipt {
  /** Answers so far, none of them 2xx. */
  attempts: number;
  firstAt: number;
  dueAt: number;
}

export interface ReceiptCounts {
  /** Still to be posted, or to be posted again. */
  pending: number;
  /** Answered with a 2xx. */
  done: number;
  /** Given up after several tries; a restart tries again. */
  failed: number;
  /** Second copies posted on purpose. */
  repeated: number;
}

const ATTEMPTS = 6;
const RETRY_MS = 2000;
/** A callback URL that cannot be reached is skipped for a moment, instead of using up every receipt's tries. */
const UNREACHABLE_MS = 500;
/** How long an unreachable URL is tried: the application may start after the gateway. */
const UNREACHABLE_GIVE_UP_MS = 5 * 60_000;
const CAUSES = [30003, 30005, 30006, 30007] as const;

/**
 * Posts the two receipts of each message in the ledger from entry `from` on and before `until`: `sent`, then
 * `delivered` or `undelivered`. A message with its final receipt is finished in the ledger.
 *
 * There is no queue. Entries are in the order of their time, and the delay is the same for all, so two cursors over the
 * ledger determine what is due: a million waiting receipts cost nothing. Only failed ones are kept, to be tried again.
 */
export function createReceipts(options: {
  ledger: Ledger;
  from: number;
  until: number;
  callbacks: Callbacks;
  accountSid: string;
  seed: number;
  faults: () => Faults;
  concurrency: number;
}) {
  const { ledger, from, until, callbacks, accountSid, seed, faults, concurrency } = options;
  const cursors = { first: from, second: from };
  const retries = new Set<Retry>();
  const counts = { expected: 0, done: 0, failed: 0, repeated: 0 };
  for (let index = from; index < Math.min(until, ledger.length); index++) {
    if (ledger.hasCallback(index)) counts.expected += 2;
  }
  let inFlight = 0;
  let heldUntil = 0;
  let closed = false;
  let timer: NodeJS.Timeout | null = null;
  let wakesAt = Infinity;

  /** Drawn from values that a restart does not change, so that a final receipt is repeated, not contradicted. */
  const finalOf = (index: number): Receipt => {
    const number = ledger.numberOf(index);
    const code =
      refusalCode(faults(), ledger.get(index).to) ??
      (draw(seed, streams.delivery, number) < faults().undeliveredRate
        ? (CAUSES[Math.floor(draw(seed, streams.cause, number) * CAUSES.length)] ?? CAUSES[0])
        : 0);
    return code === 0
      ? { index, status: 'delivered', errorCode: 0 }
      : { index, status: 'undelivered', errorCode: code };
  };

  /** When the receipt under a cursor is due; Infinity: there is no such message yet. */
  const dueAt = (cursor: 'first' | 'second'): number => {
    const behind = cursor === 'first' ? Math.min(until, ledger.length) : cursors.first;
    while (cursors[cursor] < behind && !ledger.hasCallback(cursors[cursor])) cursors[cursor]++;
    if (cursors[cursor] >= behind) return Infinity;
    return ledger.takenAt(cursors[cursor]) + faults().receiptDelayMs * (cursor === 'first' ? 1 : 2);
  };

  const take = (cursor: 'first' | 'second'): Receipt => {
    const index = cursors[cursor]++;
    const reordered = draw(seed, streams.reorder, ledger.numberOf(index)) < faults().reorderReceipts;
    return (cursor === 'first') === reordered ? finalOf(index) : { index, status: 'sent', errorCode: 0 };
  };

  function pump(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    wakesAt = Infinity;
    while (!closed && faults().receipts && inFlight < concurrency) {
      const [retry] = retries;
      const due = { first: dueAt('first'), second: dueAt('second'), retry: retry?.dueAt ?? Infinity };
      const soonest = Math.max(heldUntil, Math.min(due.first, due.second, due.retry));
      const waitMs = soonest - Date.now();
      if (waitMs > 0) {
        if (waitMs !== Infinity) {
          timer = setTimeout(pump, waitMs);
          wakesAt = soonest;
        }
        return;
      }
      if (retry !== undefined && due.retry <= Math.min(due.first, due.second)) {
        retries.delete(retry);
        void post(retry, retry);
      } else {
        void post(take(due.first <= due.second ? 'first' : 'second'));
      }
    }
  }

  async function post({ index, status, errorCode }: Receipt, before?: Retry): Promise<void> {
    inFlight++;
    const { firstAt, attempts } = before ?? { firstAt: Date.now(), attempts: 0 };
    const entry = ledger.get(index);
    if (status !== 'sent' || entry.status === 'queued') ledger.setStatus(index, status, errorCode);
    const form = {
      AccountSid: accountSid,
      ApiVersion: '2010-04-01',
      From: entry.from,
      To: entry.to,
      MessageSid: entry.sid,
      MessageStatus: status,
      SmsSid: entry.sid,
      SmsStatus: status,
      ...(errorCode === 0 ? {} : { ErrorCode: String(errorCode) }),
    };
    const url = entry.statusCallback ?? '';
    const stream = status === 'sent' ? streams.repeatSent : streams.repeatFinal;
    const repeat = !before && draw(seed, stream, ledger.numberOf(index)) < faults().duplicateReceipts;
    const answer = await callbacks.post(url, form).catch(() => null);
    if (answer === null) heldUntil = Date.now() + UNREACHABLE_MS;
    const tries = attempts + (answer === null ? 0 : 1);
    if (answer !== null && answer >= 200 && answer < 300) {
      counts.done++;
      if (status !== 'sent') ledger.finish(index);
    } else if (tries >= ATTEMPTS || Date.now() - firstAt >= UNREACHABLE_GIVE_UP_MS) counts.failed++;
    else retries.add({ index, status, errorCode, attempts: tries, firstAt, dueAt: Date.now() + RETRY_MS });
    if (repeat) {
      counts.repeated++;
      await callbacks.post(url, form).catch(() => undefined);
    }
    inFlight--;
    pump();
  }

  return {
    /** Call after an entry with a callback was added at the ledger's end. */
    added(): void {
      counts.expected += 2;
      if (Date.now() + faults().receiptDelayMs < wakesAt && inFlight < concurrency) pump();
    },
    /** Call to begin, and after the faults were changed. */
    pump,
    counts: (): ReceiptCounts => ({
      pending: counts.expected - counts.done - counts.failed,
      done: counts.done,
      failed: counts.failed,
      repeated: counts.repeated,
    }),
    close(): void {
      closed = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}
export type Receipts = ReturnType<typeof createReceipts>;
