import type { PendingQuery, Row } from 'postgres';
import type { Sql } from '../core/client.ts';
import { counted, lockMessages, movedColumns } from '../messages/messages.ts';
import type { PhoneHash } from '../core/phone-hash.ts';

/** Who said it: the person to us (`reply`) or to the provider, or an admin for them. */
export const optOutSources = ['reply', 'provider', 'admin'] as const;
export type OptOutSource = (typeof optOutSources)[number];

interface Cause {
  source: OptOutSource;
  /** `user:7`; by default `system`. */
  actor?: string;
  note?: string;
  /** The reply that asked for it. */
  inboundMessageId?: number | null;
  /** Said by a virtual phone: it counts for what the sandbox sends, and is no person's. */
  sandbox?: boolean;
}

/**
 * Whether a phone has opted out, as far as it counts for what a provider sends: people's opt-outs count for all, those of
 * virtual phones for the sandbox. `phone` and `providerId` are columns or queries.
 */
export const hasOptedOut = (
  sql: Sql,
  phone: PendingQuery<Row[]>,
  providerId: PendingQuery<Row[]>,
): PendingQuery<Row[]> => sql`
  exists (select from opt_outs as o where o.phone = ${phone} and ${countsFor(sql, providerId)})`;

const countsFor = (sql: Sql, providerId: PendingQuery<Row[]>) => sql`
  (not o.sandbox or (select sandbox from providers where id = ${providerId}))`;

const providerOf = (sql: Sql, runId: number) => sql`(select provider_id from runs where id = ${runId})`;

/**
 * Leaves a phone (E.164) alone from now on: no message is claimed for it any more, and those queued in any run are
 * skipped. False when it had opted out already; that is no change, and not in the history.
 */
export async function optOutPhone(
  sql: Sql,
  { phone, ...cause }: Cause & { phone: string },
): Promise<boolean> {
  const { sandbox = false } = cause;
  return (
    (await optOut(sql, sql`select ${phone}::text as phone, ${Number(sandbox)} = 1 as sandbox`, cause)) > 0
  );
}

/** The same for those to whom these messages went, because the provider says that they asked it. */
export async function optOutRecipients(sql: Sql, messageIds: readonly number[]): Promise<void> {
  if (messageIds.length === 0) return;
  const phones = sql`
    select distinct m.phone, p.sandbox from messages as m join runs on runs.id = m.run_id
      join providers as p on p.id = coalesce(m.provider_id, runs.provider_id)
    where m.id = any(${[...messageIds]}::bigint[]) and m.phone is not null`;
  await optOut(sql, phones, { source: 'provider' });
}

const optOutLock = (sql: Sql) => sql`pg_advisory_xact_lock(hashtext('torpedo.opt-outs'))`;

/**
 * Call it in a transaction that moves messages and may opt phones out after that, before it moves the first: it locks the
 * messages `moving`, and those that the opt-outs would skip, of `phones` and of whoever the messages `refused` went to.
 * The opt-outs of other transactions wait until it ends.
 */
export async function lockForOptOuts(
  tx: Sql,
  {
    moving,
    refused,
    phones,
  }: { moving: readonly number[]; refused: readonly number[]; phones: readonly string[] },
): Promise<void> {
  await tx`select ${optOutLock(tx)}`;
  await lockMessages(
    tx,
    tx`m.id in (
      select unnest(${[...moving]}::bigint[])
      union
      select id from messages where status = 'queued' and phone in (
        select unnest(${[...phones]}::text[])
        union
        select phone from messages where id = any(${[...refused]}::bigint[])))`,
  );
}

/** One statement, so that it is done whole also outside a transaction. Returns how many are new. */
async function optOut(
  sql: Sql,
  phones: PendingQuery<Row[]>,
  { source, actor = 'system', note = '', inboundMessageId = null }: Cause,
): Promise<number> {
  const rows = await sql`
    with alone as materialized (
      select ${optOutLock(sql)}
    ), wanted as (
      select phone, sandbox from alone cross join (${phones}) as asked
    ), added as (
      insert into opt_outs (phone, source, sandbox) select phone, ${source}, sandbox from wanted order by phone, sandbox
      on conflict (phone, sandbox) do nothing returning phone, sandbox
    ), told as (
      insert into opt_out_events (phone, kind, source, actor, sandbox, note, inbound_message_id)
      select phone, 'opt_out', ${source}, ${actor}, sandbox, ${note}, ${inboundMessageId} from added
    ), held as (
      select m.id from messages as m join wanted using (phone) join runs on runs.id = m.run_id
      where m.status = 'queued'
        and (not wanted.sandbox or (select p.sandbox from providers as p where p.id = runs.provider_id))
      order by m.id for no key update of m
    ), moved as (
      update messages as m set status = 'skipped', reason = 'opted_out', ended_at = now()
      from held where m.id = held.id
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from added`;
  return rows.count;
}

/**
 * Lets a phone be written to again: runs that read their mailing from now on do. False when it had not opted out.
 * `hash` null: what its person had opted out of before being erased stays.
 */
export async function optInPhone(
  sql: Sql,
  hash: PhoneHash | null,
  {
    phone,
    source,
    actor = 'system',
    note = '',
    inboundMessageId = null,
    sandbox = false,
  }: Cause & { phone: string },
): Promise<boolean> {
  const rows = await sql`
    with gone as (
      delete from opt_outs
      where (phone = ${phone} or phone_hash = ${hash && hash(phone)}) and sandbox = (${Number(sandbox)} = 1) returning sandbox
    ), told as (
      insert into opt_out_events (phone, kind, source, actor, sandbox, note, inbound_message_id)
      select ${phone}, 'opt_in', ${source}, ${actor}, sandbox, ${note}, ${inboundMessageId} from gone limit 1
    )
    select from gone`;
  return rows.count > 0;
}

/**
 * Whether the phone (E.164) has asked to be left alone, be it before its person was erased: as it counts for what a
 * provider sends, by default one that is no sandbox.
 */
export async function isOptedOut(
  sql: Sql,
  hash: PhoneHash,
  phone: string,
  providerId: number | null = null,
): Promise<boolean> {
  const rows = await sql`
    select from opt_outs as o
    where (phone = ${phone} or phone_hash = ${hash(phone)}) and ${countsFor(sql, sql`${providerId}::bigint`)}`;
  return rows.count > 0;
}

const hashedAtOnce = 5_000;

/** Skips the queued messages of a run whose phones have opted out. */
export async function skipOptedOut(sql: Sql, hash: PhoneHash, runId: number): Promise<void> {
  const counting = countsFor(sql, providerOf(sql, runId));
  await skip(sql, runId, sql`join opt_outs as o on o.phone = m.phone and ${counting}`);
  const [{ any }] = await sql<[{ any: boolean }]>`
    select exists (select from opt_outs where phone_hash is not null) as any`;
  if (!any) return;
  // The key stays in this process, so the phones have to come here. There are few such opt-outs, and mostly none.
  for (let after = 0; ;) {
    const rows = await sql<{ line: number; phone: string }[]>`
      select line, phone from messages where run_id = ${runId} and line > ${after} and status = 'queued'
      order by line limit ${hashedAtOnce}`;
    const last = rows.at(-1);
    if (last === undefined) return;
    const lines = rows.map(({ line }) => line);
    const hashes = rows.map(({ phone }) => `\\x${hash(phone).toString('hex')}`);
    await skip(
      sql,
      runId,
      sql`join unnest(${lines}::int[], ${hashes}::text[]) as h (line, hash) on h.line = m.line
        join opt_outs as o on o.phone_hash = h.hash::bytea`,
    );
    after = last.line;
  }
}

async function skip(sql: Sql, runId: number, join: PendingQuery<Row[]>): Promise<void> {
  await sql`
    with held as (
      select m.id from messages as m ${join}
      where m.run_id = ${runId} and m.status = 'queued' order by m.id for no key update of m
    ), moved as (
      update messages as m set status = 'skipped', reason = 'opted_out', ended_at = now()
      from held where m.id = held.id and m.status = 'queued'
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from moved`;
}

/** An opt-out in force; of an erased person without the phone. */
export interface OptOutRow {
  id: number;
  phone: string | null;
  source: OptOutSource;
  /** Said by a virtual phone: it counts for what the sandbox sends. */
  sandbox: boolean;
  at: Date;
}

/** A page of opt-outs in force, newest first; `before`: only those with a smaller id. */
export async function listOptOuts(
  sql: Sql,
  {
    phone,
    source,
  }: { phone?: { e164: string; hash: Buffer } | undefined; source?: OptOutSource | undefined },
  { before, limit }: { before?: number | undefined; limit: number },
): Promise<OptOutRow[]> {
  return sql<OptOutRow[]>`
    select id, phone, source, sandbox, at from opt_outs where true
      ${phone === undefined ? sql`` : sql`and (phone = ${phone.e164} or phone_hash = ${phone.hash})`}
      ${source === undefined ? sql`` : sql`and source = ${source}`}
      ${before === undefined ? sql`` : sql`and id < ${before}`}
    order by id desc limit ${limit}`;
}

export async function getOptOut(sql: Sql, id: number): Promise<OptOutRow | null> {
  const [row] = await sql<OptOutRow[]>`select id, phone, source, sandbox, at from opt_outs where id = ${id}`;
  return row ?? null;
}

/** Removes an opt-out by its id; of an erased person, whose phone nobody knows, there is no history to write. */
export async function removeOptOut(
  sql: Sql,
  id: number,
  { actor, note }: { actor: string; note: string },
): Promise<boolean> {
  const rows = await sql`
    with gone as (
      delete from opt_outs where id = ${id} returning phone, sandbox
    ), told as (
      insert into opt_out_events (phone, kind, source, actor, sandbox, note)
      select phone, 'opt_in', 'admin', ${actor}, sandbox, ${note} from gone where phone is not null
    )
    select from gone`;
  return rows.count > 0;
}

/** One opting out, or back in. */
export interface OptOutEventRow {
  id: number;
  phone: string;
  kind: 'opt_out' | 'opt_in';
  source: OptOutSource;
  actor: string;
  sandbox: boolean;
  note: string;
  inboundMessageId: number | null;
  at: Date;
}

/** What these phones (E.164) have opted out of and into, newest first. */
export async function listOptOutEvents(sql: Sql, phones: readonly string[]): Promise<OptOutEventRow[]> {
  return sql<OptOutEventRow[]>`
    select id, phone, kind, source, actor, sandbox, note, inbound_message_id, at from opt_out_events
    where phone = any(${[...phones]}::text[]) order by id desc limit 200`;
}
