import { describe, expect, test, vi } from 'vitest';
import { createProgressHub, type Progress } from '../../api/services/progress.ts';
import { freePort } from '../../embedded/ports.ts';
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
  csvOf,
} from '../kit/api.ts';
import { startWorkers } from '../kit/workers.ts';
import { recordSent } from '../kit/sending.ts';
import { createTicketCatalog, onSend } from '../kit/tickets.ts';
import { eventually } from '../kit/until.ts';

const sandbox = await buildSandbox({
  ...sandboxAccount,
  faults: { receiptDelayMs: 0, refuse: [{ endsWith: '0009', code: 21211 }] },
});
const sandboxUrl = await sandbox.listen(0);
const port = await freePort();
const publicUrl = `http://127.0.0.1:${port}`;
const api = await createApi({ publicUrl, sandboxUrl });
const { as, sql, app, taskQueue } = api;
await app.listen({ host: '127.0.0.1', port });
await startWorkers({ sql, box, taskQueue, publicUrl, sandboxUrl });
const catalog = await createCatalog(api);
const operator = as('operator');

async function enabledCampaign(changes: object = {}, lines = 3): Promise<number> {
  const id = await createReadyCampaign(api, documentOf(catalog, changes), { lines });
  const answer = await operator('POST', `/api/campaigns/${id}/enable`);
  expect(answer.statusCode).toBe(200);
  return id;
}
async function runNow(campaignId: number): Promise<number> {
  const answer = await operator('POST', `/api/campaigns/${campaignId}/run-now`);
  expect(answer.statusCode, answer.body).toBe(201);
  const { runId } = answer.json<{ runId: number }>();
  expect(answer.headers.location).toBe(`/api/runs/${runId}`);
  return runId;
}
const progressOf = async (runId: number) =>
  (await as('viewer')('GET', `/api/runs/${runId}/progress`)).json<Progress>();
const until = (runId: number, expected: object) =>
  eventually(async () => expect(await progressOf(runId)).toMatchObject(expected));

/** A campaign whose provider sends one message every ten seconds, so that its run lasts until it is cancelled. */
async function slowCampaign(): Promise<number> {
  const added = await as('admin')('POST', '/api/providers', {
    name: `Slow ${Math.random()}`,
    config: { kind: 'sandbox', accountSid: sandboxAccount.accountSid, from: '+5511999990000' },
    secrets: { kind: 'sandbox', authToken: sandboxAccount.authToken },
    ratePerSecond: 0.1,
  });
  const { id: providerId } = added.json<{ id: number }>();
  return enabledCampaign({ message: { template: 'Oi {nome}', providerId } }, 30);
}

describe('a run', () => {
  test('starts immediately, sends to all contacts, and shows its settings, progress and messages', async () => {
    const campaignId = await enabledCampaign({}, 10);
    const runId = await runNow(campaignId);
    await until(runId, { status: 'finished', counts: { delivered: 9, failed: 1 } });

    const run = (await as('viewer')('GET', `/api/runs/${runId}`)).json<{ temporalUrl: string }>();
    expect(run).toMatchObject({
      id: runId,
      campaignId,
      trigger: 'manual',
      status: 'finished',
      step: 'done',
      reason: null,
      progress: {
        lines: 10,
        over: true,
        reasons: [{ status: 'failed', reason: 'number_invalid', messages: 1 }],
        segments: { total: 10, left: 10 },
      },
      settings: { campaign: { message: { template: 'Olá {nome}, seu código é {codigo}.' } } },
    });
    expect(decodeURIComponent(run.temporalUrl)).toContain(
      `/namespaces/default/workflows/campaign/${campaignId}/run/`,
    );

    const list = await as('viewer')('GET', `/api/runs?campaignId=${campaignId}&status=finished`);
    expect(list.json()).toMatchObject({ runs: [{ id: runId, counts: { delivered: 9, failed: 1 } }] });
    expect((await as('viewer')('GET', `/api/campaigns/${campaignId}`)).json()).toMatchObject({
      lastRun: { id: runId, status: 'finished' },
    });

    const delivered = await as('viewer')('GET', `/api/runs/${runId}/messages?status=delivered&limit=1`);
    const [message] = delivered.json<{ messages: { id: number }[] }>().messages;
    const detail = await as('viewer')('GET', `/api/messages/${message?.id ?? 0}`);
    expect(detail.json()).toMatchObject({
      message: { line: 2, phone: '+5511900000000', text: 'Ola Maria 1, seu codigo é 1.' },
    });
    // The sandbox posts both receipts at once, so either can arrive first.
    const { events } = detail.json<{ events: { payload: { MessageStatus: string } }[] }>();
    expect(events.map(({ payload }) => payload.MessageStatus).toSorted()).toEqual(['delivered', 'sent']);
  });

  test('requested twice concurrently starts once, and both responses name it', async () => {
    const campaignId = await slowCampaign();
    const answers = await Promise.all(
      [1, 2].map(() => operator('POST', `/api/campaigns/${campaignId}/run-now`)),
    );
    const runs = await sql<{ id: number }[]>`select id from runs where campaign_id = ${campaignId}`;
    expect(runs).toHaveLength(1);
    const runId = runs[0]?.id ?? 0;
    expect(answers.some(({ statusCode }) => statusCode === 201)).toBe(true);
    for (const answer of answers) {
      // Simultaneous requests share one run; for a later request the first run is pending.
      if (answer.statusCode === 201) expect(answer.json()).toEqual({ runId });
      else
        expect([answer.statusCode, errorOf(answer)]).toMatchObject([
          409,
          { code: 'run_pending', params: { runId } },
        ]);
    }
    const third = await operator('POST', `/api/campaigns/${campaignId}/run-now`);
    expect(errorOf(third)).toMatchObject({
      code: 'run_pending',
      message: expect.stringMatching(
        new RegExp(
          `^Run ${runId} of this campaign (has not finished yet|still has \\d+ unsent messages)\\.$`,
        ),
      ) as string,
    });
    await operator('POST', `/api/runs/${runId}/cancel`);
  });

  test('of a campaign that is not enabled does not start', async () => {
    const id = await createReadyCampaign(api, documentOf(catalog));
    const answer = await operator('POST', `/api/campaigns/${id}/run-now`);
    expect([answer.statusCode, errorOf(answer).code]).toEqual([409, 'not_enabled']);
  });

  test('can be paused, resumed and cancelled, and cannot change after its end', async () => {
    const runId = await runNow(await slowCampaign());
    await until(runId, { status: 'running', step: 'sending' });
    const request = (what: string) => operator('POST', `/api/runs/${runId}/${what}`);
    expect((await request('pause')).json()).toEqual({ id: runId, status: 'paused' });
    expect((await progressOf(runId)).reason).toMatch(/^At the request of token \d+\.$/);
    expect((await request('resume')).json()).toEqual({ id: runId, status: 'running' });
    expect((await request('cancel')).statusCode).toBe(200);
    await until(runId, { status: 'cancelled', over: true });
    const { counts, lines } = await progressOf(runId);
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(lines);
    expect(counts.queued).toBeUndefined();
    for (const what of ['pause', 'resume', 'cancel']) {
      const answer = await request(what);
      expect([answer.statusCode, errorOf(answer).code], what).toEqual([409, 'run_ended']);
    }
    const log = await operator('GET', `/api/audit?subjectKind=run&subjectId=${runId}`);
    expect(log.json<{ entries: { action: string }[] }>().entries.map(({ action }) => action)).toEqual([
      'run.cancel',
      'run.resume',
      'run.pause',
    ]);
  });

  test('continues when its campaign is disabled, unless the request also cancels the run', async () => {
    const campaignId = await slowCampaign();
    const runId = await runNow(campaignId);
    // From the sending step on, the run ignores changes of its campaign.
    await until(runId, { step: 'sending' });
    await operator('POST', `/api/campaigns/${campaignId}/disable`);
    expect(await progressOf(runId)).toMatchObject({ status: 'running' });
    const answer = await operator('POST', `/api/campaigns/${campaignId}/disable`, { cancelRun: true });
    expect(answer.json()).toMatchObject({ enabled: false });
    await until(runId, { status: 'cancelled' });
  });
});

describe('a failed run', () => {
  /** The file is corrupted after the upload, as only a storage fault could do. */
  async function failedRun(): Promise<{ runId: number; fixFile: () => Promise<unknown> }> {
    const campaignId = await enabledCampaign();
    const [chunk] = await sql<{ fileId: number; bytes: Buffer }[]>`
      select file_id, chunk.bytes from mailing_file_chunks as chunk join mailing_files on id = file_id where campaign_id = ${campaignId}`;
    if (!chunk) throw new Error('The campaign has no file');
    const { fileId, bytes } = chunk;
    await sql`update mailing_file_chunks set bytes = 'no such header' where file_id = ${fileId}`;
    const runId = await runNow(campaignId);
    await until(runId, { status: 'failed' });
    return {
      runId,
      fixFile: () => sql`update mailing_file_chunks set bytes = ${bytes} where file_id = ${fileId}`,
    };
  }

  test('shows the reason, and continues when it is retried after the fix', async () => {
    const { runId, fixFile } = await failedRun();
    expect((await progressOf(runId)).reason).toMatch(/^The mailing cannot be read: The header in line 1/);
    await fixFile();
    const answer = await operator('POST', `/api/runs/${runId}/retry`);
    expect(answer.statusCode).toBe(202);
    await until(runId, { status: 'finished', lines: 3 });
    const again = await operator('POST', `/api/runs/${runId}/retry`);
    expect([again.statusCode, errorOf(again)]).toMatchObject([
      409,
      { code: 'run_not_failed', message: 'The run is finished. Only a run that failed can be retried.' },
    ]);
  });

  test('reads the current file of the campaign when it is retried', async () => {
    const { runId } = await failedRun();
    const { campaignId } = (await operator('GET', `/api/runs/${runId}`)).json<{ campaignId: number }>();
    const upload = await api.as('operator')('PUT', `/api/campaigns/${campaignId}/mailing/file`, csvOf(5), {
      'content-type': 'text/csv',
    });
    expect([upload.statusCode, upload.body]).toEqual([200, expect.anything()]);
    expect((await operator('POST', `/api/runs/${runId}/retry`)).statusCode).toBe(202);
    await until(runId, { status: 'finished', lines: 5 });
  });

  test('can be cancelled although its workflow has ended', async () => {
    const { runId } = await failedRun();
    expect((await operator('POST', `/api/runs/${runId}/cancel`)).json()).toEqual({
      id: runId,
      status: 'cancelled',
    });
    expect((await operator('POST', `/api/runs/${runId}/cancel`)).statusCode).toBe(409);
  });

  test('that is cancelled opens the tickets of the messages that were sent', async () => {
    const ticketPolicy = onSend(await createTicketCatalog(sql));
    const phones = ['+5511900000001', '+5511900000002', '+5511900000003'];
    const { runId, messageIds } = await createRun(api, catalog, { phones, changes: { ticketPolicy } });
    await recordSent(sql, { runId, count: 2, sidOf: (id) => `SM${id}` });
    await sql`update runs set status = 'failed' where id = ${runId}`;
    expect((await operator('POST', `/api/runs/${runId}/cancel`)).json()).toEqual({
      id: runId,
      status: 'cancelling',
    });
    await until(runId, { status: 'cancelled', counts: { sent: 2, cancelled: 1 } });
    expect(await sql`select message_id from tickets where run_id = ${runId} order by 1`).toEqual(
      messageIds.slice(0, 2).map((messageId) => ({ messageId })),
    );
  });

  test('without a workflow, as after a termination in Temporal, can be cancelled with its current counts', async () => {
    const { runId } = await createRun(api, catalog, { phones: ['+5511900000001', null] });
    expect((await operator('POST', `/api/runs/${runId}/cancel`)).json()).toMatchObject({
      status: 'cancelled',
    });
    expect(await progressOf(runId)).toMatchObject({ counts: { cancelled: 1, skipped: 1 } });
  });
});

describe('the events of a run', () => {
  const open = (runId: number, signal: AbortSignal) =>
    fetch(`${publicUrl}/api/runs/${runId}/events`, {
      headers: { authorization: `Bearer ${api.tokens.viewer}` },
      signal,
    });

  test('report its progress and end with it', async () => {
    const runId = await runNow(await slowCampaign());
    const stream = await open(runId, AbortSignal.timeout(30_000));
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    let text = '';
    const cancelled = until(runId, { step: 'sending' }).then(() =>
      operator('POST', `/api/runs/${runId}/cancel`),
    );
    for await (const chunk of stream.body ?? []) text += Buffer.from(chunk as Uint8Array).toString();
    await cancelled;
    const events = text.split('\n\n').filter(Boolean);
    expect(events.at(-1)).toBe('event: end\ndata: {}');
    const last = JSON.parse(events.at(-2)?.replace('event: progress\ndata: ', '') ?? '') as Progress;
    expect(last).toMatchObject({ runId, status: 'cancelled', over: true });
  });

  test('of a finished run are its last state and the end', async () => {
    const { runId } = await createRun(api, catalog);
    await operator('POST', `/api/runs/${runId}/cancel`);
    const text = await (await open(runId, AbortSignal.timeout(10_000))).text();
    expect(text).toMatch(/^event: progress\ndata: .*"status":"cancelled".*\n\nevent: end\ndata: \{\}\n\n$/);
  });

  test('query the progress once for all watchers, and not after they leave', async () => {
    const { runId } = await createRun(api, catalog);
    const hub = createProgressHub({ sql });
    const onEnd = vi.fn();
    const seen: Progress[][] = [[], []];
    const stops = seen.map((list) =>
      hub.watch(runId, { progress: (progress) => list.push(progress), end: onEnd }),
    );
    await eventually(() => expect(seen.map((list) => list.length)).toEqual([1, 1]));
    expect(seen[0]?.[0]).toBe(seen[1]?.[0]);
    for (const stop of stops) stop();
    expect(hub.watching()).toBe(0);
    await sql`update runs set step = 'mailing' where id = ${runId}`;
    expect(onEnd).not.toHaveBeenCalled();
    hub.close();
  });

  test('end when the hub closes', async () => {
    const { runId } = await createRun(api, catalog);
    const hub = createProgressHub({ sql });
    const ended = new Promise<void>((end) => hub.watch(runId, { progress: () => undefined, end }));
    hub.close();
    await ended;
  });
});

describe('progress', () => {
  test('shows the send rate and the remaining time', async () => {
    const { runId } = await createRun(api, catalog, {
      phones: Array.from({ length: 100 }, (_, i) => `+55119${10_000_000 + i}`),
    });
    await sql`update providers set rate_per_second = 4 where id = ${catalog.providerId}`;
    const hub = createProgressHub({ sql });
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      expect(await hub.look(runId)).toMatchObject({ ratePerSecond: null, limitPerSecond: 4, etaMs: 25_000 });
      await sql`
        update run_counts set messages = 80, segments = 80 where run_id = ${runId} and status = 'queued'`;
      await sql`
        insert into run_counts (run_id, status, messages, segments) values (${runId}, 'sent', 20, 20)`;
      vi.advanceTimersByTime(10_000);
      expect(await hub.look(runId)).toMatchObject({
        ratePerSecond: 2,
        etaMs: 40_000,
        segments: { total: 100, left: 20 },
      });
    } finally {
      vi.useRealTimers();
      await sql`update providers set rate_per_second = null where id = ${catalog.providerId}`;
    }
  });
});

describe('a test send', () => {
  const send = (id: number, payload: object) => operator('POST', `/api/campaigns/${id}/test-send`, payload);
  const saved = async (message: object = {}) =>
    (
      await operator(
        'POST',
        '/api/campaigns',
        documentOf(catalog, {
          message: { template: 'Olá {nome}', providerId: catalog.providerId, ...message },
        }),
      )
    ).json<{ id: number }>().id;

  test('returns the response of the provider, and stores no phone', async () => {
    const id = await saved();
    const answer = await send(id, { phone: '(11) 90000-0001', values: { name: 'Ana' } });
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      {
        outcome: 'accepted',
        reason: null,
        providerMessageId: expect.stringMatching(/^SM/) as string,
        code: null,
        detail: null,
        text: 'Ola Ana',
        segments: 1,
      },
    ]);
    const kept = await sql`select outcome from test_sends where campaign_id = ${id}`;
    const log = await sql`select details from audit_log where subject_id = ${id}`;
    expect(JSON.stringify([kept, log])).not.toMatch(/11\)? ?90000/);
    expect(kept).toHaveLength(1);
  });

  test('that the provider rejects returns the reason', async () => {
    expect((await send(await saved(), { phone: '11900000009' })).json()).toMatchObject({
      outcome: 'refused',
      reason: 'number_invalid',
      code: '21211',
    });
  });

  test('requires a mobile number, a message and a provider, and reports all missing ones at once', async () => {
    const answer = await send(await saved({ template: null, providerId: null }), { phone: '1130000000' });
    expect([answer.statusCode, errorOf(answer).problems]).toEqual([
      422,
      [
        {
          field: 'phone',
          code: 'mobile_expected',
          params: {},
          message: 'Enter a mobile number that can receive SMS.',
        },
        {
          field: 'message.template',
          code: 'missing',
          params: { what: 'template' },
          message: 'Write the message.',
        },
        {
          field: 'message.providerId',
          code: 'missing',
          params: { what: 'provider' },
          message: 'Choose the SMS provider.',
        },
      ],
    ]);
  });

  test('is never sent to an opted-out phone', async () => {
    await sql`insert into opt_outs (phone, source) values ('+5511955555555', 'reply')`;
    const answer = await send(await saved(), { phone: '11955555555' });
    expect([answer.statusCode, errorOf(answer).code]).toEqual([409, 'opted_out']);
  });
});

describe('messages', () => {
  test('can be filtered by status, reason and phone, and are paginated', async () => {
    const { runId } = await createRun(api, catalog, {
      phones: ['+5511900000001', null, '+5511900000003', null, '+5511900000005'],
    });
    const lines = async (query: string) =>
      (await as('viewer')('GET', `/api/runs/${runId}/messages?${query}`))
        .json<{ messages: { line: number }[] }>()
        .messages.map(({ line }) => line);
    expect(await lines('limit=2')).toEqual([2, 3]);
    expect(await lines('limit=2&after=3')).toEqual([4, 5]);
    const far = await as('viewer')('GET', `/api/runs/${runId}/messages?after=2147483648`);
    expect(far.statusCode).toBe(400);
    expect(await lines('reason=phone_missing')).toEqual([3, 5]);
    expect(await lines('status=queued&after=4')).toEqual([6]);
    expect(await lines(`phone=${encodeURIComponent('(11) 90000-0003')}`)).toEqual([4]);
    const wrong = await as('viewer')('GET', `/api/runs/${runId}/messages?phone=12&status=lost`);
    expect([wrong.statusCode, errorOf(wrong).problems?.map(({ field }) => field)]).toEqual([
      400,
      ['status', 'phone'],
    ]);
  });

  test('are exported in the CSV format of Excel in Brazil, without formulas', async () => {
    const { runId, messageIds } = await createRun(api, catalog, { phones: ['+5511900000001', null] });
    await sql`update messages set name = '=HYPERLINK("http://evil")', text = 'ção; "x"' where id = ${messageIds[0] ?? 0}`;
    const answer = await as('viewer')('GET', `/api/runs/${runId}/messages.csv`);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="run-${runId}-messages.csv"`,
    });
    expect(answer.body).toBe(
      '\ufeffline;status;reason;phone;code;name;region;customer_type;text;segments;attempts;provider_message_id;provider_code;sent_at;ended_at;problem\r\n' +
        `2;queued;;+5511900000001;1;"'=HYPERLINK(""http://evil"")";;;"ção; ""x""";1;0;;;;;\r\n` +
        '3;skipped;phone_missing;;2;Maria 2;;;;0;0;;;;;It has no phone.\r\n',
    );
  });

  test('of a web service that the run skipped are exported with their stored values', async () => {
    const { runId } = await createRun(api, catalog, { phones: ['+5511900000001', null] });
    const bad = await as('viewer')('GET', `/api/runs/${runId}/bad-lines.csv`);
    expect(bad.body).toBe(
      '\ufeffcodigo;nome;celular;telefone;telefone2;data_nascimento;mensagem;problema\r\n' +
        '2;Maria 2;;;;;;Line 3: It has no phone.\r\n',
    );
  });

  test('are exported completely, even when there are thousands', async () => {
    const { runId } = await createRun(api, catalog, { phones: Array.from({ length: 2_500 }, () => null) });
    const csv = await as('viewer')('GET', `/api/runs/${runId}/messages.csv?status=skipped`);
    expect(csv.body.trimEnd().split('\r\n')).toHaveLength(2_501);
    expect((await as('viewer')('GET', `/api/runs/${runId}/messages.csv?status=sent`)).body).not.toContain(
      'Maria',
    );
  });
});
