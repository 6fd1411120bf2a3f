import { expect, test } from 'vitest';
import { moveRun } from '../../db/runs/runs.ts';
import type { RunReason, RunStatus } from '../../domain/run.ts';
import { createCatalog, createRun } from '../kit/api.ts';
import { createConsole, textOf } from '../kit/console.ts';

const ui = await createConsole();
const { sql } = ui;
const operator = await ui.signIn('operator');
const viewer = await ui.signIn('viewer');
const fresh = textOf(await operator.get('/'));
const catalog = await createCatalog(ui);

/** Creates an ended run with three messages of each status. */
async function endedRun(
  statuses: readonly string[],
  { to = 'finished', reason = null }: { to?: RunStatus; reason?: RunReason | null } = {},
): Promise<number> {
  const phones = statuses.flatMap((_, index) => [1, 2, 3].map((n) => `+55119000${index}000${n}`));
  const { runId, messageIds } = await createRun(ui, catalog, { phones });
  for (const [index, status] of statuses.entries()) {
    const why =
      { failed: 'number_invalid', undelivered: 'not_delivered', unknown: 'no_answer' }[status] ?? null;
    await sql`update messages set status = ${status}, reason = ${why}
      where id = any(${messageIds.slice(index * 3, index * 3 + 3)}::bigint[])`;
  }
  await sql`delete from run_counts where run_id = ${runId}`;
  await sql`insert into run_counts
    select run_id, status, coalesce(reason, ''), count(*), sum(segments) from messages where run_id = ${runId} group by 1, 2, 3`;
  await moveRun(sql, { id: runId, from: ['running'], to, reason });
  return runId;
}

test('a new deployment shows the first steps until the first run', async () => {
  expect(fresh).toContain('Primeiros passos');
  expect(fresh).toContain('Nova campanha');
  expect(fresh).not.toContain('Mensagens por dia');
  await endedRun(['delivered']);
  const page = textOf(await viewer.get('/'));
  expect(page).not.toContain('Primeiros passos');
  expect(page).toContain('Mensagens por dia');
  expect(page).toContain('Nada precisa da sua atenção agora.');
});

test('the home page lists a failed run with its reason and links to the page that fixes it', async () => {
  const details = { mailingCode: 'dns_failed', params: { host: 'api.example' } };
  const failed = await endedRun(['queued'], {
    to: 'failed',
    reason: { code: 'webservice_refused', ...details },
  });
  const { campaignId } = (await ui.as('viewer')('GET', `/api/runs/${failed}`)).json<{ campaignId: number }>();
  const page = await operator.get('/');
  expect(textOf(page)).toContain(
    'Falhou O webservice não pôde ser lido: O nome api.example não foi encontrado (DNS).',
  );
  expect(page.body).toContain(`href="/campaigns/${campaignId}/mailing"`);
  // A viewer gets a link to the run instead.
  const seen = await viewer.get('/');
  expect(seen.body).not.toContain(`href="/campaigns/${campaignId}/mailing"`);
  expect(seen.body).toContain(`href="/runs/${failed}"`);
  // The polled fragment shows the same.
  expect(textOf(await operator.get('/overview'))).toContain('O webservice não pôde ser lido');
  await moveRun(sql, { id: failed, from: ['failed'], to: 'cancelled', reason: null });
});

test('the home page shows the step and the progress of an active run', async () => {
  const { runId } = await createRun(ui, catalog, { phones: ['+5511900000001', '+5511900000002', null] });
  expect(textOf(await viewer.get('/'))).toContain('Enviando: 0 de 2 mensagens (0%)');
  await moveRun(sql, { id: runId, from: ['running'], to: 'cancelled', reason: null });
});

test('while a web service answers, the page of the run shows how much has arrived', async () => {
  const { runId, campaignId } = await createRun(ui, catalog, { phones: ['+5511900000001'] });
  const page = async () => textOf(await viewer.get(`/runs/${runId}`));
  const [file] = await sql<[{ id: number }]>`
    insert into mailing_files (campaign_id, origin, bytes, sha256, lines, bad_lines, uploaded_by)
    values (${campaignId}, 'webservice', 2048, '', 1234, 0, 'system') returning id`;
  await sql`update runs set step = 'mailing', mailing_file_id = ${file.id} where id = ${runId}`;
  expect(await page()).toContain('O webservice está respondendo: até agora 1.234 registros, 2 KB.');
  // Before the first byte the service is not "answering".
  await sql`update mailing_files set bytes = 0, lines = 0 where id = ${file.id}`;
  expect(await page()).toContain('O webservice foi chamado e ainda não respondeu.');
  expect(await page()).not.toContain('até agora');
  await sql`update mailing_files set bytes = 2048, lines = 1234 where id = ${file.id}`;
  await sql`update mailing_files set pages = '[]' where id = ${file.id}`;
  expect(await page()).toContain('O webservice respondeu: 1.234 registros, 2 KB. O mailing está sendo lido.');
  await moveRun(sql, { id: runId, from: ['running'], to: 'cancelled', reason: null });
  expect(await page()).not.toContain('O webservice');
});

test('a waiting run shows what it waits for in every list instead of "running"', async () => {
  const { runId, campaignId } = await createRun(ui, catalog, { phones: ['+5511900000001'] });
  const pages = ['/runs', '/campaigns', `/campaigns/${campaignId}`, `/runs/${runId}`];
  await sql`update runs set step = 'approval' where id = ${runId}`;
  for (const page of pages) {
    const text = textOf(await viewer.get(page));
    expect(text, page).toContain('Aguarda aprovação');
    expect(text.replace('Qualquer Em execução', ''), page).not.toMatch(/Em execução (?!Pausada)/);
  }
  expect(textOf(await viewer.get('/runs', { cookie: `${viewer.cookie}; torpedo-language=en` }))).toContain(
    'Waits for approval',
  );
  // The filter separates it from active runs, in the list and in the file.
  const row = `href="/runs/${runId}"`;
  expect((await viewer.get('/runs?status=waiting_approval')).body).toContain(row);
  for (const other of ['running', 'waiting_hours', 'waiting_provider'])
    expect((await viewer.get(`/runs?status=${other}`)).body, other).not.toContain(row);
  expect((await viewer.get('/runs?status=waiting_approval')).body).toContain(
    'href="/api/runs.csv?status=running&amp;waiting=approval"',
  );
  await sql`update runs set step = 'hours' where id = ${runId}`;
  const [hours] = await sql<[{ id: number }]>`
    insert into sending_hours (name, definition)
    select 'Um minuto do ano que vem', jsonb_build_object('timezone', 'UTC', 'windows', jsonb_build_array(jsonb_build_object(
      'days', jsonb_build_array(trim(lower(to_char(now() at time zone 'UTC' + interval '2 days', 'day')))), 'from', '12:00', 'to', '12:01')))
    returning id`;
  await sql`update runs set settings = jsonb_set(settings, '{campaign,mailing,sendingHoursId}', to_jsonb(${hours.id}::int)) where id = ${runId}`;
  for (const page of pages) expect(textOf(await viewer.get(page)), page).toContain('Aguarda o horário');
  expect((await viewer.get('/runs?status=waiting_hours')).body).toContain(row);
  expect((await viewer.get('/runs?status=waiting_approval')).body).not.toContain(row);
  await moveRun(sql, { id: runId, from: ['running'], to: 'cancelled', reason: null });
});

test('a dry run is shown as a finished simulation, and a cancelled run is not shown as complete', async () => {
  const { runId } = await createRun(ui, catalog, { phones: ['+5511900000001', '+5511900000002', null] });
  await sql`update messages set status = 'cancelled', reason = 'dry_run' where run_id = ${runId} and status = 'queued'`;
  await sql`update run_counts set status = 'cancelled', reason = 'dry_run' where run_id = ${runId} and status = 'queued'`;
  await sql`update runs set trigger = 'dry_run' where id = ${runId}`;
  await moveRun(sql, { id: runId, from: ['running'], to: 'finished', reason: null });
  const dry = textOf(await viewer.get(`/runs/${runId}`));
  expect(dry).toContain('Simulação concluída');
  expect(dry).not.toMatch(/Cancelada|100%|Início do envio/);
  expect(textOf(await viewer.get('/runs'))).toContain('Simulação concluída');
  await sql`update runs set trigger = 'manual' where id = ${runId}`;
  await moveRun(sql, { id: runId, from: ['finished'], to: 'cancelled', reason: null });
  const cancelled = textOf(await viewer.get(`/runs/${runId}`));
  expect(cancelled).toContain('0% 0 de 2 mensagens processadas');
});

test('a pause shows who requested it and when', async () => {
  const { runId } = await createRun(ui, catalog, { phones: ['+5511900000001'] });
  await moveRun(sql, {
    id: runId,
    from: ['running'],
    to: 'paused',
    reason: { code: 'by_user', user: `user:${operator.id}` },
  });
  await sql`insert into audit_log (at, actor, actor_name, action, subject_kind, subject_id)
    values ('2026-03-31T12:30:00Z', ${`user:${operator.id}`}, 'Maria Souza', 'run.pause', 'run', ${runId})`;
  for (const page of [`/runs/${runId}`, '/'])
    expect(textOf(await viewer.get(page)), page).toContain('A pedido de Maria Souza, em 31/03/2026, 09:30.');
  await moveRun(sql, { id: runId, from: ['paused'], to: 'cancelled', reason: null });
});

test('the reasons of skipped lines are shown once', async () => {
  const { runId } = await createRun(ui, catalog, { phones: ['+5511900000001', null] });
  const flight = {
    at: '2026-03-31T12:00:00Z',
    lines: 2,
    toSend: 1,
    segments: 1,
    countries: [{ country: '55', segments: 1 }],
    overBudget: null,
    leftOut: [{ reason: 'phone_missing', messages: 1 }],
    ratePerSecond: null,
    durationMs: null,
    startsAt: null,
    endsAt: null,
    expiresAt: null,
    segmentsLeft: null,
    fits: 'unknown',
  };
  await sql`update runs set preflight = ${sql.json(flight)} where id = ${runId}`;
  for (const step of ['sending', 'approval']) {
    await sql`update runs set step = ${step} where id = ${runId}`;
    const text = textOf(await viewer.get(`/runs/${runId}`));
    expect(text.match(/Sem telefone/g), `${step}: ${text}`).toHaveLength(1);
  }
  await moveRun(sql, { id: runId, from: ['running'], to: 'cancelled', reason: null });
});

test('the page of a failed run reloads itself after a retry', async () => {
  const runId = await endedRun(['queued'], {
    to: 'failed',
    reason: { code: 'webservice_refused', mailingCode: 'dns_failed', params: { host: 'api.example' } },
  });
  const page = await viewer.get(`/runs/${runId}`);
  expect(page.body).toContain(`hx-get="/runs/${runId}/live?status=failed" hx-trigger="every 5s"`);
  const url = `/runs/${runId}/live?status=failed`;
  expect((await viewer.get(url)).headers['hx-refresh']).toBeUndefined();
  await moveRun(sql, { id: runId, from: ['failed'], to: 'running', reason: null });
  expect((await viewer.get(url)).headers['hx-refresh']).toBe('true');
  await moveRun(sql, { id: runId, from: ['running'], to: 'cancelled', reason: null });
});

test('the confirmations of approval and cancelling show what they affect', async () => {
  const { runId } = await createRun(ui, catalog, { phones: ['+5511900000001', '+5511900000002'] });
  await sql`update runs set step = 'approval' where id = ${runId}`;
  const page = await operator.get(`/runs/${runId}`);
  expect(page.body).toContain(`href="/runs/${runId}/approve"`);
  const approving = textOf(await operator.get(`/runs/${runId}/approve`));
  expect(approving).toContain('a execução envia 2 mensagens.');
  expect(approving).toMatch(
    /Os primeiros 2 textos que serão enviados Maria 1 Ola Maria 1 Maria 2 Ola Maria 2/,
  );
  const cancel = await operator.get(`/runs/${runId}/cancel`);
  expect(textOf(cancel)).toContain('As 2 mensagens');
  // A second button "Cancel" would be ambiguous.
  expect(textOf(cancel)).toContain('Cancelar execução Voltar');
  expect((await viewer.get(`/runs/${runId}`)).body).not.toContain(`href="/runs/${runId}/approve"`);
  expect((await viewer.get(`/runs/${runId}/approve`)).statusCode).toBe(403);
  // Before the mailing is read there are no counts.
  await sql`delete from run_counts where run_id = ${runId}`;
  expect(textOf(await operator.get(`/runs/${runId}/cancel`))).toContain('Nada mais será enviado.');
  await moveRun(sql, { id: runId, from: ['running'], to: 'cancelled', reason: null });
  // The run has ended meanwhile: there is nothing to confirm.
  for (const action of ['approve', 'cancel']) {
    const late = await operator.get(`/runs/${runId}/${action}`);
    expect([late.statusCode, late.headers.location]).toEqual([303, `/runs/${runId}`]);
  }
});

test('unknown messages are resent only when the user includes them, with a warning', async () => {
  const runId = await endedRun(['failed', 'undelivered', 'unknown', 'delivered']);
  const url = `/runs/${runId}/resend`;
  expect((await operator.get(`/runs/${runId}`)).body).toContain(`href="${url}"`);
  const plain = await operator.get(url);
  // Numbers that do not exist would fail again and are not counted.
  expect(textOf(plain)).toContain('Reenviar 3 mensagens');
  expect(textOf(plain)).toContain('Ficam de fora, porque falhariam de novo: Número não existe: 3');
  expect(textOf(plain)).toContain('Reenviar também as 3 incertas');
  expect(textOf(plain)).not.toContain('Alguns clientes podem receber a mesma mensagem duas vezes.');
  const all = await operator.get(`${url}?unknown=yes`);
  expect(textOf(all)).toContain('Reenviar 6 mensagens');
  expect(textOf(all)).toContain('Alguns clientes podem receber a mesma mensagem duas vezes.');
  // The reason filter applies to failed messages, not to unknown ones.
  expect(textOf(await operator.get(`${url}?reason=not_delivered`))).toContain('Reenviar 3 mensagens');
  // A phone that has opted out since is not counted.
  const [phone] = await sql<[{ phone: string }]>`
    select phone from messages where run_id = ${runId} and status = 'undelivered' limit 1`;
  await sql`insert into opt_outs (phone, state, source) values (${phone.phone}, 'opted_out', 'admin')`;
  expect(textOf(await operator.get(url))).toContain('Reenviar 2 mensagens');
  await sql`delete from opt_outs where phone = ${phone.phone}`;
  const both = await operator.get(`${url}?reason=not_delivered&unknown=yes`);
  expect(textOf(both)).toContain('Reenviar 6 mensagens');
  expect(textOf(await viewer.get(url))).not.toContain('Reenviar 6 mensagens');
});

test('a resend is refused when the number of messages has changed since the page was opened', async () => {
  const runId = await endedRun(['undelivered']);
  const url = `/runs/${runId}/resend`;
  const answer = await operator.post(url, { includeUnknown: 'false', reasons: '', messages: '2', back: url });
  expect([answer.statusCode, answer.headers.location]).toEqual([303, url]);
  const notice = answer.cookies.map(({ name, value }) => `${name}=${encodeURIComponent(value)}`).join('; ');
  const page = await operator.get(url, { cookie: `${operator.cookie}; ${notice}` });
  expect(textOf(page)).toContain('Agora há 3 mensagens para reenviar, e não 2.');
  expect(textOf(page)).toContain('Reenviar 3 mensagens');
});

test('the page of a run links to its messages, its files, its replies and its tickets', async () => {
  const { runId } = await createRun(ui, catalog, { phones: ['+5511900000001', null] });
  await sql`insert into run_samples values (${runId}, '2026-03-31T12:00:00Z', 0, 0), (${runId}, '2026-03-31T12:00:10Z', 40, 0)`;
  const page = await operator.get(`/runs/${runId}`);
  for (const href of [
    `/runs/${runId}/messages`,
    `/api/runs/${runId}/messages.csv`,
    `/api/runs/${runId}/bad-lines.csv`,
    `/replies?runId=${runId}`,
    `/tickets?runId=${runId}`,
  ]) {
    expect(page.body).toContain(`href="${href}"`);
  }
  // The values of the chart without scripts.
  expect(textOf(page)).toMatch(/31\/03\/2026, 09:00:10 40 4 0/);
});

test('a run that did not execute leaves the home page when an operator marks it as seen, which is audited', async () => {
  const { runId } = await createRun(ui, catalog);
  const seen = `/api/runs/${runId}/seen`;
  expect((await ui.as('operator')('POST', seen)).json()).toMatchObject({ error: { code: 'run_not_ended' } });
  await moveRun(sql, { id: runId, from: ['running'], to: 'skipped', reason: { code: 'campaign_disabled' } });
  await sql`update runs set occurrence = now() where id = ${runId}`;
  const form = `action="/runs/${runId}/seen"`;
  expect((await operator.get('/')).body).toContain(form);
  expect((await viewer.get('/')).body).not.toContain(form);
  expect((await ui.as('viewer')('POST', seen)).statusCode).toBe(403);
  expect((await operator.post(`/runs/${runId}/seen`)).headers.location).toBe('/');
  expect((await operator.get('/')).body).not.toContain(`href="/runs/${runId}"`);
  expect(await sql`select actor from audit_log where action = 'run.seen' and subject_id = ${runId}`).toEqual([
    { actor: `user:${operator.id}` },
  ]);
});
