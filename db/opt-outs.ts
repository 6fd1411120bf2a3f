import type { Sql } from './client.ts';

/** Whether the phone (E.164) has asked to be left alone. */
export async function isOptedOut(sql: Sql, phone: string): Promise<boolean> {
  const rows = await sql`select from opt_outs where phone = ${phone}`;
  return rows.count > 0;
}
