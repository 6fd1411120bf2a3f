import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { campaignView } from '../../api/campaigns/view.ts';
import { hashSecret } from '../../api/http/auth.ts';
import { overviewView } from '../../api/runs/overview.ts';
import { runSummaryView, runView } from '../../api/runs/view.ts';
import { progressView } from '../../api/services/progress.ts';
import { insertSession } from '../../db/access/sessions.ts';
import { insertUser, updateUser } from '../../db/access/users.ts';
import { insertReplies } from '../../db/replies/replies.ts';
import type { RetryCause } from '../../domain/problems/retries.ts';
import type { Locale } from '../../domain/user.ts';
import { textOf } from '../kit/console.ts';
import { createEnabledCampaign, createProvider, readRun, type Run, startRun } from '../kit/factories.ts';
import { historyText } from '../kit/history.ts';
import { createRunProbe } from '../kit/runs.ts';
import { englishWords } from '../kit/sentences.ts';
import { until } from '../kit/until.ts';
import { json, startWebservice } from '../kit/webservice.ts';
import { createWholeSystem } from '../kit/whole-system.ts';
import { runWorkflowId } from '../../domain/ids.ts';

const service = await startWebservice(json([]));
const system = await createWholeSystem({ webserviceRetryMs: 600_000 });
const { sql, app, gateway, temporal, client } = system;
const { ended } = createRunProbe(system);
afterAll(() => service.close());

const session = 'a session of the test';
const { id: userId } = await insertUser(sql, { login: 'ana', name: 'Ana', role: 'admin', passwordHash: '' });
await insertSession(sql, { idHash: hashSecret(session), userId });

const get = async (url: string) => {
  const answer = await app.inject({ url, headers: { cookie: `torpedo=${session}` } });
  if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode} ${answer.body}`);
  return answer;
};
const read = async <T extends z.ZodType>(url: string, view: T): Promise<z.output<T>> =>
  view.parse((await get(url)).json());
const page = async (url: string, locale: Locale): Promise<string> => {
  await updateUser(sql, userId, { locale });
  return textOf(await get(url));
};
const progressOf = (run: Run) => read(`/api/runs/${run.id}/progress`, progressView);
const retryOf = (run: Run) => until('it is retried', async () => (await progressOf(run)).retrying);
const metric = async (name: string): Promise<number> =>
  Number(new RegExp(`^${name} (.*)$`, 'm').exec((await get('/api/metrics')).body)?.[1]);

/** Expects every view of the run to show the retry until `fix` is called, and then the run to end. */
async function expectRetryUntilFixed(
  run: Run,
  cause: RetryCause,
  fix: () => Promise<unknown>,
): Promise<void> {
  await expectRetryShown(run, cause).finally(fix);
  await ended(run);
  expect(await progressOf(run)).toMatchObject({ status: 'finished', retrying: null });
  expect((await sql`select from retries`).count).toBe(0);
  expect(await metric('torpedo_retrying')).toBe(0);
}

async function expectRetryShown(run: Run, cause: RetryCause): Promise<void> {
  await updateUser(sql, userId, { locale: 'en' });
  const first = await retryOf(run);
  expect(first.cause).toEqual(cause);
  expect(first.words).toMatch(/^Retried since \d\d\/\d\d\/\d{4}, .* because .*\. Attempt \d+ .*\.$/);
  const [list, overview, whole] = [
    await read(`/api/runs?campaignId=${run.campaignId}`, z.object({ runs: z.array(runSummaryView) })),
    await read('/api/overview', overviewView),
    await read(`/api/runs/${run.id}`, runView),
  ];
  const shown = [list.runs, overview.running, [whole]].map((all) => all.find(({ id }) => id === run.id));
  for (const one of shown) expect(one?.retrying).toMatchObject({ cause, since: first.since });
  expect(await metric('torpedo_retrying')).toBeGreaterThan(0);
  expect((await progressOf(run)).etaMs).toBeNull();

  const notice = {
    en: /Retried since [^.]* because ([^.]*)\./,
    'pt-BR': /Repetindo desde [^.]* porque ([^.]*)\./,
  };
  for (const url of [`/runs/${run.id}`, '/']) {
    const [, english = ''] = notice.en.exec(await page(url, 'en')) ?? [];
    const [, portuguese = ''] = notice['pt-BR'].exec(await page(url, 'pt-BR')) ?? [];
    expect(english).not.toBe('');
    expect(portuguese).not.toBe('');
    expect(portuguese.replace('SECRET_KEYS', '')).not.toMatch(englishWords);
  }
  expect(await page('/runs', 'en')).toContain('Retrying after a failure');
}

test.each([2, 40])(
  'a run of %i messages whose provider is down shows the retry in every view',
  async (lines) => {
    await gateway.down();
    const run = await startRun(system, { mailing: lines });
    const code = lines === 2 ? 'message_not_taken' : 'provider_unavailable';
    const providerCode = String((await retryOf(run)).cause.params['providerCode']);
    await expectRetryUntilFixed(run, { code, params: { providerCode } }, () => gateway.up());
    expect(await historyText(client, runWorkflowId(run))).not.toContain('55119');
  },
);

test('a run whose provider answers 503 shows that it waits', async () => {
  await gateway.misbehave({ errorRate: { http503: 1 } });
  const run = await startRun(system, { mailing: 40 });
  const { providerCode } = (await retryOf(run)).cause.params;
  await expectRetryUntilFixed(
    run,
    { code: 'provider_pauses', params: { providerCode: String(providerCode) } },
    () => gateway.behave(),
  );
});

test('a run whose web service fails shows the retry and when it will give up', async () => {
  service.answer((_, response) => void response.writeHead(500).end());
  const run = await startRun(system, { webservice: { baseUrl: service.url } });
  const { givesUpAt, since } = await retryOf(run);
  const givesUpInMs = (givesUpAt?.getTime() ?? 0) - since.getTime();
  expect(givesUpInMs).toBeGreaterThan(500_000);
  expect(givesUpInMs).toBeLessThan(610_000);
  await expectRetryUntilFixed(
    run,
    { code: 'webservice_unavailable', params: { problem: 'server_error' } },
    async () => service.answer(json([{ codigo: '1', nome: 'Ana', celular: '11900000001' }])),
  );
});

test('a run whose provider secrets need a missing key shows the id of the key', async () => {
  const providerId = await createProvider(system);
  const [{ secrets }] = await sql<
    [{ secrets: string }]
  >`select secrets from providers where id = ${providerId}`;
  await sql`update providers set secrets = 'old:AAAA' where id = ${providerId}`;
  const run = await startRun(system, { mailing: 2, providerId });
  await expectRetryUntilFixed(
    run,
    { code: 'secret_key_missing', params: { keyId: 'old' } },
    () => sql`update providers set secrets = ${secrets} where id = ${providerId}`,
  );
});

test('a run that fails on a missing column shows it', async () => {
  await sql`alter table send_cursors rename column line to gone`;
  const run = await startRun(system, { mailing: 40 });
  await expectRetryUntilFixed(
    run,
    { code: 'database_schema', params: { sqlState: '42703' } },
    () => sql`alter table send_cursors rename column gone to line`,
  );
});

test('a run that is paused before its next attempt is not retried', async () => {
  await gateway.down();
  const run = await startRun(system, { mailing: 40 });
  await retryOf(run);
  await temporal.pauseRun(run, 'user:7');
  await until('the retry has ended', async () => (await progressOf(run)).retrying === null);
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'paused' });
  await temporal.cancelRun(run, 'user:7');
  await ended(run);
  expect((await sql`select from retries`).count).toBe(0);
  await gateway.up();
});

test('a campaign whose next run cannot be planned and replies that cannot be handled show their retries', async () => {
  const { id } = await createEnabledCampaign(system);
  await sql`alter table campaigns rename column next_at to gone`;
  await sql`alter table customers rename column mobile to gone`;
  await temporal.syncCampaign({ id, name: 'x' });
  const providerId = await createProvider(system);
  const [reply] = await insertReplies(sql, [
    { providerId, providerMessageId: 'a', phone: '+5511900000001', recipient: '1', text: 'oi', intent: null },
  ]);
  await temporal.startReply(reply?.id ?? 0);
  const cause = { code: 'database_schema', params: { sqlState: '42703' } };
  // The API reads the column, too, but not for the retries.
  const rows = () =>
    sql<{ workflowId: string; cause: unknown }[]>`select workflow_id, cause from retries order by 1`;
  await until('both are retried', async () => (await rows()).length === 2);
  expect(await rows()).toEqual([
    { workflowId: `campaign/${id}`, cause },
    { workflowId: `reply/${reply?.id}`, cause },
  ]);
  await sql`alter table campaigns rename column gone to next_at`;
  const { retrying } = await read('/api/overview', overviewView);
  // Ordered by the first failure, which can be either.
  expect(retrying.toSorted((a, b) => (a.kind < b.kind ? -1 : 1))).toMatchObject([
    { kind: 'campaign', campaignId: id, retrying: { activity: 'planNext', cause } },
    { kind: 'reply', workflows: 1, retrying: { activity: 'handleReply', cause } },
  ]);
  expect((await read(`/api/campaigns/${id}`, campaignView)).retrying).toMatchObject({ cause });
  expect(await page(`/campaigns/${id}`, 'pt-BR')).toContain('Repetindo desde');
  const home = await page('/', 'pt-BR');
  for (const words of ['Planejamento da campanha', 'Respostas', 'Repetindo desde'])
    expect(home).toContain(words);
  await sql`alter table customers rename column gone to mobile`;
  await until('the retries have ended', async () => (await rows()).length === 0);
  expect((await read('/api/overview', overviewView)).retrying).toEqual([]);
});

test('an attempt that timed out counts as failed while the next one runs', async () => {
  const providerId = await createProvider(system);
  const [reply] = await insertReplies(sql, [
    { providerId, providerMessageId: 'b', phone: '+5511900000002', recipient: '1', text: 'oi', intent: null },
  ]);
  const id = reply?.id ?? 0;
  await sql.begin(async (tx) => {
    await tx`select from inbound_messages where id = ${id} for update`;
    await temporal.startReply(id);
    const { retrying } = await until('the first attempt has timed out', async () => {
      const answer = await read(`/api/replies/${id}`, z.looseObject({ retrying: z.unknown() }));
      return answer.retrying === null ? null : answer;
    });
    // The statement timeout and the step timeout are equal: either can end the attempt.
    expect(retrying).toMatchObject({
      cause: { code: expect.stringMatching(/^(?:no_answer|database_busy)$/) as string },
      attempt: 1,
    });
  });
  await until('it is handled', async () => {
    const rows = await sql`select from inbound_messages where id = ${id} and handled_at is not null`;
    return rows.count > 0;
  });
  await until('the retry has ended', async () => (await sql`select from retries`).count === 0);
});

test('retrying a failed run whose mailing was not read uses the current mailing of the campaign', async () => {
  service.answer((request, response) => {
    if (request.url?.startsWith('/old') === true) response.writeHead(404).end();
    else json([{ codigo: 1, celular: '11987654321', divida: '10,50' }])(request, response);
  });
  const { origin } = new URL(service.url);
  const campaign = await createEnabledCampaign(system, {
    webservice: { baseUrl: `${origin}/old` },
    extraFields: [{ name: 'saldo', type: 'text', required: false }],
    template: 'Saldo {saldo}',
  });
  const run = await startRun(system, { campaign });
  await until('it has failed', async () => (await readRun(sql, run.id)).status === 'failed');
  const { definition, version } = await read(`/api/campaigns/${campaign.id}`, campaignView);
  const send = (method: 'PUT' | 'POST', url: string, payload: object) =>
    app.inject({
      method,
      url,
      payload,
      headers: { cookie: `torpedo=${session}`, 'sec-fetch-site': 'same-origin' },
    });
  const { mailing, message } = definition;
  const changed = await send('PUT', `/api/campaigns/${campaign.id}`, {
    ...definition,
    version,
    message: { ...message, template: 'Divida {divida}' },
    mailing: {
      ...mailing,
      webservice: { ...mailing.webservice, baseUrl: `${origin}/new` },
      extraFields: [{ name: 'divida', type: 'text', required: true }],
    },
  });
  expect([changed.statusCode, changed.body]).toEqual([200, expect.anything()]);
  expect((await send('POST', `/api/runs/${run.id}/retry`, {})).statusCode).toBe(202);
  await until('it is done', async () => (await readRun(sql, run.id)).status === 'finished');
  expect(await sql`select text from messages where run_id = ${run.id}`).toEqual([{ text: 'Divida 10,50' }]);
});
