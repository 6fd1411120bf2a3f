import type { Sql } from '../core/client.ts';
import { json } from '../core/json.ts';
import { longestKey } from '../replies/inbound.ts';

/** Records a test send, its user and the provider's answer; not the recipient. */
export async function insertTestSend(
  sql: Sql,
  test: { campaignId: number; sentBy: string; outcome: object },
): Promise<number> {
  const [row] = await sql<[{ id: number }]>`
    insert into test_sends (campaign_id, sent_by, outcome)
    values (${test.campaignId}, ${test.sentBy}, ${json(sql, test.outcome)}) returning id`;
  return row.id;
}

/** Identifies a later receipt that carries only the gateway's own id as one of a test send. */
export async function keepTestSendId(
  sql: Sql,
  sent: { providerId: number; providerMessageId: string },
): Promise<void> {
  await sql`
    insert into provider_message_ids (provider_id, provider_message_id)
    values (${sent.providerId}, left(${sent.providerMessageId}, ${longestKey})) on conflict do nothing`;
}
