import type { Price } from '../../domain/price.ts';
import type { Sql } from '../core/client.ts';

/** Prices of a segment (domain/price.ts). In SQL, `segment_price(provider, country, day)` chooses one. */

/** All prices of a provider: by prefix, the latest first. */
export async function listPrices(sql: Sql, providerId: number): Promise<Price[]> {
  return sql<Price[]>`
    select prefix, first_day::text as first_day, millionths from prices
    where provider_id = ${providerId} order by prefix, prices.first_day desc`;
}

/** Adds a price; replaces that of the same prefix and first day. Returns the millionths that it had before. */
export async function setPrice(
  sql: Sql,
  providerId: number,
  { prefix, firstDay, millionths }: Price,
): Promise<number | null> {
  const [row] = await sql<{ before: number | null }[]>`
    insert into prices (provider_id, prefix, first_day, millionths)
    values (${providerId}, ${prefix}, ${firstDay}::date, ${millionths})
    on conflict (provider_id, prefix, first_day) do update set millionths = excluded.millionths
    returning old.millionths as before`;
  return row?.before ?? null;
}

/** False: there is no such price. */
export async function removePrice(
  sql: Sql,
  providerId: number,
  { prefix, firstDay }: Pick<Price, 'prefix' | 'firstDay'>,
): Promise<boolean> {
  const rows = await sql`
    delete from prices
    where provider_id = ${providerId} and prefix = ${prefix} and first_day = ${firstDay}::date`;
  return rows.count > 0;
}
