import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll } from 'vitest';

/** Returns the first of these programs that is on the PATH, or null. */
function findProgram(names: readonly string[]): string | null {
  for (const name of names) {
    const found = spawnSync('which', [name], { encoding: 'utf8' });
    if (found.status === 0) return found.stdout.trim();
  }
  return null;
}

/** The program of CHROMIUM, or an installed one; null if there is none. */
export const chromiumPath = findProgram([
  process.env.CHROMIUM ?? 'chromium',
  'chromium-browser',
  'google-chrome',
]);
/** Chromium without what it needs for a screen: a fifth less processor time. It denies notifications. */
const headlessShellPath = process.env.CHROMIUM ? null : findProgram(['chromium-headless-shell']);
if (chromiumPath === null) {
  console.warn(
    'Browser tests of the console are skipped because there is no Chromium. Install it (apt-get install chromium) or set CHROMIUM.',
  );
}

const running = new Map<string, Promise<Browser>>();

/**
 * Starts a real browser once for all test files of a process, and closes its contexts after each file.
 * `withNotifications`: one in which a page can be allowed to show notifications.
 */
export async function startBrowser({ withNotifications = false } = {}): Promise<Browser> {
  const path = (withNotifications ? null : headlessShellPath) ?? chromiumPath ?? 'chromium';
  const starting =
    running.get(path) ??
    chromium.launch({
      executablePath: path,
      // Chromium's sandbox does not work for root in containers.
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    });
  running.set(path, starting);
  const browser = await starting;
  afterAll(async () => {
    for (const context of browser.contexts()) await context.close();
  });
  return browser;
}

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Loads axe with each page of the context: to send its 500 kB for each check costs more than to run them. */
export async function loadAxe(context: BrowserContext): Promise<void> {
  await context.addInitScript({ content: axe });
}

/** Returns the serious problems that axe finds in a page as `rule: count, first element`. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // Not by a script tag, which the console's content security policy forbids.
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(axe);
  // Without preloading: only rules on media and screen orientation need the style sheets again.
  const found: unknown = await page.evaluate(
    'axe.run(document, { preload: false, selectors: false, resultTypes: ["violations"] })',
  );
  const { violations } = found as {
    violations: { id: string; impact: string; nodes: { html: string }[] }[];
  };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.length}, ${nodes[0]?.html ?? ''}`);
}
