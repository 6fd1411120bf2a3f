import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll } from 'vitest';

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

let running: Promise<Browser> | undefined;

/** A real browser, started once for all test files of a process. What a file opens in it is closed after the file. */
export async function startBrowser(): Promise<Browser> {
  running ??= chromium.launch({
    executablePath: chromiumPath ?? 'chromium',
    // Chromium's own sandbox needs what containers do not give to root.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  const browser = await running;
  afterAll(async () => {
    for (const context of browser.contexts()) await context.close();
  });
  return browser;
}

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds wrong with a page that a person would stumble over: `rule: how many, the first of them`. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // Not by a tag in the page: the console's policy lets no foreign script run.
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(axe);
  // Only rules on sound and on turned screens would need its style sheets loaded once more.
  const found: unknown = await page.evaluate(
    'axe.run(document, { preload: false, resultTypes: ["violations"] })',
  );
  const { violations } = found as {
    violations: { id: string; impact: string; nodes: { html: string }[] }[];
  };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.length}, ${nodes[0]?.html ?? ''}`);
}
