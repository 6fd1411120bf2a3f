import { expect, test } from 'vitest';
import { syncRunCosts } from '../../db/money/costs.ts';
import { json } from '../../db/core/json.ts';
import type { OverBudget } from '../../domain/budget.ts';
import { createCatalog, createReadyCampaign, createRun, csvOf, documentOf } from '../kit/api.ts';
import { createConsole, textOf } from '../kit/console.ts';

/** Prices, costs and budgets in the console. */
const ui = await createConsole({ clock: () => new Date('2026-11-20T15:00:00Z') });
const { sql } = ui;
const catalog = await createCatalog(ui);
const admin = await ui.signIn('admin');
const operator = await ui.signIn('operator');
const viewer = await ui.signIn('viewer');
const english = await ui.signIn('viewer');
await sql`update users set locale = 'en' where id = ${english.id}`;
const providerPage = `/settings/providers/${catalog.providerId}`;
const textAt = async (user: typeof admin, url: string) =>
  textOf(await user.get(url)).replaceAll('\u00A0', ' ');

/** A sending run with 5 messages, 4 of them accepted by the provider. */
async function sentRun(): Promise<number> {
  const phones = Array.from({ length: 5 }, (_, index) => `+551190000000${index}`);
  const { runId, messageIds } = await createRun(ui, catalog, { phones });
  await sql`update messages set status = 'sent', provider_id = ${catalog.providerId} where id = any(${messageIds.slice(1)}::bigint[])`;
  await sql`delete from run_counts where run_id = ${runId}`;
  await sql`insert into run_counts
    select run_id, status, coalesce(reason, ''), count(*), sum(segments) from messages where run_id = ${runId} group by 1, 2, 3`;
  const preflight = {
    ...{ at: '2026-11-20T15:00:00Z', lines: 5, leftOut: [], toSend: 5, segments: 5, ratePerSecond: null },
    ...{ countries: [{ country: '55', segments: 5 }], overBudget: null, durationMs: null },
    ...{ startsAt: null, endsAt: null, expiresAt: null, fits: 'unknown', segmentsLeft: null },
  };
  await sql`update runs set preflight = ${json(sql, preflight)} where id = ${runId}`;
  await syncRunCosts(sql, [runId], '2026-11-20');
  return runId;
}

test('without a price, pages show "no price" instead of R$ 0,00, and link admins to the prices', async () => {
  const runId = await sentRun();
  for (const user of [admin, viewer]) {
    const page = await user.get(`/runs/${runId}`);
    expect(textOf(page)).toContain('sem preço');
    expect(textOf(page)).not.toContain('0,00');
    expect(page.body.includes(`href="${providerPage}#prices"`)).toBe(user === admin);
  }
  expect(await textAt(viewer, '/runs')).toContain('sem preço');
  expect(await textAt(english, `/runs/${runId}`)).toContain('no price');
});

test('an admin can enter prices in common notations; invalid ones are explained', async () => {
  expect(await textAt(admin, providerPage)).toContain('Nenhum preço informado.');
  const wrong = await admin.post(`${providerPage}/prices`, { price: 'caro', firstDay: '', prefix: '999' });
  expect(wrong.statusCode).toBe(422);
  const words = textOf(wrong);
  expect(words).toContain('Informe um preço como 0,085');
  expect(words).toContain('Nenhum país tem este código');
  const added = { price: 'R$ 0,085', firstDay: '2026-01-01', prefix: '' };
  expect((await admin.post(`${providerPage}/prices`, added)).statusCode).toBe(303);
  await admin.post(`${providerPage}/prices`, { price: '0.3', firstDay: '2026-12-01', prefix: '+351' });
  const page = await textAt(admin, providerPage);
  expect(page).toMatch(/Todos os países 01\/01\/2026 em vigor R\$ 0,085/);
  expect(page).toMatch(/\+351 Portugal 01\/12\/2026 R\$ 0,30/);
  expect((await operator.post(`${providerPage}/prices`, added)).statusCode).toBe(403);
  expect(await textAt(english, providerPage)).toContain('R$0.085');
  const remove = { prefix: '351', firstDay: '2026-12-01' };
  expect((await admin.post(`${providerPage}/prices/remove`, remove)).statusCode).toBe(303);
  expect(await textAt(viewer, providerPage)).not.toContain('Portugal');
});

test('a price that is added later corrects earlier costs', async () => {
  expect(await textAt(viewer, '/settings/costs')).toContain('R$ 0,34');
  expect(await textAt(viewer, '/runs')).toContain('R$ 0,34');
});

test('a run shows its cost so far, its estimate and its uncertain cost', async () => {
  const runId = await sentRun();
  await sql`update run_counts set status = 'unknown' where run_id = ${runId} and status = 'queued'`;
  const page = await textAt(viewer, `/runs/${runId}`);
  expect(page).toContain('Custo por enquanto R$ 0,34 previsto: R$ 0,43; em dúvida: R$ 0,09');
  expect(await textAt(english, `/runs/${runId}`)).toContain('Cost so far R$0.34 estimate: R$0.43');
});

test('the preview, an upload and the approval page show the cost', async () => {
  const id = await createReadyCampaign(ui, documentOf(catalog));
  const preview = await operator.post(`/campaigns/${id}/preview`, {
    'message.template': 'Olá, {nome}',
    'message.providerId': String(catalog.providerId),
    'message.maxSegments': '1',
    'message.removeAccents': 'on',
  });
  expect(textOf(preview).replaceAll('\u00A0', ' ')).toContain('Custo de um SMS R$ 0,085');
  const answer = await ui.as('operator')('PUT', `/api/campaigns/${id}/mailing/file`, csvOf(40), {
    'content-type': 'text/csv',
  });
  expect(answer.json()).toMatchObject({
    cost: { currency: 'BRL', segments: 40, millionths: 3_400_000, unpriced: 0 },
  });
  const result = await operator.post(`/campaigns/${id}/file-result`, { answer: answer.body, status: '200' });
  expect(textOf(result).replaceAll('\u00A0', ' ')).toContain('Custo: R$ 3,40 para 40 segmentos.');

  const runId = await sentRun();
  const over: OverBudget = {
    ...{ scope: 'deployment', month: '2026-11', currency: 'BRL' },
    ...{ budget: 5_000_000_000, spent: 4_100_000_000, estimate: 1_284_000_000 },
  };
  await sql`
    update runs set step = 'approval', preflight = jsonb_set(preflight, '{overBudget}', ${json(sql, over)}) where id = ${runId}`;
  const approve = await textAt(operator, `/runs/${runId}/approve`);
  expect(approve).toContain('Custo: R$ 0,43 para 5 segmentos.');
  expect(approve).toContain(
    'A execução custaria cerca de R$ 1.284,00, mais do que resta do orçamento de novembro de 2026 de todas as campanhas: R$ 5.000,00, dos quais já foram gastos R$ 4.100,00.',
  );
  expect(await textAt(english, `/runs/${runId}`)).toContain(
    'It would cost about R$1,284.00, more than the remaining budget of all campaigns for November 2026',
  );
  expect(await textAt(viewer, '/')).toContain('A execução custaria cerca de R$ 1.284,00');
});

test('budgets can be entered in common notations, and the home page warns from 80 %', async () => {
  const wrong = await admin.post('/settings/costs', { monthly: 'muito' });
  expect(textOf(wrong)).toContain('Informe um valor maior que zero');
  expect((await operator.post('/settings/costs', { monthly: '1' })).statusCode).toBe(403);
  expect((await admin.post('/settings/costs', { monthly: '15.000,00' })).statusCode).toBe(303);
  expect((await admin.get('/settings/costs')).body).toContain('value="15.000,00"');
  expect((await english.get('/settings/costs')).body).toContain('value="15,000.00"');
  expect(await textAt(viewer, '/')).not.toContain('Orçamento geral');
  // R$ 1.02 is spent.
  await admin.post('/settings/costs', { monthly: '1,20' });
  expect(await textAt(viewer, '/')).toContain(
    'Orçamento geral de novembro de 2026 85% gastos: R$ 1,02 de R$ 1,20.',
  );
  await admin.post('/settings/costs', { monthly: '1' });
  expect(await textAt(viewer, '/')).toContain('Novas execuções esperam aprovação');
  expect((await admin.post('/settings/costs', { monthly: '' })).statusCode).toBe(303);
  expect(await textAt(viewer, '/settings/costs')).toContain('Sem orçamento geral.');
  expect(await sql`select changes from audit_log where action = 'budget.update' order by id limit 2`).toEqual(
    [{ changes: { monthly: [null, '15000.00'] } }, { changes: { monthly: ['15000.00', '1.20'] } }],
  );
  const log = await textAt(admin, '/settings/audit?subjectKind=budget');
  expect(log).toContain('alterou o orçamento');
  expect(log).toContain('Valor por mês: de 15.000,00 para 1,20');
});

test('the form of a campaign has its own budget', async () => {
  const id = await createReadyCampaign(ui, documentOf(catalog));
  const saved = await ui.as('operator')('GET', `/api/campaigns/${id}`);
  const { definition, version } = saved.json<{ definition: { safeguards: object }; version: number }>();
  const safeguards = { ...definition.safeguards, monthlyBudget: 'R$ 1.500,00' };
  const put = await ui.as('operator')('PUT', `/api/campaigns/${id}`, { ...definition, safeguards, version });
  expect(put.json()).toMatchObject({ definition: { safeguards: { monthlyBudget: '1500.00' } } });
  expect((await operator.get(`/campaigns/${id}/mailing`)).body).toContain('value="1.500,00"');
});
