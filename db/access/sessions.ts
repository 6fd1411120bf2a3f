import type { Locale, Role } from '../../domain/user.ts';
import type { Sql } from '../core/client.ts';

/** The user of a session or a token. */
export interface SessionUser {
  id: number;
  login: string;
  name: string;
  role: Role;
  locale: Locale;
  timezone: string;
  /** An admin set their password: they have to choose their own before any other action. */
  mustChangePassword: boolean;
}

/** A session ends after this time without a request, and after a fixed time since the login. */
const idle = '12 hours';
const absolute = '7 days';

/** Whether a session of `sessions join users` is valid: not expired, and of an enabled user. */
const inForce = (sql: Sql) =>
  sql`enabled and expires_at > now() and last_seen_at > now() - ${idle}::interval`;

/** Creates a session, and deletes all expired sessions. */
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
 * The user of a valid session of an enabled user; null otherwise. With `mark`, the session counts as used, which is
 * written at most once a minute.
 */
export async function useSession(
  sql: Sql,
  idHash: Buffer,
  { mark = true }: { mark?: boolean } = {},
): Promise<SessionUser | null> {
  const [row] = await sql<(SessionUser & { stale: boolean })[]>`
    select users.id, login, name, role, locale, timezone, must_change_password, last_seen_at < now() - interval '1 minute' as stale
    from sessions join users on users.id = user_id
    where id_hash = ${idHash} and ${inForce(sql)}`;
  if (!row) return null;
  const { stale, ...user } = row;
  if (stale && mark) await sql`update sessions set last_seen_at = now() where id_hash = ${idHash}`;
  return user;
}

/** The valid sessions among these, with their users' current roles. Does not mark them as used. */
export async function sessionsInForce(
  sql: Sql,
  idHashes: readonly Buffer[],
): Promise<{ idHash: Buffer; role: Role }[]> {
  if (idHashes.length === 0) return [];
  // The driver does not serialize arrays of bytea.
  const hashes = idHashes.map((hash) => `\\x${hash.toString('hex')}`);
  return sql<{ idHash: Buffer; role: Role }[]>`
    select id_hash, role from sessions join users on users.id = user_id
    where id_hash = any(${hashes}::text[]::bytea[]) and ${inForce(sql)} and not must_change_password`;
}

export async function deleteSession(sql: Sql, idHash: Buffer): Promise<void> {
  await sql`delete from sessions where id_hash = ${idHash}`;
}

/** Logs a user out everywhere, except for the session `except`. */
export async function deleteSessionsOf(
  sql: Sql,
  userId: number,
  except: Buffer | null = null,
): Promise<void> {
  await sql`
    delete from sessions where user_id = ${userId} ${except === null ? sql`` : sql`and id_hash <> ${except}`}`;
}
