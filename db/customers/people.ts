import type { PendingQuery, Row } from 'postgres';
import type { Sql } from '../core/client.ts';
import { listConsents } from './consents.ts';
import { type CustomerRow, emptyCustomer, getCustomer } from './customers.ts';
import { counted, lockMessages, movedColumns } from '../messages/messages.ts';
import { listOptOutEvents } from './opt-outs.ts';
import type { PhoneHash } from '../core/phone-hash.ts';

/** A person of whom we have data: a customer with their phones, or a phone that is no customer's. */
export interface Person {
  customer: CustomerRow | null;
  phones: string[];
}

export async function findCustomerPerson(sql: Sql, id: number): Promise<Person | null> {
  const customer = await getCustomer(sql, id);
  if (!customer) return null;
  const { mobile, phone, phone2 } = customer;
  return { customer, phones: [mobile, phone, phone2].filter((one) => one !== null) };
}

export async function customersWithPhone(sql: Sql, phone: string): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from customers where mobile = ${phone} or phone = ${phone} or phone2 = ${phone} order by id limit 20`;
  return rows.map(({ id }) => id);
}

/**
 * Which rows of a table with customer_id and phone are the person's: those of the customer, and those of the phones that
 * are of no customer. Relatives share phones: what is another customer's is not theirs.
 */
const ofPerson = (sql: Sql, { customer, phones }: Person): PendingQuery<Row[]> => sql`
  (customer_id = ${customer?.id ?? null}::bigint or customer_id is null and phone = any(${phones}::text[]))`;

/** Everything we hold of a person, as plain JSON. */
export async function exportPerson(sql: Sql, person: Person): Promise<Record<string, unknown>> {
  const { customer, phones } = person;
  const messages = await sql<{ id: number }[]>`
    select id, run_id, line, status, reason, code, name, phone, text, segments, extra, provider_message_id,
      provider_code, sending_at, sent_at, ended_at
    from messages where ${ofPerson(sql, person)} order by id`;
  const ids = messages.map(({ id }) => id);
  const tickets = await sql<{ id: number }[]>`
    select id, campaign_id, run_id, message_id, phone, name, code, extra, status, note, opened_at, updated_at, finished_at
    from tickets where ${ofPerson(sql, person)} order by id`;
  return {
    customer,
    consents: customer === null ? [] : await listConsents(sql, customer.id),
    optOuts:
      await sql`select phone, source, sandbox, at from opt_outs where phone = any(${phones}::text[]) order by id`,
    optOutHistory: await listOptOutEvents(sql, phones),
    messages,
    providerEvents: await sql`
      select message_id, kind, payload, received_at from inbound_events
      where message_id = any(${ids}::bigint[]) order by id`,
    replies: await sql`
      select id, phone, recipient, text, received_at, effect, message_id from inbound_messages
      where ${ofPerson(sql, person)} order by id`,
    tickets,
    ticketHistory: await sql`
      select ticket_id, kind, changes, at from ticket_events
      where ticket_id = any(${tickets.map(({ id }) => id)}::bigint[]) order by id`,
  };
}

/** How much we hold of a person. */
export interface PersonCounts {
  messages: number;
  /** Messages that have not left: they would be cancelled. */
  queued: number;
  replies: number;
  tickets: number;
  optOuts: number;
}

export async function countPerson(sql: Sql, person: Person): Promise<PersonCounts> {
  const [row] = await sql<[PersonCounts]>`
    select
      (select count(*)::int from messages where ${ofPerson(sql, person)}) as messages,
      (select count(*)::int from messages where ${ofPerson(sql, person)} and status = 'queued') as queued,
      (select count(*)::int from inbound_messages where ${ofPerson(sql, person)}) as replies,
      (select count(*)::int from tickets where ${ofPerson(sql, person)}) as tickets,
      (select count(*)::int from opt_outs where phone = any(${person.phones}::text[])) as opt_outs`;
  return row;
}

/** A file that a message to the person was made from, and that still holds them. */
export interface HoldingFile {
  campaignId: number;
  campaignName: string;
  fileId: number;
  /** It is the campaign's present file: the next run would write to them again. */
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
 * The calls of providers that have a phone somewhere in them, however it is written there, as far as the phone is nobody
 * else's. That reads all of `inbound_events`: done before the transaction that erases, which looks at those since.
 */
export interface Mentions {
  phones: string[];
  events: { providerId: number; eventKey: string }[];
  /** When the reading began. */
  readAt: Date;
}

export async function findMentions(sql: Sql, person: Person): Promise<Mentions> {
  const phones = await soleOwned(sql, person);
  const [{ readAt }] = await sql<[{ readAt: Date }]>`select clock_timestamp() as read_at`;
  const events = await sql<Mentions['events']>`
    select provider_id, event_key from inbound_events where payload <> '{}' and ${mentions(sql, phones)}`;
  return { phones, events: [...events], readAt };
}

/** A group of receipts is committed within this time. */
const longestWriteSeconds = 300;

/** With those that have come meanwhile. Null: the phones are others than before, so that all has to be read again. */
export async function findLaterMentions(
  tx: Sql,
  person: Person,
  { phones, events, readAt }: Mentions,
): Promise<Mentions['events'] | null> {
  const now = await soleOwned(tx, person);
  if (now.some((phone) => !phones.includes(phone))) return null;
  const later = await tx<Mentions['events']>`
    select provider_id, event_key from inbound_events
    where received_at >= ${readAt}::timestamptz - make_interval(secs => ${longestWriteSeconds})
      and payload <> '{}' and ${mentions(tx, now)}`;
  return [...events, ...later];
}

/**
 * Whether something of the person is in the hands of a sender, or of the workflow of a reply. If not, no sender gets any
 * of it until the transaction ends.
 *
 * Locks all that `erasePerson` changes, in the order of docs/architecture.md: replies, customer, cursors, messages.
 */
export async function isBusyWith(tx: Sql, person: Person): Promise<boolean> {
  await tx`select id from inbound_messages where ${ofPerson(tx, person)} order by id for no key update`;
  if (person.customer !== null)
    await tx`select from customers where id = ${person.customer.id} for no key update`;
  // Handing out lines (db/messages/claims.ts) waits for the run's cursor, and claims of single messages for their rows.
  await tx`
    insert into send_cursors as c (run_id, line)
    select distinct run_id, 0 from messages where ${ofPerson(tx, person)} and status = 'queued' order by run_id
    on conflict (run_id) do update set line = c.line`;
  await lockMessages(tx, ofPerson(tx, person));
  const [row] = await tx<[{ busy: boolean }]>`
    select exists (select from messages where ${ofPerson(tx, person)} and status = 'sending')
      or exists (
        select from messages as m join claims on claims.run_id = m.run_id and m.id = any(claims.message_ids)
        where m.sender is null and m.id in (select id from messages where ${ofPerson(tx, person)}))
      or exists (select from inbound_messages where ${ofPerson(tx, person)} and handled_at is null) as busy`;
  return row.busy;
}

/**
 * Takes a person out of all that we hold; that something was sent, when, and with what outcome stays. What is queued for
 * them is cancelled. Their opt-outs stay in force as keyed hashes, unless another customer has the phone, too.
 *
 * Call it when `isBusyWith` says no, in the same transaction. Nothing is searched here but by an index: senders and
 * receipts wait for the counts until the transaction ends.
 */
export async function erasePerson(
  tx: Sql,
  hash: PhoneHash,
  person: Person,
  mentioning: Mentions['events'],
): Promise<Erased> {
  const { customer } = person;
  const mailingFiles = await tx<HoldingFile[]>`
    select distinct c.id as campaign_id, c.name as campaign_name, f.id as file_id,
      c.mailing_file_id is not distinct from f.id as current
    from messages join runs on runs.id = messages.run_id join campaigns as c on c.id = runs.campaign_id
      join mailing_files as f on f.id = runs.mailing_file_id
    where ${ofPerson(tx, person)} and exists (select from mailing_file_chunks where file_id = f.id)
    order by campaign_id, file_id`;
  await tx`
    with held as (
      select id from messages where ${ofPerson(tx, person)} and status = 'queued' order by id for no key update
    ), moved as (
      update messages as m set status = 'cancelled', reason = 'erased', ended_at = now()
      from held where m.id = held.id and m.status = 'queued'
      returning ${movedColumns(tx)}
    ), ${counted(tx)}
    select from moved`;
  // The events before the messages: these lose the phone by which they are found.
  const ofMessages = await tx`
    update inbound_events set payload = '{}'
    where payload <> '{}' and message_id in (select id from messages where ${ofPerson(tx, person)})`;
  const ofPhones = await tx`
    update inbound_events as e set payload = '{}'
    from unnest(
      ${mentioning.map(({ providerId }) => providerId)}::bigint[], ${mentioning.map(({ eventKey }) => eventKey)}::text[]
    ) as m (provider_id, event_key)
    where e.provider_id = m.provider_id and e.event_key = m.event_key and e.payload <> '{}'`;
  const messages = await tx`
    update messages set code = null, name = null, phone = null, text = null, extra = null
    where ${ofPerson(tx, person)} and (phone is not null or text is not null or name is not null)`;
  await tx`select id from tickets where ${ofPerson(tx, person)} order by id for no key update`;
  await tx`
    update ticket_posts set answer = null where ticket_id in (select id from tickets where ${ofPerson(tx, person)})`;
  const tickets = await tx`
    update tickets set phone = null, name = null, code = null, extra = '{}', note = '', version = version + 1
    where ${ofPerson(tx, person)}`;
  const replies = await tx`update inbound_messages set phone = '', text = '' where ${ofPerson(tx, person)}`;
  await hashOptOuts(tx, hash, await soleOwned(tx, person));
  if (customer !== null) await emptyCustomer(tx, customer.id);
  return {
    messages: messages.count,
    replies: replies.count,
    tickets: tickets.count,
    providerEvents: ofMessages.count + ofPhones.count,
    mailingFiles,
  };
}

/** The phones of a person that no other customer has, too. */
async function soleOwned(sql: Sql, { customer, phones }: Person): Promise<string[]> {
  const own: string[] = [];
  for (const phone of phones) {
    const others = (await customersWithPhone(sql, phone)).filter((id) => id !== customer?.id);
    if (others.length === 0) own.push(phone);
  }
  return own;
}

const mentions = (sql: Sql, phones: readonly string[]): PendingQuery<Row[]> => {
  // Without the country: some providers leave it out.
  const patterns = phones.map((phone) => `%${phone.replace(/^\+(?:55)?/, '')}%`);
  return sql`payload::text like any(${patterns}::text[])`;
};

async function hashOptOuts(tx: Sql, hash: PhoneHash, phones: readonly string[]): Promise<void> {
  for (const phone of phones) {
    await tx`delete from opt_out_events where phone = ${phone}`;
    // Those of virtual phones are nobody's: they go.
    const gone = (
      await tx<{ source: string; sandbox: boolean; at: Date }[]>`
        delete from opt_outs where phone = ${phone} returning source, sandbox, at`
    ).find(({ sandbox }) => !sandbox);
    if (gone) {
      await tx`
        insert into opt_outs (phone_hash, source, at) values (${hash(phone)}, ${gone.source}, ${gone.at})
        on conflict (phone_hash) do nothing`;
    }
  }
}
