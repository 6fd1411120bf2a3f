import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { createSchedule } from '../../activities/schedule.ts';
import { connect } from '../../db/core/client.ts';
import { apiApplication, createApi, createCatalog, csvOf, documentOf, errorOf } from '../kit/api.ts';
import { until } from '../kit/until.ts';

const api = await createApi({ pool: 2 });
const { as, sql, app, url } = api;
const catalog = await createCatalog(api);
const operator = as('operator');
await app.listen({ host: '127.0.0.1', port: 0 });
const { port } = app.server.address() as AddressInfo;

async function createCampaign(changes: object = {}): Promise<number> {
  const answer = await operator('POST', '/api/campaigns', documentOf(catalog, changes));
  return answer.json<{ id: number }>().id;
}
const upload = (id: number, body: string) =>
  operator('PUT', `/api/campaigns/${id}/mailing/file`, body, { 'content-type': 'text/csv' });

/** An upload that is sent in parts. */
function slowUpload(method: 'PUT' | 'POST', path: string) {
  const call = httpRequest({
    port,
    method,
    path,
    headers: { authorization: `Bearer ${api.tokens.operator}`, 'content-type': 'text/csv' },
  });
  const answer = new Promise<{ status: number; body: unknown }>((resolve, reject) => {
    call.on('error', reject).on('response', (response) => {
      response.toArray().then((pieces: Buffer[]) => {
        const body: unknown = JSON.parse(Buffer.concat(pieces).toString());
        resolve({ status: response.statusCode ?? 0, body });
      }, reject);
    });
  });
  // Nothing awaits the answer of an aborted upload.
  answer.catch(() => undefined);
  return {
    send: (text: string) => void call.write(text),
    finish: (text: string) => {
      call.end(text);
      return answer;
    },
    abort: () => void call.destroy(),
  };
}

/** The first part is more than two chunks of 256 KiB. */
const lines = 9_000;
const mailing = csvOf(lines).replaceAll(';Maria', `;${'Maria '.repeat(15)}`);
const firstPart = Math.floor((mailing.length * 2) / 3);
const chunksOf = async (campaignId: number): Promise<number> =>
  (
    await sql`
      select from mailing_file_chunks join mailing_files as f on f.id = file_id where campaign_id = ${campaignId}`
  ).count;
/** The open transactions and locks of the API in this database. */
const openInDatabase = async () => ({
  transactions: [
    ...(await sql`
      select state, query from pg_stat_activity
      where datname = current_database() and application_name = ${apiApplication} and xact_start is not null`),
  ],
  locks: [
    ...(await sql`
      select relation::regclass::text, locktype, mode from pg_locks
      where pid in (
        select pid from pg_stat_activity
        where datname = current_database() and application_name = ${apiApplication})`),
  ],
});
/** Waits until the API has written everything received and holds no transaction or lock. */
const untilIdle = () =>
  until(
    'the API holds no transaction or lock',
    async () => {
      const now = await openInDatabase();
      return now.transactions.length + now.locks.length === 0 ? true : null;
    },
    { withinMs: 5_000 },
  );

const workerSql = connect(url, { max: 2, purpose: 'step' });
afterAll(() => workerSql.end());
const schedule = createSchedule({ sql: workerSql, clock: () => new Date(), gracePeriodMs: 60_000 });

describe('a slow upload of a mailing', () => {
  test('holds no transaction or connection, so the campaign can be used meanwhile, and is attached at its end', async () => {
    const id = await createCampaign();
    await upload(id, csvOf(2));
    const slow = slowUpload('PUT', `/api/campaigns/${id}/mailing/file`);
    slow.send(mailing.slice(0, firstPart));
    await until('the first chunks are stored', async () => (await chunksOf(id)) >= 2);
    await untilIdle();

    // More concurrent requests than the pool has connections.
    const reads = Array.from({ length: 10 }, () => as('viewer')('GET', `/api/campaigns/${id}`));
    expect((await Promise.all(reads)).map(({ statusCode }) => statusCode)).toEqual(Array(10).fill(200));
    const { definition, version } = (await operator('GET', `/api/campaigns/${id}`)).json<{
      definition: object;
      version: number;
    }>();
    const saved = await operator('PUT', `/api/campaigns/${id}`, { ...definition, description: 'x', version });
    expect(saved.statusCode).toBe(200);
    expect((await operator('POST', `/api/campaigns/${id}/enable`)).json()).toMatchObject({ enabled: true });
    expect(await schedule.planNext({ campaignId: id })).toMatchObject({ next: 'wait' });
    const opened = await schedule.openManualRun({
      campaignId: id,
      occurrence: new Date().toISOString(),
      requestKey: 'now',
    });
    expect(opened.runId).toBeGreaterThan(0);
    const other = await createCampaign();
    expect((await upload(other, csvOf(3))).statusCode).toBe(200);
    // The partial file is not visible.
    expect((await operator('GET', `/api/campaigns/${id}/mailing/file`)).json()).toMatchObject({ lines: 2 });
    await untilIdle();

    expect(await slow.finish(mailing.slice(firstPart))).toMatchObject({
      status: 200,
      body: { sendable: lines, file: { lines, bytes: mailing.length } },
    });
    const content = await as('viewer')('GET', `/api/campaigns/${id}/mailing/file/content`);
    expect(content.body).toBe(mailing);
    // The run uses the file that existed when it was opened, so that file is kept.
    const files = await sql`
      select lines, completed_at is null as open from mailing_files where campaign_id = ${id} order by id`;
    expect(files).toEqual([
      { lines: 2, open: false },
      { lines, open: false },
    ]);
  });

  test('that is aborted leaves nothing', async () => {
    const id = await createCampaign();
    await upload(id, csvOf(2));
    const slow = slowUpload('PUT', `/api/campaigns/${id}/mailing/file`);
    slow.send(mailing.slice(0, firstPart));
    await until('the first chunks are stored', async () => (await chunksOf(id)) >= 3);
    slow.abort();
    await until('the chunks are deleted', async () => (await chunksOf(id)) === 1);
    expect((await operator('GET', `/api/campaigns/${id}/mailing/file`)).json()).toMatchObject({ lines: 2 });
    expect(await sql`select from mailing_files where campaign_id = ${id}`).toHaveLength(1);
  });

  test('is rejected and leaves nothing when the extra fields change or the campaign is deleted meanwhile', async () => {
    const changed = await createCampaign();
    const deleted = await createCampaign();
    const uploads = [changed, deleted].map((id) => {
      const slow = slowUpload('PUT', `/api/campaigns/${id}/mailing/file`);
      slow.send(mailing.slice(0, firstPart));
      return slow;
    });
    for (const id of [changed, deleted])
      await until('the first chunks are stored', async () => (await chunksOf(id)) >= 2);
    const { definition, version } = (await operator('GET', `/api/campaigns/${changed}`)).json<{
      definition: { mailing: object };
      version: number;
    }>();
    const extraFields = [{ name: 'divida', type: 'number', required: false }];
    const withFields = { ...definition, mailing: { ...definition.mailing, extraFields }, version };
    expect((await operator('PUT', `/api/campaigns/${changed}`, withFields)).statusCode).toBe(200);
    expect((await operator('DELETE', `/api/campaigns/${deleted}`)).statusCode).toBe(204);
    const answers = await Promise.all(uploads.map((slow) => slow.finish(mailing.slice(firstPart))));
    expect(answers).toMatchObject([
      { status: 409, body: { error: { code: 'extra_fields_changed' } } },
      { status: 404, body: { error: { code: 'not_found' } } },
    ]);
    expect(await sql`select from mailing_files where campaign_id in (${changed}, ${deleted})`).toEqual([]);
  });
});

const customerHeader =
  'codigo;nome;celular;telefone;telefone2;data_nascimento;regiao;tipo_cliente;consentimento;data_consentimento';
const customerLines = (from: number, to: number): string =>
  Array.from(
    { length: to - from },
    (_, i) => `slow ${from + i};Nome ${from + i};119${String(from + i).padStart(8, '0')};;;;;;;\r\n`,
  ).join('');
const imports = () => sql`select from customer_imports`;
const portions = () => sql`select from customer_import_portions`;
const customers = () => sql`select from customers where code like 'slow %'`;

describe('a slow upload of customers', () => {
  test('holds no transaction or connection, and blocks only a second customer file', async () => {
    const slow = slowUpload('POST', '/api/customers/import');
    slow.send(`${customerHeader}\r\n${customerLines(0, 2_600)}`);
    await until('two portions are stored', async () => (await portions()).length === 2);
    await untilIdle();
    const second = await operator('POST', '/api/customers/import', customerHeader, {
      'content-type': 'text/csv',
    });
    expect([second.statusCode, errorOf(second).code]).toEqual([503, 'busy']);
    expect(
      (await operator('POST', '/api/customers', { code: 'slow 1', name: 'Ana', mobile: '11 90000-0001' }))
        .statusCode,
    ).toBe(201);
    expect(await customers()).toHaveLength(1);
    await untilIdle();

    expect(await slow.finish(`${customerLines(2_600, 3_100)};y\r\n`)).toMatchObject({
      status: 200,
      body: { lines: 3_101, inserted: 3_099, updated: 1, unchanged: 0, badLines: 1 },
    });
    expect([await imports(), await portions()]).toEqual([[], []]);
    expect(
      await sql`select details from audit_log where action = 'customer.import' order by id desc limit 1`,
    ).toMatchObject([{ details: { inserted: 3_099, badLines: 1, complete: true } }]);
  });

  test('that is aborted leaves nothing, and the next upload can start', async () => {
    const before = (await customers()).length;
    const slow = slowUpload('POST', '/api/customers/import');
    slow.send(`${customerHeader}\r\n${customerLines(5_000, 7_600)}`);
    await until('two portions are stored', async () => (await portions()).length === 2);
    slow.abort();
    await until('the import is deleted', async () => (await imports()).length === 0);
    expect([await portions(), (await customers()).length]).toEqual([[], before]);
  });

  test('whose lines PostgreSQL lost in a crash is rejected', async () => {
    const before = (await customers()).length;
    const slow = slowUpload('POST', '/api/customers/import');
    slow.send(`${customerHeader}\r\n${customerLines(5_000, 7_600)}`);
    await until('two portions are stored', async () => (await portions()).length === 2);
    // Recovery empties unlogged tables.
    await sql`truncate customer_import_portions`;
    expect(await slow.finish('')).toMatchObject({ status: 400, body: { error: { code: 'import_broken' } } });
    expect([await imports(), (await customers()).length]).toEqual([[], before]);
  });
});

describe('a customer import of a killed API', () => {
  test('blocks the next import for two minutes', async () => {
    await sql`
      with i as (insert into customer_imports (alive_at) values (now() - interval '119 seconds') returning id)
      insert into customer_import_portions (import_id, seq, lines) select id, 0, '[]' from i`;
    const begin = () =>
      operator('POST', '/api/customers/import', `${customerHeader}\r\n${customerLines(1, 2)}`, {
        'content-type': 'text/csv',
      });
    expect(errorOf(await begin()).code).toBe('busy');
    await sql`update customer_imports set alive_at = alive_at - interval '1 minute'`;
    expect((await begin()).json()).toMatchObject({ lines: 1 });
  });
});
