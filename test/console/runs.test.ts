import { expect, test } from 'vitest';
import { moveRun } from '../../db/runs/runs.ts';
import type { RunReason, RunStatus } from '../../domain/run.ts';
import { createCatalog, createRun } from '../kit/api.ts';
import { createConsole, textOf } from '../kit/console.ts';

const ui = await createConsole();
const { sql } = ui;
const operator = await ui.person('operator');
const viewer = await ui.person('viewer');
const fresh = textOf(await operator.get('/'));
const catalog = await createCatalog(ui);

/** A run whose messages have ended so, three of each. */
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

test('A new deployment is told what to do first; one that has run is not', async () => {
  expect(fresh).toContain('Primeiros passos');
  expect(fresh).toContain('Nova campanha');
  expect(fresh).not.toContain('Mensagens por dia');
  await endedRun(['delivered']);
  const page = textOf(await viewer.get('/'));
  expect(page).not.toContain('Primeiros passos');
  expect(page).toContain('Mensagens por dia');
  expect(page).toContain('Nada precisa de você agora.');
});

test('The home page says what waits for a person, why, and where it is mended', async () => {
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
  // Who may only look is led to what there is to see.
  const seen = await viewer.get('/');
  expect(seen.body).not.toContain(`href="/campaigns/${campaignId}/mailing"`);
  expect(seen.body).toContain(`href="/runs/${failed}"`);
  // The part that is asked for again and again says the same.
  expect(textOf(await operator.get('/overview'))).toContain('O webservice não pôde ser lido');
  await moveRun(sql, { id: failed, from: ['failed'], to: 'cancelled', reason: null });
});

test('A run at work stands on the home page with its step in words and how far it is', async () => {
  const { runId } = await createRun(ui, catalog, { phones: ['+5511900000001', '+5511900000002', null] });
  expect(textOf(await viewer.get('/'))).toContain('Enviando: 0 de 2 mensagens (0%)');
  await moveRun(sql, { id: runId, from: ['running'], to: 'cancelled', reason: null });
});

test('While a web service answers, the page of the run says how much has come', async () => {
  const { runId, campaignId } = await createRun(ui, catalog, { phones: ['+5511900000001'] });
  const page = async () => textOf(await viewer.get(`/runs/${runId}`));
  const [file] = await sql<[{ id: number }]>`
    insert into mailing_files (campaign_id, origin, bytes, sha256, lines, bad_lines, uploaded_by)
    values (${campaignId}, 'webservice', 2048, '', 1234, 0, 'system') returning id`;
  await sql`update runs set step = 'mailing', mailing_file_id = ${file.id} where id = ${runId}`;
  expect(await page()).toContain('O webservice está respondendo: até agora 1.234 registros, 2 KB.');
  // One that has sent nothing is not "answering".
  await sql`update mailing_files set bytes = 0, lines = 0 where id = ${file.id}`;
  expect(await page()).toContain('O webservice foi chamado e ainda não respondeu.');
  expect(await page()).not.toContain('até agora');
  await sql`update mailing_files set bytes = 2048, lines = 1234 where id = ${file.id}`;
  await sql`update mailing_files set pages = '[]' where id = ${file.id}`;
  expect(await page()).toContain('O webservice respondeu: 1.234 registros, 2 KB. O mailing está sendo lido.');
  await moveRun(sql, { id: runId, from: ['running'], to: 'cancelled', reason: null });
  expect(await page()).not.toContain('O webservice');
});

test('A run that waits says for what, in every list, and is not "running"', async () => {
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
  // The filter tells it from runs that work, in the list and in its file.
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

test('A dry run reads as a finished simulation, and a cancelled run not as done', async () => {
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

test('A pause says by whom it was requested and when', async () => {
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

test('The reasons of lines that were left out are given once', async () => {
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

test('The page of a failed run notices that it was retried, and loads itself again', async () => {
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

test('What approval, cancelling and resending concern is said before', async () => {
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
  // "Cancel" beside it could be either.
  expect(textOf(cancel)).toContain('Cancelar execução Voltar');
  expect((await viewer.get(`/runs/${runId}`)).body).not.toContain(`href="/runs/${runId}/approve"`);
  expect((await viewer.get(`/runs/${runId}/approve`)).statusCode).toBe(403);
  // Before its mailing is read there is nothing to count.
  await sql`delete from run_counts where run_id = ${runId}`;
  expect(textOf(await operator.get(`/runs/${runId}/cancel`))).toContain('Nada mais será enviado.');
  await moveRun(sql, { id: runId, from: ['running'], to: 'cancelled', reason: null });
  // It has ended meanwhile: nothing to confirm.
  for (const action of ['approve', 'cancel']) {
    const late = await operator.get(`/runs/${runId}/${action}`);
    expect([late.statusCode, late.headers.location]).toEqual([303, `/runs/${runId}`]);
  }
});

test('Unknown messages are sent again only when they are ticked, with a warning', async () => {
  const runId = await endedRun(['failed', 'undelivered', 'unknown', 'delivered']);
  const url = `/runs/${runId}/resend`;
  expect((await operator.get(`/runs/${runId}`)).body).toContain(`href="${url}"`);
  const plain = await operator.get(url);
  // Numbers that do not exist fail again: they are not promised.
  expect(textOf(plain)).toContain('Reenviar 3 mensagens');
  expect(textOf(plain)).toContain('Ficam de fora, porque falhariam de novo: Número não existe: 3');
  expect(textOf(plain)).toContain('Reenviar também as 3 incertas');
  expect(textOf(plain)).not.toContain('Há pessoas que podem receber a mesma mensagem duas vezes.');
  const all = await operator.get(`${url}?unknown=yes`);
  expect(textOf(all)).toContain('Reenviar 6 mensagens');
  expect(textOf(all)).toContain('Há pessoas que podem receber a mesma mensagem duas vezes.');
  // Reasons narrow down what failed, and not what is unknown.
  expect(textOf(await operator.get(`${url}?reason=not_delivered`))).toContain('Reenviar 3 mensagens');
  // Nor is a phone that has opted out since.
  const [phone] = await sql<[{ phone: string }]>`
    select phone from messages where run_id = ${runId} and status = 'undelivered' limit 1`;
  await sql`insert into opt_outs (phone, state, source) values (${phone.phone}, 'opted_out', 'admin')`;
  expect(textOf(await operator.get(url))).toContain('Reenviar 2 mensagens');
  await sql`delete from opt_outs where phone = ${phone.phone}`;
  const both = await operator.get(`${url}?reason=not_delivered&unknown=yes`);
  expect(textOf(both)).toContain('Reenviar 6 mensagens');
  expect(textOf(await viewer.get(url))).not.toContain('Reenviar 6 mensagens');
});

test('A resend of another number than the one that was seen is refused, in words', async () => {
  const runId = await endedRun(['undelivered']);
  const url = `/runs/${runId}/resend`;
  const answer = await operator.post(url, { includeUnknown: 'false', reasons: '', messages: '2', back: url });
  expect([answer.statusCode, answer.headers.location]).toEqual([303, url]);
  const notice = answer.cookies.map(({ name, value }) => `${name}=${encodeURIComponent(value)}`).join('; ');
  const page = await operator.get(url, { cookie: `${operator.cookie}; ${notice}` });
  expect(textOf(page)).toContain('Agora há 3 mensagens para reenviar, e não 2.');
  expect(textOf(page)).toContain('Reenviar 3 mensagens');
});

test('A run leads to its messages, its files and how it went', async () => {
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
  // The chart's numbers, for those without scripts.
  expect(textOf(page)).toMatch(/31\/03\/2026, 09:00:10 40 4 0/);
});

test('A run that did not execute leaves the first page once an operator has seen it, and the audit log says who', async () => {
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
