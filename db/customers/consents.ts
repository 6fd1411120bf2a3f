import type { PendingQuery, Row } from 'postgres';
import type { Consent, ConsentSource } from '../../domain/customer.ts';
import type { Sql } from '../core/client.ts';
import { endQueuedIn } from '../messages/messages.ts';

/** A customer's statement of consent, and when they made it. */
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
  /** From a virtual phone: does not change the customer's consent. */
  sandbox: boolean;
  at: Date;
  recordedAt: Date;
}

interface ConsentCause {
  source: ConsentSource;
  actor: string;
  note?: string;
  /** From a virtual phone: stored, but changes neither the customer's consent nor queued messages. */
  sandbox?: boolean;
}

/**
 * Records statements of consent, at most one for each customer in a call; a customer's latest statement by date
 * applies. Skips the queued messages of a customer who refuses, in every run that checks consent.
 *
 * Locks customers, then messages, then counts: do not lock a customer after it in the same transaction.
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

/** The first half of `recordConsents`: does not change queued messages. */
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

/** The second half: skips the queued messages of those customers who refuse now. */
async function skipRefusing(tx: Sql, customerIds: readonly number[]): Promise<void> {
  if (customerIds.length > 0) await skipRefused(tx, tx`m.customer_id = any(${[...customerIds]}::bigint[])`);
}

/** Skips queued messages of a run to customers who refused while it read its mailing. */
export async function skipRefusedInRun(sql: Sql, runId: number): Promise<void> {
  await skipRefused(sql, sql`m.run_id = ${runId}`);
}

/**
 * Checks the consent of all recipients of a run's queued messages, and skips those whose consent does not suffice
 * (domain/customer.ts): of the message's customer, else of the customer who now has its code, else its phone.
 */
export async function skipWithoutConsent(
  sql: Sql,
  { runId, required }: { runId: number; required: boolean },
): Promise<void> {
  await endQueuedIn(
    sql,
    sql`
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
      order by m.id for no key update of m`,
    noConsent(sql),
  );
}

async function skipRefused(sql: Sql, which: PendingQuery<Row[]>): Promise<void> {
  await endQueuedIn(
    sql,
    sql`
      select m.id from messages as m
      join runs on runs.id = m.run_id
      join customers as c on c.id = m.customer_id
      where ${which} and m.status = 'queued' and c.consent = 'refused'
        and not (runs.settings -> 'campaign' ->> 'ignoreConsent')::boolean
      order by m.id for no key update of m`,
    noConsent(sql),
  );
}

const noConsent = (sql: Sql) => ({ status: sql`'skipped'`, reason: sql`'no_consent'` });

/** All statements of a customer, newest first. */
export async function listConsents(sql: Sql, customerId: number): Promise<ConsentRow[]> {
  return sql<ConsentRow[]>`
    select id, consent, source, note, actor, sandbox, at, recorded_at from consents
    where customer_id = ${customerId} order by id desc limit 200`;
}
