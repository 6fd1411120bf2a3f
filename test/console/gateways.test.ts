import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readStarter, starters } from '../../console/providers/starters.ts';
import { starterWords } from '../../console/providers/starter-words.ts';
import { getProvider, getProviderSecrets } from '../../db/providers/providers.ts';
import { gatewaySecretNames } from '../../domain/http-gateway.ts';
import { accessibilityProblems, chromiumPath, startBrowser } from '../kit/browser.ts';
import { box } from '../kit/api.ts';
import { createConsole, languages } from '../kit/console.ts';

/** Ready-made gateway configurations: examples/gateways, and the form that starts from them. */
const ui = await createConsole();
const { sql } = ui;
const admin = await ui.signIn('admin');
const url = await ui.app.listen({ port: 0, host: '127.0.0.1' });

test.each(starters)(
  '%s: the instructions cover every value to enter, and the API accepts the file unchanged',
  async (name) => {
    const { config } = await readStarter(name);
    const { authentication } = config.request;
    const entered = gatewaySecretNames(config);
    if (authentication.kind === 'basic') entered.push('user');
    for (const locale of languages) {
      expect(Object.keys(starterWords[locale][name].values).toSorted()).toEqual(entered.toSorted());
    }
    const file = await readFile(`examples/gateways/${name}.json`, 'utf8');
    const added = await ui.as('admin')('POST', '/api/providers', z.looseObject({}).parse(JSON.parse(file)));
    expect(added.statusCode, added.body).toBe(201);
  },
);

describe.skipIf(chromiumPath === null)('the form', async () => {
  if (chromiumPath === null) return;
  const browser = await startBrowser();
  const [name = '', value = ''] = admin.cookie.split('=');

  test.each(starters)(
    'starts from %s and saves the configuration of the file',
    { timeout: 30_000 },
    async (starter) => {
      const context = await browser.newContext({ locale: 'pt-BR' });
      await context.addCookies([{ name, value, url }]);
      const page = await context.newPage();
      await page.goto(`${url}/settings/providers/new/http`);
      const words = starterWords['pt-BR'][starter];
      await page.selectOption('#start-from', { label: words.name });
      await page.click('button:has-text("Preencher o formulário")');
      await page.waitForSelector(`text=Preenchido para ${words.name}`);
      expect(await accessibilityProblems(page)).toEqual([]);

      const content = (await page.textContent('main')) ?? '';
      for (const help of [words.after, words.from, ...Object.values(words.values)])
        expect(content).toContain(help);
      expect(await page.content()).not.toContain('replace-it');
      expect(await page.inputValue('[name="config.from"]')).toBe('');

      // Missing values are reported, and filled-in values are kept.
      await page.fill('[name=name]', `Pelo formulário: ${starter}`);
      await page.click('main form[method=post] button[type=submit]');
      await page.waitForSelector('[aria-invalid=true]');
      expect(await page.textContent('main')).toContain(words.after);

      if (await page.locator('[name="config.request.authentication.user"]').isVisible())
        await page.fill('[name="config.request.authentication.user"]', 'loja');
      const secrets: Record<string, string> = {};
      const names = page.locator('[name^="secrets.values."][name$=".name"]');
      for (const [index, secret] of gatewaySecretNames((await readStarter(starter)).config).entries()) {
        expect(await names.nth(index).inputValue()).toBe(secret);
        await page.fill(`[name="secrets.values.${index}.value"]`, `segredo ${index}`);
        secrets[secret] = `segredo ${index}`;
      }
      await page.click('main form[method=post] button[type=submit]');
      await page.waitForSelector('text=Copie os endereços agora');
      const [row] = await sql<[{ id: number }]>`
      select id from providers where name = ${`Pelo formulário: ${starter}`}`;
      const { config, ratePerSecond } = await readStarter(starter);
      const { authentication } = config.request;
      const user = authentication.kind === 'basic' ? { user: 'loja' } : {};
      expect(await getProvider(sql, row.id)).toMatchObject({
        config: {
          ...config,
          request: { ...config.request, authentication: { ...authentication, ...user } },
        },
        ratePerSecond,
      });
      expect(await getProviderSecrets(sql, box, row.id)).toMatchObject({ values: secrets });
      await context.close();
    },
  );
});
