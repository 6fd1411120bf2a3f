import type { Consent } from '../../domain/customer.ts';
import type { Database, Sql } from '../core/client.ts';

/** The customer that a contact matches, with their consent. */
export interface MatchedCustomer {
  id: number;
  code: string | null;
  consent: Consent;
}

/** Whether two codes differ only by leading zeros, which spreadsheets remove. */
export const sameButZeros = (code: string, other: string | null): boolean =>
  other !== null && code !== other && withoutZeros(code) === withoutZeros(other);

const withoutZeros = (code: string): string => code.replace(/^0+(?=.)/, '');

/** The identifiers that match a contact to a customer. */
export interface CustomerKey {
  code: string | null;
  /** E.164. */
  phone: string | null;
}

/**
 * Finds the customer of each key: the one with its code, else one with its phone as any of the three. Of several with
 * the phone, a customer who refused, else the oldest. Null for none. A refusal also applies if it was stated with the
 * same phone and a code that differs only by leading zeros.
 *
 * Queries the customers that any key may match, and joins them to the keys here: a join in the database took five times
 * as long.
 */
export async function findCustomers(
  sql: Database,
  keys: readonly CustomerKey[],
): Promise<(MatchedCustomer | null)[]> {
  const codes = keys.map(({ code }) => code).filter((code) => code !== null);
  const phones = keys.map(({ phone }) => phone).filter((phone) => phone !== null);
  const rows = await sql.begin(async (tx) => {
    await planByPresentSize(tx);
    return tx<NamedCustomer[]>`
      select id, consent, code, mobile, phone, phone2 from customers
      where code = any(${codes}::text[]) or mobile = any(${phones}::text[]) or phone = any(${phones}::text[])
        or phone2 = any(${phones}::text[])`;
  });
  const byCode = new Map<string, MatchedCustomer>();
  const byPhone = new Map<string, MatchedCustomer>();
  /** Codes of refusals without leading zeros, each with a phone. */
  const refusing = new Set<string>();
  for (const row of rows) {
    const customer = { id: row.id, code: row.code, consent: row.consent };
    if (row.consent === 'refused' && row.code !== null)
      for (const phone of phonesOf(row)) refusing.add(`${withoutZeros(row.code)} ${phone}`);
    if (row.code !== null) byCode.set(row.code, customer);
    for (const phone of phonesOf(row)) {
      const known = byPhone.get(phone);
      if (known === undefined || goesBefore(customer, known)) byPhone.set(phone, customer);
    }
  }
  return keys.map(({ code, phone }) => {
    const coded = code === null ? undefined : byCode.get(code);
    if (
      coded !== undefined &&
      refusing.size > 0 &&
      refusing.has(`${withoutZeros(code ?? '')} ${phone ?? ''}`)
    )
      return { ...coded, consent: 'refused' };
    return coded ?? (phone === null ? undefined : byPhone.get(phone)) ?? null;
  });
}

interface NamedCustomer extends MatchedCustomer, CustomerPhones {
  code: string | null;
}

const goesBefore = (a: MatchedCustomer, b: MatchedCustomer): boolean =>
  a.consent === b.consent || (a.consent !== 'refused' && b.consent !== 'refused')
    ? a.id < b.id
    : a.consent === 'refused';

/** All customers with the phone (E.164) as any of the three. */
export async function customerIdsByPhone(sql: Sql, phone: string): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from customers where mobile = ${phone} or phone = ${phone} or phone2 = ${phone} order by id`;
  return rows.map(({ id }) => id);
}

/**
 * The table may grow by a million rows during one import. A plan made while it was small and then cached, as on the
 * worker's connections, would scan the whole table for each batch.
 */
const planByPresentSize = (tx: Sql) => tx`set local plan_cache_mode = force_custom_plan`;

export async function hasCustomers(sql: Sql): Promise<boolean> {
  const [row] = await sql<[{ any: boolean }]>`select exists (select from customers) as any`;
  return row.any;
}

/** In E.164. */
interface CustomerPhones {
  mobile: string | null;
  phone: string | null;
  phone2: string | null;
}

/** The data of one customer in a mailing or a file; null for a value that it does not contain. */
export interface ArrivedCustomer extends CustomerPhones {
  code: string | null;
  name: string | null;
  /** ISO date. */
  birthDate: string | null;
  regionId: number | null;
  customerTypeId: number | null;
}

export interface RegisteredCustomer extends MatchedCustomer {
  outcome: 'inserted' | 'updated' | 'unchanged';
}

/**
 * Creates customers that do not exist yet and updates the others with the new data: values that are missing stay as
 * they are, and so does consent. Returns the customer of each of `arrived`; null for one without a code and a phone.
 *
 * Customers match by code. One without a code, or with an unknown code, matches by phone, any of the three with any of
 * the three; but a phone never joins two codes, unless they differ only by leading zeros, because relatives share
 * phones. Of several matches, the oldest. A match by phone fills missing phones and replaces none: otherwise the next
 * record with another of them would be a new customer.
 *
 * Calls run one after the other in the whole deployment, until the transaction ends: two runs that register the same
 * person at the same time would create two customers.
 */
export async function registerCustomers(
  tx: Sql,
  arrived: readonly ArrivedCustomer[],
): Promise<(RegisteredCustomer | null)[]> {
  await tx`select pg_advisory_xact_lock(hashtext('torpedo.customers'))`;
  await planByPresentSize(tx);
  const customers: (RegisteredCustomer | null)[] = arrived.map(() => null);
  let open = mergeSame(arrived);
  while (open.length > 0) {
    const { round, later } = nextRound(open);
    const registered = new Map((await registerRound(tx, round)).map(({ n, ...customer }) => [n, customer]));
    const remaining: Arrival[] = [];
    round.forEach((arrival, index) => {
      const customer = registered.get(index + 1);
      if (customer === undefined) remaining.push(arrival);
      else for (const position of arrival.positions) customers[position] = customer;
    });
    open = [...remaining, ...later];
  }
  return customers;
}

interface Arrival {
  customer: ArrivedCustomer;
  /** Its positions in the batch. */
  positions: number[];
}

const phonesOf = ({ mobile, phone, phone2 }: CustomerPhones): string[] =>
  [mobile, phone, phone2].filter((one) => one !== null);

/** Merges records with the same code, or without a code and with the same first phone; the later values win. */
function mergeSame(arrived: readonly ArrivedCustomer[]): Arrival[] {
  const merged = new Map<string, Arrival>();
  arrived.forEach((customer, position) => {
    const [firstPhone] = phonesOf(customer);
    if (customer.code === null && firstPhone === undefined) return;
    const key = customer.code === null ? `phone ${firstPhone ?? ''}` : `code ${customer.code}`;
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { customer: { ...customer }, positions: [position] });
    else {
      const values = Object.entries(customer).filter(([, value]) => value !== null);
      Object.assign(known.customer, Object.fromEntries(values));
      known.positions.push(position);
    }
  });
  return [...merged.values()];
}

/** Records of different customers, for one statement; one that shares a phone with a record without a code waits. */
function nextRound(open: readonly Arrival[]): { round: Arrival[]; later: Arrival[] } {
  const phones = new Set<string>();
  const phonesWithoutCode = new Set<string>();
  /** By phone, the code it belongs to, without leading zeros. */
  const codesOfPhones = new Map<string, string>();
  const round: Arrival[] = [];
  const later: Arrival[] = [];
  for (const arrival of open) {
    const { code } = arrival.customer;
    const own = phonesOf(arrival.customer);
    const taken = code === null ? phones : phonesWithoutCode;
    const bare = code === null ? null : withoutZeros(code);
    if (own.some((phone) => taken.has(phone) || codesOfPhones.get(phone) === bare)) {
      later.push(arrival);
      continue;
    }
    for (const phone of own) {
      phones.add(phone);
      if (bare === null) phonesWithoutCode.add(phone);
      else codesOfPhones.set(phone, bare);
    }
    round.push(arrival);
  }
  return { round, later };
}

/**
 * One statement for all records. The result omits those that match a customer whom another record of this round has
 * changed, and those whose code has meanwhile been given to another customer: they need another round.
 */
async function registerRound(
  tx: Sql,
  round: readonly Arrival[],
): Promise<(RegisteredCustomer & { n: number })[]> {
  const column = <K extends keyof ArrivedCustomer>(key: K) => round.map(({ customer }) => customer[key]);
  return tx<(RegisteredCustomer & { n: number })[]>`
    with arrived as (
      select * from unnest(
        ${column('code')}::text[], ${column('name')}::text[], ${column('mobile')}::text[], ${column('phone')}::text[],
        ${column('phone2')}::text[], ${column('birthDate')}::text[], ${column('regionId')}::bigint[],
        ${column('customerTypeId')}::bigint[]
      ) with ordinality as a (code, name, mobile, phone, phone2, birth_date, region_id, customer_type_id, n)
    ), matched as materialized (
      select a.*, coalesce(coded.id, called.id) as id, coded.id is not null as by_code
      from arrived as a
      left join customers as coded on coded.code = a.code
      left join lateral (
        select id from customers as c
        where coded.id is null and (
          a.code is null or c.code is null or ltrim(a.code, '0') = ltrim(c.code, '0') and ltrim(a.code, '0') <> '') and (
          c.mobile in (a.mobile, a.phone, a.phone2) or c.phone in (a.mobile, a.phone, a.phone2)
          or c.phone2 in (a.mobile, a.phone, a.phone2))
        order by id limit 1
      ) as called on true
    ), first as materialized (
      select distinct on (id) * from matched where id is not null order by id, n
    ), changes as materialized (
      select f.id, f.n, coalesce(c.code, f.code) as code, coalesce(f.name, c.name) as name,
        case when by_code then coalesce(f.mobile, c.mobile) when f.mobile in (c.phone, c.phone2) then c.mobile
          else coalesce(c.mobile, f.mobile) end as mobile,
        case when by_code then coalesce(f.phone, c.phone) when f.phone in (c.mobile, c.phone2) then c.phone
          else coalesce(c.phone, f.phone) end as phone,
        case when by_code then coalesce(f.phone2, c.phone2) when f.phone2 in (c.mobile, c.phone) then c.phone2
          else coalesce(c.phone2, f.phone2) end as phone2,
        coalesce(f.birth_date::date, c.birth_date) as birth_date, coalesce(f.region_id, c.region_id) as region_id,
        coalesce(f.customer_type_id, c.customer_type_id) as customer_type_id
      from first as f join customers as c using (id)
    ), updated as (
      update customers as c set (code, name, mobile, phone, phone2, birth_date, region_id, customer_type_id, updated_at)
        = (t.code, t.name, t.mobile, t.phone, t.phone2, t.birth_date, t.region_id, t.customer_type_id, now())
      from changes as t
      where c.id = t.id and c.erased_at is null
        and (t.code, t.name, t.mobile, t.phone, t.phone2, t.birth_date, t.region_id, t.customer_type_id) is distinct from
          (c.code, c.name, c.mobile, c.phone, c.phone2, c.birth_date, c.region_id, c.customer_type_id)
      returning c.id
    ), fresh as materialized (
      select nextval('customers_id_seq') as id, m.n, m.code, m.name, m.mobile, m.phone, m.phone2, m.birth_date,
        m.region_id, m.customer_type_id
      from (select * from matched where id is null order by n) as m
    ), inserted as (
      insert into customers (id, code, name, mobile, phone, phone2, birth_date, region_id, customer_type_id)
      overriding system value
      select id, code, coalesce(name, ''), mobile, phone, phone2, birth_date::date, region_id, customer_type_id
      from fresh order by n
      on conflict (code) do nothing
      returning id
    )
    select first.n::int, first.id, c.code, c.consent,
      case when updated.id is null then 'unchanged' else 'updated' end as outcome
    from first join customers as c using (id) left join updated using (id)
    union all
    select fresh.n::int, inserted.id, fresh.code, 'not_stated', 'inserted' from fresh join inserted using (id)`;
}
