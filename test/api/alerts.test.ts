import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { insertUser } from '../../db/access/users.ts';
import { openAlertWebhook, openEmailSettings } from '../../db/alerts/channels.ts';
import { holdPhone } from '../../db/customers/opt-outs.ts';
import type { AlertKind } from '../../domain/alert.ts';
import { alertMail } from '../../domain/alert-message.ts';
import { createFormat } from '../../domain/format.ts';
import type { Role } from '../../domain/user.ts';
import { box, createApi, createCatalog, createRun, errorOf, publicUrl } from '../kit/api.ts';
import { openReplyTicket } from '../../db/tickets/opening.ts';
import { createTicketCatalog, insertReply, onReply } from '../kit/tickets.ts';
import { createHelpdeskServer, helpdeskSecret } from '../kit/helpdesk.ts';
import { createSmtpServer, smtpLogin } from '../kit/smtp.ts';
import { until } from '../kit/until.ts';
import { startWorkers } from '../kit/workers.ts';

/** Alerts reach users through a real SMTP server and a webhook, with shorter intervals than in a deployment. */
const api = await createApi();
const { as, sql, temporal } = api;
const admin = as('admin');
const catalog = await createCatalog(api);
const timing = { checkEveryMs: 100, gatherMs: 600, quietMs: 1_500, repeatMs: 4_000 };
await startWorkers({ ...api, box, publicUrl, sandboxUrl: 'http://127.0.0.1:1', alertTiming: timing });
const smtp = await createSmtpServer();
const email = {
  enabled: true,
  host: 'localhost',
  port: smtp.port,
  from: 'torpedo@example.com',
  user: smtpLogin.user,
};

const put = async (url: string, body: object) => {
  const answer = await admin('PUT', url, body);
  expect(answer.statusCode, answer.body).toBe(200);
};
const createUser = async (role: Role, changes: { locale?: string; timezone?: string } = {}) => {
  const login = `${role}-${Math.random().toString(36).slice(2)}`;
  const user = await insertUser(sql, {
    login,
    name: 'Bia',
    role,
    passwordHash: '',
    email: `${login}@example.com`,
  });
  if (Object.keys(changes).length > 0) await sql`update users set ${sql(changes)} where id = ${user.id}`;
  return { ...user, mails: () => smtp.received.filter(({ to }) => to === user.email) };
};
const newRun = async (status: 'paused' | 'failed', code: string, campaign?: string) => {
  const { runId } = await createRun(api, catalog, {
    phones: ['+5511900000001'],
    ...(campaign === undefined ? {} : { changes: { name: campaign } }),
  });
  await setStatus(runId, status, code);
  return runId;
};
const setStatus = (runId: number, status: string, code: string | null) => sql`
  update runs set status = ${status}, reason = ${code === null ? null : sql.json({ code, user: 'user:7' })} where id = ${runId}`;
const openAlerts = async (): Promise<string[]> =>
  (
    await sql<
      { kind: string; subject: string }[]
    >`select kind, subject from alerts where ended_at is null order by id`
  ).map(({ kind, subject }) => `${kind} ${subject}`);
const checkedTwice = async () => {
  // Waits for two complete check rounds.
  const [{ now }] = await sql<[{ now: Date }]>`select clock_timestamp() as now`;
  const runId = await newRun('failed', 'workflow_lost');
  await until('the alert is open', async () => (await openAlerts()).includes(`run_failed ${runId}`));
  await setStatus(runId, 'cancelled', null);
  await until('the alert has ended', async () => !(await openAlerts()).includes(`run_failed ${runId}`));
  return now;
};

const deliveriesTo = (userId: number, count: number) =>
  until('the deliveries are recorded', async () => {
    const rows = await sql<{ endedAt: Date }[]>`
      select ended_at from notifications where user_id = ${userId} and state = 'delivered' order by id`;
    return rows.length === count && rows;
  });

beforeEach(async () => {
  await sql`delete from alerts`;
  await sql`delete from notifications`;
  await sql`update runs set status = 'cancelled', reason = null`;
  await sql`update users set email = null`;
  await sql`delete from opt_outs`;
  await sql`delete from alert_webhook`;
  await put('/api/settings/email', { ...email, password: smtpLogin.password });
  await temporal.syncAlerts();
});

test('a stopped run causes one mail in the language and time zone of the user, with a link', async () => {
  const bia = await createUser('operator', { locale: 'en', timezone: 'America/Manaus' });
  const rui = await createUser('operator');
  const runId = await newRun('paused', 'threshold', 'Cobrança “março”');
  const mail = await until('the mail is there', () => bia.mails()[0]);
  expect(mail.subject).toBe(
    `[Torpedo] Run ${runId} of “Cobrança “março”” is paused: more messages failed or led to an opt-out than the campaign allows.`,
  );
  const [{ since }] = await sql<[{ since: Date }]>`select since from alerts`;
  expect(mail.text).toContain(`since ${createFormat('en', 'America/Manaus').dateTime(since)}`);
  expect(mail.text).toContain(`${publicUrl}/runs/${runId}`);
  const portuguese = await until('the other mail is there', () => rui.mails()[0]);
  expect(portuguese.subject).toContain(`A execução ${runId} de “Cobrança “março”” está pausada`);
  expect(portuguese.text).toContain('desde');
});

test('several alerts are combined into one mail, and later alerts wait for the next mail', async () => {
  const bia = await createUser('operator');
  const runIds = [await newRun('failed', 'mailing_refused'), await newRun('failed', 'webservice_refused')];
  runIds.push(await newRun('paused', 'reached_nobody'));
  const mail = await until('the mail is there', () => bia.mails()[0]);
  expect(mail.subject).toBe('[Torpedo] 3 itens precisam da sua atenção');
  for (const runId of runIds) expect(mail.text).toContain(`/runs/${runId}\n`);
  const later = [await newRun('failed', 'fault'), await newRun('failed', 'fault')];
  const second = await until('the second mail is there', () => bia.mails()[1]);
  for (const runId of later) expect(second.text).toContain(`/runs/${runId}\n`);
  for (const runId of runIds) expect(second.text).not.toContain(`/runs/${runId}\n`);
  const rows = await deliveriesTo(bia.id, 2);
  const [first, next] = rows.map(({ endedAt }) => endedAt.getTime());
  expect((next ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(timing.quietMs);
});

test('no mail is sent for an alert that ends before the mail, or for a run that a user paused', async () => {
  const bia = await createUser('operator');
  const mine = await newRun('paused', 'by_user');
  const short = await newRun('failed', 'fault');
  await until('both alerts are open', async () => (await openAlerts()).length === 2);
  await setStatus(short, 'running', null);
  const reported = await newRun('failed', 'workflow_lost');
  const mail = await until('the mail is there', () => bia.mails()[0]);
  expect(mail.text).toContain(`/runs/${reported}\n`);
  expect(mail.text).not.toContain(`/runs/${short}\n`);
  expect(mail.text).not.toContain(`/runs/${mine}\n`);
  expect(bia.mails()).toHaveLength(1);
});

test('a recurring alert is mailed again only after the repeat interval', async () => {
  const bia = await createUser('operator');
  const runId = await newRun('paused', 'provider_account');
  await until('the first mail is there', () => bia.mails().length === 1);
  for (let round = 0; round < 3; round++) {
    await setStatus(runId, 'running', null);
    await until('the alert has ended', async () => (await openAlerts()).length === 0);
    await setStatus(runId, 'paused', 'provider_account');
    await until('the alert is open again', async () => (await openAlerts()).length > 0);
  }
  await until('the second mail is there', () => bia.mails().length === 2);
  const rows = await deliveriesTo(bia.id, 2);
  const [first, next] = rows.map(({ endedAt }) => endedAt.getTime());
  expect((next ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(timing.repeatMs);
});

test('a run that was not executed is reported until an operator has seen it', async () => {
  const bia = await createUser('operator');
  const newSkipped = async () => {
    const { runId, campaignId } = await createRun(api, catalog, { phones: ['+5511900000001'] });
    await sql`update campaigns set enabled = true where id = ${campaignId}`;
    await sql`
      update runs set status = 'skipped', reason = '{"code": "beyond_grace", "lateMs": 2, "graceMs": 1}', finished_at = now() where id = ${runId}`;
    await until('the alert is open', async () => (await openAlerts()).includes(`run_not_executed ${runId}`));
    return runId;
  };
  const see = async (runId: number) => {
    expect((await as('operator')('POST', `/api/runs/${runId}/seen`)).statusCode).toBe(200);
    // Immediately, so that the next page no longer counts it.
    expect(await openAlerts()).not.toContain(`run_not_executed ${runId}`);
  };
  const reported = await newSkipped();
  const mail = await until('the mail is there', () => bia.mails()[0]);
  expect(mail.text).toContain(`/runs/${reported}\n`);
  await see(reported);

  // A run whose mail is still waiting for the server.
  await smtp.down();
  const waiting = await newSkipped();
  await until('its mail was attempted', async () => {
    const tried = await sql`
      select from notifications where user_id = ${bia.id} and state = 'waiting' and attempts > 0`;
    return tried.count > 0;
  });
  await see(waiting);
  const failed = await newRun('failed', 'fault');
  await smtp.up();
  const next = await until('the next mail is there', () => bia.mails()[1]);
  expect(next.text).toContain(`/runs/${failed}\n`);
  for (const runId of [reported, waiting]) expect(next.text).not.toContain(`/runs/${runId}\n`);
  expect(await openAlerts()).toEqual([`run_failed ${failed}`]);
  await sql`update campaigns set enabled = false`;
});

describe('a rejected mail', () => {
  test('is retried once the server is back, with the alerts that are open then', async () => {
    await smtp.down();
    const bia = await createUser('operator');
    const first = await newRun('failed', 'fault');
    await until('the mail was attempted', async () => {
      const [row] = await sql<
        { attempts: number }[]
      >`select attempts from notifications where user_id = ${bia.id}`;
      return row !== undefined && row.attempts > 0;
    });
    await until('the problem of the mail is shown', async () => {
      const shown = await admin('GET', '/api/settings/alerts/undelivered');
      return shown.json<{ problem: { code: string } | null }>().problem?.code === 'connection_refused';
    });
    await until('the end of the retries is known', async () => {
      const rows = await sql`
        select from retries where activity = 'deliverNotification' and gives_up_at > now() + interval '23 hours'`;
      return rows.count > 0;
    });
    await setStatus(first, 'cancelled', null);
    const second = await newRun('failed', 'fault');
    await until(
      'only the second alert is open',
      async () => (await openAlerts()).join() === `run_failed ${second}`,
    );
    await smtp.up();
    const mail = await until('the mail is there', () => bia.mails()[0]);
    expect(mail.text).toContain(`/runs/${second}\n`);
    expect(mail.text).not.toContain(`/runs/${first}\n`);
  });

  test('is retried after a greylisting response (451)', async () => {
    const bia = await createUser('operator');
    let refused = 0;
    smtp.behavior.recipient = () => (refused++ === 0 ? 451 : null);
    await newRun('failed', 'fault');
    await until('the mail is there', () => bia.mails()[0]);
    expect(refused).toBe(2);
    smtp.behavior.recipient = () => null;
  });

  test('is not retried when its address does not exist', async () => {
    const bia = await createUser('operator');
    const rui = await createUser('operator');
    smtp.behavior.recipient = (address) => (address === bia.email ? 550 : null);
    await newRun('failed', 'fault');
    await until('the other mail is there', () => rui.mails()[0]);
    const state = () => sql`select from notifications where user_id = ${bia.id} and state = 'failed'`;
    await until('the mail has failed', async () => (await state()).count === 1);
    await checkedTwice();
    expect((await sql`select from notifications where user_id = ${bia.id}`).count).toBe(1);
    smtp.behavior.recipient = () => null;
  });

  test('that the server accepted before the connection dropped is sent twice with the same id', async () => {
    const bia = await createUser('operator');
    let drops = 1;
    smtp.behavior.dropAfterData = () => drops-- > 0;
    await newRun('failed', 'fault');
    await until('the mail has arrived twice', () => bia.mails().length === 2);
    smtp.behavior.dropAfterData = () => false;
    const [one, two] = bia.mails();
    expect(one?.messageId).toBe(two?.messageId);
  });
});

test('a notification whose workflow is lost is delivered again', async () => {
  const bia = await createUser('operator');
  await newRun('failed', 'fault');
  await deliveriesTo(bia.id, 1);
  // The state after a worker or the Temporal server stopped during the delivery.
  await sql`
    update notifications set state = 'waiting', ended_at = null, begun_at = now() - interval '1 hour' where user_id = ${bia.id}`;
  await sql`delete from notification_alerts`;
  await until('the mail arrives again', () => bia.mails().length === 2);
});

describe('the choice of alerts', () => {
  test('is set by role and by each user', async () => {
    const boss = await createUser('admin');
    const bia = await createUser('operator');
    const reader = await createUser('viewer');
    await put('/api/settings/alerts', {
      admin: ['holds'],
      operator: ['holds', 'run_failed'],
      agent: [],
      viewer: ['holds'],
    });
    await sql`update users set alert_choices = '{"holds": false}' where id = ${bia.id}`;
    const runId = await newRun('failed', 'fault');
    await holdPhone(sql, { phone: '+5511900000077', source: 'reply', inboundMessageId: null });
    const toBoss = await until('the admin has the mail', () => boss.mails()[0]);
    expect(toBoss.subject).toContain('1 descadastro provável espera uma decisão');
    expect(toBoss.text).not.toContain(`/runs/${runId}`);
    expect((await until('the viewer has the mail', () => reader.mails()[0])).subject).toBe(toBoss.subject);
    const toBia = await until('the operator has the mail', () => bia.mails()[0]);
    expect(toBia.text).toContain(`/runs/${runId}`);
    expect(toBia.text).not.toContain('descadastro');
    await put('/api/settings/alerts', {});
  });
});

test('the webhook receives the same alerts as the mails, signed, and is retried until it accepts them', async () => {
  const hook = await createHelpdeskServer();
  const seen: { text: string; alerts: { kind: AlertKind; url: string }[]; verified: boolean }[] = [];
  let refusals = 2;
  hook.answer = (post) => {
    const { text, alerts } = post as unknown as (typeof seen)[number];
    seen.push({ text, alerts, verified: post.verified });
    return refusals-- > 0 ? 503 : 204;
  };
  await put('/api/settings/alert-webhook', {
    enabled: true,
    url: hook.url,
    secret: helpdeskSecret,
    locale: 'en',
  });
  const runId = await newRun('failed', 'fault');
  await until('the webhook has accepted it', () => seen.length === 3);
  expect(seen.every(({ verified }) => verified)).toBe(true);
  expect(seen.at(-1)?.text).toContain(`Run ${runId} of`);
  expect(seen.at(-1)?.alerts).toMatchObject([{ kind: 'run_failed', url: `${publicUrl}/runs/${runId}` }]);
});

test('a test mail or webhook call reports what went wrong', async () => {
  const mail = () =>
    admin('POST', '/api/settings/email/test', { to: 'quem@example.com' }, { 'accept-language': 'en' });
  const problemOf = async (answer: ReturnType<typeof mail>) => errorOf(await answer).problems?.[0];
  expect((await mail()).statusCode).toBe(204);
  expect(smtp.received.at(-1)).toMatchObject({ to: 'quem@example.com', subject: '[Torpedo] Test e-mail' });
  await put('/api/settings/email', { ...email, password: 'errada' });
  expect(await problemOf(mail())).toMatchObject({
    field: '',
    code: 'smtp_login_refused',
    message: expect.stringContaining('Check the user and the password') as string,
  });
  await sql`delete from email_settings`;
  expect((await problemOf(mail()))?.code).toBe('email_off');

  const post = () => admin('POST', '/api/settings/alert-webhook/test');
  expect((await problemOf(post()))?.code).toBe('webhook_off');
  await put('/api/settings/alert-webhook', { url: 'http://127.0.0.1:1/', secret: helpdeskSecret });
  expect((await problemOf(post()))?.code).toBe('connection_refused');
});

test('the password of the e-mail server is sealed, never shown, and bound to its server', async () => {
  const [{ secrets }] = await sql<[{ secrets: string }]>`select secrets from email_settings`;
  expect(secrets).not.toContain(smtpLogin.password);
  const shown = await admin('GET', '/api/settings/email');
  expect(shown.body).not.toContain(smtpLogin.password);
  await put('/api/settings/email', { ...email, from: 'outro@example.com' });
  expect(await openEmailSettings(sql, box)).toMatchObject({
    from: 'outro@example.com',
    password: smtpLogin.password,
  });
  for (const changes of [{ host: 'evil.example' }, { user: 'outro' }, { security: 'none' }, { port: 2525 }]) {
    const refused = await admin('PUT', '/api/settings/email', { ...email, ...changes });
    expect(errorOf(refused).problems).toMatchObject([{ field: 'password', code: 'enter_again' }]);
  }
  await put('/api/settings/alert-webhook', { url: 'https://a.example/', secret: helpdeskSecret });
  const moved = await admin('PUT', '/api/settings/alert-webhook', { url: 'https://b.example/' });
  expect(errorOf(moved).problems).toMatchObject([{ field: 'secret', code: 'enter_again' }]);
  expect(await openAlertWebhook(sql, box)).toMatchObject({ url: 'https://a.example/' });
});

test('an overdue first answer of a ticket alerts agents', async () => {
  const settings = await createTicketCatalog(sql);
  const { messageIds } = await createRun(api, catalog, { changes: { ticketPolicy: onReply(settings) } });
  const inboundMessageId = await insertReply(sql, { messageId: messageIds[0] ?? 0, text: 'Sim' });
  const ticketId = (await sql.begin((tx) => openReplyTicket(tx, { inboundMessageId })))?.ticketId ?? 0;
  await sql`update tickets set answer_due_at = now() - interval '1 minute' where id = ${ticketId}`;
  const bia = await createUser('agent');
  const mail = await until('the mail is there', () => bia.mails()[0]);
  expect(mail.text).toContain(`${publicUrl}/tickets/${ticketId}`);
  await sql`update tickets set first_answered_at = now() where id = ${ticketId}`;
  await until('the alert has ended', async () => (await openAlerts()).length === 0);
});

test('open alerts are listed for every role', async () => {
  const runId = await newRun('failed', 'fault');
  await until('the alert is open', async () => (await openAlerts()).length === 1);
  const list = await as('viewer')('GET', '/api/alerts', undefined, { 'accept-language': 'pt-BR' });
  expect(list.json()).toMatchObject({
    alerts: [
      {
        kind: 'run_failed',
        subject: String(runId),
        page: `/runs/${runId}`,
        words: expect.stringContaining('a etapa “Envio” falhou') as string,
      },
    ],
  });
});

test('a campaign name cannot inject text into an alert mail', () => {
  const format = createFormat('pt-BR', 'America/Sao_Paulo');
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 40 }), (names) => {
      const mail = alertMail(
        names.map((campaign, index) => ({
          id: index,
          kind: 'run_failed',
          subject: String(index),
          // Values that a reason quotes are not part of the sentence.
          facts: {
            run: index,
            campaign,
            code: 'mailing_refused',
            step: 'mailing',
            params: { found: '+5511987654321' },
          },
          since: new Date(0),
        })),
        { name: 'Ana', format, publicUrl, company: '' },
      );
      expect(mail.text).not.toContain('987654321');
      expect(mail.text.match(/^• /gm)?.length ?? 0).toBeLessThanOrEqual(
        30 + names.join('').split('\n').length,
      );
    }),
  );
});
