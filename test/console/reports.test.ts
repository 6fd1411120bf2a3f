import { expect, test } from 'vitest';
import { countForReports } from '../../activities/reports.ts';
import { setPrice } from '../../db/money/prices.ts';
import { defaultTimezone as timezone, lastDays } from '../../domain/calendar.ts';
import { createCatalog, createRun } from '../kit/api.ts';
import { chromiumPath, startBrowser } from '../kit/browser.ts';
import { createConsole, textOf } from '../kit/console.ts';
import { recordSent } from '../kit/sending.ts';

const ui = await createConsole();
const { sql } = ui;
const catalog = await createCatalog(ui);
const viewer = await ui.signIn('viewer');
const english = await ui.signIn('viewer');
await sql`update users set locale = 'en' where id = ${english.id}`;
const agent = await ui.signIn('agent');

const days = lastDays(Date.now(), timezone, 60).map(({ day }) => day);
const dayAgo = (count: number): string => days[days.length - 1 - count] ?? '';
const made: { runId: number; campaignId: number }[] = [];
for (const [ago, delivered] of [
  [3, 6],
  [10, 4],
] as const) {
  const run = await createRun(ui, catalog, {
    phones: Array.from({ length: 8 }, (_, i) => `+551190000000${i}`),
    changes: { name: `Cobrança ${ago}` },
  });
  const at = `${dayAgo(ago)}T15:30:00-03:00`;
  await sql`
    update runs set mailing_at = ${at}, occurrence = ${at}, provider_id = ${catalog.providerId}, status = 'finished',
      step = 'done', sending_at = ${at}, finished_at = ${at}::timestamptz + interval '4 minutes' where id = ${run.runId}`;
  await sql`
    update messages set sending_at = ${at}, provider_id = ${catalog.providerId},
      status = case when line <= ${delivered + 1} then 'delivered' else 'undelivered' end,
      reason = case when line <= ${delivered + 1} then null else 'carrier_filtered' end
    where run_id = ${run.runId}`;
  await sql`delete from run_counts where run_id = ${run.runId}`;
  await sql`
    insert into run_counts (run_id, status, reason, messages, segments)
    select run_id, status, coalesce(reason, ''), count(*), sum(segments) from messages where run_id = ${run.runId} group by 1, 2, 3`;
  made.push(run);
}
await setPrice(sql, catalog.providerId, { prefix: '', firstDay: '2020-01-01', millionths: 85_000 });
await countForReports(sql, { rebuild: false, timezone, goesOn: () => true });

const week = `from=${dayAgo(6)}&to=${dayAgo(0)}`;

test('the page shows the messages sent, their cost, and the change against the preceding days', async () => {
  const text = textOf(await viewer.get(`/reports?${week}`));
  expect(text).toContain('Entregues 6');
  expect(text).toContain(' 50% a mais que antes (4)');
  expect(text).toContain('75% das enviadas');
  expect(text).toMatch(/R\$\s0,68/);
  expect(text).toContain('Dias e horas no fuso do sistema, Brasília');
  const translated = textOf(await english.get(`/reports?${week}`));
  expect(translated).toContain(' 50% more than before (4)');
  expect(translated).toContain('Failed and undelivered 2 25% of those to send 50% less than before (4)');
});

test.each([
  ['campaign', 'Cobrança 3'],
  ['day', `${dayAgo(3).slice(8)}/${dayAgo(3).slice(5, 7)}/`],
  ['hour', '15:00–15:59'],
  ['region', 'Sem região'],
  ['customerType', 'Sem tipo de cliente'],
  ['provider', 'Sandbox'],
  ['reason', 'Filtrado pela operadora'],
])('by %s, the table has the row %s and a total', async (by, row) => {
  const text = textOf(await viewer.get(`/reports?${week}&by=${by}`));
  const table = text.slice(text.indexOf('Detalhes'));
  expect(table).toContain(row);
  expect(table).toContain('Total');
});

test('a row links to the report of its campaign', async () => {
  const page = await viewer.get(`/reports?${week}`);
  const href = new RegExp(`href="(/reports[^"]*campaignId=${made[0]?.campaignId ?? 0}[^"]*)"`).exec(
    page.body,
  )?.[1];
  const text = textOf(await viewer.get((href ?? '').replaceAll('&amp;', '&')));
  expect(text).toContain('Somente campanha Cobrança 3');
});

test('the file has the rows of the page in the language of the user', async () => {
  const page = await viewer.get(`/reports?${week}`);
  const href = /href="(\/api\/reports\.csv[^"]*)"/.exec(page.body)?.[1]?.replaceAll('&amp;', '&') ?? '';
  const file = await viewer.get(href);
  expect(file.headers['content-disposition']).toContain(`relatorio-${dayAgo(6)}-${dayAgo(0)}.csv`);
  const [names, row] = file.body.replace('\ufeff', '').split('\r\n');
  expect(names?.startsWith('Campanha;Linhas;A enviar;Enviadas;Entregues;')).toBe(true);
  expect(row).toContain('Cobrança 3;8;8;8;6;2;');
  expect(row).toContain(';0,68;BRL;');
  const codes = (await ui.as('viewer')('GET', href)).body;
  expect(codes).toContain('id;campaign;lines;to_send;accepted;delivered;');
  expect((await english.get(href)).body).toContain('Cobrança 3,8,8,8,6,2,');

  const reasons = await viewer.get(`/reports?by=reason&${week}`);
  const address = /href="(\/api\/reports\/reasons\.csv[^"]*)"/.exec(reasons.body)?.[1] ?? '';
  const listed = await viewer.get(address.replaceAll('&amp;', '&'));
  expect(listed.headers['content-disposition']).toContain(`motivos-${dayAgo(6)}-${dayAgo(0)}.csv`);
  expect(listed.body).toContain('Motivo;Situação;Mensagens\r\nFiltrado pela operadora;Não entregue;2');
  const programs = await ui.as('viewer')('GET', `/api/reports/reasons.csv?${week}`);
  expect(programs.body).toContain('reason;status;messages\r\ncarrier_filtered;undelivered;2');
});

test('the page of a campaign compares its last runs', async () => {
  const [run] = made;
  const text = textOf(await viewer.get(`/campaigns/${run?.campaignId ?? 0}`));
  const compared = text.slice(text.indexOf('Últimas execuções lado a lado'));
  // Sent, delivered, undelivered, replies; segments, cost, duration. A column without a value in any run is left out.
  expect(compared).toMatch(/ 8 75% 25% 0% 8 R\$\s0,68 4 min/);
  expect(compared).not.toMatch(/Incertas, do|Descadastros|Atendimentos/);
});

test('the cost of a recent run is shown as not counted yet until the reports are counted', async () => {
  const { runId, campaignId } = await createRun(ui, catalog, {
    phones: ['+5511900000001', '+5511900000002', '+5511900000003'],
    changes: { name: 'Recente' },
  });
  await recordSent(sql, { runId, count: 2, sidOf: String, providerId: catalog.providerId });
  await sql`
    update runs set mailing_at = now(), occurrence = now(), provider_id = ${catalog.providerId}, status = 'finished', step = 'done',
      sending_at = now(), finished_at = now() where id = ${runId}`;
  const compared = async (reader: typeof viewer) => {
    const text = textOf(await reader.get(`/campaigns/${campaignId}`));
    return text.slice(text.lastIndexOf(reader === english ? 'Cost' : 'Custo'));
  };
  expect(await compared(viewer)).toContain('ainda não contado');
  expect(await compared(viewer)).not.toMatch(/R\$\s0,00/);
  expect(await compared(english)).toContain('not counted yet');
  const figures = async () =>
    (await ui.as('viewer')('GET', `/api/reports/runs?campaignId=${campaignId}`)).json<{
      runs: { figures: { segments: number; cost: { segments: number } } }[];
    }>().runs[0]?.figures;
  expect(await figures()).toMatchObject({ segments: 2, cost: { segments: 0, millionths: 0 } });
  await countForReports(sql, { rebuild: false, timezone, goesOn: () => true });
  expect(await compared(viewer)).toMatch(/R\$\s0,17/);
  expect(await figures()).toMatchObject({ segments: 2, cost: { segments: 2, millionths: 170_000 } });
});

test('replies without a known message are a separate row, also in the file', async () => {
  await sql`
    insert into inbound_messages (provider_id, provider_message_id, phone, recipient, text, received_at, handled_at, effect)
    values (${catalog.providerId}, 'SM-stranger', '+5511977770001', '', 'Quem fala?', ${`${dayAgo(20)}T12:00:00-03:00`},
      now(), 'none')`;
  await countForReports(sql, { rebuild: false, timezone, goesOn: () => true });
  const day = `from=${dayAgo(20)}&to=${dayAgo(20)}`;
  const table = (text: string, from: string) => text.slice(text.indexOf(from));
  expect(table(textOf(await viewer.get(`/reports?${day}`)), 'Detalhes')).toContain('Sem campanha');
  expect(table(textOf(await english.get(`/reports?${day}`)), 'Details')).toContain('No campaign');
  expect((await viewer.get(`/api/reports.csv?by=campaign&${day}`)).body).toContain('Sem campanha;0;0;');
});

test('an empty period shows a sentence, and an agent cannot open reports', async () => {
  expect(textOf(await viewer.get('/reports?from=2020-01-01&to=2020-01-31'))).toContain('Nada neste período');
  expect((await agent.get('/reports')).statusCode).toBe(403);
});

test.skipIf(chromiumPath === null)(
  'in a browser the chart is drawn, custom dates appear when chosen, long names are shortened, and print shows only the figures',
  async () => {
    const url = await ui.app.listen({ port: 0, host: '127.0.0.1' });
    const browser = await startBrowser();
    const [name = '', value = ''] = viewer.cookie.split('=');
    const long = 'Negociação de parcelas vencidas '.repeat(4).slice(0, 109);
    await sql`
      update campaigns set definition = definition || ${sql.json({ name: long })} where id = ${made[0]?.campaignId ?? 0}`;
    for (const width of [1280, 390]) {
      const context = await browser.newContext({ viewport: { width, height: 800 } });
      await context.addCookies([{ name, value, url }]);
      const page = await context.newPage();
      await page.goto(`${url}/reports`);
      await page.locator('.chart canvas').waitFor();
      expect(await page.locator('#filter-from').isVisible()).toBe(false);
      await page.selectOption('#filter-period', 'own');
      await page.fill('#filter-from', dayAgo(6));
      await page.click('form.filters button');
      await page.waitForURL(/from=/);
      expect(await page.locator('#filter-from').inputValue()).toBe(dayAgo(6));
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      const row = page.locator(`[title="${long}"]`);
      // Two lines; the tooltip has the whole name.
      expect((await row.boundingBox())?.height).toBeLessThan(48);
      await page.emulateMedia({ media: 'print' });
      for (const hidden of ['.sidebar', '.filters', '.title-actions', '.footer'])
        expect(await page.locator(hidden).isVisible()).toBe(false);
      expect(await page.locator('.figures').isVisible()).toBe(true);
      expect(await page.locator('.report-period').isVisible()).toBe(true);
      await context.close();
    }
  },
  60_000,
);
