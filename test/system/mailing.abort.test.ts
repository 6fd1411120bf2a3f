import { expect, test } from 'vitest';
import { insertCampaign } from '../../db/campaigns/campaigns.ts';
import type { Database } from '../../db/core/client.ts';
import { type ImportedLine, importMessages } from '../../db/messages/messages.ts';
import { campaignDraft } from '../../domain/campaign.ts';
import { createDatabase } from '../kit/database.ts';

const { sql } = await createDatabase();

async function createRun(db: Database): Promise<number> {
  const schedule = {
    recurrence: { every: 'day' },
    startsAt: '2026-01-01T09:00',
    timezone: 'America/Sao_Paulo',
  };
  const { id } = await insertCampaign(db, campaignDraft.parse({ name: 'Campaign', schedule }));
  const [row] = await db<[{ id: number }]>`
    insert into runs (campaign_id, occurrence, trigger, status, step, settings)
    values (${id}, now(), 'manual', 'running', 'mailing', '{}') returning id`;
  return row.id;
}

const lineOf = (line: number): ImportedLine => ({
  line,
  status: 'skipped',
  reason: 'phone_missing',
  code: null,
  name: null,
  phone: null,
  text: null,
  segments: 0,
  customerId: null,
  extra: null,
  extraPhones: null,
  fault: null,
  warnings: [],
});

test.each([
  ['before its first line', 0],
  ['in the middle', 3],
])(
  'a mailing that fails %s reports its own error, stores nothing and releases its connection',
  async (_, goodBatches) => {
    const runId = await createRun(sql);
    async function* failingLines() {
      for (let batch = 0; batch < goodBatches; batch++) {
        yield Array.from({ length: 500 }, (_, index) => lineOf(batch * 500 + index + 1));
      }
      throw new Error('the file is not right');
    }
    const importing = sql.begin((tx) => importMessages(tx, runId, failingLines()));
    await expect(importing).rejects.toThrow('the file is not right');

    expect(await sql`select from messages where run_id = ${runId}`).toHaveLength(0);
    const open = await sql`
    select from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`;
    expect(open).toHaveLength(0);
    await sql`delete from runs where id = ${runId}`;
    await sql`delete from campaigns`;
  },
);
