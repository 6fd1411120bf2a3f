import type { PendingQuery, Row } from 'postgres';
import type { Consent, ConsentSource } from '../../domain/customer.ts';
import type { Sql } from '../core/client.ts';
import { counted, movedColumns } from '../messages/messages.ts';

/** What a customer has said of being written to, and when. */
export interface ConsentStatement {
  customerId: number;
  consent: Consent;
  at: Date;
}

export interface ConsentRow {
  id: number;
  consent: Consent;
  source: ConsentSource;
  note: string;
  /** `user:7`, `token:3` */
  actor: string;
  /** Said by a virtual phone: the customer's consent is not changed by it. */
  sandbox: boolean;
  at: Date;
  recordedAt: Date;
}

interface ConsentCause {
  source: ConsentSource;
  actor: string;
  note?: string;
  /** Said by a virtual phone: it is kept, and changes neither the customer's consent nor what is queued. */
  sandbox?: boolean;
}

/**
 * Records statements of consent; of each customer the latest by its date stands, at most one of each in a call. What is
 * queued for one who refuses is skipped at once, in every run that heeds consent.
 *
 * Locks customers, then messages, then counts: no customer may be locked after it in the same transaction.
 */
export async function recordConsents(
  tx: Sql,
  statements: readonly ConsentStatement[],
  cause: ConsentCause,
): Promise<void> {
  await noteConsents(tx, statements, cause);
  if (!cause.sandbox) await skipRefusing(tx, refusingOf(statements));
}

/** The customers who refuse. */
const refusingOf = (statements: readonly ConsentStatement[]): number[] =>
  statements.filter(({ consent }) => consent === 'refused').map(({ customerId }) => customerId);

/** The first half of `recordConsents`: what is queued stays. */
async function noteConsents(
  tx: Sql,
  statements: readonly ConsentStatement[],
  { source, actor, note = '', sandbox = false }: ConsentCause,
): Promise<void> {
  if (statements.length === 0) return;
  await tx`
    with stated as (
      select * from unnest(
        ${statements.map((s) => s.customerId)}::bigint[], ${statements.map((s) => s.consent)}::text[],
        ${statements.map((s) => s.at.toISOString())}::timestamptz[]
      ) as s (customer_id, consent, at)
    ), recorded as (
      insert into consents (customer_id, consent, source, note, actor, sandbox, at)
      select customer_id, consent, ${source}, ${note}, ${actor}, ${Number(sandbox)} = 1, at from stated order by customer_id
    ), held as (
      select s.* from stated as s join customers as c on c.id = s.customer_id
      where ${Number(sandbox)} = 0 order by c.id for no key update of c
    )
    update customers as c set consent = s.consent, consent_source = ${source}, consent_at = s.at, updated_at = now()
    from held as s where c.id = s.customer_id and (c.consent_at is null or c.consent_at <= s.at)`;
}

/** The second half: skips what is queued for these customers, of whom those count who refuse now. */
async function skipRefusing(tx: Sql, customerIds: readonly number[]): Promise<void> {
  if (customerIds.length > 0) await skipRefused(tx, tx`m.customer_id = any(${[...customerIds]}::bigint[])`);
}

/** Skips what a run has queued for customers who refused while it read its mailing. */
export async function skipRefusedInRun(sql: Sql, runId: number): Promise<void> {
  await skipRefused(sql, sql`m.run_id = ${runId}`);
}

/**
 * Asks for the consent of everyone whom a run has queued, and skips those whose does not suffice (domain/customer.ts):
 * of the customer that the message has, else of who has its code by now, else its phone.
 */
export async function skipWithoutConsent(
  sql: Sql,
  { runId, required }: { runId: number; required: boolean },
): Promise<void> {
  await sql`
    with held as (
      select m.id from messages as m
      join runs on runs.id = m.run_id
      left join customers as own on own.id = m.customer_id
      left join customers as coded on own.id is null and coded.code = m.code
      left join lateral (
        select consent from customers as c
        where own.id is null and coded.id is null
          and (c.mobile = m.phone or c.phone = m.phone or c.phone2 = m.phone)
        order by (consent = 'refused') desc, id limit 1
      ) as called on true
      where m.run_id = ${runId} and m.status = 'queued'
        and not (runs.settings -> 'campaign' ->> 'ignoreConsent')::boolean
        and case coalesce(own.consent, coded.consent, called.consent, 'not_stated')
          when 'granted' then false when 'refused' then true else ${required}::boolean end
      order by m.id for no key update of m
    ), moved as (
      update messages as m set status = 'skipped', reason = 'no_consent', ended_at = now()
      from held where m.id = held.id and m.status = 'queued'
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from moved`;
}

async function skipRefused(sql: Sql, which: PendingQuery<Row[]>): Promise<void> {
  await sql`
    with held as (
      select m.id from messages as m
      join runs on runs.id = m.run_id
      join customers as c on c.id = m.customer_id
      where ${which} and m.status = 'queued' and c.consent = 'refused'
        and not (runs.settings -> 'campaign' ->> 'ignoreConsent')::boolean
      order by m.id for no key update of m
    ), moved as (
      update messages as m set status = 'skipped', reason = 'no_consent', ended_at = now()
      from held where m.id = held.id and m.status = 'queued'
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from moved`;
}

/** All that a customer has said, newest first. */
export async function listConsents(sql: Sql, customerId: number): Promise<ConsentRow[]> {
  return sql<ConsentRow[]>`
    select id, consent, source, note, actor, sandbox, at, recorded_at from consents
    where customer_id = ${customerId} order by id desc limit 200`;
}
