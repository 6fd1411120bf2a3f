import { afterEach, expect, test } from 'vitest';
import { createEnabledCampaign, createProvider, startRun } from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

const senderSlots = 3;
const system = await createSystem({ senderSlots });
const { sql, gateway } = system;
const { countOf } = createRunProbe(system);

afterEach(async () => {
  await sql`update runs set status = 'cancelling' where status = 'running'`;
  await gateway.behave();
});

const sendersNow = async (): Promise<number> => {
  const [row] = await sql<[{ n: number }]>`
    select count(distinct run_id)::int as n from sender_leases where expires_at > clock_timestamp()`;
  return row.n;
};
const waitingNow = async (): Promise<number> => {
  const [row] = await sql<
    [{ n: number }]
  >`select count(*)::int as n from runs where sender_wanted_at is not null`;
  return row.n;
};

test('with more live runs than slots every run sends, and a run started by a user goes first', async () => {
  // These runs do not end during the test.
  const slow = await createProvider(system, { ratePerSecond: 2 });
  // Three slots rotate every two seconds: without priority, the run of the user would wait six seconds.
  const live = 12;
  const campaigns = await Promise.all(
    Array.from({ length: live }, () => createEnabledCampaign(system, { mailing: 500, providerId: slow })),
  );
  await sql.unsafe(`
    create function by_schedule() returns trigger language plpgsql as $$ begin
      new.trigger := 'schedule';
      return new;
    end $$;
    create trigger by_schedule before insert on runs for each row execute function by_schedule()`);
  const runs = await Promise.all(campaigns.map((campaign) => startRun(system, { campaign })));
  await sql`drop trigger by_schedule on runs`;
  await until('all slots are in use', async () => (await sendersNow()) === senderSlots);
  await until('others wait', async () => (await waitingNow()) >= live - senderSlots - 1);

  const fast = await createProvider(system);
  const campaign = await createEnabledCampaign(system, { mailing: 50, providerId: fast });
  const byUser = await startRun(system, { campaign });
  await until('its messages are sent', async () => (await countOf(byUser.id, 'sent')) === 50);
  // Some earlier runs have not had a slot yet.
  const first = await Promise.all(runs.map(({ id }) => countOf(id, 'sent')));
  expect(first.filter((sent) => sent === 0).length).toBeGreaterThan(0);

  await until('each run has had its turn', async () => {
    const sent = await Promise.all(runs.map(({ id }) => countOf(id, 'sent')));
    return sent.every((count) => count > 0);
  });
});
