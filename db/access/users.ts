import { type Locale, permissions, type Role } from '../../domain/user.ts';
import type { Sql } from '../core/client.ts';

/** A user who may log in. Only the functions that need the password's hash return it. */
export interface UserRow {
  id: number;
  login: string;
  name: string;
  role: Role;
  locale: Locale;
  timezone: string;
  /** The default for their new campaigns; null: the first entry. */
  sendingHoursId: number | null;
  enabled: boolean;
  /** An admin set their password: they have to choose their own before any other action. */
  mustChangePassword: boolean;
  /** Where alerts and links to a new password go; null: nowhere. */
  email: string | null;
  createdAt: Date;
}

const columns = (sql: Sql) => sql`
  id, login, name, role, locale, timezone, sending_hours_id, enabled, must_change_password, email, created_at`;

/** All users by login; the list is as short as an organization's list of operators. */
export async function listUsers(
  sql: Sql,
  { after, limit }: { after: number; limit: number },
): Promise<UserRow[]> {
  return sql<UserRow[]>`select ${columns(sql)} from users where id > ${after} order by id limit ${limit}`;
}

/** Who a ticket may be assigned to, or may have been: all users, by name. `available`: may be assigned now. */
export interface TicketUser {
  id: number;
  name: string;
  available: boolean;
}

export async function listTicketUsers(sql: Sql): Promise<TicketUser[]> {
  return sql<TicketUser[]>`
    select id, name, enabled and role = any(${[...permissions.agent]}::text[]) as available from users
    order by folded(name), id`;
}

export async function getUser(sql: Sql, id: number): Promise<UserRow | null> {
  const [row] = await sql<UserRow[]>`select ${columns(sql)} from users where id = ${id}`;
  return row ?? null;
}

/** The same, locked until the transaction ends. */
export async function lockUser(sql: Sql, id: number): Promise<UserRow | null> {
  const [row] = await sql<UserRow[]>`select ${columns(sql)} from users where id = ${id} for no key update`;
  return row ?? null;
}

/** Null when there is no such user. */
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

/** The enabled users with an e-mail address whose login or address this is: several users may share an address. */
export async function usersToReset(sql: Sql, loginOrEmail: string): Promise<{ id: number }[]> {
  return sql<{ id: number }[]>`
    select id from users
    where enabled and email is not null and (login = ${loginOrEmail} or lower(email) = ${loginOrEmail})
    order by id limit 5`;
}

export interface NewUser {
  /** Lower case. */
  login: string;
  name: string;
  passwordHash: string;
  role: Role;
  /** If omitted: the user chose the password. */
  mustChangePassword?: boolean;
  email?: string | null;
}

/** Throws PostgreSQL's 23505 when the login is taken. */
export async function insertUser(sql: Sql, user: NewUser): Promise<UserRow> {
  const [row] = await sql<[UserRow]>`insert into users ${sql(user)} returning ${columns(sql)}`;
  return row;
}

/**
 * Inserts the first user, whose password must be changed, if the table is empty; false when there is a user already.
 * Two processes may try at the same time.
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
  email?: string | null | undefined;
}

/** Null when there is no such user. */
export async function updateUser(sql: Sql, id: number, change: UserChange): Promise<UserRow | null> {
  const [row] = await sql<UserRow[]>`
    update users set name = coalesce(${change.name ?? null}, name), role = coalesce(${change.role ?? null}, role),
      enabled = coalesce(${change.enabled ?? null}, enabled),
      password_hash = coalesce(${change.passwordHash ?? null}, password_hash),
      must_change_password = coalesce(${change.mustChangePassword ?? null}, must_change_password),
      locale = coalesce(${change.locale ?? null}, locale), timezone = coalesce(${change.timezone ?? null}, timezone),
      sending_hours_id = ${change.sendingHoursId === undefined ? sql`sending_hours_id` : change.sendingHoursId},
      email = ${change.email === undefined ? sql`email` : change.email}
    where id = ${id} returning ${columns(sql)}`;
  return row ?? null;
}

/**
 * The ids of the admins who can log in, locked until the transaction ends: if two admins remove each other at the same
 * time, one waits for the other, and finds itself the last.
 */
export async function lockAdmins(sql: Sql): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from users where role = 'admin' and enabled order by id for update`;
  return rows.map((row) => row.id);
}
