import type { PendingQuery, Row } from 'postgres';
import type { Sql } from '../core/client.ts';
import { listConsents } from './consents.ts';
import { type CustomerRow, emptyCustomer, getCustomer } from './customers.ts';
import { endQueuedIn, lockMessages } from '../messages/messages.ts';
import { listOptOutEvents } from './opt-outs.ts';
import type { PhoneHash } from '../core/phone-hash.ts';

/** A person whose data we hold, by the identifiers that an admin knows. */
export interface Person {
  customer: CustomerRow | null;
  /** The customer's phones, or the one that was searched for. E.164. */
  phones: string[];
  /** The customer's code, or the one that was searched for. */
  code: string | null;
  /** One line of a mailing that identifies this person alone. */
  messageId: number | null;
}

export async function findCustomerPerson(sql: Sql, id: number): Promise<Person | null> {
  const customer = await getCustomer(sql, id);
  if (!customer) return null;
  const { mobile, phone, phone2, code } = customer;
  return { customer, phones: [mobile, phone, phone2].filter((one) => one !== null), code, messageId: null };
}

export async function customersWithPhone(sql: Sql, phone: string): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from customers where mobile = ${phone} or phone = ${phone} or phone2 = ${phone} order by id limit 20`;
  return rows.map(({ id }) => id);
}

export async function customerWithCode(sql: Sql, code: string): Promise<number | null> {
  const [row] = await sql<{ id: number }[]>`select id from customers where code = ${code}`;
  return row?.id ?? null;
}

/** The identifiers in a line of a mailing; null when there is no such line. */
export async function lineIdentity(
  sql: Sql,
  messageId: number,
): Promise<{ customerId: number | null; phone: string | null } | null> {
  const [row] = await sql<{ customerId: number | null; phone: string | null }[]>`
    select (select id from customers where id = customer_id and erased_at is null) as customer_id, phone
    from messages where id = ${messageId}`;
  return row ?? null;
}

/** Whether more than `most` lines have the code. */
export async function isCodeOfMany(sql: Sql, code: string, most: number): Promise<boolean> {
  const [row] = await sql<[{ n: number }]>`
    select count(*)::int as n from (select from messages where code = ${code} limit ${most + 1}) as lines`;
  return row.n > most;
}

/** The ids of all data that we hold about a person, found once and used to export and to erase it. */
export interface Holdings {
  messageIds: number[];
  replyIds: number[];
  ticketIds: number[];
  answerIds: number[];
  /** The phones of the person and of their lines. */
  phones: string[];
  /** The codes of their lines. */
  codes: string[];
}

/**
 * Finds the lines, replies, tickets and answers of a person, each by an index, without locks.
 *
 * A line belongs to the person if it has their customer; or if it has no customer, and has one of their phones (as the
 * number it is sent to, or in its extra fields) or their code. Relatives share phones: a line of another customer does
 * not belong to the person. For a code that no customer has, every line with it belongs to the person. The line that
 * was searched for always does.
 */
export async function findHoldings(sql: Sql, person: Person): Promise<Holdings> {
  const { customer, code, messageId } = person;
  const customerId = customer?.id ?? null;
  const lines = await sql<{ id: number; code: string | null }[]>`
    select id, code from messages where id in (
      select id from messages where customer_id = ${customerId}::bigint
      union all
      select id from messages where phone = any(${person.phones}::text[]) and customer_id is null
      union all
      select id from messages
      where extra_phones && ${person.phones}::text[] and extra_phones is not null and customer_id is null
      union all
      select id from messages
      where code = ${code}::text and (customer_id is null or ${customerId}::bigint is null)
      union all
      select ${messageId}::bigint)
    order by id`;
  const messageIds = lines.map(({ id }) => id);
  // Without a usable phone, the numbers of a line belong to its person; otherwise extra numbers may be anyone's.
  const written = await sql<{ phone: string }[]>`
    select phone from messages where id = any(${messageIds}::bigint[]) and phone is not null
    union
    select unnest(extra_phones) from messages where id = any(${messageIds}::bigint[]) and phone is null
    order by phone`;
  const phones = [...new Set([...person.phones, ...written.map(({ phone }) => phone)])];
  const replies = await sql<{ id: number }[]>`
    select id from inbound_messages where id in (
      select id from inbound_messages where customer_id = ${customerId}::bigint
      union all
      select id from inbound_messages where phone = any(${person.phones}::text[]) and customer_id is null
      union all
      select id from inbound_messages
      where phone = any(${phones}::text[]) and customer_id is null and message_id is null
      union all
      select id from inbound_messages where message_id = any(${messageIds}::bigint[]))
    order by id`;
  const replyIds = replies.map(({ id }) => id);
  const tickets = await sql<{ id: number }[]>`
    select id from tickets where id in (
      select id from tickets where customer_id = ${customerId}::bigint
      union all
      select id from tickets where phone = any(${person.phones}::text[]) and customer_id is null
      union all
      select id from tickets where message_id = any(${messageIds}::bigint[])
      union all
      select id from tickets where inbound_message_id = any(${replyIds}::bigint[]))
    order by id`;
  const ticketIds = tickets.map(({ id }) => id);
  const answers = await sql<{ id: number }[]>`
    select id from answers where id in (
      select id from answers where ticket_id = any(${ticketIds}::bigint[])
      union all
      select id from answers where inbound_message_id = any(${replyIds}::bigint[]))
    order by id`;
  return {
    messageIds,
    replyIds,
    ticketIds,
    answerIds: answers.map(({ id }) => id),
    phones,
    codes: [...new Set(lines.flatMap((line) => line.code ?? []))],
  };
}

/** All data that we hold about a person, as plain JSON. */
export async function exportPerson(
  sql: Sql,
  { customer }: Person,
  { messageIds, replyIds, ticketIds, answerIds, phones }: Holdings,
  { events }: Mentions,
): Promise<Record<string, unknown>> {
  return {
    customer,
    consents: customer === null ? [] : await listConsents(sql, customer.id),
    optOuts:
      await sql`select phone, state, source, sandbox, at from opt_outs where phone = any(${phones}::text[]) order by id`,
    optOutHistory: await listOptOutEvents(sql, phones),
    messages: await sql`
      select id, run_id, line, status, reason, code, name, phone, text, segments, extra, warnings, provider_message_id,
        provider_code, sending_at, sent_at, ended_at
      from messages where id = any(${messageIds}::bigint[]) order by id`,
    providerEvents: await sql`
      select id, message_id, kind, payload, unread, received_at from inbound_events
      where message_id = any(${[...messageIds, ...answerIds]}::bigint[])
      union
      select id, message_id, kind, payload, unread, received_at from inbound_events
      where ${isOneOf(sql, events)}
      order by id`,
    replies: await sql`
      select id, phone, recipient, text, received_at, effect, message_id from inbound_messages
      where id = any(${replyIds}::bigint[]) order by id`,
    tickets: await sql`
      select id, campaign_id, run_id, message_id, phone, name, code, extra, status, opened_at, updated_at, finished_at
      from tickets where id = any(${ticketIds}::bigint[]) order by id`,
    answers: await sql`
      select id, kind, ticket_id, phone, text, segments, status, reason, provider_code, created_at, sending_at, sent_at, ended_at
      from answers where id = any(${answerIds}::bigint[]) order by id`,
    ticketHistory: await sql`
      select ticket_id, kind, changes, note, at from ticket_events
      where ticket_id = any(${ticketIds}::bigint[]) order by id`,
    helpdeskAnswers: await sql`
      select ticket_id, answer_status, answer, answered_at from ticket_posts
      where ticket_id = any(${ticketIds}::bigint[]) order by event_id`,
  };
}

/** How much data we hold about a person. */
export interface PersonCounts {
  messages: number;
  /** Messages that have not left: an erasure cancels them. */
  queued: number;
  replies: number;
  tickets: number;
  optOuts: number;
}

export async function countPerson(
  sql: Sql,
  { messageIds, replyIds, ticketIds, phones }: Holdings,
): Promise<PersonCounts> {
  const [row] = await sql<[Pick<PersonCounts, 'queued' | 'optOuts'>]>`
    select
      (select count(*)::int from messages
        where id = any(${messageIds}::bigint[]) and status = 'queued') as queued,
      (select count(*)::int from opt_outs where phone = any(${phones}::text[])) as opt_outs`;
  return { messages: messageIds.length, replies: replyIds.length, tickets: ticketIds.length, ...row };
}

/** A file that contains the person because a message was made from it. */
export interface HoldingFile {
  campaignId: number;
  campaignName: string;
  fileId: number;
  /** The campaign's current file: the next run would send to the person again. */
  current: boolean;
}

export interface Erased {
  messages: number;
  replies: number;
  tickets: number;
  providerEvents: number;
  mailingFiles: HoldingFile[];
}

/**
 * The provider callbacks that contain one of the person's phones in any notation, if the phone belongs to no other
 * customer. This reads all of `inbound_events`, which may take as long as a statement is allowed to
 * (db/core/limits.ts). So it runs before the erasing transaction, which then reads only the later ones.
 */
export interface Mentions {
  phones: string[];
  events: { providerId: number; eventKey: string }[];
  /** When reading began. */
  readAt: Date;
}

export async function findMentions(sql: Sql, person: Person, { phones }: Holdings): Promise<Mentions> {
  const own = await soleOwned(sql, person, phones);
  const [{ readAt }] = await sql<[{ readAt: Date }]>`select clock_timestamp() as read_at`;
  if (own.length === 0) return { phones: own, events: [], readAt };
  const events = await sql<Mentions['events']>`
    select provider_id, event_key from inbound_events
    where ${mentions(sql, own)}`;
  return { phones: own, events: [...events], readAt };
}

/** A group of receipts is committed within this time. */
const longestWriteSeconds = 300;

/** Adds the callbacks that arrived later. Null: the phones have changed, so everything must be read again. */
async function findLaterMentions(
  tx: Sql,
  phones: readonly string[],
  before: Mentions,
): Promise<Mentions['events'] | null> {
  if (phones.some((phone) => !before.phones.includes(phone))) return null;
  const later = await tx<Mentions['events']>`
    select provider_id, event_key from inbound_events
    where received_at >= ${before.readAt}::timestamptz - make_interval(secs => ${longestWriteSeconds})
      and ${mentions(tx, phones)}`;
  return [...before.events, ...later];
}

/**
 * Locks everything that `erasePerson` changes, in the order of docs/architecture.md: runs, replies, customer, cursors,
 * messages. Returns false when a sender or the workflow of a reply holds any of the person's data. Otherwise no sender
 * can claim it until the transaction ends.
 */
async function lockPerson(
  tx: Sql,
  { customer }: Person,
  { messageIds, replyIds, answerIds }: Holdings,
): Promise<boolean> {
  await tx`select id from inbound_messages where id = any(${replyIds}::bigint[]) order by id for no key update`;
  if (customer !== null) await tx`select from customers where id = ${customer.id} for no key update`;
  // Handing out lines (db/messages/claims.ts) waits for the run's cursor, single claims for their rows.
  await tx`
    insert into send_cursors as c (run_id, line)
    select distinct run_id, 0 from messages where id = any(${messageIds}::bigint[]) and status = 'queued' order by run_id
    on conflict (run_id) do update set line = c.line`;
  await lockMessages(tx, tx`m.id = any(${messageIds}::bigint[])`);
  await tx`select id from answers where id = any(${answerIds}::bigint[]) order by id for no key update`;
  const [row] = await tx<[{ busy: boolean }]>`
    select exists (select from messages where id = any(${messageIds}::bigint[]) and status = 'sending')
      or exists (
        select from messages as m join claims on claims.run_id = m.run_id and m.id = any(claims.message_ids)
        where m.sender is null and m.id = any(${messageIds}::bigint[]))
      or exists (select from answers where id = any(${answerIds}::bigint[]) and status = 'sending')
      or exists (
        select from inbound_messages where id = any(${replyIds}::bigint[]) and handled_at is null) as busy`;
  return !row.busy;
}

/**
 * Erases a person from all that we hold; the fact, time and outcome of each message stay. Cancels their queued
 * messages and answers. Their opt-outs and refusals of consent stay in force as keyed hashes, unless another customer also has the
 * phone. A hold becomes an opt-out, because nobody could decide it later.
 *
 * Returns null when some of the data is being sent or handled, or arrived after `before` was read: try again.
 *
 * Call it in a transaction. All searches use an index, because senders and receipts wait for the counts until the
 * transaction ends.
 */
export async function erasePerson(
  tx: Sql,
  hash: PhoneHash,
  person: Person,
  before: Mentions,
): Promise<Erased | null> {
  const { customer } = person;
  const holdings = await findHoldings(tx, person);
  const { messageIds, replyIds, ticketIds, answerIds } = holdings;
  const own = await soleOwned(tx, person, holdings.phones);
  const mentioning = await findLaterMentions(tx, own, before);
  if (mentioning === null) return null;
  await eraseFromReasons(tx, own);
  if (!(await lockPerson(tx, person, holdings))) return null;
  // Data that arrived before the lock.
  if (JSON.stringify(await findHoldings(tx, person)) !== JSON.stringify(holdings)) return null;

  const theirs = tx`id = any(${messageIds}::bigint[])`;
  const mailingFiles = await tx<HoldingFile[]>`
    select distinct c.id as campaign_id, c.name as campaign_name, f.id as file_id,
      c.mailing_file_id is not distinct from f.id as current
    from messages as m join runs on runs.id = m.run_id join campaigns as c on c.id = runs.campaign_id
      join mailing_files as f on f.id = runs.mailing_file_id
    where m.id = any(${messageIds}::bigint[]) and exists (select from mailing_file_chunks where file_id = f.id)
    order by campaign_id, file_id`;
  await endQueuedIn(
    tx,
    tx`select id from messages where ${theirs} and status = 'queued' order by id for no key update`,
    { status: tx`'cancelled'`, reason: tx`'erased'` },
  );
  const ofMessages = await tx`
    update inbound_events set payload = '{}', unread = null
    where payload <> '{}' and message_id = any(${[...messageIds, ...answerIds]}::bigint[])`;
  const ofPhones = await tx`
    update inbound_events as e set payload = '{}', unread = null where ${isOneOf(tx, mentioning)} and payload <> '{}'`;
  const messages = await tx`
    update messages set code = null, name = null, phone = null, text = null, extra = null, extra_phones = null, fault = null, warnings = null,
      provider_code = null
    where ${theirs} and num_nonnulls(code, name, phone, text, extra, extra_phones, warnings, provider_code) > 0`;
  await tx`
    update answers set phone = null, text = null, provider_code = null,
      status = case status when 'queued' then 'failed' else status end,
      reason = case status when 'queued' then 'erased' else reason end,
      ended_at = case status when 'queued' then now() else ended_at end
    where id = any(${answerIds}::bigint[])`;
  await tx`select id from tickets where id = any(${ticketIds}::bigint[]) order by id for no key update`;
  await tx`update ticket_posts set answer = null where ticket_id = any(${ticketIds}::bigint[])`;
  await tx`
    update ticket_events set note = null where ticket_id = any(${ticketIds}::bigint[]) and note is not null`;
  const tickets = await tx`
    update tickets set phone = null, name = null, code = null, extra = '{}', version = version + 1
    where id = any(${ticketIds}::bigint[])`;
  const replies = await tx`
    update inbound_messages set phone = '', text = '' where id = any(${replyIds}::bigint[])`;
  await hashOptOuts(tx, hash, own);
  if (customer !== null) await hashRefusal(tx, hash, { customerId: customer.id, phones: own });
  if (customer !== null) await emptyCustomer(tx, customer.id);
  return {
    messages: messages.count,
    replies: replies.count,
    tickets: tickets.count,
    providerEvents: ofMessages.count + ofPhones.count,
    mailingFiles,
  };
}

/** The reason of a failed run may quote a value it could not read. An index covers live and failed runs. */
async function eraseFromReasons(tx: Sql, phones: readonly string[]): Promise<void> {
  if (phones.length === 0) return;
  const patterns = phones.flatMap(writtenForms).map((form) => form.replaceAll(/\B/g, '[^0-9]{0,3}'));
  await tx`
    with quoting as (
      select id from runs where status in ('running', 'paused', 'cancelling', 'failed')
        and reason ->> 'params' ~ any(${patterns}::text[])
      order by id for no key update
    )
    update runs set reason = reason || '{"params": {}}' from quoting where runs.id = quoting.id`;
}

/** The phones that no other customer has. */
async function soleOwned(sql: Sql, { customer }: Person, phones: readonly string[]): Promise<string[]> {
  const own: string[] = [];
  for (const phone of phones) {
    const others = (await customersWithPhone(sql, phone)).filter((id) => id !== customer?.id);
    if (others.length === 0) own.push(phone);
  }
  return own;
}

/** Without the country code, as some providers write it; a Brazilian mobile also without its 9, as old carriers do. */
function writtenForms(phone: string): string[] {
  const national = phone.replace(/^\+(?:55)?/, '');
  const old = /^\+55(\d\d)9(\d{8})$/.exec(phone);
  return old ? [national, `${old[1] ?? ''}${old[2] ?? ''}`] : [national];
}

const mentions = (sql: Sql, phones: readonly string[]): PendingQuery<Row[]> => sql`
  payload <> '{}' and payload::text like any(${phones.flatMap(writtenForms).map((form) => `%${form}%`)}::text[])`;

const isOneOf = (sql: Sql, events: Mentions['events']): PendingQuery<Row[]> => sql`
  (provider_id, event_key) in (
    select * from unnest(
      ${events.map(({ providerId }) => providerId)}::bigint[], ${events.map(({ eventKey }) => eventKey)}::text[]))`;

async function hashOptOuts(tx: Sql, hash: PhoneHash, phones: readonly string[]): Promise<void> {
  for (const phone of phones) {
    await tx`delete from opt_out_events where phone = ${phone}`;
    // Opt-outs of virtual phones belong to nobody: they are deleted.
    const gone = (
      await tx<{ source: string; sandbox: boolean; at: Date }[]>`
        delete from opt_outs where phone = ${phone} returning source, sandbox, at`
    ).find(({ sandbox }) => !sandbox);
    if (gone) {
      await tx`
        insert into opt_outs (phone_hash, source, at) values (${hash(phone)}, ${gone.source}, ${gone.at})
        on conflict (phone_hash) do update set state = 'opted_out', source = excluded.source, at = excluded.at
          where opt_outs.state = 'refused'`;
    }
  }
}

/** Keeps a hash of a customer's refusal, unless they also opted out. Call it before the customer is emptied. */
async function hashRefusal(
  tx: Sql,
  hash: PhoneHash,
  { customerId, phones }: { customerId: number; phones: readonly string[] },
): Promise<void> {
  const hashes = phones.map((phone) => `\\x${hash(phone).toString('hex')}`);
  await tx`
    insert into opt_outs (phone_hash, state, source, at)
    select h::bytea, 'refused', 'admin', coalesce(c.consent_at, now())
    from customers as c cross join unnest(${hashes}::text[]) as h
    where c.id = ${customerId} and c.consent = 'refused'
    on conflict (phone_hash) do nothing`;
}
