import type { SettingKind } from '../../domain/settings.ts';
import { campaignsUsing } from '../campaigns/references.ts';
import type { Sql } from '../core/client.ts';

/** Counting stops here: a user who deletes an entry should not wait for a million tickets to be counted. */
const mostCounted = 1_000;

/** A use of an entry: its name or, where there are many, their number; 1,000 means at least that many. */
export type SettingUse =
  | { kind: 'campaign' | 'subcategory'; id: number; name: string }
  | { kind: 'tickets' | 'customers' | 'runs' | 'keywords'; count: number };

/** Columns of other tables that refer to entries of a kind; campaigns have their own list. */
const columns: Partial<
  Record<
    SettingKind,
    { tickets?: string; customers?: string; runs?: string; keywords?: string; subcategories?: string }
  >
> = {
  sendingHours: { runs: 'sending_hours_id' },
  holidayCalendars: { runs: 'holiday_calendar_id' },
  regions: { customers: 'region_id', runs: 'region_id' },
  customerTypes: { customers: 'customer_type_id', runs: 'customer_type_id' },
  departments: { tickets: 'department_id', keywords: 'department_id' },
  assignees: { tickets: 'assignee_id' },
  categories: { tickets: 'category_id', subcategories: 'category_id' },
  subcategories: { tickets: 'subcategory_id', keywords: 'subcategory_id' },
  extraFieldGroups: { subcategories: 'extra_field_group_id' },
  resolutions: { tickets: 'resolution_id' },
};

/** All uses of an entry; at most 20 campaigns and 20 subcategories by name. */
export async function settingUses(
  sql: Sql,
  kind: SettingKind,
  { table, id }: { table: string; id: number },
): Promise<SettingUse[]> {
  const { tickets, customers, runs, keywords, subcategories } = columns[kind] ?? {};
  const uses: SettingUse[] = (await campaignsUsing(sql, table, id)).map((one) => ({
    kind: 'campaign',
    ...one,
  }));
  if (subcategories !== undefined) {
    const rows = await sql<{ id: number; name: string }[]>`
      select id, name from subcategories where ${sql(subcategories)} = ${id} order by name limit 20`;
    uses.push(...rows.map((one) => ({ kind: 'subcategory' as const, ...one })));
  }
  for (const [noun, from, column] of [
    ['tickets', 'tickets', tickets],
    ['customers', 'customers', customers],
    ['runs', 'runs', runs],
    ['keywords', 'automatic_keywords', keywords],
  ] as const) {
    if (column === undefined) continue;
    const [row] = await sql<[{ count: number }]>`
      select count(*)::int as count from (
        -- In the order of the index, and any() keeps PostgreSQL from seeing that it is constant: else it reads all.
        select from ${sql(from)} where ${sql(column)} = any(${[id]}::bigint[])
        order by ${sql(column)} limit ${mostCounted}
      ) as found`;
    if (row.count > 0) uses.push({ kind: noun, count: row.count });
  }
  return uses;
}
