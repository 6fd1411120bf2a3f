import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll } from 'vitest';

const require = createRequire(import.meta.url);

/** CHROMIUM, else the first of these on the PATH; null where there is none. */
function findChromium(): string | null {
  const names = [process.env.CHROMIUM ?? 'chromium', 'chromium-browser', 'google-chrome'];
  for (const name of names) {
    const found = spawnSync('which', [name], { encoding: 'utf8' });
    if (found.status === 0) return found.stdout.trim();
  }
  return null;
}

export const chromiumPath = findChromium();
if (chromiumPath === null) {
  console.warn(
    'The tests of the console in a browser are left out: there is no Chromium. Install it (apt-get install chromium) or name one in CHROMIUM.',
  );
}

/** A real browser for one test file. */
export async function startBrowser() {
  const browser = await chromium.launch({
    executablePath: chromiumPath ?? 'chromium',
    // Chromium's own sandbox needs what containers do not give to root.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  afterAll(() => browser.close());
  return browser;
}

/** For a page that is to be asked for its `accessibilityProblems`, before it is opened. */
export async function prepareForAxe(page: Page): Promise<void> {
  // Not by a tag in the page: the console's policy lets no foreign script run.
  await page.addInitScript({ path: require.resolve('axe-core') });
}

/** What axe finds wrong with a page that a person would stumble over: `rule: how many, the first of them`. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  const found: unknown = await page.evaluate('axe.run(document, { resultTypes: ["violations"] })');
  const { violations } = found as {
    violations: { id: string; impact: string; nodes: { html: string }[] }[];
  };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.length}, ${nodes[0]?.html ?? ''}`);
}
