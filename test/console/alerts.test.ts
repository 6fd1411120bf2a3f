import { beforeEach, describe, expect, test } from 'vitest';
import { endAlert, listOpenAlerts, recordConditions } from '../../db/alerts/alerts.ts';
import { presentConditions } from '../../db/alerts/conditions.ts';
import { recordFailedAttempt } from '../../db/core/retries.ts';
import { holdPhone } from '../../db/customers/opt-outs.ts';
import { openReplyTicket } from '../../db/tickets/opening.ts';
import type { AlertKind } from '../../domain/alert.ts';
import { notificationWorkflowId } from '../../domain/ids.ts';
import { defaultTimezone } from '../../domain/calendar.ts';
import type { Locale } from '../../domain/user.ts';
import { createCatalog, createRun } from '../kit/api.ts';
import { createConsole, languages, textOf } from '../kit/console.ts';
import { createSmtpServer, smtpLogin } from '../kit/smtp.ts';
import { createTicketCatalog, insertReply, onReply } from '../kit/tickets.ts';

const ui = await createConsole();
const { sql } = ui;
const admin = await ui.signIn('admin');
const operator = await ui.signIn('operator');
const agent = await ui.signIn('agent');
const viewer = await ui.signIn('viewer');
const catalog = await createCatalog(ui);
const { runId } = await createRun(ui, catalog);
const smtp = await createSmtpServer();
const inLanguage = (cookie: string, locale: Locale) => ({ cookie: `${cookie}; torpedo-language=${locale}` });
const server = {
  enabled: 'on',
  host: 'localhost',
  port: String(smtp.port),
  security: 'starttls',
  verifyCertificate: 'on',
  user: smtpLogin.user,
  password: smtpLogin.password,
  from: 'torpedo@example.com',
  fromName: 'Torpedo',
};

beforeEach(async () => {
  await sql`delete from email_settings`;
  await sql`delete from alert_webhook`;
  await recordConditions(sql, { asOf: new Date(), found: [] });
});

test('an alert that a user ends while conditions are read is not opened again by that check', async () => {
  const open = async () => (await listOpenAlerts(sql, ['holds'], { limit: 5 })).length;
  const held = { kind: 'holds', subject: '', facts: { phones: 2 } } as const;
  await recordConditions(sql, { asOf: new Date(), found: [held] });
  const asOf = new Date();
  await endAlert(sql, held.kind, held.subject);
  await recordConditions(sql, { asOf, found: [held] });
  expect(await open()).toBe(0);
  await recordConditions(sql, { asOf: new Date(Date.now() + 1_000), found: [held] });
  expect(await open()).toBe(1);
});

test('a run that is marked as seen is no longer counted or listed', async () => {
  const { runId: skipped, campaignId } = await createRun(ui, catalog);
  await sql`update campaigns set enabled = true where id = ${campaignId}`;
  await sql`
    update runs set status = 'skipped', reason = '{"code": "beyond_grace", "lateMs": 2, "graceMs": 1}', occurrence = now(), finished_at = now()
    where id = ${skipped}`;
  const refresh = async () => {
    const { asOf, found } = await presentConditions({ sql, now: new Date(), timezone: defaultTimezone });
    await recordConditions(sql, { asOf, found: found.filter(({ kind }) => kind === 'run_not_executed') });
  };
  await refresh();
  const before = await operator.get('/');
  expect(textOf(before)).toContain('1 item precisa da sua atenção');
  expect(before.body).toContain(`action="/runs/${skipped}/seen"`);
  await operator.post(`/runs/${skipped}/seen`);
  const expectNoAlert = async () => {
    const after = await operator.get('/');
    expect(after.body).toMatch(/class="alert-count" data-alerts="\d+" hidden/);
    expect(after.body).not.toContain(`href="/runs/${skipped}"`);
    expect((await ui.as('operator')('GET', '/api/alerts')).json()).toEqual({ alerts: [] });
  };
  await expectNoAlert();
  await refresh();
  await expectNoAlert();
  await sql`update campaigns set enabled = false where id = ${campaignId}`;
});

describe('the alert ends at once', () => {
  const operate = ui.as('operator');
  /** The subjects of the open alerts of a kind after a check, and after a user has acted. */
  const subjects = async (kind: AlertKind) =>
    (await listOpenAlerts(sql, [kind], { limit: 50 })).map(({ subject }) => subject);
  const expectEnds = async (kind: AlertKind, subject: string, act: () => Promise<{ statusCode: number }>) => {
    await recordConditions(sql, await presentConditions({ sql, now: new Date(), timezone: defaultTimezone }));
    expect(await subjects(kind)).toContain(subject);
    expect((await act()).statusCode).toBeLessThan(300);
    expect(await subjects(kind)).not.toContain(subject);
  };

  test('when a user decides about the last held phone', async () => {
    await holdPhone(sql, { phone: '+5511900000071', source: 'reply', inboundMessageId: null });
    await holdPhone(sql, { phone: '+5511900000072', source: 'reply', inboundMessageId: null });
    const { holds } = (await operate('GET', '/api/holds')).json<{ holds: { id: number }[] }>();
    const [first, second] = holds.map(({ id }) => `/api/holds/${id}/decide`);
    await operate('POST', first ?? '', { decision: 'release' });
    await expectEnds('holds', '', () => operate('POST', second ?? '', { decision: 'opt_out' }));
  });

  test('when a user opts out a held phone', async () => {
    await holdPhone(sql, { phone: '+5511900000073', source: 'reply', inboundMessageId: null });
    const optOut = { phone: '+5511900000073', note: 'Pediu por telefone' };
    await expectEnds('holds', '', () => ui.as('admin')('POST', '/api/opt-outs', optOut));
  });

  test('when a user removes the last unread call of a provider', async () => {
    const { providerId } = catalog;
    await sql`
      insert into inbound_events (provider_id, event_key, kind, payload, unread)
      values (${providerId}, 'unread', 'receipt', '{}', '{"code": "field_missing", "params": {"field": "id"}}')`;
    const upTo = Number.MAX_SAFE_INTEGER;
    await expectEnds('unread_calls', String(providerId), () =>
      operate('POST', `/api/providers/${providerId}/unread/set-aside`, { upTo }),
    );
  });

  test('when a user finishes an overdue ticket', async () => {
    const settings = await createTicketCatalog(sql);
    const { messageIds } = await createRun(ui, catalog, { changes: { ticketPolicy: onReply(settings) } });
    const inboundMessageId = await insertReply(sql, { messageId: messageIds[0] ?? 0, text: 'Sim' });
    const id = (await sql.begin((tx) => openReplyTicket(tx, { inboundMessageId })))?.ticketId ?? 0;
    await sql`update tickets set answer_due_at = now() - interval '1 minute' where id = ${id}`;
    const change = { status: 'finished', resolutionId: settings.solvedId };
    await expectEnds('ticket_overdue', String(id), () =>
      operate('PATCH', '/api/tickets', { tickets: [{ id, version: 1 }], change }),
    );
  });

  test('when a user cancels a failed run', async () => {
    const { runId: failed } = await createRun(ui, catalog);
    await sql`update runs set status = 'failed', reason = '{"code": "workflow_lost"}' where id = ${failed}`;
    await expectEnds('run_failed', String(failed), () => operate('POST', `/api/runs/${failed}/cancel`));
  });
});

test('when e-mails are not accepted, the home page links an admin to the alert settings', async () => {
  const workflowId = notificationWorkflowId('torpedo', 1);
  await recordFailedAttempt(sql, {
    ...{ workflowId, activityId: '1', activity: 'deliverNotification', attempt: 4 },
    ...{ nextInMs: 60_000, givesUpInMs: 3_600_000, attemptsLeft: null },
    cause: { code: 'notification_undelivered', params: { channel: 'email' } },
  });
  await sql`update retries set since = now() - interval '5 minutes' where workflow_id = ${workflowId}`;
  const page = await admin.get('/');
  expect(textOf(page)).toMatch(/E-mails e webhook de avisos .* Desiste em/);
  expect(page.body).toContain('href="/settings/alerts">Ver a configuração dos avisos');
  expect((await operator.get('/')).body).not.toContain('Ver a configuração dos avisos');
  await sql`delete from retries where workflow_id = ${workflowId}`;
});

describe.each(languages)('in %s', (locale) => {
  const words = {
    'pt-BR': {
      accepted: 'O servidor aceitou o e-mail para ana@example.com.',
      notDelivered: 'O teste não foi entregue. Corrija',
      refused: 'recusa o login (535)',
      stored: 'Já há uma senha salva.',
      kind: 'Execução à espera de aprovação',
      count: '2 itens precisam da sua atenção',
      forgot: 'Esqueci a senha',
      offline: 'recusa a conexão',
    },
    en: {
      accepted: 'The server has accepted the e-mail to ana@example.com.',
      notDelivered: 'The test was not delivered. Fix',
      refused: 'refuses the login (535)',
      stored: 'A password is stored.',
      kind: 'A run waits for approval',
      count: '2 items need your attention',
      forgot: 'Forgot your password?',
      offline: 'refuses the connection',
    },
  }[locale];

  test('an admin sets up the SMTP server, and a test reports whether it works', async () => {
    const reader = inLanguage(admin.cookie, locale);
    expect((await admin.post('/settings/alerts/email', server, reader)).headers.location).toBe(
      '/settings/alerts/email',
    );
    const page = await admin.get('/settings/alerts/email', reader);
    expect(textOf(page)).toContain(words.stored);
    expect(page.body).not.toContain(smtpLogin.password);
    const sent = await admin.post('/settings/alerts/email/test', { to: 'ana@example.com' }, reader);
    expect(sent.statusCode).toBe(303);
    const notice = sent.cookies.find(({ name }) => name === 'torpedo-notice');
    expect(notice?.value).toContain(words.accepted);

    await admin.post('/settings/alerts/email', { ...server, password: 'errada' }, reader);
    const refused = await admin.post('/settings/alerts/email/test', { to: 'ana@example.com' }, reader);
    expect(refused.statusCode).toBe(422);
    expect(textOf(refused)).toContain(words.refused);
    // The address field has no problem.
    expect(textOf(refused)).toContain(words.notDelivered);
    expect(refused.body).not.toContain('href="#f-to"');
  });

  test('an admin sets up the webhook, and a test reports whether it works', async () => {
    const reader = inLanguage(admin.cookie, locale);
    const webhook = {
      enabled: 'on',
      url: 'http://127.0.0.1:1/',
      kinds: 'holds',
      locale,
      secret: 'x'.repeat(30),
    };
    expect((await admin.post('/settings/alerts/webhook', webhook, reader)).statusCode).toBe(303);
    expect((await admin.get('/settings/alerts/webhook', reader)).body).not.toContain('x'.repeat(30));
    const refused = await admin.post('/settings/alerts/webhook/test', {}, reader);
    expect(refused.statusCode).toBe(422);
    expect(textOf(refused)).toContain(words.offline);
  });

  test('the menu and the title show the number of open alerts', async () => {
    const found = [
      { kind: 'holds', subject: '', facts: { phones: 2 } },
      { kind: 'run_approval', subject: String(runId), facts: { run: runId, campaign: 'A', messages: 7 } },
    ] as const;
    await recordConditions(sql, { asOf: new Date(), found });
    const page = await operator.get('/runs', inLanguage(operator.cookie, locale));
    expect(textOf(page)).toContain(words.count);
    expect(page.body).toMatch(/<title>\(2\) /);
    const open = await operator.get('/alerts/open', inLanguage(operator.cookie, locale));
    expect(open.json()).toMatchObject({ count: 2, shown: '2', words: words.count, newest: [{}, {}] });
    // An agent decides holds but cannot open runs. A viewer has no alerts by default.
    expect((await agent.get('/alerts/open')).json()).toMatchObject({ count: 1 });
    expect((await viewer.get('/alerts/open')).json()).toMatchObject({ count: 0 });
  });

  test('the sign-in page offers a reset link by e-mail when a mail server is configured', async () => {
    const headers = { 'accept-language': locale };
    const signIn = async () => textOf(await ui.app.inject({ url: '/sign-in', headers }));
    expect(await signIn()).not.toContain(words.forgot);
    await admin.post('/settings/alerts/email', server);
    expect(await signIn()).toContain(words.forgot);
  });
});

test('a user chooses alert kinds in addition to those of the role', async () => {
  const kindsOf = async () => {
    const { kinds } = (
      await ui.app.inject({ url: '/api/session/alerts', headers: { cookie: viewer.cookie } })
    ).json<{ kinds: string[] }>();
    return kinds;
  };
  expect(await kindsOf()).toEqual([]);
  const saved = await viewer.post('/profile/alerts', { kinds: ['run_failed', 'holds'] });
  expect(saved.headers.location).toBe('/profile');
  expect(await kindsOf()).toEqual(['run_failed', 'holds']);
  await admin.post('/settings/alerts', { viewer: ['run_paused', 'holds'] });
  expect(await kindsOf()).toEqual(['run_paused', 'run_failed', 'holds']);
  // A form without checked boxes clears every role.
  await admin.post('/settings/alerts', {});
  const settings = await ui.as('admin')('GET', '/api/settings/alerts');
  expect(settings.json()).toEqual({ admin: [], operator: [], agent: [], viewer: [] });
});

test('only an admin can open the alert settings', async () => {
  for (const path of ['/settings/alerts', '/settings/alerts/email', '/settings/alerts/webhook']) {
    expect((await operator.get(path)).statusCode).toBe(403);
  }
});

test('background requests of a page do not keep the session alive', async () => {
  await sql`update sessions set last_seen_at = now() - interval '2 hours' where user_id = ${operator.id}`;
  const hoursSinceSeen = async () => {
    const [row] = await sql<[{ hours: number }]>`
      select extract(epoch from now() - last_seen_at)::int / 3600 as hours from sessions where user_id = ${operator.id}`;
    return row.hours;
  };
  await operator.get('/alerts/open', { 'torpedo-background': '1' });
  expect(await hoursSinceSeen()).toBe(2);
  await operator.get('/runs');
  expect(await hoursSinceSeen()).toBe(0);
});

test('a link in a mail opens its page after the sign-in, and never another site', async () => {
  const page = await ui.app.inject({ url: `/runs/${runId}` });
  expect(page.headers.location).toMatch(
    new RegExp(`^/sign-in\\?next=${encodeURIComponent(`/runs/${runId}`).replaceAll('%', '%')}`),
  );
  for (const next of ['https://evil.example/', '//evil.example/', '/\\evil.example', '/runs/../../evil']) {
    const answer = await operator.get(`/sign-in?next=${encodeURIComponent(next)}`);
    expect(answer.headers.location).toMatch(/^\/(?![/\\])/);
    expect(answer.headers.location).not.toContain('evil.example');
  }
  // GET never approves: the page has a form that posts.
  const [before] = await sql`select approved_at from runs where id = ${runId}`;
  await operator.get(`/runs/${runId}/approve`);
  expect((await sql`select approved_at from runs where id = ${runId}`)[0]).toEqual(before);
});
