import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { createCatalog, createReadyCampaign, createRun, documentOf } from '../kit/api.ts';
import { chromiumPath, startBrowser } from '../kit/browser.ts';
import { createConsole } from '../kit/console.ts';

/** What a browser fetches for a page: sizes, origins, caching and security headers. */
const ui = await createConsole();
const admin = await ui.signIn('admin');
const catalog = await createCatalog(ui);
const campaignId = await createReadyCampaign(ui, documentOf(catalog));
const { runId } = await createRun(ui, catalog);
const url = await ui.app.listen({ port: 0, host: '127.0.0.1' });
const pages = [
  '/',
  '/campaigns',
  `/campaigns/${campaignId}/message`,
  `/runs/${runId}`,
  '/tickets',
  '/settings',
];

const maxBytes = 300_000;

interface Loaded {
  url: string;
  /** Over the wire: compressed, with headers. 0 when the file came from the browser's cache. */
  bytes: number;
  headers: Record<string, string>;
}

/** Returns every response until the load event. */
async function load(page: Page, address: string): Promise<Loaded[]> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const loaded = new Map<string, Loaded>();
  session.on('Network.responseReceived', ({ requestId, response }) => {
    const headers = Object.fromEntries(
      Object.entries(response.headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    loaded.set(requestId, { url: response.url, bytes: 0, headers });
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const one = loaded.get(requestId);
    if (one) one.bytes = encodedDataLength;
  });
  // The page of a run keeps an event stream open, so the network never becomes idle.
  await page.goto(url + address, { waitUntil: 'load' });
  await session.detach();
  return [...loaded.values()].filter(({ url: from }) => !from.startsWith('data:'));
}

/** Collects script errors and policy violations that the browser reports. */
function recordErrors(page: Page): string[] {
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) errors.push(message.text());
  });
  return errors;
}

test('the content security policy allows only our own files', async () => {
  const { headers } = await admin.get('/campaigns');
  const policy = String(headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).toContain("style-src 'self';");
  expect(policy).not.toContain('unsafe');
  expect(policy).not.toContain('http');
});

test('a campaign page opens from a link on another site', async () => {
  const address = `/campaigns/${campaignId}/message`;
  expect((await admin.get(address, { 'sec-fetch-site': 'cross-site' })).statusCode).toBe(200);
  // Over plain HTTP a browser does not send Sec-Fetch-Site.
  expect((await admin.get(address)).statusCode).toBe(200);
});

describe.skipIf(chromiumPath === null)('the first load', async () => {
  if (chromiumPath === null) return;
  const browser = await startBrowser();
  const [name = '', value = ''] = admin.cookie.split('=');

  test.each(pages)(
    'of %s is small, from our origin and without errors; the second load fetches no assets',
    async (address) => {
      const context = await browser.newContext();
      await context.addCookies([{ name, value, url }]);
      const page = await context.newPage();
      const errors = recordErrors(page);
      const first = await load(page, address);
      expect(first.map((one) => new URL(one.url).origin)).toEqual(first.map(() => url));
      expect(first.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(maxBytes);
      const files = first.filter((one) => new URL(one.url).pathname.startsWith('/assets/'));
      expect(files.length).toBeGreaterThan(3);
      for (const { url: file, headers } of files) {
        expect(headers['cache-control'], file).toContain('immutable');
        expect(file).toMatch(/\.[0-9a-f]{12}\.(?:css|js|svg)$/);
        // Compressed answers are chunked and have no length. Files below 1 kB are not compressed.
        if (Number(headers['content-length'] ?? Infinity) >= 1024)
          expect(headers['content-encoding'], file).toBe('br');
      }
      const second = await load(page, address);
      const fetched = second.filter(({ bytes }) => bytes > 0).map((one) => new URL(one.url).pathname);
      // The browser fetches the icon at any time, on a busy machine only during the second load.
      expect(fetched.filter((path) => /^\/assets\/(?!icon\.)/.test(path))).toEqual([]);
      expect(errors).toEqual([]);
      await context.close();
    },
  );
});
