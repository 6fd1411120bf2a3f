import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createImport } from '../activities/import.ts';
import { createPlaces } from '../activities/places.ts';
import { createPhonesSeen } from '../activities/phones-seen.ts';
import { connect } from '../db/client.ts';
import { createPhoneHashing } from '../db/phone-hash.ts';
import { getCampaign } from '../db/campaigns.ts';
import { insertRun } from '../db/runs.ts';
import { createSecretBox } from '../db/secrets.ts';
import { campaign as campaignSchema } from '../domain/campaign.ts';
import { createDatabase } from './database.ts';
import { always, createCampaign } from './factories.ts';
import { localWebservice } from './webservice.ts';

const { sql, url } = await createDatabase();
const box = createSecretBox([{ id: 'test', key: randomBytes(32) }]);
const live = new AbortController().signal;

async function createRun(lines: number) {
  const { id } = await createCampaign({ sql, box }, { mailing: lines });
  const campaign = await getCampaign(sql, id);
  return insertRun(sql, {
    campaignId: id,
    occurrence: new Date(),
    trigger: 'manual',
    status: 'running',
    reason: null,
    settings: {
      campaign: campaignSchema.parse(campaign?.definition),
      hours: always,
      holidays: [],
      segmentProfile: 'gsm',
    },
    mailingFileId: campaign?.mailingFileId ?? null,
    expiresAt: null,
  });
}

test('More imports at once than the pool has connections all come to their end', async () => {
  const small = connect(url, { max: 2 });
  const importRun = createImport({
    sql: small,
    box,
    phoneHash: createPhoneHashing({ sql: small, box }),
    clock: () => new Date(),
    webservice: localWebservice,
    webserviceRetryMs: 1,
  });
  const runs = await Promise.all(Array.from({ length: 5 }, () => createRun(1_500)));
  await Promise.all(runs.map((run) => importRun(run, { attempt: 1, signal: live })));
  await small.end();
  const counts = await sql`select messages from run_counts where status = 'queued'`;
  expect(counts.map(({ messages }) => messages as number)).toEqual(runs.map(() => 1_500));
});

test('Who waits for a place can give up, and keeps nobody else from it', async () => {
  const inPlace = createPlaces(1);
  const order: string[] = [];
  let open = (): void => undefined;
  const first = inPlace(live, () => new Promise<void>((resolve) => (open = resolve)));
  const impatient = new AbortController();
  const second = inPlace(impatient.signal, async () => order.push('second'));
  const third = inPlace(live, async () => order.push('third'));
  impatient.abort(new Error('cancelled'));
  await expect(second).rejects.toThrow('cancelled');
  open();
  await Promise.all([first, third]);
  await expect(inPlace(impatient.signal, async () => order.push('never'))).rejects.toThrow('cancelled');
  await inPlace(live, async () => order.push('fourth'));
  expect(order).toEqual(['third', 'fourth']);
});

test('Phones seen are what a set of them would hold', () => {
  const [seen, set] = [createPhonesSeen(), new Set<string>()];
  const wrong: string[] = [];
  let state = 1;
  for (let n = 0; n < 50_000; n++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    // Many come twice; and countries differ in the length of their numbers.
    const phone = `+${n % 3 === 0 ? '1' : '55119'}${state % 30_000}${n % 7 === 0 ? '000001' : ''}`;
    if (seen.has(phone) !== set.has(phone) || seen.add(phone) === set.has(phone)) wrong.push(phone);
    set.add(phone);
  }
  expect(wrong).toEqual([]);
});
