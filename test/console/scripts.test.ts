import { describe, expect, test } from 'vitest';
import { chromiumPath, startBrowser } from '../kit/browser.ts';
import { createCatalog } from '../kit/api.ts';
import { createConsole } from '../kit/console.ts';
import { inboundForm, postSigned } from '../kit/webhooks.ts';

/** The scripts of the settings and customer pages in a real browser. */
const ui = await createConsole();
const { providerId } = await createCatalog(ui);
const admin = await ui.signIn('admin');
const url = await ui.app.listen({ port: 0, host: '127.0.0.1' });

describe.skipIf(chromiumPath === null)('with scripts', async () => {
  if (chromiumPath === null) return;
  const browser = await startBrowser();
  const [name = '', value = ''] = admin.cookie.split('=');
  const open = async (path: string) => {
    const context = await browser.newContext({ locale: 'pt-BR' });
    await context.addCookies([{ name, value, url }]);
    const page = await context.newPage();
    await page.goto(url + path);
    return page;
  };

  test('a customer file is uploaded to the API, and the page shows the result', async () => {
    const page = await open('/customers/import');
    const header =
      'codigo;nome;celular;telefone;telefone2;data_nascimento;regiao;tipo_cliente;consentimento;data_consentimento';
    const buffer = Buffer.from([header, 'A1;Ana;11911110001;;;;;;sim;', ';Bia;1;;;;;;;'].join('\r\n'));
    await page.setInputFiles('#file', { name: 'clientes.csv', mimeType: 'text/csv', buffer });
    await page.click('button[type=submit]:has-text("Importar")');
    await page.waitForSelector('text=2 linhas lidas');
    expect(await page.textContent('#file-block')).toContain('Linhas deixadas de fora1');
    await page.setInputFiles('#file', {
      name: 'x.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('nome\nAna'),
    });
    await page.click('button[type=submit]:has-text("Importar")');
    await page.waitForSelector('text=Nada foi importado');
    await page.context().close();
  });

  test('the form of a gateway shows the fields of the chosen options and can add rows', async () => {
    const page = await open('/settings/providers/new/http');
    expect(await page.isVisible('[name="config.request.body.template"]')).toBe(true);
    await page.selectOption('[name="config.request.body.kind"]', 'none');
    expect(await page.isVisible('[name="config.request.body.template"]')).toBe(false);
    expect(await page.isVisible('[name="config.receipts.status"]')).toBe(false);
    await page.check('[name="hasReceipts"]');
    expect(await page.isVisible('[name="config.receipts.status"]')).toBe(true);
    await page.click('[data-rows="config.receipts.statuses"] [data-add-row]');
    expect(await page.isVisible('[data-rows="config.receipts.statuses"] input')).toBe(true);
    await page.context().close();
  });

  test('the form of sending hours starts with one row, and rows can be added and removed', async () => {
    const page = await open('/settings/sending-hours/new');
    const row = page.locator('[data-rows="definition.windows"] [data-rows-list] > *');
    expect(await row.count()).toBe(1);
    await page.fill('[name=name]', 'Duas janelas');
    const fill = async (index: number, days: string[], from: string, to: string): Promise<void> => {
      const one = row.nth(index);
      for (const day of days) await one.getByLabel(day).check();
      await one.locator('[name$=".from"]').fill(from);
      await one.locator('[name$=".to"]').fill(to);
    };
    await fill(0, ['seg', 'ter'], '08:00', '12:00');
    await page.click('[data-add-row]');
    await page.click('[data-add-row]');
    await row.nth(1).locator('[data-remove-row]').click();
    await fill(1, ['sáb'], '09:00', '13:00');
    await Promise.all([page.waitForURL(/sending-hours$/), page.click('button:has-text("Salvar")')]);
    expect(await page.textContent('tr:has-text("Duas janelas")')).toMatch(
      /seg, ter 08:00–12:00\s*sáb 09:00–13:00/,
    );
    await page.context().close();
  });

  test('an admin opens the reply words from the opt-outs and adds a word, which then opts a phone out', async () => {
    const page = await open('/opt-outs');
    await page.click('a:has-text("Palavras de resposta")');
    const words = page.locator('textarea[name=optOut]');
    expect(await words.inputValue()).toContain('SAIR\nPARE\n');
    await words.fill(`${await words.inputValue()}\nNão quero mais`);
    await page.click('button:has-text("Salvar")');
    await page.waitForSelector('[role=status]:has-text("Salvo")');
    expect(await words.inputValue()).toContain('REVOKE\nNão quero mais');
    const form = inboundForm({ From: '+5511955554444', Body: 'nao quero mais!' });
    await postSigned(ui.app, `/webhooks/providers/${providerId}/inbound`, form, {
      apiUrl: 'http://127.0.0.1:3000',
    });
    await page.goto(`${url}/opt-outs`);
    expect(await page.textContent('table')).toContain('(11) 95555-4444');
    await page.context().close();
  });

  test('the current rate of a provider is refreshed automatically', async () => {
    const page = await open(`/settings/providers/${providerId}`);
    const [answer] = await Promise.all([
      page.waitForResponse(/\/rate-now$/),
      page.waitForSelector('text=Nada saindo'),
    ]);
    expect(await answer.text()).toContain('Nada saindo');
    expect(await page.isVisible('button:has-text("Mudar os limites")')).toBe(true);
    await page.context().close();
  });
});
