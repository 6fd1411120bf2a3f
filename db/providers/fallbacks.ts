import type { Failover } from '../../domain/failover.ts';
import type { RunSettings } from '../../domain/run.ts';
import { profiles, removeAccents, type SegmentProfileName } from '../../domain/segments.ts';
import { costOf } from '../../domain/template.ts';
import type { Sql } from '../core/client.ts';
import { json } from '../core/json.ts';
import { counted, lockMessages, movedColumns } from '../messages/messages.ts';
import { lockReconciling, reconcileCounts } from '../runs/runs.ts';

/** The provider that takes over messages that another one has certainly not accepted. */

/** A provider that can take over. */
export interface Fallback {
  id: number;
  name: string;
  segmentProfile: SegmentProfileName;
}

/** The fallback of a provider; null when there is none, or it is archived or has already been tried. */
export async function usableFallback(
  sql: Sql,
  providerId: number,
  tried: readonly number[] = [],
): Promise<Fallback | null> {
  const [row] = await sql<Fallback[]>`
    select f.id, f.name, f.segment_profile from providers as p join providers as f on f.id = p.fallback_id
    where p.id = ${providerId} and f.archived_at is null and f.id <> all(${[...tried]}::bigint[])`;
  return row ?? null;
}

/** Whether a provider's fallback is archived, and so cannot be used. */
export async function isFallbackArchived(sql: Sql, providerId: number): Promise<boolean> {
  const rows = await sql`
    select from providers as p join providers as f on f.id = p.fallback_id
    where p.id = ${providerId} and f.archived_at is not null`;
  return rows.count > 0;
}

/**
 * Sets a provider's fallback. Returns false without a change if the chain of fallbacks would lead back to the provider.
 * Call it in a transaction: it serializes changes of fallbacks until it ends.
 */
export async function setFallback(sql: Sql, id: number, fallbackId: number | null): Promise<boolean> {
  await sql`select pg_advisory_xact_lock(hashtext('torpedo.fallback'))`;
  const [row] = await sql<[{ back: boolean }]>`
    with recursive chain (id) as (
      select ${fallbackId}::bigint
      union
      select p.fallback_id from chain join providers as p on p.id = chain.id
    )
    select exists (select from chain where id = ${id}) as back`;
  if (row.back) return false;
  await sql`update providers set fallback_id = ${fallbackId} where id = ${id}`;
  return true;
}

/**
 * Switches a run to another provider, with all queued messages that no provider has accepted. Messages that the old one
 * may have accepted become unknown. The others are due at once, with their attempts reset, and are segmented by the new
 * provider's profile: a text that it does not accept is skipped (`message_too_long`, `word_exceeds_segment`). Accents
 * that need more segments there are removed, if the campaign removes accents.
 *
 * Null: the run no longer sends through `from`, or has ended. Call it in a transaction, and only while nobody sends for
 * the run and none of its messages is claimed.
 */
export async function switchProvider(
  sql: Sql,
  {
    runId,
    from,
    to,
    ...why
  }: { runId: number; from: number; to: Fallback } & Pick<Failover, 'at' | 'cause' | 'providerCode'>,
): Promise<Failover | null> {
  const [run] = await sql<{ name: string; settings: RunSettings; lastProfile: SegmentProfileName | null }[]>`
    select p.name, r.settings, r.failovers -> -1 ->> 'segmentProfile' as last_profile
    from runs as r join providers as p on p.id = r.provider_id
    where r.id = ${runId} and r.provider_id = ${from} and r.status in ('running', 'paused')
    for no key update of r`;
  if (!run) return null;
  await lockReconciling(sql, runId);
  await lockMessages(sql, sql`m.run_id = ${runId} and m.status = 'queued'`);
  await sql`
    update messages set attempts = 0, not_before = null
    where run_id = ${runId} and status = 'queued' and provider_id is null and (attempts > 0 or not_before is not null)`;
  const { segmentProfile } = to;
  const isCountedAlike = segmentProfile === (run.lastProfile ?? run.settings.segmentProfile);
  const tooLong = isCountedAlike
    ? 0
    : await judgeAnew(sql, { runId, segmentProfile, ...run.settings.campaign.message });
  // Counts come last: receipts wait for them until the transaction ends.
  const perhapsTaken = await sql`
    with moved as (
      update messages as m set status = 'unknown', reason = 'no_answer', ended_at = now()
      where m.run_id = ${runId} and m.status = 'queued' and m.provider_id is not null
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from moved`;
  // Messages with a new number of segments differ from the counts.
  if (!isCountedAlike) await reconcileCounts(sql, runId);
  const failover: Failover = {
    ...why,
    from: { id: from, name: run.name },
    to: { id: to.id, name: to.name },
    segmentProfile,
    unknown: perhapsTaken.count,
    tooLong,
  };
  await sql`
    update runs set provider_id = ${to.id}, failovers = failovers || ${json(sql, failover)} where id = ${runId}`;
  return failover;
}

const linesPerQuery = 1_000;

/**
 * Counts the segments of queued messages by another profile, and skips those that need too many. Returns how many; the
 * caller updates the counts of the run.
 */
async function judgeAnew(
  sql: Sql,
  {
    runId,
    segmentProfile,
    ...message
  }: { runId: number; segmentProfile: SegmentProfileName; removeAccents: boolean; maxSegments: number },
): Promise<number> {
  const profile = profiles[segmentProfile];
  let leftOut = 0;
  for (let after = 0; ;) {
    const rows = await sql<{ id: number; line: number; text: string; segments: number }[]>`
      select id, line, text, segments from messages
      where run_id = ${runId} and status = 'queued' and provider_id is null and line > ${after} and text is not null
      order by line limit ${linesPerQuery}`;
    const last = rows.at(-1);
    if (!last) break;
    after = last.line;
    const changed = rows
      .map(({ id, text: before, segments: cost }) => {
        const text = message.removeAccents ? removeAccents(before, profile) : before;
        const { segments, skip } = costOf(text, { profile, maxSegments: message.maxSegments });
        return { id, text, segments, skip, same: text === before && segments === cost && skip === null };
      })
      .filter(({ same }) => !same);
    if (changed.length === 0) continue;
    leftOut += changed.filter(({ skip }) => skip !== null).length;
    await sql`
      update messages as m set segments = c.segments, text = c.text,
        status = case when c.skip is null then m.status else 'skipped' end,
        reason = coalesce(c.skip, m.reason),
        ended_at = case when c.skip is null then m.ended_at else now() end
      from unnest(
        ${changed.map(({ id }) => id)}::bigint[], ${changed.map(({ segments }) => segments)}::int[],
        ${changed.map(({ skip }) => skip)}::text[], ${changed.map(({ text }) => text)}::text[]
      ) as c (id, segments, skip, text)
      where m.id = c.id and m.status = 'queued'`;
  }
  return leftOut;
}
