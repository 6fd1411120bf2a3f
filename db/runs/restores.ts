import type { RunReason } from '../../domain/run.ts';
import { insertAudit } from '../access/audit.ts';
import { closeStoppedSenders } from '../messages/claims.ts';
import type { Sql } from '../core/client.ts';
import { moveHome } from '../core/deployment.ts';
import { json } from '../core/json.ts';

/** A restore of the database from a backup. */
export interface RestoreRow {
  id: number;
  /** The last heartbeat in the backup: later events are unknown. */
  backupAt: Date;
  recognizedAt: Date;
  stoppedRuns: number;
  /** When campaigns may start runs again; null: providers are still being asked about the time since the backup. */
  completedAt: Date | null;
  /** `user:7`, `token:3`, or `system`: all providers were asked. */
  completedBy: string | null;
}

const columns = (sql: Sql) => sql`id, backup_at, recognized_at, stopped_runs, completed_at, completed_by`;

/**
 * External systems know the ids that the database gave out after the backup: providers send receipts for them, and one
 * refuses a second message with the same id; helpdesks store tickets under them. New ids start above this gap.
 */
const idGap = { messages: 1_000_000_000, others: 1_000_000 };

/**
 * Starts a restore, in one transaction while no process is running: fails every run that could continue, with the
 * reason, so that a user retries or cancels it; marks claimed messages and unsent answers as unknown; moves ids above those that may have
 * been given out; schedules the query to each provider. Occurrences up to now are recorded as missed and do not run
 * (activities/schedule.ts).
 */
export async function beginRestore(sql: Sql): Promise<RestoreRow> {
  const backupAt = await moveHome(sql);
  const reason: RunReason = { code: 'stopped_by_restore', backupAt: backupAt.toISOString() };
  const runs = await sql<{ id: number }[]>`
    update runs set status = 'failed', reason = ${json(sql, reason)}, restored_at = now(), finished_at = now()
    where status in ('running', 'paused', 'cancelling', 'failed') returning id`;
  for (const { id } of runs) {
    await closeStoppedSenders(sql, { runId: id, deduplicates: false });
    await insertAudit(sql, {
      actor: 'system',
      actorName: 'system',
      action: 'run.stopped_by_restore',
      subjectKind: 'run',
      subjectId: id,
      details: { backupAt: backupAt.toISOString() },
    });
  }
  // What was sent since the backup is not known.
  await sql`
    update answers set status = 'unknown', reason = 'sender_died', ended_at = now(), sending_at = coalesce(sending_at, created_at)
    where status in ('queued', 'sending')`;
  await raiseIds(sql);
  // This one includes an earlier restore that is still open.
  await sql`update restores set completed_at = now(), completed_by = 'system' where completed_at is null`;
  const [restore] = await sql<[RestoreRow]>`
    insert into restores (backup_at, stopped_runs) values (${backupAt}, ${runs.length}) returning ${columns(sql)}`;
  await sql`insert into restore_catch_ups (restore_id, provider_id) select ${restore.id}, id from providers`;
  await decideIfAsked(sql);
  return restore;
}

async function raiseIds(sql: Sql): Promise<void> {
  await sql`
    select setval(
      pg_get_serial_sequence(format('%I', table_name), column_name),
      nextval(pg_get_serial_sequence(format('%I', table_name), column_name))
        + case table_name when 'messages' then ${idGap.messages}::bigint else ${idGap.others}::bigint end)
    from information_schema.columns
    where table_schema = current_schema() and is_identity = 'YES' and table_name <> 'restores'`;
}

/** The last restore; null: none. */
export async function lastRestore(sql: Sql): Promise<RestoreRow | null> {
  const [row] = await sql<RestoreRow[]>`select ${columns(sql)} from restores order by id desc limit 1`;
  return row ?? null;
}

/** Lets campaigns start runs again. False when they already may. */
export async function decideRestore(sql: Sql, id: number, by: string): Promise<boolean> {
  const rows = await sql`
    update restores set completed_at = now(), completed_by = ${by} where id = ${id} and completed_at is null`;
  return rows.count > 0;
}

/** The same for the last restore, once every provider has been asked. */
export async function decideIfAsked(sql: Sql): Promise<void> {
  await sql`
    update restores set completed_at = now(), completed_by = 'system'
    where completed_at is null and not exists (
      select from restore_catch_ups where restore_id = restores.id and state = 'waiting')`;
}

export type CatchUpState = 'waiting' | 'done' | 'not_offered';

/** The result of asking a provider about the time since the backup. */
export interface CatchUpRow {
  providerId: number;
  providerName: string;
  state: CatchUpState;
  askedAt: Date | null;
  /** Why there was no answer: the provider's code, or the name of an error. */
  problem: string | null;
  /** Replies missing from the backup, and how many of them opted out. */
  replies: number;
  optOuts: number;
  /** Messages sent since the backup: of runs in the backup, and of others. */
  known: number;
  others: number;
}

export async function listCatchUps(sql: Sql, restoreId: number): Promise<CatchUpRow[]> {
  return sql<CatchUpRow[]>`
    select c.provider_id, p.name as provider_name, c.state, c.asked_at, c.problem, c.replies, c.opt_outs, c.known, c.others
    from restore_catch_ups as c join providers as p on p.id = c.provider_id
    where c.restore_id = ${restoreId} order by p.name`;
}

/** Adds the result of one attempt to ask a provider. */
export async function recordCatchUp(
  sql: Sql,
  restoreId: number,
  catchUp: { providerId: number; state: CatchUpState; problem: string | null } & Pick<
    CatchUpRow,
    'replies' | 'optOuts' | 'known' | 'others'
  >,
): Promise<void> {
  await sql`
    update restore_catch_ups set state = ${catchUp.state}, asked_at = now(), problem = ${catchUp.problem},
      replies = replies + ${catchUp.replies}, opt_outs = opt_outs + ${catchUp.optOuts},
      known = known + ${catchUp.known}, others = ${catchUp.others}
    where restore_id = ${restoreId} and provider_id = ${catchUp.providerId}`;
}
