import type { Role } from '../../domain/user.ts';
import type { Sql } from '../core/client.ts';

/** An API token without its secret, of which only the SHA-256 is stored. */
export interface TokenRow {
  id: number;
  name: string;
  role: Role;
  createdBy: number;
  createdAt: Date;
  expiresAt: Date | null;
  /** To the minute. */
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

const columns = (sql: Sql) =>
  sql`id, name, role, created_by, created_at, expires_at, last_used_at, revoked_at`;

/** A page of tokens, newest first; `before`: only smaller ids. */
export async function listTokens(
  sql: Sql,
  { before, limit }: { before: number | null; limit: number },
): Promise<TokenRow[]> {
  return sql<TokenRow[]>`
    select ${columns(sql)} from api_tokens ${before === null ? sql`` : sql`where id < ${before}`}
    order by id desc limit ${limit}`;
}

export async function insertToken(
  sql: Sql,
  token: { name: string; tokenHash: Buffer; role: Role; createdBy: number; expiresAt: Date | null },
): Promise<TokenRow> {
  const [row] = await sql<[TokenRow]>`insert into api_tokens ${sql(token)} returning ${columns(sql)}`;
  return row;
}

const inForce = (sql: Sql) => sql`revoked_at is null and (expires_at is null or expires_at > now())`;

/** The valid tokens among these (not revoked, not expired), with their roles. Does not mark them as used. */
export async function tokensInForce(sql: Sql, ids: readonly number[]): Promise<{ id: number; role: Role }[]> {
  if (ids.length === 0) return [];
  return sql<{ id: number; role: Role }[]>`
    select id, role from api_tokens where id = any(${[...ids]}::bigint[]) and ${inForce(sql)}`;
}

/** A valid token; null if it is revoked or expired. Marks it as used, at most once a minute. */
export async function useToken(
  sql: Sql,
  tokenHash: Buffer,
): Promise<{ id: number; name: string; role: Role } | null> {
  const [row] = await sql<{ id: number; name: string; role: Role; stale: boolean }[]>`
    select id, name, role, coalesce(last_used_at < now() - interval '1 minute', true) as stale from api_tokens
    where token_hash = ${tokenHash} and ${inForce(sql)}`;
  if (!row) return null;
  const { stale, ...token } = row;
  if (stale) await sql`update api_tokens set last_used_at = now() where id = ${token.id}`;
  return token;
}

/** Null when there is no such token. Revoking again changes nothing. */
export async function revokeToken(sql: Sql, id: number): Promise<TokenRow | null> {
  const [row] = await sql<TokenRow[]>`
    update api_tokens set revoked_at = coalesce(revoked_at, now()) where id = ${id} returning ${columns(sql)}`;
  return row ?? null;
}

/** Revokes the tokens that a user created, because they have seen them. Returns the ids. */
export async function revokeTokensOf(sql: Sql, userId: number): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    update api_tokens set revoked_at = now() where created_by = ${userId} and revoked_at is null returning id`;
  return rows.map((row) => row.id);
}
