import type { Consent, ConsentSource, CustomerContent } from '../../domain/customer.ts';
import type { Database, Sql } from '../core/client.ts';

/** A customer, as the API returns them. Phones in E.164. */
export interface CustomerRow extends CustomerContent {
  id: number;
  regionName: string | null;
  customerTypeName: string | null;
  consent: Consent;
  consentSource: ConsentSource | null;
  consentAt: Date | null;
  /** Whether any of the phones has opted out. */
  optedOut: boolean;
  /** Whether any of them has a probable opt-out that a user has to decide. */
  held: boolean;
  createdAt: Date;
  updatedAt: Date;
}

const selected = (sql: Sql) => sql`
  select c.id, c.code, c.name, c.mobile, c.phone, c.phone2, c.birth_date::text, c.region_id, r.name as region_name,
    c.customer_type_id, t.name as customer_type_name, c.consent, c.consent_source, c.consent_at,
    exists (
      select from opt_outs as o where o.phone in (c.mobile, c.phone, c.phone2) and not o.sandbox and o.state = 'opted_out') as opted_out,
    exists (
      select from opt_outs as o where o.phone in (c.mobile, c.phone, c.phone2) and not o.sandbox and o.state = 'held') as held,
    c.created_at, c.updated_at
  from customers as c left join regions as r on r.id = c.region_id
    left join customer_types as t on t.id = c.customer_type_id`;

export interface CustomerFilter {
  code?: string | undefined;
  /** Prefixes of words in the name, in any order; case, accents and punctuation do not matter. */
  name?: string | undefined;
  /** E.164; any of the three. */
  phone?: readonly string[] | undefined;
}

interface CustomerPage {
  /** The id of the last customer on the previous page. */
  after?: number | undefined;
  limit: number;
}

/** The most customers that a search by words reads. */
const mostFound = 1_000;

/**
 * The customers whose names have words with these prefixes: their ids, and whether there are more than `mostFound`.
 * Sorting the page of a frequent word would read all customers that have it.
 */
export async function customersNamed(sql: Database, name: string): Promise<{ ids: number[]; more: boolean }> {
  const rows = await sql.begin(async (tx) => {
    // PostgreSQL cannot estimate how many rows match a prefix, and would scan all customers when none match.
    await tx`set local enable_seqscan = off`;
    return tx<{ id: number }[]>`
      select id from customers where name_words @@ (
        select string_agg(quote_literal(word) || ':*', ' & ') from unnest(search_words(${name})) as word)::tsquery
      limit ${mostFound + 1}`;
  });
  return { ids: rows.slice(0, mostFound).map(({ id }) => id), more: rows.length > mostFound };
}

/** Which customers a page reads: those among `ids`, and those whose whole name begins with `name`, or does not. */
interface NameFilter {
  ids?: readonly number[];
  begins?: { name: string; does: boolean };
}

/** The customers on a page, and their order. Exported for the test of its plans. */
export const customersPage = (
  sql: Sql,
  { code, phone }: Omit<CustomerFilter, 'name'>,
  { ids, begins }: NameFilter,
  { after, limit }: CustomerPage,
) => sql`
  where c.erased_at is null
    ${code === undefined ? sql`` : sql`and c.code = ${code}`}
    ${ids === undefined ? sql`` : sql`and c.id = any(${[...ids]}::bigint[])`}
    ${begins === undefined ? sql`` : begins.does ? sql`and ${beginsWith(sql, begins.name)}` : sql`and not (${beginsWith(sql, begins.name)})`}
    ${phone === undefined ? sql`` : sql`and c.id = any(array(${idsOfPhones(sql, phone)}))`}
    ${after === undefined ? sql`` : sql`and (c.name_folded, c.id) > ((select name_folded from customers where id = ${after}), ${after}::bigint)`}
  order by c.name_folded, c.id limit ${limit}`;

/** Each of the three has an index; the order by name would read all customers for phones that none has. */
const idsOfPhones = (sql: Sql, phones: readonly string[]) => {
  const wanted = sql`any(${[...phones]}::text[])`;
  return sql`
    select id from customers where mobile = ${wanted} union select id from customers where phone = ${wanted}
    union select id from customers where phone2 = ${wanted}`;
};

const beginsWith = (sql: Sql, name: string) =>
  sql`c.name_folded >= folded(${name}) and c.name_folded < folded(${name}) || chr(1114111)`;

/**
 * A page of customers by name. When more than `mostFound` have the words (`more`): first all whose name begins with them,
 * then `mostFound` others at most.
 */
export async function searchCustomers(
  sql: Database,
  { name, ...filter }: CustomerFilter,
  { after, limit }: CustomerPage,
): Promise<{ customers: CustomerRow[]; more: boolean }> {
  const read = (where: NameFilter, page: CustomerPage) =>
    sql<CustomerRow[]>`${selected(sql)} ${customersPage(sql, filter, where, page)}`;
  if (name === undefined) return { customers: await read({}, { after, limit }), more: false };
  const { ids, more } = await customersNamed(sql, name);
  if (!more) return { customers: await read({ ids }, { after, limit }), more };
  const isPast = after !== undefined && !(await nameBegins(sql, after, name));
  const first = isPast ? [] : await read({ begins: { name, does: true } }, { after, limit });
  if (first.length === limit) return { customers: first, more };
  const others = await read(
    { ids, begins: { name, does: false } },
    { after: isPast ? after : undefined, limit: limit - first.length },
  );
  return { customers: [...first, ...others], more };
}

async function nameBegins(sql: Sql, id: number, name: string): Promise<boolean> {
  const rows = await sql`select from customers as c where c.id = ${id} and ${beginsWith(sql, name)}`;
  return rows.count > 0;
}

/** Makes other writers of the customer wait until the transaction ends. */
export async function lockCustomer(sql: Sql, id: number): Promise<void> {
  await sql`select from customers where id = ${id} for no key update`;
}

export async function getCustomer(sql: Sql, id: number): Promise<CustomerRow | null> {
  const [row] = await sql<CustomerRow[]>`${selected(sql)} where c.id = ${id} and c.erased_at is null`;
  return row ?? null;
}

/** Throws PostgreSQL's 23505 when another customer has the code, 23503 for a region or type that does not exist. */
export async function insertCustomer(sql: Sql, content: CustomerContent): Promise<number> {
  const [row] = await sql<[{ id: number }]>`insert into customers ${sql(content)} returning id`;
  return row.id;
}

/** False when there is no such customer. Throws like `insertCustomer`. */
export async function updateCustomer(sql: Sql, id: number, content: CustomerContent): Promise<boolean> {
  const rows = await sql`
    update customers set ${sql(content)}, updated_at = now() where id = ${id} and erased_at is null`;
  return rows.count > 0;
}

/** The records that refer to a customer. */
export async function customerUses(
  sql: Sql,
  id: number,
): Promise<{ messages: boolean; replies: boolean; tickets: boolean }> {
  const [row] = await sql<[{ messages: boolean; replies: boolean; tickets: boolean }]>`
    select exists (select from messages where customer_id = ${id}) as messages,
      exists (select from inbound_messages where customer_id = ${id}) as replies,
      exists (select from tickets where customer_id = ${id}) as tickets`;
  return row;
}

/** Deletes all personal data from a customer's row, which no search finds any more. False when there is none. */
export async function emptyCustomer(tx: Sql, id: number): Promise<boolean> {
  const rows = await tx`
    update customers set code = null, name = '', mobile = null, phone = null, phone2 = null, birth_date = null,
      region_id = null, customer_type_id = null, consent = 'not_stated', consent_source = null, consent_at = null,
      updated_at = now(), erased_at = now()
    where id = ${id} and erased_at is null`;
  await tx`delete from consents where customer_id = ${id}`;
  return rows.count > 0;
}
