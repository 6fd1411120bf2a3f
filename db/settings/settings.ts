import { type SettingDefinition, type SettingKind, settingKinds } from '../../domain/settings.ts';
import type { TicketSubcategory } from '../../domain/ticket.ts';
import type { Sql } from '../core/client.ts';
import { json } from '../core/json.ts';

const table = (sql: Sql, kind: SettingKind) => {
  const name: string = settingKinds[kind].table;
  return sql(name);
};

export interface Setting<K extends SettingKind> {
  id: number;
  name: string;
  definition: SettingDefinition<K>;
  archivedAt: Date | null;
}

type Row = Omit<Setting<'regions'>, 'definition'> & { definition: unknown };

const columns = (sql: Sql) => sql`id, name, definition, archived_at`;

// The compiler cannot infer that the schema of a kind returns the definition of that kind.
const definitionOf = <K extends SettingKind>(kind: K, value: unknown): SettingDefinition<K> =>
  settingKinds[kind].definition.parse(value) as SettingDefinition<K>;

const parsed = <K extends SettingKind>(kind: K, row: Row): Setting<K> => ({
  ...row,
  definition: definitionOf(kind, row.definition),
});

export async function listSettings<K extends SettingKind>(sql: Sql, kind: K): Promise<Setting<K>[]> {
  const rows = await sql<Row[]>`select ${columns(sql)} from ${table(sql, kind)} order by name`;
  return rows.map((row) => parsed(kind, row));
}

export async function getSetting<K extends SettingKind>(
  sql: Sql,
  kind: K,
  id: number,
): Promise<Setting<K> | null> {
  const [row] = await sql<Row[]>`select ${columns(sql)} from ${table(sql, kind)} where id = ${id}`;
  return row ? parsed(kind, row) : null;
}

/** The entry, locked against changes until the transaction ends; null: there is none. */
export async function lockSetting<K extends SettingKind>(
  sql: Sql,
  kind: K,
  id: number,
): Promise<Setting<K> | null> {
  const [row] = await sql<Row[]>`
    select ${columns(sql)} from ${table(sql, kind)} where id = ${id} for no key update`;
  return row ? parsed(kind, row) : null;
}

/** False when there is no such entry; otherwise it cannot be deleted until the transaction ends. */
export async function holdSetting(sql: Sql, kind: SettingKind, id: number): Promise<boolean> {
  const rows = await sql`select from ${table(sql, kind)} where id = ${id} for key share`;
  return rows.count > 0;
}

export async function insertSetting<K extends SettingKind>(
  sql: Sql,
  kind: K,
  setting: { name: string; definition: SettingDefinition<K> },
): Promise<Setting<K>> {
  const [row] = await sql<[Row]>`
    insert into ${table(sql, kind)} (name, definition) values (${setting.name}, ${json(sql, setting.definition)})
    returning ${columns(sql)}`;
  return parsed(kind, row);
}

/** Null when there is no such entry. */
export async function updateSetting<K extends SettingKind>(
  sql: Sql,
  kind: K,
  setting: { id: number; name: string; definition: SettingDefinition<K>; archived: boolean },
): Promise<Setting<K> | null> {
  const [row] = await sql<Row[]>`
    update ${table(sql, kind)} set name = ${setting.name}, definition = ${json(sql, setting.definition)},
      archived_at = ${setting.archived ? sql`coalesce(archived_at, now())` : null}
    where id = ${setting.id} returning ${columns(sql)}`;
  return row ? parsed(kind, row) : null;
}

/** False when there is no such entry. Throws PostgreSQL's 23503 when something refers to it. */
export async function deleteSetting(sql: Sql, kind: SettingKind, id: number): Promise<boolean> {
  const rows = await sql`delete from ${table(sql, kind)} where id = ${id}`;
  return rows.count > 0;
}

/** The dates `YYYY-MM-DD` of a holiday calendar; empty for null. */
export async function holidayDates(sql: Sql, calendarId: number | null): Promise<string[]> {
  if (calendarId === null) return [];
  const calendar = await getSetting(sql, 'holidayCalendars', calendarId);
  return calendar?.definition.holidays.map(({ date }) => date) ?? [];
}

/** The same for several calendars, by calendar. */
export async function holidayDatesOf(
  sql: Sql,
  calendarIds: readonly (number | null)[],
): Promise<ReadonlyMap<number | null, ReadonlySet<string>>> {
  const ids = [...new Set(calendarIds)].filter((id) => id !== null);
  if (ids.length === 0) return new Map();
  const rows = await sql<Row[]>`
    select ${columns(sql)} from ${table(sql, 'holidayCalendars')} where id = any(${ids}::bigint[])`;
  return new Map(
    rows.map((row) => {
      const { holidays } = definitionOf('holidayCalendars', row.definition);
      return [row.id, new Set(holidays.map(({ date }) => date))];
    }),
  );
}

/** A subcategory with the fields of its group; null for null, or when there is none. */
export async function getTicketSubcategory(sql: Sql, id: number | null): Promise<TicketSubcategory | null> {
  const subcategory = id === null ? null : await getSetting(sql, 'subcategories', id);
  if (!subcategory) return null;
  const { categoryId, extraFieldGroupId } = subcategory.definition;
  const group =
    extraFieldGroupId === null ? null : await getSetting(sql, 'extraFieldGroups', extraFieldGroupId);
  return { categoryId, fields: group?.definition.fields ?? [] };
}
