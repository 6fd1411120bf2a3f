import { afterEach, describe, expect, test } from 'vitest';
import { listOpenAlerts, recordConditions } from '../../db/alerts/alerts.ts';
import { presentConditions } from '../../db/alerts/conditions.ts';
import { alertKindNames } from '../../domain/alert.ts';
import { defaultTimezone, weekdays } from '../../domain/calendar.ts';
import { freePort } from '../../embedded/ports.ts';
import { buildSandbox } from '../../sandbox/index.ts';
import {
  box,
  createApi,
  createCatalog,
  createReadyCampaign,
  documentOf,
  errorOf,
  sandboxAccount,
} from '../kit/api.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { startWorkers } from '../kit/workers.ts';
import { eventually } from '../kit/until.ts';

const sandbox = await buildSandbox({ ...sandboxAccount, faults: { receipts: false } });
const sandboxUrl = await sandbox.listen(0);
const publicUrl = `http://127.0.0.1:${await freePort()}`;
const api = await createApi({ publicUrl, sandboxUrl });
const { as, sql, taskQueue } = api;
const clock = { aheadMs: 0, now: () => new Date(Date.now() + clock.aheadMs) };
await startWorkers({ sql, box, taskQueue, publicUrl, sandboxUrl, clock: clock.now });
const catalog = await createCatalog(api);
const operator = as('operator');
const hourMs = 3_600_000;
afterEach(() => {
  clock.aheadMs = 0;
});

const post = async <T>(url: string, payload?: object): Promise<T> => {
  const answer = await operator('POST', url, payload);
  expect(answer.statusCode, answer.body).toBeLessThan(300);
  return answer.json<T>();
};
const runOf = async (runId: number) => (await as('viewer')('GET', `/api/runs/${runId}`)).json<object>();
const runBecomes = (runId: number, expected: object) =>
  eventually(async () => expect(await runOf(runId)).toMatchObject(expected));
async function limitedProvider(ratePerSecond: number): Promise<number> {
  const { accountSid, authToken } = sandboxAccount;
  const added = await as('admin')('POST', '/api/providers', {
    name: `Limited ${Math.random()}`,
    config: { kind: 'sandbox', accountSid, from: '+5511999990000' },
    secrets: { kind: 'sandbox', authToken },
    ratePerSecond,
  });
  return added.json<{ id: number }>().id;
}
async function acceptedByGateway(): Promise<number> {
  const headers = { authorization: `Bearer ${sandboxAccount.authToken}` };
  const answer = await fetch(`${sandboxUrl}/sandbox/ledger`, { headers });
  return ((await answer.json()) as { accepted: number }).accepted;
}
const auditOf = async (action: string, subjectId: number) =>
  sql<{ actor: string }[]>`
    select actor from audit_log where action = ${action} and subject_id = ${subjectId} order by id`;

const checkAlerts = async () =>
  recordConditions(sql, await presentConditions({ sql, now: clock.now(), timezone: defaultTimezone }));
const alertsOf = async (runId: number) =>
  (await listOpenAlerts(sql, alertKindNames, { limit: 50 }))
    .filter(({ subject }) => subject === String(runId))
    .map(({ kind }) => kind);

/** A window that is closed today and tomorrow. */
const closedHours = () => {
  const day = weekdays[(new Date().getUTCDay() + 3) % 7] ?? 'monday';
  return { timezone: 'UTC', windows: [{ days: [day], from: '10:00', to: '11:00' }] };
};
const openHours = { timezone: 'UTC', windows: [{ days: [...weekdays], from: '00:00', to: '24:00' }] };

describe('a dry run', () => {
  test('counts the lines with a word that the provider cannot split', async () => {
    const zenvia = await as('admin')('POST', '/api/providers', {
      name: 'Zenvia',
      config: { kind: 'zenvia', from: 'loja' },
      secrets: { kind: 'zenvia', apiToken: 'token', callbackSecret: 'a-secret-of-twenty-letters' },
      segmentProfile: 'zenvia',
    });
    const { id: providerId } = zenvia.json<{ id: number }>();
    const message = { template: 'Oi {nome}', providerId, maxSegments: 3 };
    const id = await createReadyCampaign(api, documentOf(catalog, { message }), { lines: 1 });
    const link = `https://loja.example/${'x'.repeat(140)}`;
    await operator(
      'PUT',
      `/api/campaigns/${id}/mailing/file`,
      `codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem\n1;Ana;11900000001;;;;Veja ${link}\n2;Bia;11900000002;;;;\n`,
      { 'content-type': 'text/csv' },
    );
    const { runId } = await post<{ runId: number }>(`/api/campaigns/${id}/dry-run`);
    const leftOut = [{ reason: 'word_exceeds_segment', messages: 1 }];
    await runBecomes(runId, { status: 'finished', preflight: { lines: 2, toSend: 1, leftOut } });
  });

  test('reads the mailing of a disabled campaign, reports what it would send, and sends nothing', async () => {
    const id = await createReadyCampaign(
      api,
      documentOf(catalog, {
        message: { template: 'Oi {nome}', providerId: await limitedProvider(2) },
      }),
      { lines: 10 },
    );
    await operator(
      'PUT',
      `/api/campaigns/${id}/mailing/file`,
      'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem\n1;Ana;11900000001;;;;\n2;Bia;11900000002;;;;\n3;Eva;12;;;;\n4;Ana de novo;11900000001;;;;\n',
      { 'content-type': 'text/csv' },
    );
    const { runId } = await post<{ runId: number }>(`/api/campaigns/${id}/dry-run`);
    await runBecomes(runId, {
      trigger: 'dry_run',
      status: 'finished',
      waiting: null,
      preflight: {
        lines: 4,
        toSend: 2,
        segments: 2,
        leftOut: [
          { reason: 'duplicate_phone', messages: 1 },
          { reason: 'phone_invalid', messages: 1 },
        ],
        ratePerSecond: 2,
        durationMs: 1_000,
        fits: 'first_opening',
        words: expect.stringContaining('4 lines: 2 to send in 2 segments, 2 skipped') as string,
      },
      counts: { cancelled: 2, skipped: 2 },
    });
    expect(await expectCountsToMatchRows(sql, runId)).toEqual({
      'cancelled: dry_run': 2,
      'skipped: duplicate_phone': 1,
      'skipped: phone_invalid': 1,
    });
    expect(await acceptedByGateway()).toBe(0);
    const run = await runOf(runId);
    expect(decodeURIComponent(JSON.stringify(run))).toContain(`/workflows/campaign/${id}/dry-run/`);
    const list = await as('viewer')('GET', `/api/runs/${runId}/messages?reason=dry_run`);
    expect(list.json()).toMatchObject({ messages: [{ text: 'Oi Ana' }, { text: 'Oi Bia' }] });
    expect((await as('viewer')('GET', `/api/runs/${runId}/messages.csv`)).body).toContain(
      'cancelled;dry_run',
    );
    const bad = await as('viewer')('GET', `/api/runs/${runId}/bad-lines.csv`);
    expect(bad.body.trimEnd().split('\r\n').slice(1)).toEqual([
      '3;Eva;12;;;;;Line 4: None of the phones can be read.',
      '4;Ana de novo;11900000001;;;;;Line 5: An earlier contact has the same phone.',
    ]);
    const some = await as('viewer')('GET', `/api/runs/${runId}/bad-lines.csv?reason=duplicate_phone`);
    expect(some.body.trimEnd().split('\r\n')).toHaveLength(2);
    expect(await auditOf('campaign.dry_run', id)).toHaveLength(1);
    // A dry run is not the last run of the campaign.
    expect((await as('viewer')('GET', `/api/campaigns/${id}`)).json()).toMatchObject({
      enabled: false,
      lastRun: null,
    });
  });

  test('ignores hours and pending runs, and does not block other runs', async () => {
    const closed = await as('admin')('POST', '/api/settings/sending-hours', {
      name: 'Closed today',
      definition: {
        timezone: 'UTC',
        windows: [
          {
            days: [
              ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'][
                (new Date().getUTCDay() + 2) % 7
              ],
            ],
            from: '08:00',
            to: '18:00',
          },
        ],
      },
    });
    const hoursId = closed.json<{ id: number }>().id;
    const id = await createReadyCampaign(api, documentOf({ ...catalog, hoursId }));
    await post(`/api/campaigns/${id}/enable`);
    const first = await post<{ runId: number }>(`/api/campaigns/${id}/run-now`);
    await runBecomes(first.runId, {
      step: 'hours',
      waiting: { code: 'hours', words: expect.stringContaining('They open at') as string },
    });
    const dry = await post<{ runId: number }>(`/api/campaigns/${id}/dry-run`);
    await runBecomes(dry.runId, { status: 'finished', preflight: { toSend: 3, fits: 'unknown' } });
    const again = await operator('POST', `/api/campaigns/${id}/run-now`);
    expect(errorOf(again)).toMatchObject({ code: 'run_pending', params: { runId: first.runId } });
    await post(`/api/runs/${first.runId}/cancel`);
    await runBecomes(first.runId, { status: 'cancelled' });
  });

  test('of an incomplete campaign is refused with every missing field', async () => {
    const draft = await post<{ id: number }>(
      '/api/campaigns',
      documentOf(catalog, { message: { template: null, providerId: null } }),
    );
    const answer = await operator('POST', `/api/campaigns/${draft.id}/dry-run`);
    expect([answer.statusCode, errorOf(answer).problems?.map(({ field }) => field)]).toEqual([
      422,
      ['message.template', 'message.providerId', 'mailing.file'],
    ]);
  });

  test('fails with the reason when the mailing cannot be read, and can be retried', async () => {
    const id = await createReadyCampaign(api, documentOf(catalog));
    const [file] = await sql<{ id: number }[]>`select mailing_file_id as id from campaigns where id = ${id}`;
    const [chunk] = await sql<
      { bytes: Buffer }[]
    >`select bytes from mailing_file_chunks where file_id = ${file?.id ?? 0}`;
    await sql`update mailing_file_chunks set bytes = 'Not a mailing' where file_id = ${file?.id ?? 0}`;
    const { runId } = await post<{ runId: number }>(`/api/campaigns/${id}/dry-run`);
    await runBecomes(runId, { status: 'failed', step: 'mailing', reason: { code: 'mailing_refused' } });
    await sql`update mailing_file_chunks set bytes = ${chunk?.bytes ?? Buffer.alloc(0)} where file_id = ${file?.id ?? 0}`;
    await post(`/api/runs/${runId}/retry`);
    await runBecomes(runId, { status: 'finished', counts: { cancelled: 3 } });
  });
});

describe('a run of a campaign that requires approval', () => {
  async function waitingRun(changes: object = {}) {
    const id = await createReadyCampaign(
      api,
      documentOf(catalog, { safeguards: { approval: true }, ...changes }),
    );
    await post(`/api/campaigns/${id}/enable`);
    const { runId } = await post<{ runId: number }>(`/api/campaigns/${id}/run-now`);
    await runBecomes(runId, {
      status: 'running',
      step: 'approval',
      waiting: {
        code: 'approval',
        words: expect.stringContaining('Waits for a user to approve it') as string,
      },
      preflight: { toSend: 3 },
    });
    return { id, runId };
  }

  test('sends nothing until a user approves it, and records the user', async () => {
    const { runId } = await waitingRun();
    expect(await expectCountsToMatchRows(sql, runId)).toEqual({ queued: 3 });
    expect((await as('viewer')('POST', `/api/runs/${runId}/approve`)).statusCode).toBe(403);
    await post(`/api/runs/${runId}/approve`);
    await runBecomes(runId, { status: 'finished', counts: { sent: 3 } });
    const [entry] = await auditOf('run.approve', runId);
    expect(entry?.actor).toMatch(/^token:\d+$/);
    expect(await runOf(runId)).toMatchObject({ approvedBy: entry?.actor, waiting: null });
    const late = await operator('POST', `/api/runs/${runId}/approve`);
    expect([late.statusCode, errorOf(late).code]).toEqual([409, 'run_ended']);
  });

  test('can be cancelled instead', async () => {
    const { runId } = await waitingRun();
    await post(`/api/runs/${runId}/cancel`);
    await runBecomes(runId, { status: 'cancelled', counts: { cancelled: 3 } });
  });

  test('that is approved while it is paused sends nothing until it is resumed, and each action ends its alert', async () => {
    const { runId } = await waitingRun();
    await post(`/api/runs/${runId}/pause`);
    await checkAlerts();
    expect(await alertsOf(runId)).toEqual(['run_approval']);
    await post(`/api/runs/${runId}/approve`);
    expect(await alertsOf(runId)).toEqual([]);
    await runBecomes(runId, {
      status: 'paused',
      step: 'approval',
      waiting: { code: 'resume' },
      counts: { queued: 3 },
    });
    await checkAlerts();
    expect(await alertsOf(runId)).toEqual(['run_paused']);
    await post(`/api/runs/${runId}/resume`);
    expect(await alertsOf(runId)).toEqual([]);
    await runBecomes(runId, { status: 'finished', counts: { sent: 3 } });
  });

  test('expires while it waits', async () => {
    const mailing = { source: 'csv', sendingHoursId: catalog.hoursId, expiresAfterHours: 1 };
    const { runId } = await waitingRun({ mailing });
    clock.aheadMs = 2 * hourMs;
    // Its timer waits for the expiry in real time. The approval makes it check the clock.
    await post(`/api/runs/${runId}/pause`);
    await post(`/api/runs/${runId}/approve`);
    await runBecomes(runId, { status: 'cancelled', reason: { code: 'expired' }, counts: { cancelled: 3 } });
  });

  test('needs no approval when there is nothing to send', async () => {
    const id = await createReadyCampaign(api, documentOf(catalog, { safeguards: { approval: true } }));
    await operator(
      'PUT',
      `/api/campaigns/${id}/mailing/file`,
      'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem\n1;Ana;12;;;;\n',
      { 'content-type': 'text/csv' },
    );
    await post(`/api/campaigns/${id}/enable`);
    const { runId } = await post<{ runId: number }>(`/api/campaigns/${id}/run-now`);
    await runBecomes(runId, { status: 'finished', preflight: { fits: 'nothing_to_send' } });
  });
});

test('only a run that waits for approval can be approved', async () => {
  const id = await createReadyCampaign(
    api,
    documentOf(catalog, { message: { template: 'Oi', providerId: await limitedProvider(0.1) } }),
  );
  await post(`/api/campaigns/${id}/enable`);
  const { runId } = await post<{ runId: number }>(`/api/campaigns/${id}/run-now`);
  await runBecomes(runId, { step: 'sending' });
  const answer = await operator('POST', `/api/runs/${runId}/approve`);
  expect([answer.statusCode, errorOf(answer).code]).toEqual([409, 'not_waiting_for_approval']);
  await post(`/api/runs/${runId}/cancel`);
});

describe('a request with an Idempotency-Key', () => {
  const ask = async (url: string, key: string, payload?: object): Promise<number> => {
    const answer = await operator('POST', url, payload, { 'idempotency-key': key });
    expect(answer.statusCode, answer.body).toBe(201);
    return answer.json<{ runId: number }>().runId;
  };

  test('opens one run when it is repeated, also after that run has ended', async () => {
    const id = await createReadyCampaign(api, documentOf(catalog), { lines: 2 });
    const url = `/api/campaigns/${id}/dry-run`;
    const [first, second] = await Promise.all([ask(url, 'a'), ask(url, 'a')]);
    expect(second).toBe(first);
    await runBecomes(first, { status: 'finished' });
    expect(await ask(url, 'a')).toBe(first);
    expect(await ask(url, 'b')).not.toBe(first);
    expect(await runOf(first)).toMatchObject({ status: 'finished' });
  });

  test('is refused when the key is invalid', async () => {
    const id = await createReadyCampaign(api, documentOf(catalog), { lines: 2 });
    const answer = await operator('POST', `/api/campaigns/${id}/dry-run`, undefined, {
      'idempotency-key': 'two words',
    });
    expect(answer.statusCode).toBe(400);
  });
});

describe('a run that waits for its hours', () => {
  const addHours = async (): Promise<{ id: number; name: string }> => {
    const entry = { name: `Closed ${Math.random()}`, definition: closedHours() };
    const added = await as('admin')('POST', '/api/settings/sending-hours', entry);
    return added.json<{ id: number; name: string }>();
  };
  async function startWaiting() {
    const hours = await addHours();
    const document = documentOf({ ...catalog, hoursId: hours.id });
    const id = await createReadyCampaign(api, document, { lines: 1 });
    await post(`/api/campaigns/${id}/enable`);
    const { runId } = await post<{ runId: number }>(`/api/campaigns/${id}/run-now`);
    await runBecomes(runId, { step: 'hours', status: 'running' });
    return { id, runId, hours };
  }

  test('continues at once when they are widened', async () => {
    const { runId, hours } = await startWaiting();
    const widened = { name: hours.name, definition: openHours };
    await as('admin')('PUT', `/api/settings/sending-hours/${hours.id}`, widened);
    await runBecomes(runId, { status: 'finished' });
  });

  test('continues at once when its campaign gets other hours', async () => {
    const given = await startWaiting();
    const campaign = await as('viewer')('GET', `/api/campaigns/${given.id}`);
    const { version, definition } = campaign.json<{ version: number; definition: { mailing: object } }>();
    const mailing = { ...definition.mailing, sendingHoursId: catalog.hoursId };
    const changed = { ...definition, mailing, version };
    const answer = await operator('PUT', `/api/campaigns/${given.id}`, changed);
    expect(answer.statusCode, answer.body).toBe(200);
    await runBecomes(given.runId, { status: 'finished' });
  });
});
