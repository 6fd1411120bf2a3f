import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { runs as runWords } from '../../console/runs/words.ts';
import { chromiumPath, startBrowser } from '../kit/browser.ts';
import { createProvider, startRun } from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { until } from '../kit/until.ts';
import { createWholeSystem } from '../kit/whole-system.ts';

/** A run that is watched in a real browser while it sends: nobody loads the page again. */
const system = await createWholeSystem();
const { sql, publicUrl, admin } = system;
const probe = createRunProbe(system);
const t = runWords['pt-BR'];
const lines = 500;

const textIn = (page: Page, selector: string) => async (): Promise<string> =>
  (await page.textContent(selector)) ?? '';

/** What a person sees of a run that changes. */
const watch = (page: Page) => {
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
    /** The bar's value and the picture that stands in the chart. */
    bar: async () => page.locator('#live > progress').evaluate((bar) => bar.getAttribute('value')),
    chart: async (): Promise<unknown> =>
      page.evaluate('document.querySelector("[data-samples] canvas")?.toDataURL() ?? null'),
  };
};

describe.skipIf(chromiumPath === null)('A run that is sending', async () => {
  if (chromiumPath === null) return;
  const browser = await startBrowser();

  test('shows its counts, its rate and its chart as they change, and that it has finished', async () => {
    const providerId = await createProvider(system, { ratePerSecond: 10 });
    const run = await startRun(system, { providerId, mailing: lines });
    await until('it has begun to send', async () => (await probe.countOf(run.id, 'delivered')) > 0);

    const page = await browser.newPage({ locale: 'pt-BR', reducedMotion: 'reduce' });
    page.setDefaultTimeout(20_000);
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    await page.goto(`${publicUrl}/sign-in`);
    await page.fill('[name=login]', admin.login);
    await page.fill('[name=password]', admin.password);
    await Promise.all([page.waitForURL(`${publicUrl}/`), page.press('[name=password]', 'Enter')]);
    await page.goto(`${publicUrl}/runs/${run.id}`);
    let loads = 0;
    page.on('load', () => loads++);

    const seen = watch(page);
    const changes = async <T>(what: string, look: () => Promise<T>, by: (now: T, before: T) => boolean) => {
      const before = await look();
      return until(what, async () => ((await look().then((now) => by(now, before))) ? { before } : null));
    };
    expect(await seen.state()).toContain(t.status.running);
    await until('the chart is drawn', seen.chart);
    await until(
      'the rate is near the limit',
      async () => (await seen.rate()) > 5 && (await seen.rate()) < 15,
    );
    expect(await seen.rateWords()).toContain(t.limit('10'));
    const more = (now: number, before: number): boolean => now > before;
    const other = (now: unknown, before: unknown): boolean => now !== before;
    await changes('more are handed over', seen.handedOver, more);
    await changes('more are delivered', seen.delivered, more);
    await changes('the bar has grown', async () => Number(await seen.bar()), more);
    await changes('the time left is another', seen.timeLeft, other);
    await changes('the chart goes on', seen.chart, other);

    // The details follow as well.
    await until('the details show when sending began', async () => {
      const [, after = ''] = ((await page.textContent('#details')) ?? '').split(t.sendingBegan);
      return /^\d\d\//.test(after);
    });

    // Somebody lets it go faster; who watches sees it.
    await sql`update providers set rate_per_second = 60 where id = ${providerId}`;
    await until('the new limit is told', async () => (await seen.rateWords()).includes(t.limit('60')));
    await until('the rate rises', async () => (await seen.rate()) > 20);
    expect(loads, 'loads of the page while it was sending').toBe(0);

    await page.getByText(t.status.finished).first().waitFor();
    expect(await seen.handedOver()).toBe(lines);
    // Receipts are still coming when the last message has left.
    await until('all are delivered', async () => (await seen.delivered()) === lines);
    // The buttons of a run that goes on are gone, and nothing is listened to any more.
    expect(await page.locator(`a[href="/runs/${run.id}/cancel"]`).count()).toBe(0);
    expect(await page.getAttribute('#live', 'data-events')).toBeNull();
    expect(await page.textContent('main')).toContain(t.chartOver);
    expect(loads, 'loads of the page when it had finished').toBe(1);
    expect(complaints).toEqual([]);
    await page.close();
  });
});
