import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { accessibilityProblems, chromiumPath, loadAxe, startBrowser } from '../kit/browser.ts';
import { holdPhone } from '../../db/customers/opt-outs.ts';
import { openReplyTicket } from '../../db/tickets/opening.ts';
import type { Locale } from '../../domain/user.ts';
import { createCatalog, createReadyCampaign, createRun, documentOf } from '../kit/api.ts';
import { createConsole, languages } from '../kit/console.ts';
import { createGateway } from '../kit/gateway.ts';
import { addressOf, coveredByRegions, type PageSubjects } from '../kit/pages.ts';
import { createTicketCatalog, insertReply, onReply } from '../kit/tickets.ts';

/**
 * Every page of the console in a real browser: both languages, wide and narrow, light and dark. Pages of a new noun need
 * a subject here.
 */
const gateway = await createGateway();
const ui = await createConsole({ sandboxUrl: gateway.url });
const admin = await ui.signIn('admin');
const invited = await ui.signIn('viewer');
await ui.sql`update users set must_change_password = true where id = ${invited.id}`;
const catalog = await createCatalog(ui);
/** A very long name without a place to break. */
const longWord = 'Pneumoultramicroscopicossilicovulcanoconiótico'.repeat(2).slice(0, 80);
const named = documentOf(catalog, { name: longWord, description: longWord });
const campaignId = await createReadyCampaign(ui, named);
// Enabled, so that all buttons are shown.
await ui.as('admin')('POST', `/api/campaigns/${campaignId}/enable`);
const run = await createRun(ui, catalog, { phones: ['+5511900000001', null, '+5511900000002'] });
const subjects: PageSubjects = {
  '/campaigns': campaignId,
  '/runs': run.runId,
  '/messages': run.messageIds[0] ?? 0,
  '/phones': '+5511900000003',
  ...(await settingSubjects()),
  ...(await serviceSubjects()),
  ...(await senderSubjects()),
  '/settings/users': admin.id,
  '/settings/tokens': 1,
};
const url = await ui.app.listen({ port: 0, host: '127.0.0.1' });

async function settingSubjects(): Promise<Record<string, number>> {
  const create = async (path: string, definition: object): Promise<[string, number]> => {
    const body = { name: `${longWord}, ${path}`, definition };
    const answer = await ui.as('admin')('POST', `/api/settings/${path}`, body);
    return [path, answer.json<{ id: number }>().id];
  };
  const category = await create('categories', {});
  const made = [
    category,
    await create('subcategories', { categoryId: category[1] }),
    await create('sending-hours', {
      timezone: 'America/Sao_Paulo',
      windows: [{ days: ['monday', 'friday'], from: '08:00', to: '18:00' }],
    }),
    await create('holiday-calendars', { holidays: [{ date: '2027-01-01', name: 'Ano-Novo' }] }),
    await create('quick-replies', { text: 'Olá {primeiro_nome}, já verificamos o seu pedido {codigo}.' }),
    await create('extra-field-groups', {
      fields: [{ name: 'valor_divida', type: 'number', required: true }],
    }),
    ...(await Promise.all(
      ['regions', 'customer-types', 'departments', 'assignees', 'resolutions'].map((path) =>
        create(path, {}),
      ),
    )),
  ];
  return Object.fromEntries(made.map(([path, id]) => [`/settings/${path}`, id]));
}

/** A provider of the kind with the longest form, and an integration. */
async function senderSubjects(): Promise<Record<string, number | string>> {
  const make = async (path: string, body: object): Promise<number> =>
    (await ui.as('admin')('POST', path, body)).json<{ id: number }>().id;
  const gateway = await make('/api/providers', {
    name: 'Operadora, pelo Kannel que fica na sala de servidores da matriz',
    config: {
      kind: 'http',
      from: '12345',
      request: { method: 'GET', url: 'http://127.0.0.1:13013/cgi-bin/sendsms?to={to}&p={secret.password}' },
      answer: { codes: { '0': { means: 'accepted' }, '3': { means: 'temporary' } } },
      receipts: { format: 'query', status: 'status', statuses: { '1': 'delivered', '2': 'undelivered' } },
      inbound: { format: 'query', id: 'id', from: 'from', text: 'text' },
    },
    secrets: { kind: 'http', callbackSecret: 'a-secret-of-more-than-20', values: { password: 'x' } },
    ratePerSecond: 12.5,
  });
  for (const prefix of ['', '55', '1'])
    await ui.as('admin')('PUT', `/api/providers/${gateway}/prices`, {
      ...{ prefix, firstDay: '2026-01-01', price: '12345,678901' },
    });
  await ui.as('admin')('PUT', '/api/costs/budget', { monthly: '123456789,00' });
  const integration = await make('/api/integrations', {
    name: 'CRM da matriz',
    config: {
      authentication: { kind: 'oauth2', tokenUrl: 'https://id.example/token', clientId: 'torpedo' },
      origins: ['https://crm.da-matriz.example.com.br'],
      headers: [{ name: 'X-Loja', value: '7' }],
    },
    secrets: { secret: 'x' },
  });
  return {
    '/settings/providers': gateway,
    '/settings/integrations': integration,
  };
}

/** One subject for each page of the service desk. */
async function serviceSubjects(): Promise<Record<string, number>> {
  const settings = await createTicketCatalog(ui.sql);
  const { messageIds } = await createRun(ui, catalog, {
    changes: { ticketPolicy: onReply(settings) },
  });
  const inboundMessageId = await insertReply(ui.sql, { messageId: messageIds[0] ?? 0 });
  const opened = await ui.sql.begin((tx) => openReplyTicket(tx, { inboundMessageId }));
  await holdPhone(ui.sql, { phone: '+5511900000008', source: 'reply', inboundMessageId });
  const make = async (path: string, body: object): Promise<number> =>
    (await ui.as('admin')('POST', path, body)).json<{ id: number }>().id;
  const name = longWord;
  return {
    '/tickets': opened?.ticketId ?? 0,
    '/replies': inboundMessageId,
    '/customers': await make('/api/customers', { name, mobile: '11900000001' }),
    '/opt-outs': await make('/api/opt-outs', { phone: '11900000002', note: 'Pediu por telefone' }),
  };
}

/**
 * Finds layout problems and names them by their text: buttons and fields side by side with different heights, and tables
 * that are wider than their card or break words into letters.
 */
const layoutProblems = String.raw`(() => {
  const found = [];
  const words = (element) => element.textContent.trim().slice(0, 40);
  for (const row of document.querySelectorAll('.title-actions, .buttons, .card-actions, .filters')) {
    const parts = [...row.querySelectorAll('.btn, .form-control, .form-select')]
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.height > 0);
    for (const [index, { element, box }] of parts.entries()) {
      const before = parts[index - 1]?.box;
      if (!before || before.bottom <= box.top || box.bottom <= before.top) continue;
      const apart = Math.max(Math.abs(before.top - box.top), Math.abs(before.bottom - box.bottom));
      if (apart > 1) found.push('uneven: ' + words(element));
    }
  }
  for (const table of document.querySelectorAll('.table-responsive')) {
    if (table.scrollWidth > table.clientWidth) found.push('a table too wide: ' + words(table));
    for (const cell of table.querySelectorAll('tbody th > div, tbody td > div')) {
      const text = words(cell);
      // More than four lines with less than three letters each.
      const lines = cell.getBoundingClientRect().height / parseFloat(getComputedStyle(cell).lineHeight);
      if (text !== '' && lines > 4 && text.length < lines * 3) found.push('letters for words: ' + text);
    }
  }
  return found;
})()`;

const addresses = ui.pages
  .filter((pattern) => !coveredByRegions(pattern))
  .map((pattern) => addressOf(pattern, subjects));

/** Resolves after two frames, when scripts have reacted to the new width and the result is laid out. */
const nextLayout = 'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))';

describe.skipIf(chromiumPath === null)('every page', async () => {
  if (chromiumPath === null) return;
  const browser = await startBrowser();
  const errors: string[] = [];

  /** Opens one browser page for all console pages, because opening a page takes longer than loading one. */
  async function openPage(locale: Locale, cookie: string | null): Promise<Page> {
    // Without transitions, during which colors lack contrast.
    const context = await browser.newContext({ locale, reducedMotion: 'reduce' });
    await loadAxe(context);
    if (cookie !== null) {
      const [name = '', value = ''] = cookie.split('=');
      await context.addCookies([
        { name, value, url },
        { name: 'torpedo-language', value: locale, url },
      ]);
    }
    const page = await context.newPage();
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    return page;
  }

  describe.each(languages)('in %s', (locale) => {
    let signedIn: Page;
    beforeAll(async () => {
      signedIn = await openPage(locale, admin.cookie);
    });

    test.each(addresses)(
      '%s has a title and no accessibility problem, layout problem or error',
      async (address) => {
        errors.length = 0;
        // The sign-in page needs a visitor, and the choice of a password needs an invited user.
        const page =
          address === '/sign-in'
            ? await openPage(locale, null)
            : address === '/choose-password'
              ? await openPage(locale, invited.cookie)
              : signedIn;
        // Loads at one width and resizes to the other, in the opposite order for the other language.
        const [first, second] = locale === 'en' ? [1280, 390] : [390, 1280];
        await page.setViewportSize({ width: first, height: 800 });
        const answer = await page.goto(url + address);
        expect(answer?.status(), address).toBe(200);
        expect(await page.getAttribute('html', 'lang')).toBe(locale);
        expect(await page.title()).toMatch(/\S · Torpedo$/);
        for (const width of [first, second]) {
          await page.setViewportSize({ width, height: 800 });
          await page.evaluate(nextLayout);
          const tooWide: unknown = await page.evaluate(
            'document.documentElement.scrollWidth - document.documentElement.clientWidth',
          );
          expect(tooWide, `${address} at ${width}`).toBe(0);
          expect(await page.evaluate(layoutProblems), `${address} at ${width}`).toEqual([]);
        }
        // The rules of axe depend on layout and colors, not on the language: one theme for each language.
        if (locale === 'en') {
          await page.evaluate('document.documentElement.setAttribute("data-bs-theme", "dark")');
        }
        expect(await accessibilityProblems(page), address).toEqual([]);
        expect(errors).toEqual([]);
      },
    );
  });
});
