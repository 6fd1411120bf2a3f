import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { runs as runWords } from '../../console/runs/words.ts';
import { chromiumPath, startBrowser } from '../kit/browser.ts';
import { createProvider, startRun } from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { until } from '../kit/until.ts';
import { createWholeSystem } from '../kit/whole-system.ts';

/** The page of a sending run in a real browser updates without a reload. */
const system = await createWholeSystem();
const { sql, publicUrl, admin } = system;
const probe = createRunProbe(system);
const t = runWords['pt-BR'];
const lines = 500;

const textIn = (page: Page, selector: string) => async (): Promise<string> =>
  (await page.textContent(selector)) ?? '';

/** Reads the changing parts of a run page. */
const readLive = (page: Page) => {
  const figure = (label: string) =>
    textIn(page, `.figure:has(.figure-label:text-is("${label}")) .figure-value`);
  const [rate, progress, timeLeft, state] = [
    figure(t.rate),
    figure(t.progress),
    figure(t.timeLeft),
    figure(t.state),
  ];
  const numberIn = (text: string): number =>
    Number(/[\d.,]+/.exec(text)?.[0].replace('.', '').replace(',', '.'));
  return {
    state,
    timeLeft,
    rateWords: rate,
    rate: async () => numberIn(await rate()),
    handedOver: async () => numberIn((await progress()).split('%').at(-1) ?? ''),
    delivered: async () => {
      const row = page.locator(`.counts tr:has(a:text-is("${t.message.delivered}")) .numeric`);
      return (await row.count()) === 0 ? 0 : numberIn((await row.textContent()) ?? '');
    },
    /** The value of the progress bar and the image of the chart. */
    bar: async () => page.locator('#live > progress').evaluate((bar) => bar.getAttribute('value')),
    chart: async (): Promise<unknown> =>
      page.evaluate('document.querySelector("[data-samples] canvas")?.toDataURL() ?? null'),
  };
};

describe.skipIf(chromiumPath === null)('the page of a sending run', async () => {
  if (chromiumPath === null) return;
  const browser = await startBrowser();

  test('updates the counts, the rate and the chart, and shows when the run has finished', async () => {
    const providerId = await createProvider(system, { ratePerSecond: 10 });
    const run = await startRun(system, { providerId, mailing: lines });
    await until('sending has begun', async () => (await probe.countOf(run.id, 'delivered')) > 0);

    const page = await browser.newPage({ locale: 'pt-BR', reducedMotion: 'reduce' });
    page.setDefaultTimeout(20_000);
    const pageErrors: string[] = [];
    page.on('pageerror', ({ message }) => pageErrors.push(message));
    await page.goto(`${publicUrl}/sign-in`);
    await page.fill('[name=login]', admin.login);
    await page.fill('[name=password]', admin.password);
    await Promise.all([page.waitForURL(`${publicUrl}/`), page.press('[name=password]', 'Enter')]);
    await page.goto(`${publicUrl}/runs/${run.id}`);
    let loads = 0;
    page.on('load', () => loads++);

    const live = readLive(page);
    const changes = async <T>(what: string, read: () => Promise<T>, by: (now: T, before: T) => boolean) => {
      const before = await read();
      return until(what, async () => ((await read().then((now) => by(now, before))) ? { before } : null));
    };
    expect(await live.state()).toContain(t.status.running);
    await until('the chart is drawn', live.chart);
    await until(
      'the rate is near the limit',
      async () => (await live.rate()) > 5 && (await live.rate()) < 15,
    );
    expect(await live.rateWords()).toContain(t.limit('10'));
    const more = (now: number, before: number): boolean => now > before;
    const other = (now: unknown, before: unknown): boolean => now !== before;
    await changes('more are handed over', live.handedOver, more);
    await changes('more are delivered', live.delivered, more);
    await changes('the bar has grown', async () => Number(await live.bar()), more);
    await changes('the time left has changed', live.timeLeft, other);
    await changes('the chart is redrawn', live.chart, other);

    // The details update as well.
    await until('the details show when sending began', async () => {
      const [, after = ''] = ((await page.textContent('#details')) ?? '').split(t.sendingBegan);
      return /^\d\d\//.test(after);
    });

    // A raised rate limit appears on the page.
    await sql`update providers set rate_per_second = 60 where id = ${providerId}`;
    await until('the new limit is shown', async () => (await live.rateWords()).includes(t.limit('60')));
    await until('the rate rises', async () => (await live.rate()) > 20);
    expect(loads, 'loads of the page while it was sending').toBe(0);

    await page.getByText(t.status.finished).first().waitFor();
    expect(await live.handedOver()).toBe(lines);
    // Receipts still arrive after the last message was sent.
    await until('all are delivered', async () => (await live.delivered()) === lines);
    // The buttons of a live run are gone, and the page no longer listens for events.
    expect(await page.locator(`a[href="/runs/${run.id}/cancel"]`).count()).toBe(0);
    expect(await page.getAttribute('#live', 'data-events')).toBeNull();
    expect(await page.textContent('main')).toContain(t.chartOver);
    expect(loads, 'loads of the page when it had finished').toBe(1);
    expect(pageErrors).toEqual([]);
    await page.close();
  });
});
