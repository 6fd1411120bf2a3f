import { mkdtemp, mkdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { z } from 'zod';
import { generateMailing } from '../examples/make-mailing.ts';
import { type ApiClient, claimFirstAdmin } from './api-client.ts';
import { createCampaign, createSandboxProvider, sendingHoursId } from './first-campaign.ts';
import { until } from './until.ts';
import { startSystem, type System } from './system.ts';

/**
 * `npm run screenshots`: pictures of the main pages for README, in docs/screenshots/. Uses a separate system with
 * fictitious people, in its own data folder and on its own ports. CHROMIUM names the browser.
 */
const folder = fileURLToPath(new URL('../docs/screenshots/', import.meta.url));
const wide = { width: 1280, height: 800 };
const narrow = { width: 390, height: 780 };
const largestBytes = 200_000;

const withId = z.object({ id: z.int() });
const withRun = z.object({ runId: z.int() });
const entries = z.object({ entries: z.array(z.object({ id: z.int(), name: z.string() })) });
const progressShape = z.object({ over: z.boolean(), counts: z.record(z.string(), z.int()) });
const phonesShape = z.object({ phones: z.array(z.object({ phone: z.string() })) });
const ticketsShape = z.object({ tickets: z.array(withId) });
const answersShape = z.object({ answers: z.array(z.object({ status: z.string() })) });
const reportShape = z.object({ total: z.object({ delivered: z.int(), replies: z.int(), tickets: z.int() }) });

const idOf = async (api: ApiClient, kind: string, name: string): Promise<number> => {
  const { entries: all } = entries.parse(await api.call('GET', `/api/settings/${kind}`));
  const found = all.find((entry) => entry.name === name);
  if (!found) throw new Error(`There is no "${name}" among ${kind}.`);
  return found.id;
};

/** Campaigns of a service desk; the first is finished, the second is running. */
async function makeData(system: System, api: ApiClient) {
  const providerId = await createSandboxProvider(api, system.sandbox, 40);
  await api.call('PUT', `/api/providers/${providerId}/prices`, {
    prefix: '',
    firstDay: '2026-01-01',
    price: '0.085',
  });
  const hours = await sendingHoursId(api, 'Sempre');
  const ticketPolicy = {
    when: 'on_reply',
    departmentId: await idOf(api, 'departments', 'Atendimento'),
    assigneeId: await idOf(api, 'assignees', 'Equipe de atendimento'),
    categoryId: await idOf(api, 'categories', 'Relacionamento'),
    subcategoryId: await idOf(api, 'subcategories', 'Comunicado'),
  };
  const make = async (name: string, lines: number): Promise<number> => {
    const id = await createCampaign(api, {
      name,
      providerId,
      sendingHoursId: hours,
      startsAt: '2030-01-07T09:00',
    });
    const { definition, version } = z
      .object({ definition: z.looseObject({}), version: z.int() })
      .parse(await api.call('GET', `/api/campaigns/${id}`));
    await api.call('PUT', `/api/campaigns/${id}`, { ...definition, ticketPolicy, version });
    await api.upload(
      `/api/campaigns/${id}/mailing/file`,
      Buffer.from([...generateMailing(lines, id)].join('')),
    );
    await api.call('POST', `/api/campaigns/${id}/enable`, {});
    return id;
  };
  const run = async (id: number): Promise<number> =>
    withRun.parse(await api.call('POST', `/api/campaigns/${id}/run-now`)).runId;
  const over = (runId: number): Promise<true> =>
    until(async () =>
      progressShape.parse(await api.call('GET', `/api/runs/${runId}/progress`)).over ? true : undefined,
    );

  const orders = await make('Pedido pronto para retirada', 240);
  await over(await run(orders));
  await make('Lembrete de consulta', 60);
  await make('Pesquisa de satisfação', 80);
  const { phones } = phonesShape.parse(await api.call('GET', '/api/sandbox/phones'));
  const texts = ['Posso retirar no sábado?', 'Obrigada!', 'Ainda não recebi o código.', 'SAIR'];
  for (const [index, text] of texts.entries()) {
    const phone = phones[index + 3]?.phone ?? '';
    await api.call('POST', `/api/sandbox/phones/${encodeURIComponent(phone)}/replies`, { text });
  }
  const { tickets } = await until(async () => {
    const found = ticketsShape.parse(await api.call('GET', '/api/tickets'));
    return found.tickets.length >= 3 ? found : undefined;
  });
  const ticket = tickets.at(-1)?.id ?? 0;
  await api.call('POST', `/api/tickets/${ticket}/answers`, {
    text: 'Pode sim: sabado, das 9h as 13h. Traga um documento. Ana',
  });
  await until(async () => {
    const { answers } = answersShape.parse(await api.call('GET', `/api/tickets/${ticket}/answers`));
    return answers[0]?.status === 'delivered' ? true : undefined;
  });
  const today = new Intl.DateTimeFormat('en-CA', { timeZone: 'America/Sao_Paulo' }).format(new Date());
  await until(async () => {
    const query = `from=${today}&to=${today}&by=campaign`;
    const { total } = reportShape.parse(await api.call('GET', `/api/reports?${query}`));
    return total.delivered > 100 && total.replies > 0 && total.tickets > 0 ? true : undefined;
  });
  const billing = await make('Lembrete de vencimento', 2_400);
  const live = await run(billing);
  await until(async () => {
    const { counts } = progressShape.parse(await api.call('GET', `/api/runs/${live}/progress`));
    return (counts.sent ?? 0) + (counts.delivered ?? 0) > 500 ? true : undefined;
  });
  return { orders, live, ticket, phone: phones[3]?.phone ?? '' };
}

async function shoot(page: Page, url: string, name: string, size = wide): Promise<void> {
  await page.setViewportSize(size);
  await page.goto(url, { waitUntil: 'load' });
  // The requests that htmx makes when the page opens, and the first points of a chart.
  await sleep(4_000);
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, animations: 'disabled' });
  const { size: bytes } = await stat(path);
  console.log(`${name}.png, ${Math.round(bytes / 1000)} kB`);
  if (bytes > largestBytes) throw new Error(`${name}.png is too large for README.`);
}

const dataDir = await mkdtemp(join(tmpdir(), 'torpedo-screenshots-'));
const system = await startSystem({
  dataDir,
  ports: { api: 0, postgres: 0, temporal: 0, temporalUi: 0, sandbox: 0 },
  environment: { LOG_LEVEL: 'error' },
  example: false,
  log: console.log,
});
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // Chromium's own sandbox needs permissions that root does not have in containers.
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
try {
  const { firstAdmin, apiUrl } = system;
  if (!firstAdmin) throw new Error('There is no new deployment.');
  await mkdir(folder, { recursive: true });
  const admin = await claimFirstAdmin(apiUrl, firstAdmin);
  const { orders, live, ticket, phone } = await makeData(system, admin);
  const context = await browser.newContext({
    locale: 'pt-BR',
    timezoneId: 'America/Sao_Paulo',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto(`${apiUrl}/sign-in`);
  await page.fill('[name=login]', admin.login);
  await page.fill('[name=password]', admin.password);
  await page.press('[name=password]', 'Enter');
  await page.waitForURL(`${apiUrl}/`);
  await shoot(page, `${apiUrl}/runs/${live}`, 'run');
  await shoot(page, `${apiUrl}/`, 'home');
  await shoot(page, `${apiUrl}/campaigns/${orders}/message`, 'campaign');
  await shoot(page, `${apiUrl}/runs/${live}/messages`, 'messages');
  await shoot(page, `${apiUrl}/tickets/${ticket}`, 'ticket');
  await shoot(page, `${apiUrl}/reports?period=last_7&by=campaign`, 'reports');
  await shoot(page, `${apiUrl}/phones/${encodeURIComponent(phone)}`, 'phone', narrow);
} finally {
  await browser.close();
  await system.stop();
  await rm(dataDir, { recursive: true, force: true });
}
process.exit();
