import type { RunReason } from '../../domain/run.ts';
import { insertAudit } from '../access/audit.ts';
import { settleDeadSenders } from '../messages/claims.ts';
import type { Sql } from '../core/client.ts';
import { moveHome } from '../core/deployment.ts';
import { json } from '../core/json.ts';

/** A time that the database was restored from a backup. */
export interface RestoreRow {
  id: number;
  /** The last sign of life that the backup holds: what happened after it is not known. */
  backupAt: Date;
  recognizedAt: Date;
  stoppedRuns: number;
  /** Campaigns start runs again from here on; null: providers are still asked what happened since the backup. */
  settledAt: Date | null;
  /** `user:7`, `token:3`, or `system`: all providers were asked. */
  settledBy: string | null;
}

const columns = (sql: Sql) => sql`id, backup_at, recognized_at, stopped_runs, settled_at, settled_by`;

/**
 * Ids that a restored database has given out after its backup are known elsewhere: providers send receipts for them, and
 * one of them refuses a second message with the same; helpdesks keep tickets under them. The next ones begin above.
 */
const idGap = { messages: 1_000_000_000, others: 1_000_000 };

/**
 * Begins a restore, in one transaction with no process at work: every run that could go on is marked as failed, with the
 * reason, for a person to retry or cancel; what a sender had in hand is unknown; ids go on above those that may have been
 * given out; each provider is to be asked. Occurrences up to now are not run but recorded as missed (activities/schedule.ts).
 */
export async function beginRestore(sql: Sql): Promise<RestoreRow> {
  const backupAt = await moveHome(sql);
  const reason: RunReason = { code: 'stopped_by_restore', backupAt: backupAt.toISOString() };
  const runs = await sql<{ id: number }[]>`
    update runs set status = 'failed', reason = ${json(sql, reason)}, restored_at = now(), finished_at = now()
    where status in ('running', 'paused', 'cancelling', 'failed') returning id`;
  for (const { id } of runs) {
    await settleDeadSenders(sql, { runId: id, deduplicates: false });
    await insertAudit(sql, {
      actor: 'system',
      actorName: 'system',
      action: 'run.stopped_by_restore',
      subjectKind: 'run',
      subjectId: id,
      details: { backupAt: backupAt.toISOString() },
    });
  }
  await raiseIds(sql);
  // An earlier restore that is not settled is part of this one.
  await sql`update restores set settled_at = now(), settled_by = 'system' where settled_at is null`;
  const [restore] = await sql<[RestoreRow]>`
    insert into restores (backup_at, stopped_runs) values (${backupAt}, ${runs.length}) returning ${columns(sql)}`;
  await sql`insert into restore_catch_ups (restore_id, provider_id) select ${restore.id}, id from providers`;
  await settleIfAsked(sql);
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

/** The last restore; null: there was none. */
export async function lastRestore(sql: Sql): Promise<RestoreRow | null> {
  const [row] = await sql<RestoreRow[]>`select ${columns(sql)} from restores order by id desc limit 1`;
  return row ?? null;
}

/** Lets campaigns start runs again. False when they do already. */
export async function settleRestore(sql: Sql, id: number, by: string): Promise<boolean> {
  const rows = await sql`
    update restores set settled_at = now(), settled_by = ${by} where id = ${id} and settled_at is null`;
  return rows.count > 0;
}

/** The same for the last restore, once every provider has been asked. */
export async function settleIfAsked(sql: Sql): Promise<void> {
  await sql`
    update restores set settled_at = now(), settled_by = 'system'
    where settled_at is null and not exists (
      select from restore_catch_ups where restore_id = restores.id and state = 'waiting')`;
}

export type CatchUpState = 'waiting' | 'done' | 'not_offered';

/** What a provider was asked about the time since the backup. */
export interface CatchUpRow {
  providerId: number;
  providerName: string;
  state: CatchUpState;
  askedAt: Date | null;
  /** Why that gave no answer: the provider's code, or the name of an error. */
  problem: string | null;
  /** Replies that the backup did not hold, and how many of them opted out. */
  replies: number;
  optOuts: number;
  /** Messages sent since the backup, of runs that it holds and of others. */
  known: number;
  others: number;
}

export async function listCatchUps(sql: Sql, restoreId: number): Promise<CatchUpRow[]> {
  return sql<CatchUpRow[]>`
    select c.provider_id, p.name as provider_name, c.state, c.asked_at, c.problem, c.replies, c.opt_outs, c.known, c.others
    from restore_catch_ups as c join providers as p on p.id = c.provider_id
    where c.restore_id = ${restoreId} order by p.name`;
}

/** Adds what an attempt to ask a provider has come to. */
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
