import { afterEach, expect, test } from 'vitest';
import { createSchedule } from '../../activities/schedule.ts';
import { enableCampaign, lockCampaign, updateCampaign } from '../../db/campaigns/campaigns.ts';
import { campaignDraft } from '../../domain/campaign.ts';
import { createDatabase } from '../kit/database.ts';
import { createCampaign, readCampaign } from '../kit/factories.ts';
import { createSecretBox } from '../../db/core/secrets.ts';
import { until } from '../kit/until.ts';

const { sql } = await createDatabase();
const box = createSecretBox([{ id: 'test', key: Buffer.alloc(32) }]);
let now: Date | null = null;
const activities = createSchedule({ sql, clock: () => now ?? new Date(), gracePeriodMs: 120_000 });
afterEach(() => {
  now = null;
});

const daily = (startsAt: string) => ({ recurrence: { every: 'day' }, startsAt, timezone: 'UTC' });

test('a plan that was computed before an edit is replaced by one from the new schedule', async () => {
  const { id, definition } = await createCampaign({ sql, box }, { schedule: daily('2099-01-01T09:00') });
  await enableCampaign(sql, id);
  const { version } = await readCampaign(sql, id);
  let planned: ReturnType<typeof activities.planNext> | undefined;
  await sql.begin(async (tx) => {
    await lockCampaign(tx, id);
    planned = activities.planNext({ campaignId: id });
    await until('the plan waits for the row', async () => {
      const [row] = await sql<{ waiting: number }[]>`
        select count(*)::int as waiting from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      return row?.waiting === 1;
    });
    const edited = campaignDraft.parse({ ...definition, schedule: daily('2098-05-05T10:00') });
    await updateCampaign(tx, { id, version, definition: edited });
  });
  expect(await planned).toMatchObject({
    next: 'wait',
    details: expect.stringContaining('2098-05-05T10:00') as string,
  });
  const [row] = await sql<{ nextAt: Date }[]>`select next_at from campaigns where id = ${id}`;
  expect(row?.nextAt).toEqual(new Date('2098-05-05T10:00Z'));
});

test('a run that was opened but not started is opened again, before the next due run', async () => {
  const first = new Date(Math.ceil(Date.now() / 60_000) * 60_000 + 60_000);
  const second = new Date(first.getTime() + 60_000);
  const { id } = await createCampaign(
    { sql, box },
    {
      schedule: {
        recurrence: { every: 'minutes' },
        startsAt: first.toISOString().slice(0, 19),
        timezone: 'UTC',
      },
    },
  );
  await enableCampaign(sql, id);
  const planAt = (at: Date) => {
    now = new Date(at.getTime() + 1);
    return activities.planNext({ campaignId: id });
  };
  const occurrenceOf = (at: Date) => ({ next: 'run', opened: { occurrence: at.toISOString() } });

  expect(await planAt(first)).toMatchObject(occurrenceOf(first));
  expect(await planAt(first)).toMatchObject(occurrenceOf(first));
  expect(await planAt(second)).toMatchObject(occurrenceOf(first));
  await sql`update runs set started_at = now() where campaign_id = ${id}`;
  expect(await planAt(second)).toMatchObject(occurrenceOf(second));
  await sql`update runs set started_at = now() where campaign_id = ${id}`;
  expect(await planAt(second)).toMatchObject({ next: 'wait' });
  const rows = await sql`select status from runs where campaign_id = ${id}`;
  expect(rows.map(({ status }) => status as string)).toEqual(['running', 'running']);
});
