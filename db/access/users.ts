import type { Locale, Role } from '../../domain/user.ts';
import type { Sql } from '../core/client.ts';

/** A person who may log in. The password's hash never leaves the functions that need it. */
export interface UserRow {
  id: number;
  login: string;
  name: string;
  role: Role;
  locale: Locale;
  timezone: string;
  /** What a new campaign of theirs begins with; null: the first that there are. */
  sendingHoursId: number | null;
  enabled: boolean;
  /** Their password was given to them: they have to choose their own before anything else. */
  mustChangePassword: boolean;
  createdAt: Date;
}

const columns = (sql: Sql) => sql`
  id, login, name, role, locale, timezone, sending_hours_id, enabled, must_change_password, created_at`;

/** All users by login; there are as many as an organisation has operators. */
export async function listUsers(
  sql: Sql,
  { after, limit }: { after: number; limit: number },
): Promise<UserRow[]> {
  return sql<UserRow[]>`select ${columns(sql)} from users where id > ${after} order by id limit ${limit}`;
}

export async function getUser(sql: Sql, id: number): Promise<UserRow | null> {
  const [row] = await sql<UserRow[]>`select ${columns(sql)} from users where id = ${id}`;
  return row ?? null;
}

/** Null when the id names nobody. */
export async function getPasswordHash(sql: Sql, id: number): Promise<string | null> {
  const [row] = await sql<{ passwordHash: string }[]>`select password_hash from users where id = ${id}`;
  return row?.passwordHash ?? null;
}

export async function getUserByLogin(
  sql: Sql,
  login: string,
): Promise<(UserRow & { passwordHash: string }) | null> {
  const [row] = await sql<(UserRow & { passwordHash: string })[]>`
    select ${columns(sql)}, password_hash from users where login = ${login}`;
  return row ?? null;
}

export interface NewUser {
  /** Lower case. */
  login: string;
  name: string;
  passwordHash: string;
  role: Role;
  /** Left out: the password is their own. */
  mustChangePassword?: boolean;
}

/** Throws PostgreSQL's 23505 when the login is taken. */
export async function insertUser(sql: Sql, user: NewUser): Promise<UserRow> {
  const [row] = await sql<[UserRow]>`insert into users ${sql(user)} returning ${columns(sql)}`;
  return row;
}

/**
 * Adds the user, whose password is a given one, only to an empty table; false when there is one already. Two processes may
 * try at once.
 */
export async function insertFirstUser(sql: Sql, user: NewUser): Promise<boolean> {
  const rows = await sql`
    insert into users (login, name, password_hash, role, must_change_password)
    select ${user.login}, ${user.name}, ${user.passwordHash}, ${user.role}, true
    where not exists (select from users)
    on conflict (login) do nothing`;
  return rows.count > 0;
}

export async function hasUsers(sql: Sql): Promise<boolean> {
  const [row] = await sql<[{ present: boolean }]>`select exists (select from users) as present`;
  return row.present;
}

export interface UserChange {
  name?: string | undefined;
  role?: Role | undefined;
  enabled?: boolean | undefined;
  passwordHash?: string | undefined;
  mustChangePassword?: boolean | undefined;
  locale?: Locale | undefined;
  timezone?: string | undefined;
  sendingHoursId?: number | null | undefined;
}

/** Null when there is no such user. */
export async function updateUser(sql: Sql, id: number, change: UserChange): Promise<UserRow | null> {
  const [row] = await sql<UserRow[]>`
    update users set name = coalesce(${change.name ?? null}, name), role = coalesce(${change.role ?? null}, role),
      enabled = coalesce(${change.enabled ?? null}, enabled),
      password_hash = coalesce(${change.passwordHash ?? null}, password_hash),
      must_change_password = coalesce(${change.mustChangePassword ?? null}, must_change_password),
      locale = coalesce(${change.locale ?? null}, locale), timezone = coalesce(${change.timezone ?? null}, timezone),
      sending_hours_id = ${change.sendingHoursId === undefined ? sql`sending_hours_id` : change.sendingHoursId}
    where id = ${id} returning ${columns(sql)}`;
  return row ?? null;
}

/**
 * The ids of the admins who can log in, locked until the transaction ends: two of them who remove each other at once
 * wait for one another, and the second finds itself the last.
 */
export async function lockAdmins(sql: Sql): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from users where role = 'admin' and enabled order by id for update`;
  return rows.map((row) => row.id);
}
