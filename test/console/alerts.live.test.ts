import { describe, expect, test } from 'vitest';
import { recordConditions } from '../../db/alerts/alerts.ts';
import { chromiumPath, startBrowser } from '../kit/browser.ts';
import { createConsole } from '../kit/console.ts';

/** Alerts on a page that stays open. */
const ui = await createConsole();
const { sql } = ui;
const operator = await ui.signIn('operator');
const url = await ui.app.listen({ port: 0, host: '127.0.0.1' });
/** console.js polls every 30 seconds. */
const pollMs = 31_000;
/** Records the notifications that the page shows. */
const recordNotifications = `
  window.shown = [];
  window.Notification = class extends window.Notification {
    constructor(title, options) {
      super(title, options);
      window.shown.push(options.body);
    }
  };`;

describe.skipIf(chromiumPath === null)('in a browser', async () => {
  if (chromiumPath === null) return;
  const browser = await startBrowser({ withNotifications: true });

  test('the count in the menu and in the title updates automatically, and each new alert is notified once', async () => {
    const [name = '', value = ''] = operator.cookie.split('=');
    const context = await browser.newContext({ locale: 'pt-BR', permissions: ['notifications'] });
    await context.addCookies([{ name, value, url }]);
    const page = await context.newPage();
    await page.clock.install();
    await page.addInitScript(recordNotifications);
    await page.goto(`${url}/profile`);
    const badge = page.locator('.navbar-nav .alert-count');
    expect(await badge.isVisible()).toBe(false);
    const polled = page.waitForResponse(/\/alerts\/open$/);
    await page.click('[data-notifications-on]');
    await polled;
    await page.locator('[data-notifications-off]').waitFor();

    const held = { kind: 'holds', subject: '', facts: { phones: 2 } } as const;
    await recordConditions(sql, { asOf: new Date(), found: [held] });
    await page.clock.runFor(pollMs);
    await badge.getByText('1 item precisa da sua atenção').waitFor({ state: 'attached' });
    expect(await badge.isVisible()).toBe(true);
    expect(await page.title()).toMatch(/^\(1\) \S/);
    await page.waitForFunction('window.shown.length === 1');
    expect(await page.evaluate('window.shown[0]')).toContain('2');

    const unread = { kind: 'unread_calls', subject: '7', facts: { provider: 'Zenvia', calls: 3 } } as const;
    await recordConditions(sql, { asOf: new Date(), found: [held, unread] });
    await page.clock.runFor(pollMs);
    await badge.getByText('2 itens precisam da sua atenção').waitFor({ state: 'attached' });
    await page.waitForFunction('window.shown.length === 2');

    await recordConditions(sql, { asOf: new Date(), found: [] });
    await page.clock.runFor(pollMs);
    await badge.waitFor({ state: 'hidden' });
    expect(await page.title()).not.toMatch(/^\(/);
    expect(await page.evaluate('window.shown.length')).toBe(2);
    await context.close();
  });
});
