import type { Database } from '../../db/core/client.ts';
import { claimLines, type Outcome, recordOutcomes } from '../../db/messages/claims.ts';

/** The outcome of a message that the provider accepted, with `changes`. */
export const outcomeWith = (id: number, changes: Partial<Outcome> = {}): Outcome => ({
  id,
  status: 'sent',
  reason: null,
  providerId: null,
  providerMessageId: null,
  providerCode: null,
  notBefore: null,
  uncounted: false,
  handedOverAt: null,
  elapsedMs: 0,
  ...changes,
});

/** Records the first `count` messages of a run as a sender does whose provider accepts them. */
export async function recordSent(
  sql: Database,
  {
    runId,
    count,
    sidOf,
    providerId = null,
    receiptsById = false,
  }: {
    runId: number;
    count: number;
    sidOf: (id: number) => string;
    providerId?: number | null;
    receiptsById?: boolean;
  },
): Promise<void> {
  const lines = await sql<{ line: number }[]>`
    select line from messages where run_id = ${runId} and status = 'queued' order by line limit ${count}`;
  const claim = await claimLines(sql, { runId, sender: 'test', from: 1, lines: lines.at(-1)?.line ?? 1 });
  await recordOutcomes(sql, {
    runId,
    sender: 'test',
    outcomes: claim.messages.map(({ id }) => outcomeWith(id, { providerId, providerMessageId: sidOf(id) })),
    receiptsById,
    endedClaims: claim.id === null ? [] : [claim.id],
  });
}
