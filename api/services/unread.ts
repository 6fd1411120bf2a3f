import { isDeepStrictEqual } from 'node:util';
import type { FastifyBaseLogger } from 'fastify';
import type { Sql } from '../../db/core/client.ts';
import { lastUnreadId, listUnread, type UnreadRow } from '../../db/replies/inbound.ts';
import type { Provider } from '../../sms/provider.ts';
import type { Adapters } from './adapters.ts';
import { arrivalsOf, callOf } from './callbacks.ts';
import type { Arrival, ReceiptWriter } from './receipts.ts';

/** Calls in one transaction. */
const portion = 100;
/** A request reads for at most this long: the client repeats it for the rest. */
const longestMs = 20_000;
/** An early receipt finds its message after the first wait; the second is for a slow database. */
const looksAfterMs = [2_000, 15_000];

interface ReadAgain {
  read: number;
  /** Still unread. */
  unread: number;
  /** Time ran out. */
  more: boolean;
}

/** Reads provider calls again that could not be read. */
export function createUnreadCalls({
  sql,
  adapters,
  writer,
  log,
}: {
  sql: Sql;
  adapters: Adapters;
  writer: ReceiptWriter;
  log: FastifyBaseLogger;
}) {
  const timers = new Map<number, NodeJS.Timeout[]>();
  let looking: Promise<unknown> = Promise.resolve();

  const readRow = (providerId: number, row: UnreadRow, provider: Provider): Arrival[] => {
    const kind = row.kind === 'receipt' ? 'receipts' : 'inbound';
    const origin = { providerId, identity: row.eventKey, isLate: true };
    const arrivals = arrivalsOf(kind, origin, callOf(row.payload, row.receivedAt), provider);
    const [first] = arrivals;
    // The same key recognizes it if the provider repeats it.
    if (first && arrivals.length === 1) first.event.eventKey = row.eventKey;
    return arrivals;
  };

  /** Returns how many of them were read now. */
  const readRows = async (
    providerId: number,
    rows: readonly UnreadRow[],
    provider: Provider,
  ): Promise<number> => {
    const anew = rows
      .map((row) => ({ row, arrivals: readRow(providerId, row, provider) }))
      .filter(({ row, arrivals }) => !isAsBefore(row, arrivals));
    if (anew.length === 0) return 0;
    const unread = await writer.replace(
      anew.map(({ row: { eventKey } }) => ({ providerId, eventKey })),
      anew.flatMap(({ arrivals }) => arrivals),
    );
    return anew.filter(({ arrivals }) => !arrivals.some(({ event }) => unread.has(event.eventKey))).length;
  };

  const readAgain = async (
    providerId: number,
    { ids, early = false }: { ids?: readonly number[] | undefined; early?: boolean } = {},
  ): Promise<ReadAgain> => {
    const startedAt = performance.now();
    const result = { read: 0, unread: 0, more: false };
    // By the present description.
    const provider = await adapters.get(providerId, { atMostMs: 0 });
    // A call that is still unread has a new id: it is not for this round.
    const upTo = await lastUnreadId(sql, providerId);
    if (!provider || upTo === null) return result;
    for (let after = 0; ;) {
      const rows = await listUnread(sql, providerId, { after, upTo, ids, early, limit: portion });
      const last = rows.at(-1);
      if (!last) return result;
      if (performance.now() - startedAt > longestMs) return { ...result, more: true };
      const read = await readRows(providerId, rows, provider);
      result.read += read;
      result.unread += rows.length - read;
      after = last.id;
    }
  };

  return {
    readAgain,

    /** Calls of this provider may have arrived too early: they are read again shortly. */
    lookSoon(providerId: number): void {
      if (timers.has(providerId)) return;
      timers.set(
        providerId,
        looksAfterMs.map((delayMs, index) =>
          setTimeout(() => {
            if (index === looksAfterMs.length - 1) timers.delete(providerId);
            looking = looking
              .then(() => readAgain(providerId, { early: true }))
              .catch((error: unknown) => log.warn({ err: error, providerId }, 'Early receipts wait'));
          }, delayMs).unref(),
        ),
      );
    },

    async close(): Promise<void> {
      for (const timer of [...timers.values()].flat()) clearTimeout(timer);
      await looking;
    },
  };
}

const isAsBefore = ({ fault }: UnreadRow, [first, ...others]: readonly Arrival[]): boolean =>
  fault !== null && others.length === 0 && isDeepStrictEqual(first?.event.unread, fault);

export type UnreadCalls = ReturnType<typeof createUnreadCalls>;
