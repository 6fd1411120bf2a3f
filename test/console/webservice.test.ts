import { afterAll, describe, expect, test } from 'vitest';
import { createFormat } from '../../domain/format.ts';
import { problemWords } from '../../domain/problems/catalog.ts';
import { WebserviceRefused } from '../../mailing/refused.ts';
import { refusalOf, statusRefusal } from '../../mailing/web-errors.ts';
import { createCatalog, csvOf, documentOf } from '../kit/api.ts';
import { chromiumPath, startBrowser } from '../kit/browser.ts';
import { createConsole, textOf } from '../kit/console.ts';
import { englishWords } from '../kit/sentences.ts';
import { bytes, json, startWebservice } from '../kit/webservice.ts';

/** The form of a web service mailing: building the URL, testing it, and reading its problems. */
const people = [
  { id: 1, cliente: { nome: 'João', celular: '11987654321' }, valor: '10,50' },
  { id: 2, cliente: { nome: 'Eva', celular: '1133334444' } },
];
const service = await startWebservice(json({ dados: people }));
afterAll(() => service.close());
const ui = await createConsole();
const catalog = await createCatalog(ui);
const operator = await ui.signIn('operator');
const made = await ui.as('operator')(
  'POST',
  '/api/campaigns',
  documentOf(catalog, {
    message: { template: 'Oi {nome}', providerId: catalog.providerId },
    mailing: {},
  }),
);
const url = `/campaigns/${made.json<{ id: number }>().id}`;

const block = 'mailing.webservice';
const form = {
  'mailing.source': 'webservice',
  [`${block}.baseUrl`]: service.url,
  [`${block}.params.0.key`]: 'desde',
  [`${block}.params.0.value`]: '{today:dd/MM/yyyy}',
  [`${block}.fieldMap.name`]: 'cliente.nome',
  [`${block}.fieldMap.mobile`]: 'cliente.celular',
};
const scripted = { 'hx-request': 'true' };

test('a typed URL is tested, and shows its first contacts and its answer as a file', async () => {
  const answer = await operator.post(`${url}/test-url`, form, scripted);
  const text = textOf(answer);
  expect(text).toContain('Os 2 contatos da resposta');
  expect(text).toContain('recebe em (11) 98765-4321');
  expect(text).toContain('Oi Joao');
  expect(text).toContain('fica de fora: Nenhum dos telefones é um celular.');
  expect(text).toContain('cliente.celular');
  expect(service.requests.at(-1)?.url).toMatch(/\?desde=\d\d%2F\d\d%2F\d{4}$/);
  const file = await operator.post(`${url}/answer`, form);
  expect(file.headers['content-disposition']).toMatch(/^attachment; filename=".*\.json"$/);
  expect(file.json()).toEqual({ dados: people });
  // The test saves nothing.
  const saved = await ui.as('viewer')('GET', `/api${url}`);
  expect(saved.body).not.toContain(service.url);
});

test('attributes that the tested records lack are reported on the page', async () => {
  const saved = await operator.get(`${url}/mailing`);
  expect(textOf(saved)).not.toContain('último teste da URL');
  const mailing = {
    source: 'webservice',
    sendingHoursId: catalog.hoursId,
    webservice: { baseUrl: service.url, fieldMap: { mobile: 'fone' } },
    extraFields: [{ name: 'plano', type: 'text', required: false }],
  };
  const other = await ui.as('operator')('POST', '/api/campaigns', documentOf(catalog, { mailing }));
  const { id } = other.json<{ id: number }>();
  await ui.as('operator')('POST', '/api/webservice/preview', { campaignId: id });
  const text = textOf(await operator.get(`/campaigns/${id}/mailing`));
  expect(text).toContain('Celular: Nenhum registro do último teste da URL tinha “fone”');
  expect(text).toContain('Nome do campo: Nenhum registro do último teste da URL tinha “plano”');
  expect(text).not.toContain('a corrigir');
});

test('without scripts the page keeps the typed values and shows the contacts', async () => {
  const answer = await operator.post(`${url}/test-url`, form);
  expect(answer.headers['content-type']).toContain('text/html');
  expect(textOf(answer)).toContain('recebe em (11) 98765-4321');
  expect(answer.body).toContain('value="{today:dd/MM/yyyy}"');
});

test.each([
  ['html', bytes('<html>', { 'content-type': 'text/html' }), 'responde com uma página da web (HTML)'],
  ['a failure', bytes('', {}, 503), 'falhou (erro 503)'],
  ['credentials', bytes('', {}, 401), 'pede credenciais (401). Escolha uma integração'],
  ['no list', json({ total: 3 }), 'é um objeto sem uma lista de contatos'],
  ['two lists', json({ a: [{ x: 1 }], b: [{ x: 1 }] }), 'tem listas em mais de um lugar: a e b'],
  ['an error', json({ sucesso: false, mensagem: 'Token inválido' }), 'informa um erro: “Token inválido”.'],
  ['numbers', json([1, 2]), 'não começa com um objeto, e sim com um número'],
])('a problem of the answer is described in Portuguese: %s', async (_, handler, words) => {
  service.answer(handler);
  const answer = await operator.post(`${url}/test-url`, form, scripted);
  expect(textOf(answer)).toContain(words);
  service.answer(json({ dados: people }));
});

test('undeclared paging is detected, and its proposal is applied with one click', async () => {
  const pages = [people.slice(0, 1), people.slice(1)];
  service.answer((request, response) => {
    const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('pagina') ?? 1);
    json({ dados: pages[page - 1], pagina: page, total_de_paginas: 2 })(request, response);
  });
  const answer = await operator.post(`${url}/test-url`, form, scripted);
  const text = textOf(answer);
  expect(text).toContain('A resposta tem mais páginas, e a campanha não define como buscá-las');
  expect(text).toContain('“total_de_paginas” é 2 e “pagina” é 1');
  expect(text).toContain(
    'Sugestão: Pelo número da página, no parâmetro “pagina” a partir de 1; o fim: Total de páginas (total_de_paginas).',
  );
  const proposed = /name="paging" value="(?<value>[^"]+)"/.exec(answer.body)?.groups?.value ?? '';
  const taken = await operator.post(`${url}/test-url`, {
    ...form,
    'mailing.webservice.paging.by': 'links',
    paging: proposed.replaceAll('&quot;', '"'),
  });
  expect(textOf(taken)).toContain('Os 2 contatos da resposta');
  expect(taken.body).toMatch(/<option value="page" selected/);
  expect(taken.body).toContain('value="total_de_paginas"');
  service.answer(json({ dados: people }));
});

test('an answer that cannot be downloaded is reported, and the page keeps the typed values', async () => {
  service.answer(bytes('<html>', { 'content-type': 'text/html' }));
  const answer = await operator.post(`${url}/answer`, form);
  service.answer(json({ dados: people }));
  expect(answer.statusCode).toBe(422);
  expect(textOf(answer)).toContain('responde com uma página da web (HTML)');
  expect(answer.body).toContain('value="cliente.celular"');
});

test('an invalid parameter value is reported', async () => {
  const wrong = { ...form, [`${block}.params.0.value`]: '{amanha}', [`${block}.baseUrl`]: '' };
  const text = textOf(await operator.post(`${url}/test-url`, wrong, scripted));
  expect(text).toContain('Valor: {amanha} não é uma tag.');
});

describe('every refusal of a web service', () => {
  const at = new URL('https://crm.example/x');
  const portugueseOf = ({ fault }: WebserviceRefused): string =>
    problemWords(fault, createFormat('pt-BR', null));
  const failing = (code: string) => refusalOf(Object.assign(new Error(code), { code }), at, 35_000);
  test.each([
    ...['ENOTFOUND', 'ECONNREFUSED', 'ETIMEDOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
    ...['ECONNRESET', 'EPROTO', 'HPE_INVALID_CONSTANT', 'Z_DATA_ERROR', 'CERT_HAS_EXPIRED'],
    ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_CERT_ALTNAME_INVALID', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ])('%s has its own sentence', (code) => {
    const refusal = failing(code);
    const words = refusal instanceof WebserviceRefused ? portugueseOf(refusal) : null;
    expect(words).toContain('crm.example');
    expect(words).not.toMatch(englishWords);
  });
  test.each([206, 400, 401, 403, 404, 408, 410, 422, 429, 500, 503])(
    'status %i has its own sentence',
    (status) => {
      for (const hasCredentials of [true, false]) {
        const refusal = statusRefusal(status, { host: 'crm.example', retryAfter: '', hasCredentials });
        expect(portugueseOf(refusal)).toContain('crm.example');
      }
    },
  );
});

describe.skipIf(chromiumPath === null)('in a browser', async () => {
  if (chromiumPath === null) return;
  const browser = await startBrowser();
  const address = await ui.app.listen({ port: 0, host: '127.0.0.1' });
  const [name = '', value = ''] = operator.cookie.split('=');
  const open = async (path: string) => {
    const context = await browser.newContext({ acceptDownloads: true });
    await context.addCookies([{ name, value, url: address }]);
    const page = await context.newPage();
    await page.goto(address + path);
    return page;
  };

  test('a URL is built with a date placeholder, tested and downloaded, and unsaved changes survive navigation', async () => {
    const page = await open(`${url}/mailing`);
    await page.check('[value=webservice]');
    await page.fill(`[name="${block}.baseUrl"]`, service.url);
    await page.click('[data-opens="url-builder"]');
    await page.click('[data-rows="mailing.webservice.params"] [data-add-row]');
    await page.fill(`[name="${block}.params.0.key"]`, 'desde');
    await page.fill(`[name="${block}.params.0.value"]`, 'T');
    await page.click('text=Usar datas nos valores');
    await page.click('[data-insert="{today}"]');
    expect(await page.inputValue(`[name="${block}.params.0.value"]`)).toBe('T{today}');
    expect(await page.textContent('#url-builder [data-address-of] code')).toBe(
      `${service.url}?desde=T{today}`,
    );
    await page.click('dialog button:has-text("Pronto")');
    expect(await page.isVisible(`text=${service.url}?desde=T{today}`)).toBe(true);
    await page.fill(`[name="${block}.fieldMap.name"]`, 'cliente.nome');
    await page.fill(`[name="${block}.fieldMap.mobile"]`, 'fone');

    expect(await page.isChecked('[name=downloads]')).toBe(true);
    const download = page.waitForEvent('download');
    await page.click('text=Testar URL');
    await page.waitForSelector('text=Os 2 contatos da resposta');
    expect(await page.evaluate<string>('document.activeElement.textContent')).toContain(
      'fica de fora: Não há telefone.',
    );
    expect((await download).suggestedFilename()).toMatch(/\.json$/);
    // Missing attributes are listed, and a click inserts an attribute into the focused field.
    await page.waitForSelector(
      'text=Nenhum registro desta resposta tem estes atributos: >> xpath=.. >> text=fone',
    );
    await page.focus(`[name="${block}.fieldMap.mobile"]`);
    await page.click('[data-insert="cliente.celular"]');
    expect(await page.inputValue(`[name="${block}.fieldMap.mobile"]`)).toBe('cliente.celular');
    await page.uncheck('[name=downloads]');
    await page.click('text=Testar URL');
    await page.waitForSelector('text=recebe em (11) 98765-4321');

    // Following links away and back shows no browser warning and loses nothing.
    await page.click('nav.tabs >> text=Campanha de SMS');
    await page.waitForURL(/\/message$/);
    await page.click('nav.tabs >> text=Dados do mailing');
    await page.waitForSelector('text=Estas são as suas alterações anteriores');
    expect(await page.inputValue(`[name="${block}.params.0.value"]`)).toBe('T{today}');
    await page.click('text=Salvar e continuar');
    await page.waitForURL(/\/ticket$/);
    await page.goto(`${address}${url}/mailing`);
    expect(await page.inputValue(`[name="${block}.params.0.value"]`)).toBe('T{today}');
    expect(await page.isVisible('[data-draft-notice]')).toBe(false);
    await page.context().close();
  });

  test('a pasted URL is split into its parameters', async () => {
    const page = await open(`${url}/mailing`);
    await page.check('[value=webservice]');
    await page.click('[data-opens="url-builder"]');
    for (const remove of await page
      .locator('[data-rows="mailing.webservice.params"] [data-remove-row]')
      .all())
      await remove.click();
    await page.fill(
      '#url-base',
      'https://crm.example/contatos?cidade=S%C3%A3o+Paulo&desde={today:dd/MM/yyyy}',
    );
    await page.press('#url-base', 'Tab');
    const fields = page.locator('[data-rows="mailing.webservice.params"] [data-row] input');
    expect(await fields.evaluateAll((all) => all.map((one) => ('value' in one ? one.value : null)))).toEqual([
      'cidade',
      'São Paulo',
      'desde',
      '{today:dd/MM/yyyy}',
    ]);
    expect(await page.inputValue('#url-base')).toBe('https://crm.example/contatos');
    await page.keyboard.press('Escape');
    expect(await page.inputValue(`[name="${block}.baseUrl"]`)).toBe('https://crm.example/contatos');
    expect(await page.textContent('p[data-address-of] code')).toBe(
      'https://crm.example/contatos?cidade=S%C3%A3o%20Paulo&desde={today:dd/MM/yyyy}',
    );
    await page.context().close();
  });

  test('the paging of an answer is proposed, applied with one click, and saved with the form', async () => {
    service.answer((request, response) => {
      const from = Number(new URL(request.url ?? '', 'http://x').searchParams.get('offset') ?? 0);
      json({ dados: people.slice(from, from + 1), limit: 1, offset: from, total: 2 })(request, response);
    });
    const page = await open(`${url}/mailing`);
    const field = (name: string) => `[name="${block}.paging.${name}"]`;
    await page.check('[value=webservice]');
    await page.fill(`[name="${block}.baseUrl"]`, service.url);
    expect(await page.isVisible(field('param'))).toBe(false);
    await page.uncheck('[name=downloads]');
    await page.click('text=Testar URL');
    await page.click('text=Usar a sugestão e testar');
    await page.waitForSelector('text=Os 2 contatos da resposta');
    expect(await page.isVisible('[data-draft-notice]')).toBe(false);
    expect(await page.inputValue(field('by'))).toBe('offset');
    expect(await page.inputValue(field('param'))).toBe('offset');
    expect(await page.inputValue(field('end.path'))).toBe('total');
    expect(await page.isVisible(field('size.records'))).toBe(true);
    expect(await page.isVisible(field('path'))).toBe(false);
    await page.click('text=Salvar e continuar');
    await page.waitForURL(/\/ticket$/);
    const saved = await ui.as('viewer')('GET', `/api${url}`);
    expect(saved.json()).toMatchObject({
      definition: {
        mailing: {
          webservice: {
            paging: {
              by: 'offset',
              param: 'offset',
              first: 0,
              size: null,
              end: { shown: 'total_records', path: 'total' },
            },
          },
        },
      },
    });
    service.answer(json({ dados: people }));
    await page.context().close();
  });

  test('the message preview and the next occurrences update while the user types', async () => {
    const page = await open(`${url}/message`);
    await page.fill('[name="message.template"]', 'Atenção ');
    await page.click('[data-insert="{codigo}"]');
    await page.waitForSelector('.bubble >> text=Atencao 12345');
    await page.goto(`${address}${url}/schedule`);
    await page.selectOption('[name="schedule.recurrence.every"]', 'month');
    await page.selectOption('[name="schedule.recurrence.dayOfMonth"]', '31');
    await page.waitForSelector('.occurrences >> text=31/03/2030');
    expect(await page.isVisible('[name="schedule.recurrence.rrule"]')).toBe(false);
    await page.context().close();
  });

  test('a file is uploaded by script, its result appears in place, and other fields keep their values', async () => {
    const page = await open(`${url}/mailing`);
    await page.check('[name="mailing.source"][value=csv]');
    await page.fill('[name="mailing.expiresAfterHours"]', '12');
    const buffer = Buffer.from(`${csvOf(2)}\n3;Rui;1133334444;;;;`);
    await page.setInputFiles('#file', { name: 'm.csv', mimeType: 'text/csv', buffer });
    await page.click('text=Importar arquivo');
    await page.waitForSelector('text=2 de 3 linhas podem receber a mensagem.');
    expect(await page.inputValue('[name="mailing.expiresAfterHours"]')).toBe('12');
    await page.context().close();
  });

  test('the back button shows the saved values, and saving again does not conflict', async () => {
    const page = await open(`${url}/ticket`);
    await page.goto(`${address}${url}/message`);
    await page.fill('[name="message.template"]', 'Primeira');
    await page.click('text=Salvar e continuar');
    await page.waitForURL(/\/mailing$/);
    await page.goBack();
    await page.waitForURL(/\/message$/);
    await page.waitForFunction('document.querySelector("textarea").value === "Primeira"');
    await page.fill('[name="message.template"]', 'Segunda');
    await page.click('text=Salvar e continuar');
    await page.waitForURL(/\/mailing$/);
    const saved = await ui.as('viewer')('GET', `/api${url}`);
    expect(saved.body).toContain('Segunda');
    await page.context().close();
  });

  test('the focus moves to the first invalid field, and to the field of a summary link', async () => {
    const page = await open(`${url}/message`);
    await page.fill('[name="message.template"]', 'Oi {');
    await page.click('text=Salvar e continuar');
    await page.waitForSelector('.summary');
    const focused = () => page.evaluate<string>('document.activeElement.name');
    expect(await focused()).toBe('message.template');
    await page.goto(`${address}${url}/mailing?lacking=1#f-mailing.sendingHoursId`);
    expect(await focused()).toBe('mailing.sendingHoursId');
    await page.context().close();
  });
});
