import type { Role } from '../../domain/user.ts';
import type { Sql } from '../core/client.ts';

/** Who a session or a token speaks for. */
export interface SessionUser {
  id: number;
  login: string;
  name: string;
  role: Role;
  /** Their password was given to them: they have to choose their own before anything else. */
  mustChangePassword: boolean;
}

/** A session ends after so long without a request, and so long after the login in any case. */
const idle = '12 hours';
const absolute = '7 days';

/** Whether a session of `sessions join users` has not run out, and is of an enabled user. */
const inForce = (sql: Sql) =>
  sql`enabled and expires_at > now() and last_seen_at > now() - ${idle}::interval`;

/** Opens a session, and clears away those of everybody that have run out. */
export async function insertSession(
  sql: Sql,
  { idHash, userId }: { idHash: Buffer; userId: number },
): Promise<void> {
  await sql`delete from sessions where expires_at < now() or last_seen_at < now() - ${idle}::interval`;
  await sql`
    insert into sessions (id_hash, user_id, expires_at)
    values (${idHash}, ${userId}, now() + ${absolute}::interval)`;
}

/**
 * The user of a session that has not run out, and is of an enabled user; null otherwise. Marks the session as used, at
 * most once a minute.
 */
export async function useSession(sql: Sql, idHash: Buffer): Promise<SessionUser | null> {
  const [row] = await sql<(SessionUser & { stale: boolean })[]>`
    select users.id, login, name, role, must_change_password, last_seen_at < now() - interval '1 minute' as stale
    from sessions join users on users.id = user_id
    where id_hash = ${idHash} and ${inForce(sql)}`;
  if (!row) return null;
  const { stale, ...user } = row;
  if (stale) await sql`update sessions set last_seen_at = now() where id_hash = ${idHash}`;
  return user;
}

/** Of these sessions those that still hold, with their users' roles now. To ask does not mark them as used. */
export async function sessionsInForce(
  sql: Sql,
  idHashes: readonly Buffer[],
): Promise<{ idHash: Buffer; role: Role }[]> {
  if (idHashes.length === 0) return [];
  // The driver writes no arrays of bytea.
  const hashes = idHashes.map((hash) => `\\x${hash.toString('hex')}`);
  return sql<{ idHash: Buffer; role: Role }[]>`
    select id_hash, role from sessions join users on users.id = user_id
    where id_hash = any(${hashes}::text[]::bytea[]) and ${inForce(sql)} and not must_change_password`;
}

export async function deleteSession(sql: Sql, idHash: Buffer): Promise<void> {
  await sql`delete from sessions where id_hash = ${idHash}`;
}

/** Logs a user out everywhere, but for the session `except`. */
export async function deleteSessionsOf(
  sql: Sql,
  userId: number,
  except: Buffer | null = null,
): Promise<void> {
  await sql`
    delete from sessions where user_id = ${userId} ${except === null ? sql`` : sql`and id_hash <> ${except}`}`;
}
