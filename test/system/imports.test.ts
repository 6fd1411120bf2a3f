import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createImport } from '../../activities/import.ts';
import { createSemaphore } from '../../activities/semaphore.ts';
import { createPhonesSeen } from '../../mailing/phones-seen.ts';
import { connect, type Database } from '../../db/core/client.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { getCampaign } from '../../db/campaigns/campaigns.ts';
import { insertRun } from '../../db/runs/runs.ts';
import { createSecretBox } from '../../db/core/secrets.ts';
import { campaign as campaignSchema } from '../../domain/campaign.ts';
import { createDatabase } from '../kit/database.ts';
import { type CampaignChoices, createCampaign, phoneOf } from '../kit/factories.ts';
import { bytes, json, localWebservice, startWebservice } from '../kit/webservice.ts';

const { sql, url } = await createDatabase();
const box = createSecretBox([{ id: 'test', key: randomBytes(32) }]);
const live = new AbortController().signal;

async function createRun(choices: CampaignChoices) {
  const { id } = await createCampaign({ sql, box }, choices);
  const campaign = await getCampaign(sql, id);
  return insertRun(sql, {
    campaignId: id,
    occurrence: new Date(),
    trigger: 'manual',
    status: 'running',
    reason: null,
    settings: {
      campaign: campaignSchema.parse(campaign?.definition),
      segmentProfile: 'gsm',
    },
    mailingFileId: campaign?.mailingFileId ?? null,
    expiresAt: null,
  });
}

const importWith = (db: Database) =>
  createImport({
    sql: db,
    box,
    phoneHash: createPhoneHashing({ sql: db, box }),
    clock: () => new Date(),
    webservice: localWebservice,
    webserviceRetryMs: 1,
  });

test('more concurrent imports than pool connections all finish', async () => {
  const small = connect(url, { max: 2 });
  const importRun = importWith(small);
  const runs = await Promise.all(Array.from({ length: 5 }, () => createRun({ mailing: 1_500 })));
  await Promise.all(runs.map((run) => importRun(run, { attempt: 1, signal: live })));
  await small.end();
  const counts = await sql`select messages from run_counts where status = 'queued'`;
  expect(counts.map(({ messages }) => messages as number)).toEqual(runs.map(() => 1_500));
});

test('a completely fetched answer is not fetched again when its import fails', async () => {
  const contacts = (from: number) => [1, 2].map((n) => ({ codigo: n, celular: phoneOf(from + n).slice(1) }));
  const service = await startWebservice(json(contacts(0)));
  const importRun = importWith(sql);
  const run = await createRun({ webservice: { baseUrl: service.url } });
  const phones = async () =>
    (await sql<{ phone: string }[]>`select phone from messages where run_id = ${run.id} order by line`).map(
      ({ phone }) => phone,
    );
  await sql.unsafe(`
    create function fail() returns trigger language plpgsql as $$ begin raise 'It breaks.'; end $$;
    create trigger fail before insert on run_counts execute function fail()`);
  await expect(importRun(run, { attempt: 1, signal: live })).rejects.toThrow('It breaks.');
  await expect(importRun(run, { attempt: 2, signal: live })).rejects.toThrow('It breaks.');
  expect(service.requests).toHaveLength(1);
  service.answer(json(contacts(10)));
  // Attempt 1 again means that a user retries the run, which fetches again.
  await expect(importRun(run, { attempt: 1, signal: live })).rejects.toThrow('It breaks.');
  expect(service.requests).toHaveLength(2);
  await sql`drop trigger fail on run_counts`;
  await importRun(run, { attempt: 2, signal: live });
  await importRun(run, { attempt: 3, signal: live });
  expect(await phones()).toEqual([phoneOf(11), phoneOf(12)]);
  expect(service.requests).toHaveLength(2);
  await service.close();
});

test('stored pages of different formats are read correctly across chunk boundaries', async () => {
  const lines = (from: number, count: number) =>
    Array.from({ length: count }, (_, n) => JSON.stringify({ codigo: from + n, nome: `João ${from + n}` }));
  const ndjson = { 'content-type': 'application/x-ndjson' };
  const next = (page: number) => ({ link: `</contacts?page=${page}>; rel="next"` });
  const pages = [
    // Longer than a chunk, and without a line break at the end.
    bytes(lines(1, 9_000).join('\n'), { ...ndjson, ...next(2) }),
    bytes(`\ufeff{"data": [${lines(9_001, 2).join(', ')}], "next": "/contacts?page=3"}`),
    bytes(Buffer.from(lines(9_003, 1).join('\n'), 'latin1'), {
      'content-type': 'application/x-ndjson; charset=iso-8859-1',
      ...next(4),
    }),
    bytes('[]', next(5)),
    bytes(lines(9_004, 12_000).join('\n') + '\n', ndjson),
  ];
  const service = await startWebservice((request, response) => {
    const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page') ?? 1);
    return pages[page - 1]?.(request, response);
  });
  const run = await createRun({ webservice: { baseUrl: service.url } });
  await importWith(sql)(run, { attempt: 1, signal: live });
  await service.close();
  const wrong = await sql`
    select line, code, name from messages
    where run_id = ${run.id} and (code <> line::text or name <> 'João ' || line)`;
  expect([...wrong]).toEqual([]);
  expect((await sql`select from messages where run_id = ${run.id}`).count).toBe(21_003);
});

test('a waiting caller can abort without blocking the semaphore for others', async () => {
  const runExclusively = createSemaphore(1);
  const order: string[] = [];
  let open = (): void => undefined;
  const first = runExclusively(live, () => new Promise<void>((resolve) => (open = resolve)));
  const aborting = new AbortController();
  const second = runExclusively(aborting.signal, async () => order.push('second'));
  const third = runExclusively(live, async () => order.push('third'));
  aborting.abort(new Error('cancelled'));
  await expect(second).rejects.toThrow('cancelled');
  open();
  await Promise.all([first, third]);
  await expect(runExclusively(aborting.signal, async () => order.push('never'))).rejects.toThrow('cancelled');
  await runExclusively(live, async () => order.push('fourth'));
  expect(order).toEqual(['third', 'fourth']);
});

test('the set of seen phones answers like a standard Set', () => {
  const [seen, set] = [createPhonesSeen(), new Set<string>()];
  const wrong: string[] = [];
  let state = 1;
  for (let n = 0; n < 50_000; n++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    // Many phones repeat, and their length differs by country.
    const phone = `+${n % 3 === 0 ? '1' : '55119'}${state % 30_000}${n % 7 === 0 ? '000001' : ''}`;
    if (seen.has(phone) !== set.has(phone) || seen.add(phone) === set.has(phone)) wrong.push(phone);
    set.add(phone);
  }
  expect(wrong).toEqual([]);
});
