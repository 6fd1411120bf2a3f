import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { insertProvider } from '../../db/providers/providers.ts';
import { runWorkflowId } from '../../domain/ids.ts';
import { providerConfig } from '../../domain/provider.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { createEnabledCampaign, readRun, type Run, startRun } from '../kit/factories.ts';
import { historyText } from '../kit/history.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

/** Temporal stores no personal data, even when a gateway or PostgreSQL returns it in codes and errors. */
const system = await createSystem({ singleSendAttempts: 2 });
const { sql, box, client, temporal } = system;
const { workflowOf, ended, countOf } = createRunProbe(system);

/** A gateway that answers with `status`, and returns the phone and the text as its code and error. */
const gateway = { status: 200 };
const server = createServer((request, response) => {
  void text(request).then((body) => {
    const { to, message } = JSON.parse(body) as { to: string; message: string };
    const echo = `${to} ${message}`;
    response.writeHead(gateway.status, { 'content-type': 'application/json', 'x-echo': to });
    response.end(JSON.stringify(gateway.status === 200 ? { id: to } : { code: echo, error: echo }));
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
const providerId = await sql.begin(async (tx) => {
  const config = providerConfig.parse({
    kind: 'http',
    request: {
      method: 'POST',
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/send`,
      body: { kind: 'json', template: { to: '{to}', message: '{text}' } },
    },
    answer: { messageId: { in: 'json', path: 'id' }, code: { in: 'json', path: 'code' } },
  });
  const secrets = { kind: 'http' as const, callbackSecret: 'a-secret-of-more-than-20', values: {} };
  const row = { name: 'Nasty', config, secrets, segmentProfile: 'gsm' as const, ratePerSecond: null };
  return (await insertProvider(tx, box, row)).id;
});

const personalData = /1190\d{7}|Contato|Ola,/;
/** Returns everything that Temporal stores about a run: its history and the failures of its pending activities. */
async function storedOf(run: Run): Promise<string> {
  const { raw } = await workflowOf(run).describe();
  const pending = (raw.pendingActivities ?? []).map(({ lastFailure }) => JSON.stringify(lastFailure ?? null));
  return [await historyText(client, runWorkflowId(run)), ...pending].join('\n');
}
const paused = (run: Run) =>
  until('it is paused', async () => (await readRun(sql, run.id)).status === 'paused');
const failedOnce = (run: Run) =>
  until('an attempt has failed', async () => {
    const { raw } = await workflowOf(run).describe();
    return raw.pendingActivities?.some(({ lastFailure }) => lastFailure);
  });

describe.each([
  ['one by one', 5],
  ['streamed', 60],
])('a gateway that returns the phone and the text as its code, called %s', (_, lines) => {
  test.each([
    // A run with ten failed messages and no accepted one pauses.
    [400, lines < 10 ? ended : paused],
    [403, paused],
    [429, failedOnce],
    [500, (run: Run) => until('some are unknown', async () => (await countOf(run.id, 'unknown')) > 0)],
  ] as const)(
    'leaves no personal data in Temporal or in the reason of the run with status %i',
    async (status, waitForEffect) => {
      gateway.status = status;
      const campaign = await createEnabledCampaign(system, {
        template: 'Ola, {nome}!',
        mailing: lines,
        providerId,
      });
      const run = await startRun(system, { campaign });
      if (status === 429 && lines > 10) {
        // A streaming sender waits without a failed attempt.
        await until('sending has begun', async () => (await readRun(sql, run.id)).sendingAt !== null);
      } else await waitForEffect(run);
      expect(await storedOf(run)).not.toMatch(personalData);
      const { reason, failovers } = await readRun(sql, run.id);
      expect(JSON.stringify({ reason, failovers })).not.toMatch(personalData);
      if (status === 403) expect(reason).toMatchObject({ providerCode: 'HTTP_403' });

      gateway.status = 200;
      if ((await readRun(sql, run.id)).status === 'paused') await temporal.resumeRun(run, 'user:7');
      await ended(run);
      expect(await storedOf(run)).not.toMatch(personalData);
      await expectCountsToMatchRows(sql, run.id);
    },
  );
});

test('row values in a PostgreSQL error do not reach Temporal', async () => {
  await sql`
    create function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'no row for % %: %', new.phone, new.name, new.text; end $$`;
  await sql`create trigger refusing before insert on messages for each row execute function refuse()`;
  gateway.status = 200;
  const campaign = await createEnabledCampaign(system, { template: 'Ola, {nome}!', providerId });
  const run = await startRun(system, { campaign });
  await failedOnce(run);
  const stored = await storedOf(run);
  expect(stored).toContain('PostgreSQL has refused a statement (P0001');
  expect(stored).not.toMatch(personalData);
  await sql`drop trigger refusing on messages`;
  await ended(run);
  expect(await storedOf(run)).not.toMatch(personalData);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 3 });
});
