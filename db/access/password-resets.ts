import type { Sql } from '../core/client.ts';

/** A link to choose a new password is valid for this long, once. */
export const passwordResetMinutes = 30;

/** Adds a link of the user, valid from now on, and deletes expired ones. Earlier ones stay valid until one is used. */
export async function insertPasswordReset(sql: Sql, userId: number, tokenHash: Buffer): Promise<void> {
  await sql`delete from password_resets where expires_at < now()`;
  await sql`
    insert into password_resets (token_hash, user_id, expires_at)
    values (${tokenHash}, ${userId}, now() + make_interval(mins => ${passwordResetMinutes}))`;
}

/** Whether the link can still be used. */
export async function isPasswordResetValid(sql: Sql, tokenHash: Buffer): Promise<boolean> {
  const rows = await sql`
    select from password_resets join users on users.id = user_id
    where token_hash = ${tokenHash} and expires_at > now() and enabled`;
  return rows.count > 0;
}

/** Uses up all links of the user; null: this one has expired or was used, or the user was disabled. */
export async function usePasswordReset(
  tx: Sql,
  tokenHash: Buffer,
): Promise<{ id: number; name: string } | null> {
  const [row] = await tx<{ id: number; name: string }[]>`
    select users.id, name from password_resets join users on users.id = user_id
    where token_hash = ${tokenHash} and expires_at > now() and enabled for no key update of users`;
  if (!row) return null;
  // A second request with the same link has waited for the row of the user.
  const [used] = await tx<{ userId: number }[]>`
    delete from password_resets where token_hash = ${tokenHash} returning user_id`;
  if (!used) return null;
  await tx`delete from password_resets where user_id = ${row.id}`;
  return row;
}
