import { describe, expect, test } from 'vitest';
import { accessibilityProblems, chromiumPath, startBrowser } from '../kit/browser.ts';
import { createConsole } from '../kit/console.ts';

/** Pages with nothing in them, and forms that were refused: axe finds nothing serious there either. */
const ui = await createConsole();
const admin = await ui.person('admin');
const url = await ui.app.listen({ port: 0, host: '127.0.0.1' });

/** Names alone, shown by the very pages that show regions. */
const likeRegions = /^\/settings\/(customer-types|departments|assignees|categories|resolutions)(\/|$)/;

const empty = ui.pages.filter(
  (pattern) =>
    !pattern.includes(':') &&
    !['/sign-in', '/choose-password'].includes(pattern) &&
    !likeRegions.test(pattern),
);
const forms = empty.filter((pattern) => pattern.endsWith('/new'));

describe.skipIf(chromiumPath === null)('with nothing in it', async () => {
  if (chromiumPath === null) return;
  const browser = await startBrowser();
  const context = await browser.newContext({
    reducedMotion: 'reduce',
    viewport: { width: 390, height: 800 },
  });
  const [name = '', value = ''] = admin.cookie.split('=');
  await context.addCookies([{ name, value, url }]);
  const page = await context.newPage();

  test.each(empty)('%s hinders nobody', async (address) => {
    expect((await page.goto(url + address))?.status()).toBe(200);
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  test('/profile hinders nobody where the browser denies notifications', async () => {
    const denying = await context.newPage();
    await denying.addInitScript('Object.defineProperty(Notification, "permission", { get: () => "denied" })');
    await denying.goto(`${url}/profile`);
    await denying.locator('[data-notifications-denied]').waitFor({ state: 'visible' });
    expect(await accessibilityProblems(denying)).toEqual([]);
    await denying.close();
  });

  test.each(forms)('%s, sent empty, says what is wrong and hinders nobody', async (address) => {
    expect((await page.goto(url + address))?.status()).toBe(200);
    const submit = page.locator('main [data-submit]').first();
    // Where a kind is chosen first there is no form yet.
    if ((await submit.count()) === 0) return;
    await Promise.all([page.waitForEvent('load'), submit.click()]);
    expect(await page.locator('[aria-invalid="true"], .alert-danger').count()).toBeGreaterThan(0);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.evaluate('document.documentElement.setAttribute("data-bs-theme", "dark")');
    expect(await accessibilityProblems(page)).toEqual([]);
  });
});
