import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { disableCampaign, enableCampaign } from '../../db/campaigns/campaigns.ts';
import { createCatalog, createReadyCampaign, createRun, csvOf, documentOf } from '../kit/api.ts';
import { chromiumPath, startBrowser } from '../kit/browser.ts';
import { createConsole, textOf } from '../kit/console.ts';

/** The life of a campaign in the console, from the draft to the archive. */
const ui = await createConsole();
const { sql } = ui;
const catalog = await createCatalog(ui);
const admin = await ui.signIn('admin');
const operator = await ui.signIn('operator');
const asAdmin = ui.as('admin');

const ready = (changes: object = {}) => createReadyCampaign(ui, documentOf(catalog, changes));
const draft = async (changes: object = {}): Promise<number> =>
  (await asAdmin('POST', '/api/campaigns', documentOf(catalog, changes))).json<{ id: number }>().id;
const seenIn = (body: string): string => /name="seen" value="([^"]+)"/.exec(body)?.[1] ?? '';
/** The list after the filters: the navigation and the filter options contain the names of the states, too. */
const listed = async (query: string): Promise<string> =>
  textOf(await operator.get(`/campaigns${query}`))
    .split('Filtrar')
    .at(-1) ?? '';

test('draft, disabled, enabled and archived are separate states, each with its filter', async () => {
  const [drafted, disabled, enabled] = [
    await draft({ name: 'Nunca habilitada' }),
    await ready({ name: 'Já habilitada' }),
    await ready({ name: 'Em uso' }),
  ];
  await enableCampaign(sql, disabled);
  await disableCampaign(sql, disabled);
  await enableCampaign(sql, enabled);
  expect(await listed('?state=draft')).toMatch(/Nunca habilitada Rascunho falta 1 item/);
  expect(await listed('?state=draft')).not.toMatch(/Já habilitada|Em uso/);
  expect(await listed('?state=disabled')).toContain('Já habilitada Desabilitada');
  expect(await listed('?state=disabled')).not.toMatch(/Nunca habilitada|Em uso/);
  expect(await listed('?state=enabled')).toContain('Em uso Habilitada');
  expect(await listed('?state=archived')).not.toMatch(/Nunca habilitada|Já habilitada|Em uso/);
  await sql`delete from campaigns where id = ${drafted}`;
});

test('a campaign that has run can be archived and restored', async () => {
  const { campaignId } = await createRun(ui, catalog);
  const url = `/campaigns/${campaignId}`;
  const { name } = (await asAdmin('GET', `/api${url}`)).json<{ definition: { name: string } }>().definition;
  expect((await operator.get(url)).body).toContain(`action="${url}/archive"`);
  await enableCampaign(sql, campaignId);
  // An enabled campaign must be disabled first.
  expect((await operator.get(url)).body).not.toContain(`action="${url}/archive"`);
  expect((await asAdmin('POST', `/api${url}/archive`)).json()).toMatchObject({
    error: { code: 'campaign_enabled' },
  });
  await disableCampaign(sql, campaignId);

  expect((await operator.post(`${url}/archive`)).headers.location).toBe(url);
  expect(await listed('')).not.toContain(`${name} `);
  expect(await listed('?state=archived')).toContain(`${name} Arquivada`);
  const page = await operator.get(url);
  expect(textOf(page)).toContain('Esta campanha está arquivada');
  expect(page.body).not.toMatch(new RegExp(`action="${url}/(enable|dry-run|archive)"`));
  for (const action of ['enable', 'dry-run'])
    expect((await asAdmin('POST', `/api${url}/${action}`)).json()).toMatchObject({
      error: { code: 'campaign_archived' },
    });

  expect(page.body).not.toContain(`href="${url}/schedule" class="btn`);
  // Neither its blocks nor its file can be changed.
  for (const block of ['schedule', 'message', 'mailing', 'ticket']) {
    expect((await operator.get(`${url}/${block}`)).body).toMatch(/<fieldset disabled/);
  }
  expect((await operator.get(`${url}/mailing`)).body).not.toContain('type="file"');
  const upload = await ui.app.inject({
    method: 'PUT',
    url: `/api${url}/mailing/file`,
    headers: { cookie: operator.cookie, 'sec-fetch-site': 'same-origin', 'content-type': 'text/csv' },
    payload: 'codigo;telefone\n1;+5511900000001\n',
  });
  expect(upload.json()).toMatchObject({ error: { code: 'campaign_archived' } });

  expect((await operator.post(`${url}/restore`)).headers.location).toBe(url);
  expect(await listed('')).toContain(`${name} `);
  expect(textOf(await operator.get(url))).toContain('Última alteração');
});

test('the overview shows the provider, the hours, the region, the enabled options and the author of the last change', async () => {
  const { id: regionId } = (
    await asAdmin('POST', '/api/settings/regions', { name: 'Zona Sul', definition: {} })
  ).json<{ id: number }>();
  const id = await ready({
    ignoreConsent: true,
    mailing: { source: 'csv', sendingHoursId: catalog.hoursId, regionId, expiresAfterHours: 24 },
    safeguards: { approval: true, canarySize: 50, stopAtPercent: 5 },
  });
  const text = textOf(await operator.get(`/campaigns/${id}`));
  for (const words of [
    'Provedor de SMS Sandbox',
    'Horário de execução Always',
    'Região Zona Sul',
    'Desconsiderar consentimento',
    'Esperar aprovação antes de enviar',
    'Expira depois de 24 horas',
    'Envia primeiro 50 mensagens',
    'Para com 5% de falhas e descadastros',
  ])
    expect(text).toContain(words);
  expect(text).toMatch(/Última alteração \d\d\/\d\d\/\d{4}, \d\d:\d\d por \S/);
});

test('an enabled campaign reports a settings entry that is archived while in use', async () => {
  const id = await ready();
  await enableCampaign(sql, id);
  expect(textOf(await operator.get(`/campaigns/${id}`))).not.toContain('arquivado');
  await sql`update sending_hours set archived_at = now() where id = ${catalog.hoursId}`;
  const text = textOf(await operator.get(`/campaigns/${id}`));
  expect(text).toContain('A campanha está habilitada, mas usa registros arquivados ou inválidos:');
  expect(text).toContain('Horário de execução : Esta opção foi arquivada');
  await sql`update sending_hours set archived_at = null where id = ${catalog.hoursId}`;
});

test('"Run now" outside the sending hours shows when the run will begin', async () => {
  const weekday = new Intl.DateTimeFormat('en', { weekday: 'long', timeZone: 'UTC' })
    .format(Date.now() + 3 * 24 * 3_600_000)
    .toLowerCase();
  const hours = (
    await asAdmin('POST', '/api/settings/sending-hours', {
      name: 'Daqui a três dias',
      definition: { timezone: 'UTC', windows: [{ days: [weekday], from: '12:00', to: '13:00' }] },
    })
  ).json<{ id: number }>().id;
  const open = await ready();
  const closed = await ready({ mailing: { source: 'csv', sendingHoursId: hours } });
  for (const id of [open, closed]) await enableCampaign(sql, id);
  expect(textOf(await operator.get(`/campaigns/${open}/run-now`))).not.toContain('começa em');
  expect(textOf(await operator.get(`/campaigns/${closed}/run-now`))).toMatch(
    /Agora está fora do horário de execução: a execução começa em \d\d\/\d\d\/\d{4}, 09:00\./,
  );
});

test('a message may use an undeclared tag; the mailing block declares it, and enabling requires it', async () => {
  const id = await draft();
  const url = `/campaigns/${id}`;
  const saved = await operator.post(`${url}/message`, {
    'message.template': 'Oi {nome}, seu boleto de {valor} venceu. {Valor}',
    'message.providerId': String(catalog.providerId),
    'message.maxSegments': '1',
    seen: seenIn((await operator.get(`${url}/message`)).body),
  });
  expect(saved.headers.location).toBe(`${url}/mailing`);
  const mailing = await operator.get(`${url}/mailing`);
  const words = 'A mensagem usa {valor}, que ainda não é um campo extra.';
  expect(textOf(mailing)).toContain(words);
  expect(textOf(await operator.get(url))).toContain(words);
  expect((await asAdmin('POST', `/api${url}/enable`)).json()).toMatchObject({
    error: { code: 'incomplete_campaign' },
  });

  const declared = await operator.post(`${url}/mailing`, {
    'mailing.source': 'csv',
    'mailing.sendingHoursId': String(catalog.hoursId),
    'safeguards.canaryMinutes': '5',
    stay: 'tags',
    seen: seenIn(mailing.body),
  });
  expect(declared.headers.location).toBe(`${url}/mailing`);
  const after = await operator.get(`${url}/mailing`);
  expect(after.body).toMatch(/name="mailing.extraFields.0.name"[^>]*value="valor"/);
  expect(textOf(after)).not.toContain('ainda não é um campo extra');
  // Braces without a name never become a field.
  const wrong = await operator.post(`${url}/message`, {
    'message.template': 'Oi {}',
    'message.maxSegments': '1',
    seen: seenIn((await operator.get(`${url}/message`)).body),
  });
  expect(wrong.statusCode).toBe(422);
});

test('an uploaded file keeps its name and sets the mailing source to CSV', async () => {
  const { id } = (
    await asAdmin(
      'POST',
      '/api/campaigns',
      documentOf(catalog, { mailing: { sendingHoursId: catalog.hoursId } }),
    )
  ).json<{ id: number }>();
  const page = await operator.get(`/campaigns/${id}/mailing`);
  const boundary = 'part';
  const content = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="clientes março.csv"\r\ncontent-type: text/csv\r\n\r\n${csvOf(2)}\r\n--${boundary}--\r\n`;
  const uploaded = await ui.app.inject({
    method: 'POST',
    url: `/campaigns/${id}/file`,
    payload: Buffer.from(content),
    headers: {
      cookie: operator.cookie,
      'sec-fetch-site': 'same-origin',
      'content-type': `multipart/form-data; boundary=${boundary}`,
    },
  });
  expect(uploaded.statusCode).toBe(200);
  expect(textOf(await operator.get(`/campaigns/${id}`))).toContain(
    'Arquivo CSV: clientes março.csv, 2 linhas',
  );
  expect(textOf(await operator.get(`/campaigns/${id}/mailing`))).toContain(
    'Arquivo atual: clientes março.csv, 2 linhas',
  );
  // A form that was opened before the upload can still be saved.
  const saved = await operator.post(`/campaigns/${id}/mailing`, {
    'mailing.source': 'csv',
    'mailing.sendingHoursId': String(catalog.hoursId),
    'safeguards.canaryMinutes': '5',
    seen: seenIn(page.body),
  });
  expect(saved.statusCode).toBe(303);
});

test('an admin is offered to create a customer type when none exists', async () => {
  const id = await draft();
  expect((await admin.get(`/campaigns/${id}/mailing`)).body).toContain('href="/settings/customer-types/new"');
  const seen = await operator.get(`/campaigns/${id}/mailing`);
  expect(textOf(seen)).toContain('Nenhum tipo de cliente cadastrado.');
  expect(seen.body).not.toContain('href="/settings/customer-types/new"');
  expect((await admin.get('/settings/customer-types/new')).statusCode).toBe(200);
});

describe.skipIf(chromiumPath === null)('in a browser', async () => {
  if (chromiumPath === null) return;
  const browser = await startBrowser();
  const url = await ui.app.listen({ port: 0, host: '127.0.0.1' });
  const [name = '', value = ''] = admin.cookie.split('=');
  const open = async (path: string): Promise<Page> => {
    const context = await browser.newContext({ locale: 'pt-BR' });
    await context.addCookies([{ name, value, url }]);
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    await page.goto(url + path);
    return page;
  };

  test('the day of the week and of the month follow the start until the user chooses another', async () => {
    const page = await open('/campaigns/new');
    const checked = () =>
      page
        .locator('[name="schedule.recurrence.days"]:checked')
        .evaluateAll((boxes) => boxes.map((box) => box.getAttribute('value')));
    await page.fill('[name="schedule.startsAt"]', '2030-01-16T09:00');
    await page.selectOption('[name="schedule.recurrence.every"]', 'week');
    expect(await checked()).toEqual(['wednesday']);
    await page.fill('[name="schedule.startsAt"]', '2030-01-18T09:00');
    await page.locator('[name="schedule.startsAt"]').dispatchEvent('change');
    expect(await checked()).toEqual(['friday']);
    await page.check('[name="schedule.recurrence.days"][value="monday"]');
    await page.locator('[name="schedule.startsAt"]').dispatchEvent('change');
    expect(await checked()).toEqual(['monday', 'friday']);
    await page.selectOption('[name="schedule.recurrence.every"]', 'month');
    expect(await page.inputValue('[name="schedule.recurrence.dayOfMonth"]')).toBe('18');
    await page.context().close();
  });

  test('the back button after creating opens the campaign, not another new form', async () => {
    const page = await open('/campaigns');
    await page.click('a[href="/campaigns/new"]');
    await page.fill('[name="name"]', 'Criada uma vez');
    await Promise.all([page.waitForURL(/\/message$/), page.click('button:has-text("Salvar e continuar")')]);
    await page.goBack();
    await page.waitForURL(/\/campaigns\/\d+\/schedule$/);
    expect(await page.inputValue('[name="name"]')).toBe('Criada uma vez');
    // Another new campaign can still be created.
    await page.goto(`${url}/campaigns/new`);
    expect(await page.inputValue('[name="name"]')).toBe('');
    expect(new URL(page.url()).pathname).toBe('/campaigns/new');
    await page.context().close();
  });

  test('a phone typed for a test send is not an unsaved change, and the save button stays in view on a phone', async () => {
    const page = await open(`/campaigns/${await ready()}/message`);
    const warnsBeforeLeaving = () =>
      page.evaluate(
        '(() => { const event = new Event("beforeunload", { cancelable: true }); return !window.dispatchEvent(event); })()',
      );
    await page.fill('[name="phone"]', '11987654321');
    await page.fill('[name="sample.name"]', 'Eva');
    expect(await warnsBeforeLeaving()).toBe(false);
    await page.fill('[name="message.template"]', 'Outro texto');
    expect(await warnsBeforeLeaving()).toBe(true);
    await page.setViewportSize({ width: 390, height: 700 });
    const box = await page.locator('.within-reach button').first().boundingBox();
    expect(box?.y).toBeGreaterThan(0);
    expect((box?.y ?? 700) + (box?.height ?? 0)).toBeLessThanOrEqual(700);
    await page.context().close();
  });
});
