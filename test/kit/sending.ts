import { claimLines, recordOutcomes } from '../../db/messages/claims.ts';
import type { Database } from '../../db/core/client.ts';

/** Writes what a sender would that claims the first `count` messages of a run and gets them taken by the provider. */
export async function recordSent(
  sql: Database,
  { runId, count, sidOf }: { runId: number; count: number; sidOf: (id: number) => string },
): Promise<void> {
  const lines = await sql<{ line: number }[]>`
    select line from messages where run_id = ${runId} and status = 'queued' order by line limit ${count}`;
  const claim = await claimLines(sql, { runId, sender: 'test', from: 1, lines: lines.at(-1)?.line ?? 1 });
  await recordOutcomes(
    sql,
    'test',
    claim.messages.map(({ id }) => ({
      id,
      status: 'sent',
      reason: null,
      providerId: null,
      providerMessageId: sidOf(id),
      providerCode: null,
      notBefore: null,
      uncounted: false,
      elapsedMs: 0,
    })),
    claim.id === null ? [] : [claim.id],
  );
}
