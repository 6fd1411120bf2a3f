import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { deleteOldAnswers } from '../../db/campaigns/mailings.ts';
import { deleteFileContent } from '../../db/core/retention.ts';
import { buildSandbox } from '../../sandbox/index.ts';
import {
  box,
  createApi,
  createCatalog,
  createReadyCampaign,
  createRun,
  documentOf,
  errorOf,
  sandboxAccount,
} from '../kit/api.ts';
import { startWorkers } from '../kit/workers.ts';
import { bytes, json, startWebservice } from '../kit/webservice.ts';
import { eventually } from '../kit/until.ts';

/** `GET /api/runs/{id}/answer`: the unchanged bytes that a run fetched from its web service. */
const sandbox = await buildSandbox({ ...sandboxAccount, faults: { receipts: false } });
const sandboxUrl = await sandbox.listen(0);
const publicUrl = 'http://127.0.0.1:1';
const service = await startWebservice(json([]));
const api = await createApi({ publicUrl, sandboxUrl });
const { as, sql, taskQueue } = api;
await startWorkers({ sql, box, taskQueue, publicUrl, sandboxUrl });
const catalog = await createCatalog(api);
const operator = as('operator');
afterAll(() => service.close());

const answerOf = (runId: number) => operator('GET', `/api/runs/${runId}/answer`);

/** Runs a campaign with a web service mailing and waits for the end of the run. */
async function runWebserviceCampaign(status: 'finished' | 'failed' = 'finished'): Promise<number> {
  const document = documentOf(catalog, {
    mailing: {
      source: 'webservice',
      sendingHoursId: catalog.hoursId,
      webservice: { baseUrl: service.url },
    },
  });
  const { id } = (await operator('POST', '/api/campaigns', document)).json<{ id: number }>();
  return runNow(id, status);
}

async function runNow(campaignId: number, status: string): Promise<number> {
  expect((await operator('POST', `/api/campaigns/${campaignId}/enable`)).statusCode).toBe(200);
  const started = await operator('POST', `/api/campaigns/${campaignId}/run-now`);
  const { runId } = started.json<{ runId: number }>();
  await eventually(async () =>
    expect((await operator('GET', `/api/runs/${runId}`)).json()).toMatchObject({ status }),
  );
  return runId;
}

test('the answer contains the decompressed bytes of all pages', async () => {
  // Blanks, escapes, a number that JavaScript would round, a duplicate attribute: parsing and serializing would change them.
  const first = Buffer.from(
    '{ "data" : [ {"codigo":"1","nome":"Jo\\u00e3o","celular":"11987654321","saldo":1.0} ],\r\n "next":"/contacts?page=2" }\n',
  );
  const second = Buffer.from(
    '{"data":[{"codigo":12345678901234567890,"nome":"Conceição","nome":"Zoë","celular":"11987654322"}]}',
  );
  service.answer((request, response) =>
    request.url?.includes('page=2') === true
      ? bytes(second, { 'content-type': 'application/json' })(request, response)
      : bytes(gzipSync(first), { 'content-type': 'application/json', 'content-encoding': 'gzip' })(
          request,
          response,
        ),
  );
  const runId = await runWebserviceCampaign();
  const answer = await answerOf(runId);
  expect(answer.statusCode).toBe(200);
  expect(answer.headers).toMatchObject({
    'content-type': 'application/json',
    'content-disposition': `attachment; filename="run-${runId}-answer.json"`,
  });
  expect(answer.rawPayload).toEqual(Buffer.concat([first, Buffer.from('\n'), second]));
});

test('a large answer is complete', async () => {
  const contacts = Array.from({ length: 5_000 }, (_, i) => ({ codigo: i, nota: 'ç'.repeat(100) }));
  service.answer(json(contacts));
  expect((await answerOf(await runWebserviceCampaign())).rawPayload.toString()).toBe(
    JSON.stringify(contacts),
  );
});

test('the answer of a service that always breaks off contains the bytes of the last attempt', async () => {
  let attempts = 0;
  const begin = () => `[{"codigo":1,"tentativa":${attempts},"celular":"11987654321"},{"codigo":`;
  service.answer((_, response) => {
    attempts++;
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 10_000 });
    response.write(begin(), () => setTimeout(() => response.destroy(), 50));
  });
  const runId = await runWebserviceCampaign('failed');
  expect(attempts).toBeGreaterThan(1);
  expect((await answerOf(runId)).body).toBe(begin());
});

test('an unreadable answer is returned as the service sent it', async () => {
  const page = '<html>Entre com a sua senha, João</html>';
  service.answer(bytes(page, { 'content-type': 'text/html' }));
  expect((await answerOf(await runWebserviceCampaign('failed'))).body).toBe(page);
});

test('only operators and admins can read the answer', async () => {
  service.answer(json([{ codigo: 1, celular: '11987654321' }]));
  const url = `/api/runs/${await runWebserviceCampaign()}/answer`;
  expect((await as('admin')('GET', url)).statusCode).toBe(200);
  expect((await operator('GET', url)).statusCode).toBe(200);
  const viewer = await as('viewer')('GET', url);
  expect([viewer.statusCode, errorOf(viewer).code]).toEqual([403, 'forbidden']);
  expect(viewer.body).not.toContain('11987654321');
  expect((await api.app.inject({ method: 'GET', url })).statusCode).toBe(401);
});

test('a run with a file, a run before its mailing and an unknown run have no answer', async () => {
  const campaignId = await createReadyCampaign(api, documentOf(catalog));
  const none = [await runNow(campaignId, 'finished'), (await createRun(api, catalog)).runId];
  for (const runId of none) {
    const answer = await answerOf(runId);
    expect([answer.statusCode, errorOf(answer).message]).toEqual([
      404,
      `Run ${runId} has no stored answer of a web service.`,
    ]);
  }
  expect((await answerOf(999_999_999)).statusCode).toBe(404);
});

test.each([
  ['RAW_ANSWER_DAYS', deleteOldAnswers],
  ['the retention of mailing files', deleteFileContent],
])('the answer is deleted after %s, and the bad lines stay available', async (_, deleteOld) => {
  service.answer(
    json([
      { codigo: 1, nome: 'Sem número' },
      { codigo: 2, celular: '11987654321' },
    ]),
  );
  const runId = await runWebserviceCampaign();
  const badLines = async () => (await operator('GET', `/api/runs/${runId}/bad-lines.csv`)).body;
  const before = await badLines();
  expect(before).toContain('\r\n1;Sem número;');
  const age = (days: number) => sql`
    update mailing_files set uploaded_at = now() - make_interval(days => ${days})
    where id = (select mailing_file_id from runs where id = ${runId})`;

  await age(29);
  await deleteOld(sql, 30);
  expect((await answerOf(runId)).statusCode).toBe(200);
  expect((await operator('GET', `/api/runs/${runId}`)).json()).toMatchObject({ hasAnswer: true });
  await age(31);
  expect(await deleteOld(sql, 30)).toBe(1);
  const answer = await answerOf(runId);
  expect([answer.statusCode, errorOf(answer).code]).toEqual([404, 'no_answer_kept']);
  expect((await operator('GET', `/api/runs/${runId}`)).json()).toMatchObject({ hasAnswer: false });
  expect(await badLines()).toBe(before);
});

test('the bad lines of a run stay available after its file was deleted', async () => {
  const campaignId = await createReadyCampaign(api, documentOf(catalog));
  const header = 'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem';
  const upload = (content: string) =>
    operator('PUT', `/api/campaigns/${campaignId}/mailing/file`, content, { 'content-type': 'text/csv' });
  await upload(`${header}\n7;Sem número;123;;;01/02/1990;\n8;Ana;11987654321;;;;\n`);
  const runId = await runNow(campaignId, 'finished');
  await upload(`${header}\n8;Ana;11987654321;;;;\n`);
  const badLines = async () => (await operator('GET', `/api/runs/${runId}/bad-lines.csv`)).body.split('\r\n');
  expect((await badLines())[1]).toMatch(/^7;Sem número;123;;;'01\/02\/1990;/);
  await sql`update mailing_files set uploaded_at = now() - interval '31 days'`;
  while ((await deleteFileContent(sql, 30)) > 0);
  expect((await badLines())[1]).toMatch(/^7;Sem número;123;;;;/);
});
