import { describe, expect, test } from 'vitest';
import { accessibilityProblems, chromiumPath, startBrowser } from '../kit/browser.ts';
import { createConsole } from '../kit/console.ts';
import { coveredByRegions } from '../kit/pages.ts';

/** Empty pages and refused forms have no serious accessibility problems. */
const ui = await createConsole();
const admin = await ui.signIn('admin');
const url = await ui.app.listen({ port: 0, host: '127.0.0.1' });

const empty = ui.pages.filter(
  (pattern) =>
    !pattern.includes(':') &&
    !['/sign-in', '/choose-password'].includes(pattern) &&
    !coveredByRegions(pattern),
);
const forms = empty.filter((pattern) => pattern.endsWith('/new'));

describe.skipIf(chromiumPath === null)('an empty deployment', async () => {
  if (chromiumPath === null) return;
  const browser = await startBrowser();
  const context = await browser.newContext({
    reducedMotion: 'reduce',
    viewport: { width: 390, height: 800 },
  });
  const [name = '', value = ''] = admin.cookie.split('=');
  await context.addCookies([{ name, value, url }]);
  const page = await context.newPage();

  test.each(empty)('%s is accessible', async (address) => {
    expect((await page.goto(url + address))?.status()).toBe(200);
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  test('/profile is accessible when the browser denies notifications', async () => {
    const denying = await context.newPage();
    await denying.addInitScript('Object.defineProperty(Notification, "permission", { get: () => "denied" })');
    await denying.goto(`${url}/profile`);
    await denying.locator('[data-notifications-denied]').waitFor({ state: 'visible' });
    expect(await accessibilityProblems(denying)).toEqual([]);
    await denying.close();
  });

  test.each(forms)('%s, submitted empty, reports problems and is accessible', async (address) => {
    expect((await page.goto(url + address))?.status()).toBe(200);
    const submit = page.locator('main [data-submit]').first();
    // Pages on which the user first chooses a kind have no form.
    if ((await submit.count()) === 0) return;
    await Promise.all([page.waitForEvent('load'), submit.click()]);
    expect(await page.locator('[aria-invalid="true"], .alert-danger').count()).toBeGreaterThan(0);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.evaluate('document.documentElement.setAttribute("data-bs-theme", "dark")');
    expect(await accessibilityProblems(page)).toEqual([]);
  });
});
