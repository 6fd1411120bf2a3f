import type { Sql } from '../core/client.ts';

/** Keeps that a test was sent, by whom and what the provider said; not to whom. */
export async function insertTestSend(
  sql: Sql,
  test: { campaignId: number; sentBy: string; outcome: Record<string, string | number | null> },
): Promise<number> {
  const [row] = await sql<[{ id: number }]>`
    insert into test_sends (campaign_id, sent_by, outcome)
    values (${test.campaignId}, ${test.sentBy}, ${sql.json(test.outcome)}) returning id`;
  return row.id;
}
