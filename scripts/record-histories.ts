import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import {
  alertsWorkflowId,
  answerWorkflowId,
  campaignWorkflowId,
  housekeepingScheduleId,
  lookUpsScheduleId,
  notificationWorkflowId,
  reportsScheduleId,
  type RunKey,
  runWorkflowId,
  replyWorkflowId,
  taskQueue,
  ticketPostsWorkflowId,
} from '../domain/ids.ts';
import { runTriggers } from '../domain/run.ts';
import { requireTemporalBinary } from '../embedded/temporal.ts';
import { generateMailing } from '../examples/make-mailing.ts';
import { type ApiClient, claimFirstAdmin } from './api-client.ts';
import { createCampaign, createSandboxProvider, createSendingHours } from './first-campaign.ts';
import { callSandbox } from './sandbox-client.ts';
import { startSystem } from './system.ts';
import { until } from './until.ts';

/**
 * `npm run record-histories`: runs every kind of campaign and run on the real system, and stores the histories in
 * test/histories, where test/system/replay.test.ts replays them with the present workflows. Record again only before a
 * release: histories of released workflows must stay.
 */
const folder = new URL('../test/histories/', import.meta.url);
const root = fileURLToPath(new URL('../', import.meta.url));

const runsShape = z.object({
  runs: z.array(
    z.object({
      id: z.int(),
      campaignId: z.int(),
      status: z.string(),
      step: z.string(),
      occurrence: z.coerce.date(),
      trigger: z.enum(runTriggers),
    }),
  ),
});
const phonesShape = z.object({
  messages: z.array(z.object({ phone: z.string().nullable(), status: z.string() })),
});
const repliesShape = z.object({
  replies: z.array(
    z.object({
      id: z.int(),
      text: z.string(),
      effect: z.string().nullable(),
      ticketId: z.int().nullable(),
    }),
  ),
});
const answersShape = z.object({ answers: z.array(z.object({ id: z.int(), status: z.string() })) });
const idShape = z.object({ id: z.int() });
const startedShape = z.object({ runId: z.int() });
const documentShape = z.object({
  definition: z.looseObject({ schedule: z.looseObject({}) }),
  version: z.int(),
});

const dataDir = await mkdtemp(join(tmpdir(), 'torpedo-histories-'));
const system = await startSystem({
  dataDir,
  ports: { api: 0, postgres: 0, temporal: 0, temporalUi: 0, sandbox: 0 },
  environment: { LOG_LEVEL: 'error' },
  example: false,
  log: console.log,
});
try {
  if (!system.firstAdmin) throw new Error('A new data folder has a first admin.');
  const api = await claimFirstAdmin(system.apiUrl, system.firstAdmin);
  const temporal = await requireTemporalBinary(console.log);
  await mkdir(folder, { recursive: true });
  /** The workflow id of the round that a schedule has just run. */
  const firstRound = async (scheduleId: string): Promise<string> => {
    const connection = await Connection.connect({ address: system.temporalAddress });
    try {
      const { info } = await new Client({ connection }).schedule.getHandle(scheduleId).describe();
      const [first] = info.recentActions;
      if (first?.action.type !== 'startWorkflow') throw new Error(`${scheduleId} has run nothing.`);
      return first.action.workflow.workflowId;
    } finally {
      await connection.close();
    }
  };
  /** Returns the history, too. */
  const keep = async (name: string, workflowId: string): Promise<string> => {
    const { stdout } = await promisify(execFile)(
      temporal,
      [
        'workflow',
        'show',
        '--workflow-id',
        workflowId,
        '--output',
        'json',
        '--address',
        system.temporalAddress,
      ],
      { maxBuffer: 64 * 1024 * 1024 },
    );
    // The identities of the client and worker are private, and not needed for a replay.
    const text = stdout
      .trim()
      .replaceAll(/\d+@[\w.-]+/g, '1@host')
      .replaceAll(root, '/torpedo/');
    await writeFile(new URL(`${name}.json`, folder), `${text}\n`);
    console.log(`Recorded ${name}.`);
    return text;
  };

  const fast = await createSandboxProvider(api, system.sandbox, null);
  const always = await createSendingHours(api, 'Always');
  const slow = await createSandboxProvider(api, system.sandbox, 20, 'Slow');

  const streamed = await prepare(api, {
    name: 'Streamed',
    providerId: fast,
    sendingHoursId: always,
    lines: 1000,
  });
  const finished = await runNow(api, streamed);
  await ended(api, streamed, finished.id);
  await keep('run-streamed', runWorkflowId(finished));

  const small = await prepare(api, { name: 'Small', providerId: fast, sendingHoursId: always, lines: 20 });
  const single = await runNow(api, small);
  await ended(api, small, single.id);
  await keep('run-one-by-one', runWorkflowId(single));

  const { messages } = phonesShape.parse(await api.call('GET', `/api/runs/${single.id}/messages`));
  const answering = messages.find(wasTaken);
  await api.call('PUT', '/api/settings/automatic-texts', { help: 'Call us.' });
  for (const [name, body] of [
    ['reply-kept', 'Obrigado!'],
    ['reply-answered', 'AJUDA'],
    ['reply-opt-out', 'SAIR'],
  ] as const) {
    await answer(answering?.phone ?? '', body);
    const reply = await handledReply(api, single.id, body);
    const history = await keep(name, replyWorkflowId(reply.id));
    if (name !== 'reply-answered') continue;
    // Only the reply's workflow names its automatic text.
    const [text] = /reply\/\d+\/answer\/\d+/.exec(history) ?? [];
    if (text === undefined) throw new Error('The reply has no automatic text.');
    await sleep(1_000);
    await keep('answer-automatic', text);
  }

  const asked = await prepare(api, {
    name: 'Asked',
    providerId: fast,
    sendingHoursId: always,
    lines: 20,
    ticketPolicy: await ticketsOnReply(api),
  });
  const asking = await runNow(api, asked);
  await ended(api, asked, asking.id);
  const { messages: written } = phonesShape.parse(await api.call('GET', `/api/runs/${asking.id}/messages`));
  await answer(written.find(wasTaken)?.phone ?? '', 'Quero falar');
  const opening = await handledReply(api, asking.id, 'Quero falar');
  await keep('reply-ticket', replyWorkflowId(opening.id));
  const ticketId = opening.ticketId ?? 0;
  await api.call('POST', `/api/tickets/${ticketId}/answers`, { text: 'Pode falar.' });
  const answered = await until(async () =>
    answersShape
      .parse(await api.call('GET', `/api/tickets/${ticketId}/answers`))
      .answers.find(({ status }) => status === 'sent' || status === 'delivered'),
  );
  await sleep(1_000);
  await keep('answer', answerWorkflowId({ id: answered.id, ticketId, inboundMessageId: null }));

  const paused = await prepare(api, { name: 'Paused', providerId: slow, sendingHoursId: always, lines: 300 });
  const first = await runNow(api, paused);
  await until(async () => ((await countsOf(api, first.id)).sent ?? 0) > 0 || undefined);
  await api.call('POST', `/api/runs/${first.id}/pause`);
  // Due while the first one is pending: skipped.
  await due(api, paused, 2_000);
  const skipped = await until(async () =>
    (await runsOf(api, paused)).find(({ trigger, status }) => trigger === 'schedule' && status === 'skipped'),
  );
  await keep('run-skipped', runWorkflowId(skipped));
  await api.call('POST', `/api/runs/${first.id}/resume`);
  await api.call('POST', `/api/runs/${first.id}/cancel`);
  await ended(api, paused, first.id);
  await keep('run-paused-resumed-cancelled', runWorkflowId(first));
  await keep('campaign-after-an-occurrence', campaignWorkflowId(paused));
  await api.call('POST', `/api/campaigns/${paused}/disable`, {});
  await keep('campaign-run-now', campaignWorkflowId(streamed));

  const tried = startedShape.parse(await api.call('POST', `/api/campaigns/${small}/dry-run`)).runId;
  await ended(api, small, tried);
  await keep('run-dry', runWorkflowId(await runOf(api, small, tried)));
  await keep('campaign-dry-run', campaignWorkflowId(small));

  const careful = await prepare(api, {
    name: 'Careful',
    providerId: slow,
    sendingHoursId: always,
    lines: 300,
    safeguards: { approval: true, canarySize: 20, canaryMinutes: 0, stopAtPercent: 20 },
  });
  await faults({ refuse: ['1', '3', '5', '7', '9'].map((endsWith) => ({ endsWith, code: 21211 })) });
  const approved = await runNow(api, careful);
  await becomes(api, careful, approved.id, { step: 'approval' });
  await api.call('POST', `/api/runs/${approved.id}/approve`);
  await becomes(api, careful, approved.id, { status: 'paused' });
  await faults({});
  await api.call('POST', `/api/runs/${approved.id}/resume`);
  await ended(api, careful, approved.id);
  await keep('run-approved-stopped-resumed', runWorkflowId(approved));

  const again = startedShape.parse(await api.call('POST', `/api/runs/${approved.id}/resend`, {})).runId;
  await becomes(api, careful, again, { step: 'approval' });
  await api.call('POST', `/api/runs/${again}/approve`);
  await ended(api, careful, again);
  await keep('run-resend', runWorkflowId(await runOf(api, careful, again)));

  const closed = await prepare(api, {
    name: 'Never open',
    providerId: fast,
    sendingHoursId: await neverOpenHours(api),
    lines: 20,
    holidayCalendarId: await everyMonday(api),
  });
  const failed = await runNow(api, closed);
  await ended(api, closed, failed.id);
  await keep('run-failed', runWorkflowId(failed));

  const account = { ...system.sandbox, authToken: 'another' };
  const refused = await createSandboxProvider(api, account, null, 'Refused');
  await api.call('PUT', `/api/providers/${refused}/fallback`, { fallbackId: fast });
  const relieved = await prepare(api, {
    name: 'Relieved',
    providerId: refused,
    sendingHoursId: always,
    lines: 300,
  });
  const over = await runNow(api, relieved);
  await ended(api, relieved, over.id);
  await keep('run-failed-over', runWorkflowId(over));
  await keep('look-ups', await firstRound(lookUpsScheduleId(taskQueue)));
  await keep('reports', await firstRound(reportsScheduleId(taskQueue)));
  await keep('housekeeping', await firstRound(housekeepingScheduleId(taskQueue)));

  // Enabled and disabled: no server listens there, and a slice that is cut short has all the commands.
  const posting = { url: 'http://127.0.0.1:9', events: ['opened'], secret: 'x'.repeat(24) };
  await api.call('PUT', '/api/settings/ticket-posting', { enabled: true, ...posting });
  const ticketed = await prepare(api, {
    name: 'Ticketed',
    providerId: fast,
    sendingHoursId: always,
    lines: 300,
    ticketPolicy: await ticketsOnSend(api),
  });
  const opened = await runNow(api, ticketed);
  await ended(api, ticketed, opened.id);
  await keep('run-tickets-on-send', runWorkflowId(opened));
  await api.call('PUT', '/api/settings/ticket-posting', { enabled: false, ...posting });
  await sleep(2_000);
  await keep('ticket-posts', ticketPostsWorkflowId(taskQueue));

  await keep('notification', notificationWorkflowId(taskQueue, await queueNotification(api)));
  await keep('alerts', alertsWorkflowId(taskQueue));
} finally {
  await system.stop();
  await rm(dataDir, { recursive: true, force: true });
}

/** A message to a user whose mail server refuses it: an alert waits for minutes, a password reset does not. */
async function queueNotification(api: ApiClient): Promise<number> {
  const email = { enabled: true, host: '127.0.0.1', port: 9, security: 'none', from: 'a@example.com' };
  await api.call('PUT', '/api/settings/email', email);
  await api.call('PATCH', '/api/session', { email: 'a@example.com' });
  await api.call('POST', '/api/password-resets', { login: 'admin' });
  await sleep(3_000);
  // Switched off, the next attempt ends the message.
  await api.call('PUT', '/api/settings/email', { ...email, enabled: false });
  await sleep(10_000);
  return 1;
}

/** A virtual phone of the sandbox answers the sender of its message. */
async function answer(from: string, body: string): Promise<void> {
  await callSandbox(system, 'POST', 'replies', { from, body });
}

async function prepare(
  api: ApiClient,
  campaign: {
    name: string;
    providerId: number;
    sendingHoursId: number;
    lines: number;
    holidayCalendarId?: number;
    safeguards?: object;
    ticketPolicy?: object;
  },
): Promise<number> {
  const id = await createCampaign(api, { ...campaign, startsAt: '2099-01-01T09:00' });
  await api.upload(
    `/api/campaigns/${id}/mailing/file`,
    Buffer.from([...generateMailing(campaign.lines, 1)].join('')),
  );
  if (campaign.holidayCalendarId !== undefined)
    await schedule(api, id, { holidayCalendarId: campaign.holidayCalendarId });
  if (campaign.safeguards !== undefined) await change(api, id, { safeguards: campaign.safeguards });
  if (campaign.ticketPolicy !== undefined) await change(api, id, { ticketPolicy: campaign.ticketPolicy });
  await api.call('POST', `/api/campaigns/${id}/enable`, {});
  return id;
}

async function schedule(api: ApiClient, id: number, changed: Record<string, unknown>): Promise<void> {
  const { definition } = documentShape.parse(await api.call('GET', `/api/campaigns/${id}`));
  await change(api, id, { schedule: { ...definition.schedule, ...changed } });
}

async function change(api: ApiClient, id: number, blocks: Record<string, unknown>): Promise<void> {
  const { definition, version } = documentShape.parse(await api.call('GET', `/api/campaigns/${id}`));
  await api.call('PUT', `/api/campaigns/${id}`, { ...definition, ...blocks, version });
}

/** Makes the campaign due after this time, in UTC. */
function due(api: ApiClient, id: number, inMs: number): Promise<void> {
  return schedule(api, id, {
    timezone: 'UTC',
    startsAt: new Date(Date.now() + inMs).toISOString().slice(0, 19),
  });
}

async function runNow(api: ApiClient, campaignId: number): Promise<{ id: number } & RunKey> {
  const { runId } = startedShape.parse(await api.call('POST', `/api/campaigns/${campaignId}/run-now`));
  return runOf(api, campaignId, runId);
}

async function runOf(api: ApiClient, campaignId: number, runId: number) {
  const run = (await runsOf(api, campaignId)).find(({ id }) => id === runId);
  if (!run) throw new Error(`There is no run ${runId}.`);
  return run;
}

/** Waits until a run has this step or status. */
function becomes(
  api: ApiClient,
  campaignId: number,
  runId: number,
  wanted: { step?: string; status?: string },
) {
  return until(async () => {
    const { step, status } = await runOf(api, campaignId, runId);
    return (wanted.step ?? step) === step && (wanted.status ?? status) === status ? true : undefined;
  });
}

/** The faults of the gateway from the next message on. */
async function faults(wanted: object): Promise<void> {
  await callSandbox(system, 'PUT', 'faults', wanted);
}

async function runsOf(api: ApiClient, campaignId: number) {
  return runsShape.parse(await api.call('GET', `/api/runs?campaignId=${campaignId}`)).runs;
}

async function countsOf(api: ApiClient, runId: number): Promise<Record<string, number>> {
  const progress = await api.call('GET', `/api/runs/${runId}/progress`);
  return z.object({ counts: z.record(z.string(), z.int()) }).parse(progress).counts;
}

/** Waits until a run is over, and briefly for its workflow to end. */
async function ended(api: ApiClient, campaignId: number, runId: number): Promise<void> {
  await until(async () =>
    (await runsOf(api, campaignId)).find(
      ({ id, status }) => id === runId && !['running', 'paused', 'cancelling'].includes(status),
    ),
  );
  await sleep(1_000);
}

/** By the provider: its phone can reply. */
function wasTaken({ status }: { status: string }): boolean {
  return ['sent', 'delivered', 'undelivered'].includes(status);
}

/** The reply of a run with this text, once it has been handled. */
function handledReply(api: ApiClient, runId: number, body: string) {
  return until(async () =>
    repliesShape
      .parse(await api.call('GET', `/api/replies?runId=${runId}`))
      .replies.find(({ text, effect }) => text === body && effect !== null),
  );
}

/** Policies from the initial settings of a new deployment. */
async function ticketsOnReply(api: ApiClient): Promise<object> {
  return { ...(await ticketTarget(api)), when: 'on_reply' };
}

async function ticketsOnSend(api: ApiClient): Promise<object> {
  const resolutionId = (await firstEntry(api, 'resolutions')).id;
  return {
    ...(await ticketTarget(api)),
    when: 'on_send',
    resolutionOnSuccessId: resolutionId,
    resolutionOnFailureId: resolutionId,
  };
}

async function ticketTarget(api: ApiClient): Promise<object> {
  const subcategory = await firstEntry(api, 'subcategories');
  return {
    departmentId: (await firstEntry(api, 'departments')).id,
    assigneeId: (await firstEntry(api, 'assignees')).id,
    categoryId: subcategory.definition['categoryId'],
    subcategoryId: subcategory.id,
  };
}

async function firstEntry(api: ApiClient, kind: string) {
  const { entries } = z
    .object({ entries: z.array(z.looseObject({ id: z.int(), definition: z.looseObject({}) })) })
    .parse(await api.call('GET', `/api/settings/${kind}`));
  const [entry] = entries;
  if (!entry) throw new Error(`There are no ${kind}.`);
  return entry;
}

async function neverOpenHours(api: ApiClient): Promise<number> {
  const hours = await api.call('POST', '/api/settings/sending-hours', {
    name: 'Mondays',
    definition: { timezone: 'UTC', windows: [{ days: ['monday'], from: '00:00', to: '24:00' }] },
  });
  return idShape.parse(hours).id;
}

async function everyMonday(api: ApiClient): Promise<number> {
  const weekMs = 7 * 24 * 3_600_000;
  const today = new Date();
  const monday = today.getTime() - ((today.getUTCDay() + 6) % 7) * 24 * 3_600_000;
  const holidays = Array.from({ length: 56 }, (_, week) => ({
    date: new Date(monday + week * weekMs).toISOString().slice(0, 10),
    name: 'Closed',
  }));
  return idShape.parse(
    await api.call('POST', '/api/settings/holiday-calendars', { name: 'Mondays', definition: { holidays } }),
  ).id;
}
