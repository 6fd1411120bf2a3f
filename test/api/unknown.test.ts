import { expect, test } from 'vitest';
import { claimLines, closeStoppedSenders } from '../../db/messages/claims.ts';
import { createApi, createCatalog, createRun, errorOf } from '../kit/api.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';

const api = await createApi();
const { sql, as } = api;
const catalog = await createCatalog(api);
let phone = 0;

/** A run whose messages are all unknown, because its sender stopped. */
async function unknownRun(messages: number) {
  const phones = Array.from({ length: messages }, () => `+55119${String(40_000_000 + phone++)}`);
  const run = await createRun(api, catalog, { phones });
  await claimLines(sql, { runId: run.runId, sender: 'dead#1', from: 1, lines: 100 });
  await closeStoppedSenders(sql, { runId: run.runId, deduplicates: false });
  return run;
}
const auditOf = (action: string, id: number) =>
  sql`select actor_name, details from audit_log where action = ${action} and subject_id = ${id}`;

test.each([
  [true, 'delivered', 'delivered'],
  [false, 'undelivered', 'undelivered: not_delivered'],
])('an operator resolves an unknown message with arrived = %s', async (arrived, status, count) => {
  const { runId, messageIds } = await unknownRun(2);
  const [id = 0] = messageIds;
  const url = `/api/messages/${id}/resolve`;
  const resolution = { arrived, note: 'Visto no painel do provedor.' };
  expect((await as('viewer')('POST', url, resolution)).statusCode).toBe(403);
  expect(errorOf(await as('operator')('POST', url, { arrived })).problems).toMatchObject([{ field: 'note' }]);

  const answer = await as('operator')('POST', url, resolution);
  expect([answer.statusCode, answer.json()]).toEqual([200, { id, status }]);
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ [count]: 1, 'unknown: sender_died': 1 });
  const details = (await as('viewer')('GET', `/api/messages/${id}`)).json<{ events: object[] }>();
  expect(details).toMatchObject({
    message: { status },
    events: [{ kind: 'resolved', payload: { ...resolution, byName: 'operator' } }],
    lookUp: null,
  });
  // Not the note: it may contain personal data.
  expect(await auditOf('message.resolve', id)).toEqual([{ actorName: 'operator', details: { arrived } }]);

  const again = await as('operator')('POST', url, resolution);
  expect([again.statusCode, errorOf(again).code]).toEqual([409, 'not_unknown']);
  expect((await as('operator')('POST', '/api/messages/9000000000/resolve', resolution)).statusCode).toBe(404);
});

test('an operator resolves all unknown messages of a run, unless their number changed since it was shown', async () => {
  const { runId } = await unknownRun(3);
  expect((await as('viewer')('GET', `/api/runs/${runId}/unknown`)).json()).toEqual({
    messages: 3,
    byLookUp: [],
  });
  const resolve = (messages: number) =>
    as('operator')('POST', `/api/runs/${runId}/resolve`, { arrived: false, note: 'Conferido.', messages });
  const changed = await resolve(4);
  expect([changed.statusCode, errorOf(changed)]).toMatchObject([
    409,
    { code: 'unknown_changed', params: { messages: 3, seen: 4 } },
  ]);
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ 'unknown: sender_died': 3 });

  expect((await resolve(3)).json()).toEqual({ id: runId, messages: 3 });
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ 'undelivered: not_delivered': 3 });
  expect(await auditOf('run.resolve', runId)).toEqual([
    { actorName: 'operator', details: { arrived: false, messages: 3 } },
  ]);
});
