import { expect, test } from 'vitest';
import { claimLines, closeStoppedSenders } from '../../db/messages/claims.ts';
import { createCatalog, createRun } from '../kit/api.ts';
import { createConsole, textOf } from '../kit/console.ts';

const ui = await createConsole();
const { sql } = ui;
const operator = await ui.signIn('operator');
const viewer = await ui.signIn('viewer');
const catalog = await createCatalog(ui);

async function unknownRun() {
  const run = await createRun(ui, catalog, {
    phones: ['+5511955550001', '+5511955550002', '+5511955550003'],
  });
  await claimLines(sql, { runId: run.runId, sender: 'dead#1', from: 1, lines: 10 });
  await closeStoppedSenders(sql, { runId: run.runId, deduplicates: false });
  return run;
}
const statusesOf = async (runId: number): Promise<string[]> => {
  const rows = await sql<
    { status: string }[]
  >`select status from messages where run_id = ${runId} order by line`;
  return rows.map(({ status }) => status);
};

test('an operator can resolve one unknown message, and then all of the run', async () => {
  const { runId, messageIds } = await unknownRun();
  const [first = 0] = messageIds;
  expect((await viewer.get(`/messages/${first}`)).body).not.toContain('/resolve');
  expect((await operator.get(`/messages/${first}`)).body).toContain(`href="/messages/${first}/resolve"`);
  expect((await operator.get(`/runs/${runId}/messages?status=unknown`)).body).toContain(
    `href="/runs/${runId}/resolve"`,
  );

  expect((await operator.get(`/runs/${runId}`)).body).toContain(`href="/runs/${runId}/resolve"`);
  expect((await viewer.get(`/runs/${runId}`)).body).not.toContain('/resolve');

  const incomplete = await operator.post(`/messages/${first}/resolve`, { note: '' });
  expect(incomplete.statusCode).toBe(422);
  expect(textOf(incomplete)).toContain('Chegaram?');
  const resolved = await operator.post(`/messages/${first}/resolve`, { arrived: 'yes', note: 'No painel.' });
  expect(resolved.headers.location).toBe(`/messages/${first}`);
  expect(await statusesOf(runId)).toEqual(['delivered', 'unknown', 'unknown']);
  const page = textOf(await operator.get(`/messages/${first}`));
  expect(page).toContain('Resolvida por um usuário');
  expect(textOf(await operator.get(`/messages/${first}/resolve`))).toContain('Não há mensagens incertas.');

  expect(textOf(await operator.get(`/runs/${runId}/resolve`))).toContain('2 mensagens incertas');
  const resolution = { arrived: 'no', note: 'Nenhuma no painel.' };
  const changed = await operator.post(`/runs/${runId}/resolve`, { ...resolution, messages: '3' });
  expect([changed.statusCode, textOf(changed)]).toEqual([
    409,
    expect.stringContaining('Agora há 2 mensagens incertas, e não 3.'),
  ]);
  const all = await operator.post(`/runs/${runId}/resolve`, { ...resolution, messages: '2' });
  expect(all.headers.location).toBe(`/runs/${runId}`);
  expect(await statusesOf(runId)).toEqual(['delivered', 'undelivered', 'undelivered']);
});

test('the page of a run describes its failover to another provider', async () => {
  const { runId } = await unknownRun();
  const failover = {
    at: '2026-11-25T12:00:00.000Z',
    from: { id: 1, name: 'Twilio' },
    to: { id: 2, name: 'Zenvia' },
    cause: 'account',
    providerCode: '20003',
    segmentProfile: 'zenvia',
    unknown: 3,
    tooLong: 0,
  };
  await sql`update runs set failovers = ${sql.json([failover])} where id = ${runId}`;
  expect(textOf(await viewer.get(`/runs/${runId}`))).toContain(
    'envia por “Zenvia”, porque “Twilio” recusou a conta (20003). Incertas que “Twilio” pode ter aceitado: 3.',
  );
});
