import type { BrowserContext } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { accessibilityProblems, chromiumPath, prepareForAxe, startBrowser } from './browser.ts';
import { createConsole, languages } from './console.ts';

/**
 * Every page of the console in a real browser: both languages, wide and narrow, light and dark. A page whose address
 * has parameters needs its example here.
 */
const ui = await createConsole();
const examples: Readonly<Record<string, string>> = {};
const admin = await ui.person('admin');
const url = await ui.app.listen({ port: 0, host: '127.0.0.1' });

const addresses = ui.pages.map((pattern) => {
  if (!pattern.includes(':')) return pattern;
  const example = examples[pattern];
  if (example === undefined) throw new Error(`Give an example of ${pattern}.`);
  return example;
});

describe.skipIf(chromiumPath === null)('every page', async () => {
  if (chromiumPath === null) return;
  const browser = await startBrowser();
  const [name = '', value = ''] = admin.cookie.split('=');
  const contexts = new Map<string, BrowserContext>();
  beforeAll(async () => {
    for (const locale of languages) {
      // Without transitions, in the middle of which colours have no contrast.
      const context = await browser.newContext({ reducedMotion: 'reduce' });
      await context.addCookies([
        { name, value, url },
        { name: 'torpedo-language', value: locale, url },
      ]);
      contexts.set(locale, context);
    }
  });

  test.each(languages.flatMap((locale) => addresses.map((address) => [address, locale] as const)))(
    '%s in %s has a title, nothing that hinders, nothing too wide, and no error',
    async (address, locale) => {
      const context = contexts.get(locale);
      if (!context) throw new Error(`There is no browser for ${locale}.`);
      // Nobody is signed in where one signs in.
      const own =
        address === '/sign-in' ? await browser.newContext({ locale, reducedMotion: 'reduce' }) : context;
      const page = await own.newPage();
      await prepareForAxe(page);
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(message.text());
      });
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 800 });
        const answer = await page.goto(url + address);
        expect(answer?.status(), `${address} at ${width}`).toBe(200);
        expect(await page.getAttribute('html', 'lang')).toBe(locale);
        expect(await page.title()).toMatch(/\S · Torpedo$/);
        const tooWide: unknown = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        expect(tooWide, `${address} at ${width}`).toBe(0);
        expect(await accessibilityProblems(page), `${address} at ${width}`).toEqual([]);
      }
      await page.evaluate('document.documentElement.setAttribute("data-bs-theme", "dark")');
      expect(await accessibilityProblems(page), `${address}, dark`).toEqual([]);
      expect(errors).toEqual([]);
      await page.close();
      if (own !== context) await own.close();
    },
  );
});
