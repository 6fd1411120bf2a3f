import type { Consent, ConsentSource, CustomerContent } from '../../domain/customer.ts';
import type { Sql } from '../core/client.ts';

/** A customer as the API shows them. Phones in E.164. */
export interface CustomerRow extends CustomerContent {
  id: number;
  regionName: string | null;
  customerTypeName: string | null;
  consent: Consent;
  consentSource: ConsentSource | null;
  consentAt: Date | null;
  /** Whether any of the phones has opted out. */
  optedOut: boolean;
  createdAt: Date;
  updatedAt: Date;
}

const selected = (sql: Sql) => sql`
  select c.id, c.code, c.name, c.mobile, c.phone, c.phone2, c.birth_date::text, c.region_id, r.name as region_name,
    c.customer_type_id, t.name as customer_type_name, c.consent, c.consent_source, c.consent_at,
    exists (
      select from opt_outs as o where o.phone in (c.mobile, c.phone, c.phone2) and not o.sandbox) as opted_out,
    c.created_at, c.updated_at
  from customers as c left join regions as r on r.id = c.region_id
    left join customer_types as t on t.id = c.customer_type_id`;

export interface CustomerFilter {
  code?: string | undefined;
  /** The beginning of the name; case, accents and punctuation don't count. */
  name?: string | undefined;
  /** E.164; any of the three. */
  phone?: string | undefined;
}

/** Which customers a page holds, and in which order. Exported for the test of its plans. */
export const customersPage = (
  sql: Sql,
  { code, name, phone }: CustomerFilter,
  { after, limit }: { after?: number | undefined; limit: number },
) => sql`
  where c.erased_at is null
    ${code === undefined ? sql`` : sql`and c.code = ${code}`}
    ${name === undefined ? sql`` : sql`and c.name_folded >= folded(${name}) and c.name_folded < folded(${name}) || chr(1114111)`}
    ${phone === undefined ? sql`` : sql`and (c.mobile = ${phone} or c.phone = ${phone} or c.phone2 = ${phone})`}
    ${after === undefined ? sql`` : sql`and (c.name_folded, c.id) > ((select name_folded from customers where id = ${after}), ${after}::bigint)`}
  order by c.name_folded, c.id limit ${limit}`;

/** A page of customers by name; `after`: the id of the last of the page before. */
export async function listCustomers(
  sql: Sql,
  filter: CustomerFilter,
  page: { after?: number | undefined; limit: number },
): Promise<CustomerRow[]> {
  return sql<CustomerRow[]>`${selected(sql)} ${customersPage(sql, filter, page)}`;
}

export async function getCustomer(sql: Sql, id: number): Promise<CustomerRow | null> {
  const [row] = await sql<CustomerRow[]>`${selected(sql)} where c.id = ${id} and c.erased_at is null`;
  return row ?? null;
}

/** Throws PostgreSQL's 23505 when the code is another's, 23503 for a region or type that does not exist. */
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

/** What refers to a customer. */
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

/** Takes everything personal from a customer's row, and from then on nothing finds it. False when there is none. */
export async function emptyCustomer(tx: Sql, id: number): Promise<boolean> {
  const rows = await tx`
    update customers set code = null, name = '', mobile = null, phone = null, phone2 = null, birth_date = null,
      region_id = null, customer_type_id = null, consent = 'not_stated', consent_source = null, consent_at = null,
      updated_at = now(), erased_at = now()
    where id = ${id} and erased_at is null`;
  await tx`delete from consents where customer_id = ${id}`;
  return rows.count > 0;
}
