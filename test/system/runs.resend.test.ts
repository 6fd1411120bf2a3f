import { describe, expect, test } from 'vitest';
import { closeStoppedSenders } from '../../db/messages/claims.ts';
import { savePrivacySettings } from '../../db/customers/privacy.ts';
import { privacySettings } from '../../domain/privacy.ts';
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
import { createTicketCatalog, insertReply, onSend } from '../kit/tickets.ts';
import { startWorkers } from '../kit/workers.ts';
import { followReceipts, openReplyTicket } from '../../db/tickets/opening.ts';
import { eventually } from '../kit/until.ts';

const sandbox = await buildSandbox({ ...sandboxAccount, faults: { receipts: false } });
const sandboxUrl = await sandbox.listen(0);
const publicUrl = 'http://127.0.0.1:1';
const api = await createApi({ publicUrl, sandboxUrl });
const { as, sql, taskQueue } = api;
await startWorkers({ sql, box, taskQueue, publicUrl, sandboxUrl });
const catalog = await createCatalog(api);
const operator = as('operator');

const gateway = async <T>(method: string, path: string, body?: object): Promise<T> => {
  const answer = await fetch(`${sandboxUrl}/sandbox/${path}`, {
    method,
    headers: { authorization: `Bearer ${sandboxAccount.authToken}` },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return (await answer.json()) as T;
};
/** Makes the gateway refuse numbers that end with these digits, from the next message on. */
const refuse = (...digits: string[]) =>
  gateway('PUT', 'faults', {
    receipts: false,
    refuse: digits.map((endsWith) => ({ endsWith, code: 21211 })),
  });
const runOf = async (runId: number) => (await as('viewer')('GET', `/api/runs/${runId}`)).json<object>();
const runBecomes = (runId: number, expected: object) =>
  eventually(async () => expect(await runOf(runId)).toMatchObject(expected));
const post = async <T>(url: string, payload?: object): Promise<T> => {
  const answer = await operator('POST', url, payload);
  expect(answer.statusCode, answer.body).toBeLessThan(300);
  return answer.json<T>();
};
const offerOf = async (runId: number, query = '') =>
  (await as('viewer')('GET', `/api/runs/${runId}/resend${query}`)).json<{
    messages: number;
    byReason: object[];
  }>();
const resend = (runId: number, body: object = {}) => operator('POST', `/api/runs/${runId}/resend`, body);
async function resent(runId: number, body: object = {}): Promise<number> {
  const answer = await resend(runId, body);
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json<{ runId: number }>().runId;
}

/** Creates a finished run of ten messages, which failed for numbers that end with these digits. */
async function finishedRun(failing: string[], changes: object = {}) {
  await refuse(...failing);
  const campaignId = await createReadyCampaign(api, documentOf(catalog, changes), { lines: 10 });
  await post(`/api/campaigns/${campaignId}/enable`);
  const { runId } = await post<{ runId: number }>(`/api/campaigns/${campaignId}/run-now`);
  await runBecomes(runId, { status: 'finished' });
  await refuse();
  return { campaignId, runId };
}

describe('a resend', () => {
  test('has the region and the customer type of the original run', async () => {
    const make = async (path: string, name: string) =>
      (await as('admin')('POST', `/api/settings/${path}`, { name })).json<{ id: number }>().id;
    const regionId = await make('regions', 'Sul');
    const customerTypeId = await make('customer-types', 'Residencial');
    const mailing = { source: 'csv', sendingHoursId: catalog.hoursId, regionId, customerTypeId };
    const { campaignId, runId } = await finishedRun(['3'], { mailing });
    const { definition, version } = (await as('viewer')('GET', `/api/campaigns/${campaignId}`)).json<{
      definition: object;
      version: number;
    }>();
    const elsewhere = { ...mailing, regionId: await make('regions', 'Norte'), customerTypeId: null };
    const edited = { ...definition, mailing: elsewhere, version };
    expect((await operator('PUT', `/api/campaigns/${campaignId}`, edited)).statusCode).toBe(200);

    const again = await resent(runId);
    await runBecomes(again, { status: 'finished' });
    expect((await as('viewer')('GET', `/api/runs/${again}/messages`)).json()).toMatchObject({
      messages: [{ line: 5, regionId, regionName: 'Sul', customerTypeId, customerTypeName: 'Residencial' }],
    });
  });

  test('offers the number of messages first, then sends the frozen texts of the failed messages in a new run', async () => {
    const { campaignId, runId } = await finishedRun(['3', '7']);
    const offer = await offerOf(runId);
    expect(offer).toEqual({
      messages: 2,
      segments: 2,
      byReason: [{ status: 'failed', reason: 'number_invalid', messages: 2, segments: 2 }],
      unreachable: [{ reason: 'number_invalid', messages: 2 }],
      cost: { segments: 2, millionths: 0, unpriced: 2, currency: 'BRL' },
    });
    // An edit does not change the frozen texts.
    const { definition, version } = (await as('viewer')('GET', `/api/campaigns/${campaignId}`)).json<{
      definition: { message: object };
      version: number;
    }>();
    const edited = await operator('PUT', `/api/campaigns/${campaignId}`, {
      ...definition,
      message: { ...definition.message, template: 'Outro texto' },
      version,
    });
    expect(edited.statusCode).toBe(200);
    await operator('POST', `/api/campaigns/${campaignId}/disable`, {});

    const again = await resent(runId, { messages: 2 });
    await runBecomes(again, {
      trigger: 'resend',
      status: 'finished',
      resendOf: runId,
      resendScope: { includeUnknown: false, reasons: null, onlyReachable: false },
      preflight: { lines: 2, toSend: 2 },
      counts: { sent: 2 },
    });
    expect(await runOf(runId)).toMatchObject({ resends: [{ id: again, status: 'finished' }] });
    const { messages } = (await as('viewer')('GET', `/api/runs/${again}/messages`)).json<{
      messages: { line: number; text: string; resendOf: number }[];
    }>();
    expect(messages.map(({ line, text }) => [line, text])).toEqual([
      [5, 'Ola Maria 4, seu codigo é 4.'],
      [9, 'Ola Maria 8, seu codigo é 8.'],
    ]);
    const original = await as('viewer')('GET', `/api/messages/${messages[0]?.resendOf ?? 0}`);
    expect(original.json()).toMatchObject({ message: { runId, line: 5, status: 'failed' } });
    const log = await sql<{ details: object }[]>`
      select details from audit_log where action = 'run.resend' and subject_id = ${runId}`;
    expect(log).toMatchObject([{ details: { runId: again, messages: 2 } }]);

    // Neither run offers messages that the provider has accepted.
    for (const id of [runId, again]) {
      expect((await offerOf(id)).messages).toBe(0);
      const late = await resend(id);
      expect([late.statusCode, errorOf(late).code]).toEqual([409, 'nothing_to_resend']);
    }
  });

  test('requested concurrently sends no message twice', async () => {
    const { runId } = await finishedRun(['1', '2', '3']);
    const answers = await Promise.all([1, 2, 3].map(() => resend(runId)));
    const started = answers.filter(({ statusCode }) => statusCode === 201);
    expect(started.length).toBeGreaterThan(0);
    for (const answer of answers) expect([201, 409]).toContain(answer.statusCode);
    for (const answer of started)
      await runBecomes(answer.json<{ runId: number }>().runId, { status: 'finished' });
    const [row] = await sql<[{ messages: number; people: number }]>`
      select count(*)::int as messages, count(distinct phone)::int as people
      from messages where run_id in (select id from runs where resend_of = ${runId})`;
    expect(row).toEqual({ messages: 3, people: 3 });
  });

  test('that fails again can be resent from either run until it succeeds', async () => {
    const { runId } = await finishedRun(['4']);
    await refuse('4');
    const second = await resent(runId);
    await runBecomes(second, { status: 'finished', counts: { failed: 1 } });
    await refuse();
    expect((await offerOf(runId)).messages).toBe(1);
    expect((await offerOf(second)).messages).toBe(1);
    const third = await resent(second);
    await runBecomes(third, { status: 'finished', counts: { sent: 1 } });
    // Every resend refers to the first message, so no earlier run offers it again.
    expect((await offerOf(runId)).messages).toBe(0);
    expect((await offerOf(second)).messages).toBe(0);
  });

  test('corrects the resolution of the first ticket instead of opening a second one', async () => {
    const tickets = await createTicketCatalog(sql);
    const { runId } = await finishedRun(['3', '7'], { ticketPolicy: onSend(tickets) });
    const resolutions = async () =>
      (
        await sql<{ line: number; resolutionId: number }[]>`
          select m.line, t.resolution_id from tickets as t join messages as m on m.id = t.message_id
          where t.campaign_id = (select campaign_id from runs where id = ${runId}) order by m.line`
      ).map(({ resolutionId }) => resolutionId);
    const { solvedId: good, unsolvedId: bad } = tickets;
    expect(await resolutions()).toEqual([good, good, good, bad, good, good, good, bad, good, good]);
    await refuse('7');
    const again = await resent(runId);
    await runBecomes(again, { status: 'finished', counts: { sent: 1, failed: 1 } });
    expect(await resolutions()).toEqual([good, good, good, good, good, good, good, bad, good, good]);
    expect(
      await sql`
      select e.kind, e.changes from ticket_events as e join tickets as t on t.id = e.ticket_id
      where t.run_id = ${runId} and e.kind <> 'opened'`,
    ).toEqual([{ kind: 'receipt', changes: { resolutionId: [bad, good] } }]);
    // A reply to the resend joins that ticket, too, and its late receipt counts.
    const [message] = await sql<{ id: number; resendOf: number }[]>`
      select id, resend_of from messages where run_id = ${again} and status = 'sent'`;
    const inboundMessageId = await insertReply(sql, { messageId: message?.id ?? 0 });
    expect(await sql.begin((tx) => openReplyTicket(tx, { inboundMessageId }))).toMatchObject({
      opened: false,
    });
    await sql.begin(async (tx) => {
      await tx`update messages set status = 'undelivered' where id = ${message?.id ?? 0}`;
      await followReceipts(tx, [message?.id ?? 0]);
    });
    expect(await resolutions()).toEqual([good, good, good, bad, good, good, good, bad, good, good]);
  });

  test('excludes messages that the provider may have accepted, unless the user includes them', async () => {
    const { runId } = await finishedRun(['5']);
    await sql`update messages set status = 'sending', sender = 'gone#1' where run_id = ${runId} and line in (2, 3)`;
    await sql`update run_counts set messages = messages - 2, segments = segments - 2 where run_id = ${runId} and status = 'sent'`;
    await sql`insert into run_counts values (${runId}, 'queued', '', 2, 2)
      on conflict (run_id, status, reason) do update set messages = 2, segments = 2`;
    await closeStoppedSenders(sql, { runId, deduplicates: false });
    expect(await expectCountsToMatchRows(sql, runId)).toEqual({
      sent: 7,
      'failed: number_invalid': 1,
      'unknown: sender_died': 2,
    });
    expect((await offerOf(runId)).messages).toBe(1);
    expect(await offerOf(runId, '?includeUnknown=true')).toMatchObject({
      messages: 3,
      byReason: [
        { status: 'failed', messages: 1 },
        { status: 'unknown', reason: 'sender_died', messages: 2 },
      ],
    });
    expect((await offerOf(runId, '?includeUnknown=true&reasons=sender_died')).messages).toBe(2);
    const again = await resent(runId, { includeUnknown: true, reasons: ['sender_died'] });
    await runBecomes(again, { status: 'finished', counts: { sent: 2 } });
    expect((await offerOf(runId, '?includeUnknown=true')).messages).toBe(1);
  });

  test('excludes phones and customers that have opted out or refused meanwhile', async () => {
    const { runId } = await finishedRun(['1', '2', '3']);
    await sql`insert into opt_outs (phone, source) values ('+5511900000001', 'reply')`;
    const [customer] = await sql<{ id: number }[]>`
      insert into customers (name, mobile, consent) values ('Bia', '+5511900000002', 'refused') returning id`;
    await sql`update messages set customer_id = ${customer?.id ?? 0} where run_id = ${runId} and phone = '+5511900000002'`;
    const again = await resent(runId);
    await runBecomes(again, { status: 'finished' });
    expect(await expectCountsToMatchRows(sql, again)).toEqual({
      'skipped: opted_out': 1,
      'skipped: no_consent': 1,
      sent: 1,
    });
    await sql`delete from opt_outs`;
  });

  test('applies the current consent requirement of the deployment', async () => {
    await sql`delete from customers`;
    const { runId } = await finishedRun(['1', '2', '3']);
    // Meanwhile one phone belongs to a customer who refused, and one to a customer who granted consent.
    await sql`insert into customers (name, mobile, consent) values ('Caio', '+5511900000001', 'refused')`;
    await sql`insert into customers (name, phone2, consent) values ('Davi', '+5511900000003', 'granted')`;
    await savePrivacySettings(sql, privacySettings.parse({ consentRequired: true }));
    const again = await resent(runId);
    await runBecomes(again, { status: 'finished' });
    await savePrivacySettings(sql, privacySettings.parse({}));
    expect(await expectCountsToMatchRows(sql, again)).toEqual({ 'skipped: no_consent': 2, sent: 1 });
    // Without the requirement only the customer who refused is excluded.
    const third = await resent(runId);
    await runBecomes(third, { status: 'finished' });
    expect(await expectCountsToMatchRows(sql, third)).toEqual({ 'skipped: no_consent': 1, sent: 1 });
    await sql`delete from customers`;
  });

  test('is refused during a run, for a dry run, and when the number of messages has changed', async () => {
    const { campaignId, runId } = await finishedRun(['6']);
    const changed = await resend(runId, { messages: 5 });
    expect([changed.statusCode, errorOf(changed)]).toMatchObject([
      409,
      { code: 'resend_changed', params: { messages: 1, seen: 5 } },
    ]);
    const wrong = await resend(runId, { reasons: ['because'] });
    expect(wrong.statusCode).toBe(422);
    expect((await as('viewer')('POST', `/api/runs/${runId}/resend`, {})).statusCode).toBe(403);

    const { runId: dry } = await post<{ runId: number }>(`/api/campaigns/${campaignId}/dry-run`);
    await runBecomes(dry, { status: 'finished' });
    expect(errorOf(await resend(dry)).code).toBe('nothing_to_resend');

    const live = await createReadyCampaign(api, documentOf(catalog, { safeguards: { approval: true } }));
    await post(`/api/campaigns/${live}/enable`);
    const waiting = await post<{ runId: number }>(`/api/campaigns/${live}/run-now`);
    await runBecomes(waiting.runId, { step: 'approval' });
    const early = await resend(waiting.runId);
    expect([early.statusCode, errorOf(early).code]).toEqual([409, 'run_not_over']);
    await post(`/api/runs/${waiting.runId}/cancel`);
  });
});
