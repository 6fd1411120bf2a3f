import type { Sql } from '../core/client.ts';

/** The entries of the audit log that change what a campaign does. */
const changes = ['create', 'update', 'mailing', 'enable', 'disable', 'archive', 'restore'] as const;

/** Who changed a campaign last, as in the audit log; null: the entries have been deleted. */
export async function lastChangeOf(sql: Sql, campaignId: number): Promise<{ name: string; at: Date } | null> {
  const [row] = await sql<{ name: string; at: Date }[]>`
    select actor_name as name, at from audit_log
    where subject_kind = 'campaign' and subject_id = ${campaignId}
      and action = any(${changes.map((one) => `campaign.${one}`)}::text[])
    order by id desc limit 1`;
  return row ?? null;
}
