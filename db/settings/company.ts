import { companyName, type KeptLogo, keptLogo } from '../../domain/company.ts';
import type { Sql } from '../core/client.ts';
import { json } from '../core/json.ts';

export interface Company {
  name: string;
  logo: KeptLogo | null;
}

interface Row {
  name: string;
  logo: unknown;
}

const companyOf = (row: Row | undefined): Company => ({
  name: companyName.parse(row?.name),
  logo: keptLogo.nullable().parse(row?.logo ?? null),
});

/** What the deployment shows as its company; empty before an admin has set it. */
export async function getCompany(sql: Sql): Promise<Company> {
  const [row] = await sql<Row[]>`select name, logo_facts as logo from company`;
  return companyOf(row);
}

/** Locked until the transaction ends, even if it had no row. */
export async function lockCompany(sql: Sql): Promise<Company> {
  await sql`insert into company default values on conflict do nothing`;
  const [row] = await sql<Row[]>`select name, logo_facts as logo from company for no key update`;
  return companyOf(row);
}

/** Call after `lockCompany`. */
export async function setCompanyName(sql: Sql, name: string): Promise<void> {
  await sql`update company set name = ${name}`;
}

/** Call after `lockCompany`. Null removes the logo. */
export async function setLogo(sql: Sql, logo: { content: Buffer; facts: KeptLogo } | null): Promise<void> {
  await sql`
    update company set logo = ${logo?.content ?? null}, logo_facts = ${logo && json(sql, logo.facts)}`;
}

/** The image itself; null: there is none. */
export async function getLogo(sql: Sql): Promise<{ content: Buffer; facts: KeptLogo } | null> {
  const [row] = await sql<(Row & { content: Buffer | null })[]>`
    select name, logo_facts as logo, logo as content from company`;
  const { logo } = companyOf(row);
  return row?.content && logo ? { content: row.content, facts: logo } : null;
}
