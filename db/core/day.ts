import type { Sql } from './client.ts';

/** A calendar day in a time zone. */
export interface Day {
  /** ISO date. */
  date: string;
  /** IANA. */
  zone: string;
}

/** Whether an instant (a column or a query) is on the day. */
export const isOnDay = (sql: Sql, column: 'occurrence' | 'at', { date, zone }: Day) => sql`
  ${sql(column)} >= ${date}::date::timestamp at time zone ${zone}
  and ${sql(column)} < (${date}::date + 1)::timestamp at time zone ${zone}`;
