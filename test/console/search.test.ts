import { expect, test } from 'vitest';
import { createCatalog, createRun } from '../kit/api.ts';
import { chromiumPath, startBrowser } from '../kit/browser.ts';
import { createConsole, textOf } from '../kit/console.ts';

const ui = await createConsole();
const { sql, as } = ui;
const catalog = await createCatalog(ui);
const phone = '+5511970000060';
const { runId, campaignId, messageIds } = await createRun(ui, catalog, {
  phones: [phone, '+5521970000060'],
});
await sql`update campaigns set definition = definition || '{"name": "Cobrança de março"}' where id = ${campaignId}`;
await sql`
  update messages set text = 'Olá, seu código é ' || line where run_id = ${runId}`;
const customer = (
  await as('operator')('POST', '/api/customers', { code: 'C-9', name: 'Érica da Conceição', mobile: phone })
).json<{ id: number }>().id;
const viewer = await ui.signIn('viewer');
const agent = await ui.signIn('agent');

type Found = Record<
  'customers' | 'campaigns' | 'runs' | 'tickets' | 'messages' | 'replies',
  { id: number }[]
>;
const search = async (q: string, role: 'viewer' | 'agent' = 'viewer') => {
  const answer = await as(role)('GET', `/api/search?q=${encodeURIComponent(q)}`);
  expect(answer.statusCode).toBe(200);
  const found = answer.json<Found>();
  return Object.fromEntries(
    Object.entries(found).flatMap(([kind, entries]) =>
      entries.length === 0 ? [] : [[kind, entries.map(({ id }) => id)]],
    ),
  );
};

test('the search finds customers and campaigns by name, runs by number, and everything of a phone', async () => {
  expect(await search('conceicao')).toEqual({ customers: [customer] });
  expect(await search('c-9')).toEqual({});
  expect(await search('C-9')).toEqual({ customers: [customer] });
  expect(await search('MARÇO')).toEqual({ campaigns: [campaignId] });
  expect(await search(`#${runId}`)).toEqual({ runs: [runId] });
  expect(await search('(11) 97000-0060')).toEqual({ customers: [customer], messages: [messageIds[0]] });
  expect(await search('97000-0060')).toEqual({
    customers: [customer],
    messages: messageIds.toSorted((a, b) => b - a),
  });
  expect(await search('"%_?')).toEqual({});
});

test('an agent finds only customers, tickets and replies', async () => {
  expect(await search('MARÇO', 'agent')).toEqual({});
  expect(await search('97000-0060', 'agent')).toEqual({ customers: [customer] });
  const page = await agent.get('/search?q=97000-0060');
  expect(page.body).toContain(`href="/customers/${customer}"`);
  expect(page.body).not.toContain('/messages');
});

test('the search box of each page leads to grouped results and shows them while the user types', async () => {
  expect((await viewer.get('/')).body).toMatch(/<form[^>]* action="\/search"/);
  const page = await viewer.get('/search?q=97000-0060');
  expect(textOf(page)).toMatch(/Resultados para “97000-0060”/);
  expect(textOf(page)).toContain('(11) 97000-0060');
  expect(page.body).toContain(`href="/messages/${messageIds[0] ?? 0}"`);
  expect(page.body).toContain('href="/messages?phone=97000-0060"');
  const part = await viewer.get('/search/results?q=erica');
  expect(part.body).toContain(`href="/customers/${customer}"`);
  expect(part.body).not.toContain('<html');
  expect(textOf(await viewer.get('/search?q=zzz'))).toContain('Nada encontrado');
});

test.skipIf(chromiumPath === null)(
  'Ctrl+K and ⌘K focus the search box, which shows results while the user types',
  async () => {
    const url = await ui.app.listen({ port: 0, host: '127.0.0.1' });
    const [name = '', value = ''] = viewer.cookie.split('=');
    const context = await (await startBrowser()).newContext({ locale: 'pt-BR' });
    await context.addCookies([{ name, value, url }]);
    const page = await context.newPage();
    for (const keys of ['Control+k', 'Meta+k']) {
      await page.goto(`${url}/campaigns`);
      await page.keyboard.press(keys);
      await page.locator('[data-search]:focus').waitFor();
      await page.keyboard.type('erica');
      await page.locator(`#search-results a[href="/customers/${customer}"]`).waitFor();
    }
    await page.keyboard.press('Enter');
    await page.waitForURL(`${url}/search?q=erica`);
    await page.locator(`main a[href="/customers/${customer}"]`).waitFor();
    await context.close();
  },
);

test('messages are found by campaign, day and text, with paging', async () => {
  const [{ day }] = await sql<[{ day: string }]>`
    select (occurrence at time zone 'UTC')::date::text as day from runs where id = ${runId}`;
  const find = async (query: string) => {
    const answer = await as('viewer')('GET', `/api/messages?${query}`);
    expect(answer.statusCode, answer.body).toBe(200);
    return answer.json<{ messages: { id: number; campaignId: number }[]; next: string | null }>();
  };
  const ids = async (query: string) => (await find(query)).messages.map(({ id }) => id);
  expect(await ids(`campaignId=${campaignId}`)).toEqual(messageIds);
  expect(await ids(`campaignId=${campaignId}&status=queued&day=${day}`)).toEqual(messageIds);
  expect(await ids(`campaignId=${campaignId}&status=failed`)).toEqual([]);
  expect(await ids('day=2001-01-01')).toEqual([]);
  const [{ line }] = await sql<
    [{ line: number }]
  >`select line from messages where id = ${messageIds[1] ?? 0}`;
  expect(await ids(`day=${day}&text=CODIGO%20e%20${line}`)).toEqual([messageIds[1]]);
  const first = await find(`campaignId=${campaignId}&limit=1`);
  expect(first.messages).toMatchObject([{ id: messageIds[0], campaignId }]);
  expect(await ids(`campaignId=${campaignId}&limit=1&after=${first.next ?? ''}`)).toEqual([messageIds[1]]);

  const unbounded = await as('viewer')('GET', '/api/messages?text=codigo');
  expect([unbounded.statusCode, unbounded.body.includes('"day"')]).toEqual([400, true]);
  const page = await viewer.get('/messages?text=codigo');
  expect(textOf(page)).toContain('o texto é procurado dentro de um dia');
  const file = await as('viewer')('GET', `/api/messages.csv?campaignId=${campaignId}`);
  expect(file.body.trimEnd().split('\r\n')).toHaveLength(3);
});

test('a text in a large run is searched in portions that continue from each other', async () => {
  const large = await createRun(ui, catalog, { phones: [phone] });
  await sql`
    insert into messages (run_id, line, status, text)
    select ${large.runId}, 10 + n, 'delivered', case when n = 60000 then 'agulha' else 'palha' end
    from generate_series(1, 60010) as n`;
  const list = async (after: number) =>
    (await as('viewer')('GET', `/api/runs/${large.runId}/messages?text=agulha&after=${after}`)).json<{
      messages: { line: number }[];
      next: number | null;
    }>();
  const first = await list(0);
  expect(first).toMatchObject({ messages: [], next: 50_000 });
  expect(await list(first.next ?? 0)).toMatchObject({ messages: [{ line: 60_010 }], next: null });
  expect(textOf(await viewer.get(`/runs/${large.runId}/messages?text=agulha`))).toContain(
    'A busca parou aqui',
  );
});

test('runs are found by day in the time zone of the user, and by campaign', async () => {
  await sql`update runs set occurrence = '2026-03-10T01:30:00Z' where id = ${runId}`;
  const runs = async (query: string) => (await viewer.get(`/runs?${query}`)).body;
  // In São Paulo this is still the evening before.
  expect(await runs('day=2026-03-09')).toContain(`href="/runs/${runId}"`);
  expect(await runs('day=2026-03-10')).not.toContain(`href="/runs/${runId}"`);
  expect(await runs(`campaignId=${campaignId}`)).toMatch(
    new RegExp(`<option value="${campaignId}" selected[^>]*>Cobrança de março`),
  );
});
