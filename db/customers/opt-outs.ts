import type { PendingQuery, Row } from 'postgres';
import type { SkipReason } from '../../domain/message.ts';
import type { Sql } from '../core/client.ts';
import { counted, endQueuedIn, lockMessages, movedColumns } from '../messages/messages.ts';
import type { PhoneHash } from '../core/phone-hash.ts';
import type { KeptReply } from '../replies/replies.ts';

/**
 * Where it came from: a reply (`reply`), the provider, a user who read what the customer wrote (`agent`), or an admin on
 * the customer's behalf.
 */
export const optOutSources = ['reply', 'provider', 'agent', 'admin'] as const;
export type OptOutSource = (typeof optOutSources)[number];

/** Why a phone gets no messages, which is the reason for skipping them. */
export type SendBlock = Extract<SkipReason, 'held' | 'opted_out'>;

interface Cause {
  source: OptOutSource;
  /** `user:7`; by default `system`. */
  actor?: string;
  note?: string;
  /** The reply that caused it. */
  inboundMessageId?: number | null;
  /** From a virtual phone: applies only to what the sandbox sends, and to no real phone. */
  sandbox?: boolean;
  /** When it was stated, if that may be long ago; otherwise now. */
  at?: Date | null;
}

/**
 * Why a phone gets no messages from a provider (`SendBlock`; null: it does get them). Opt-outs of real phones apply to
 * all providers, those of virtual phones to the sandbox. `phone` and `providerId` are columns or queries.
 *
 * An opt-out takes precedence over a hold.
 */
export const block = (
  sql: Sql,
  phone: PendingQuery<Row[]>,
  providerId: PendingQuery<Row[]>,
): PendingQuery<Row[]> => sql`
  (select max(o.state) from opt_outs as o where o.phone = ${phone} and ${countsFor(sql, providerId)})`;

const countsFor = (sql: Sql, providerId: PendingQuery<Row[]>) => sql`
  (not o.sandbox or (select sandbox from providers where id = ${providerId}))`;

/** The provider of a run. */
export const providerOf = (sql: Sql, runId: number) =>
  sql`(select provider_id from runs where id = ${runId})`;

/**
 * Opts a phone (E.164) out: no message is claimed for it any more, and those queued in any run are skipped. False when
 * it had already opted out; this is not a change and is not added to the history.
 */
export async function optOutPhone(
  sql: Sql,
  { phone, ...cause }: Cause & { phone: string },
): Promise<boolean> {
  return (await leaveAlone(sql, onePhone(sql, phone, cause), { ...cause, state: 'opted_out' })) > 0;
}

/**
 * The same, until a user decides whether it was an opt-out (`decideHold`). False when it is already held or has opted
 * out.
 */
export async function holdPhone(sql: Sql, { phone, ...cause }: Cause & { phone: string }): Promise<boolean> {
  return (await leaveAlone(sql, onePhone(sql, phone, cause), { ...cause, state: 'held' })) > 0;
}

const onePhone = (sql: Sql, phone: string, { sandbox = false }: Cause) =>
  sql`select ${phone}::text as phone, ${Number(sandbox)} = 1 as sandbox`;

/** The intent of a reply that takes effect at once, before the reply is handled. */
type PhoneIntent = 'opt_out' | 'probable_opt_out' | 'opt_in';
export type AskingReply = KeptReply & { intent: PhoneIntent };

export const asksForPhone = (reply: KeptReply): reply is AskingReply =>
  reply.intent !== null && reply.intent !== 'help';

/**
 * Carries out the intents of replies, in their order. Call `lockForOptOuts` with their phones first. `hash`: for
 * `optInPhone`, called only for an opt-in.
 */
export async function recordReplyIntents(
  tx: Sql,
  replies: readonly AskingReply[],
  hash: () => Promise<PhoneHash | null>,
): Promise<void> {
  for (const { id: inboundMessageId, phone, intent, sandbox, writtenAt: at } of replies) {
    const cause = { phone, source: 'reply', inboundMessageId, sandbox, at } as const;
    if (intent === 'opt_out') await optOutPhone(tx, cause);
    else if (intent === 'probable_opt_out') await holdPhone(tx, cause);
    else await optInPhone(tx, await hash(), cause);
  }
}

/** The same for the recipients of these messages and answers, because the provider reports that they opted out. */
export async function optOutRecipients(sql: Sql, messageIds: readonly number[]): Promise<void> {
  if (messageIds.length === 0) return;
  const phones = sql`
    select distinct m.phone, p.sandbox from messages as m join runs on runs.id = m.run_id
      join providers as p on p.id = coalesce(m.provider_id, runs.provider_id)
    where m.id = any(${[...messageIds]}::bigint[]) and m.phone is not null
    union
    select a.phone, p.sandbox from answers as a join providers as p on p.id = a.provider_id
    where a.id = any(${[...messageIds]}::bigint[]) and a.phone is not null`;
  await leaveAlone(sql, phones, { state: 'opted_out', source: 'provider' });
}

const optOutLock = (sql: Sql) => sql`pg_advisory_xact_lock(hashtext('torpedo.opt-outs'))`;

/**
 * Call it in a transaction that changes messages and may then opt phones out, before the first change. It locks the
 * messages `moving`, and those that the opt-outs would skip: of `phones`, of `customers`, and of the recipients of the
 * messages `refused`. Opt-outs and holds in other transactions wait until it ends.
 */
export async function lockForOptOuts(
  tx: Sql,
  {
    moving,
    refused,
    phones,
    customers = [],
  }: {
    moving: readonly number[];
    refused: readonly number[];
    phones: readonly string[];
    customers?: readonly number[];
  },
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
        select phone from messages where id = any(${[...refused]}::bigint[])
        union
        select phone from answers where id = any(${[...refused]}::bigint[]))
      ${customers.length === 0 ? tx`` : tx`union select id from messages where status = 'queued' and customer_id = any(${[...customers]}::bigint[])`})`,
  );
}

/** One statement, so that it is atomic even outside a transaction. Returns how many are new. */
async function leaveAlone(
  sql: Sql,
  phones: PendingQuery<Row[]>,
  {
    state,
    source,
    actor = 'system',
    note = '',
    inboundMessageId = null,
    at = null,
  }: Cause & { state: SendBlock },
): Promise<number> {
  const held = state === 'held';
  const rows = await sql`
    with alone as materialized (
      select ${optOutLock(sql)}
    ), wanted as (
      select phone, sandbox from alone cross join (${phones}) as asked
    ), added as (
      insert into opt_outs (phone, state, source, sandbox, inbound_message_id, at)
      select phone, ${state}, ${source}, sandbox, ${held ? inboundMessageId : null}::bigint, coalesce(${held ? null : at}::timestamptz, now())
      from wanted order by phone, sandbox
      on conflict (phone, sandbox) do
        ${
          held
            ? sql`nothing`
            : sql`update set state = 'opted_out', source = excluded.source, at = excluded.at, inbound_message_id = null
                where opt_outs.state = 'held'`
        }
      returning phone, sandbox
    ), recorded as (
      insert into opt_out_events (phone, kind, source, actor, sandbox, note, inbound_message_id)
      select phone, ${held ? 'hold' : 'opt_out'}, ${source}, ${actor}, sandbox, ${note}, ${inboundMessageId} from added
    ), held as (
      select m.id from messages as m join wanted using (phone) join runs on runs.id = m.run_id
      where m.status = 'queued'
        and (not wanted.sandbox or (select p.sandbox from providers as p where p.id = runs.provider_id))
      order by m.id for no key update of m
    ), moved as (
      update messages as m set status = 'skipped', reason = ${state}, ended_at = now()
      from held where m.id = held.id
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from added`;
  return rows.count;
}

/**
 * Opts a phone in, also one that is held: runs that read their mailing later send to it. Returns false if it was not held
 * or opted out. If `hash` is null, an opt-out from before the customer was erased stays. With `at`, later statements stay.
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
    at = null,
  }: Cause & { phone: string },
): Promise<boolean> {
  const rows = await sql`
    with gone as (
      delete from opt_outs
      where (phone = ${phone} or phone_hash = ${hash && hash(phone)}) and sandbox = (${Number(sandbox)} = 1)
        and (${at}::timestamptz is null or opt_outs.at <= ${at}) returning sandbox
    ), recorded as (
      insert into opt_out_events (phone, kind, source, actor, sandbox, note, inbound_message_id)
      select ${phone}, 'opt_in', ${source}, ${actor}, sandbox, ${note}, ${inboundMessageId} from gone limit 1
    )
    select from gone`;
  return rows.count > 0;
}

/**
 * Why the phone (E.164) gets no messages, including an opt-out from before its person was erased: from the given
 * provider, by default one that is not the sandbox. Null: it does get them.
 */
export async function sendBlockOf(
  sql: Sql,
  hash: PhoneHash,
  phone: string,
  providerId: number | null = null,
): Promise<SendBlock | null> {
  const [row] = await sql<[{ state: SendBlock | null }]>`
    select max(state) as state from opt_outs as o
    where (phone = ${phone} or phone_hash = ${hash(phone)}) and state <> 'refused' and ${countsFor(sql, sql`${providerId}::bigint`)}`;
  return row.state;
}

const hashedAtOnce = 5_000;

/**
 * Skips the queued messages of a run to phones that have opted out or are held, or whose customer refused consent before
 * they were erased.
 */
export async function skipOptedOut(sql: Sql, hash: PhoneHash, runId: number): Promise<void> {
  const counting = countsFor(sql, providerOf(sql, runId));
  await skip(sql, runId, {
    join: sql`join opt_outs as o on o.phone = m.phone and ${counting}`,
    reason: block(sql, sql`m.phone`, providerOf(sql, runId)),
  });
  const [{ any }] = await sql<[{ any: boolean }]>`
    select exists (select from opt_outs where phone_hash is not null) as any`;
  if (!any) return;
  // The key never leaves this process, so the phones must be fetched. There are few such opt-outs, usually none.
  for (let after = 0; ;) {
    const rows = await sql<{ line: number; phone: string }[]>`
      select line, phone from messages where run_id = ${runId} and line > ${after} and status = 'queued'
      order by line limit ${hashedAtOnce}`;
    const last = rows.at(-1);
    if (last === undefined) return;
    const lines = rows.map(({ line }) => line);
    const hashes = rows.map(({ phone }) => `\\x${hash(phone).toString('hex')}`);
    await skip(sql, runId, {
      join: sql`join unnest(${lines}::int[], ${hashes}::text[]) as h (line, hash) on h.line = m.line
        join opt_outs as o on o.phone_hash = h.hash::bytea and (o.state = 'opted_out' or ${refusalHolds(sql)})`,
      reason: sql`held.reason`,
    });
    after = last.line;
  }
}

/** Whether the refusal `o` of an erased person applies to the message `m`. */
const refusalHolds = (sql: Sql) => sql`
  not (select (settings -> 'campaign' ->> 'ignoreConsent')::boolean from runs where runs.id = m.run_id)
  and not exists (select from customers as c where c.id = m.customer_id and c.consent = 'granted' and c.consent_at > o.at)`;

async function skip(
  sql: Sql,
  runId: number,
  { join, reason }: Record<'join' | 'reason', PendingQuery<Row[]>>,
): Promise<void> {
  await endQueuedIn(
    sql,
    sql`
      select m.id, case o.state when 'refused' then 'no_consent' else 'opted_out' end as reason from messages as m ${join}
      where m.run_id = ${runId} and m.status = 'queued' order by m.id for no key update of m`,
    { status: sql`'skipped'`, reason },
  );
}

/** An opt-out in force; for an erased person without the phone. */
export interface OptOutRow {
  id: number;
  phone: string | null;
  source: OptOutSource;
  /** From a virtual phone: applies only to what the sandbox sends. */
  sandbox: boolean;
  at: Date;
}

/** A page of opt-outs in force, newest first; `before`: only smaller ids. */
export async function listOptOuts(
  sql: Sql,
  {
    phone,
    source,
  }: { phone?: { e164: string; hash: Buffer } | undefined; source?: OptOutSource | undefined },
  { before, limit }: { before?: number | undefined; limit: number },
): Promise<OptOutRow[]> {
  return sql<OptOutRow[]>`
    select id, phone, source, sandbox, at from opt_outs where state = 'opted_out'
      ${phone === undefined ? sql`` : sql`and (phone = ${phone.e164} or phone_hash = ${phone.hash})`}
      ${source === undefined ? sql`` : sql`and source = ${source}`}
      ${before === undefined ? sql`` : sql`and id < ${before}`}
    order by id desc limit ${limit}`;
}

export async function getOptOut(sql: Sql, id: number): Promise<OptOutRow | null> {
  const [row] = await sql<
    OptOutRow[]
  >`select id, phone, source, sandbox, at from opt_outs where id = ${id} and state = 'opted_out'`;
  return row ?? null;
}

/** Removes an opt-out by its id; writes no history for an erased person, whose phone is unknown. */
export async function removeOptOut(
  sql: Sql,
  id: number,
  { actor, note }: { actor: string; note: string },
): Promise<boolean> {
  const rows = await sql`
    with gone as (
      delete from opt_outs where id = ${id} and state = 'opted_out' returning phone, sandbox
    ), recorded as (
      insert into opt_out_events (phone, kind, source, actor, sandbox, note)
      select phone, 'opt_in', 'admin', ${actor}, sandbox, ${note} from gone where phone is not null
    )
    select from gone`;
  return rows.count > 0;
}

/** `hold`: no messages until a user decides; `release`: it was not an opt-out. */
export const optOutEventKinds = ['opt_out', 'opt_in', 'hold', 'release'] as const;

export interface OptOutEventRow {
  id: number;
  phone: string;
  kind: (typeof optOutEventKinds)[number];
  source: OptOutSource;
  actor: string;
  sandbox: boolean;
  note: string;
  inboundMessageId: number | null;
  at: Date;
}

/** The history of these phones (E.164), newest first. */
export async function listOptOutEvents(sql: Sql, phones: readonly string[]): Promise<OptOutEventRow[]> {
  return sql<OptOutEventRow[]>`
    select id, phone, kind, source, actor, sandbox, note, inbound_message_id, at from opt_out_events
    where phone = any(${[...phones]}::text[]) order by id desc limit 200`;
}
