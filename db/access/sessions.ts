import type { Role } from '../../domain/user.ts';
import type { Sql } from '../core/client.ts';

/** Who a session or a token speaks for. */
export interface SessionUser {
  id: number;
  login: string;
  name: string;
  role: Role;
}

/** A session ends after so long without a request, and so long after the login in any case. */
const idle = '12 hours';
const absolute = '7 days';

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
    select users.id, login, name, role, last_seen_at < now() - interval '1 minute' as stale
    from sessions join users on users.id = user_id
    where id_hash = ${idHash} and enabled and expires_at > now() and last_seen_at > now() - ${idle}::interval`;
  if (!row) return null;
  const { stale, ...user } = row;
  if (stale) await sql`update sessions set last_seen_at = now() where id_hash = ${idHash}`;
  return user;
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
