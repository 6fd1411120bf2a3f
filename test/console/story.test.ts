import type { AddressInfo } from 'node:net';
import type { Locator, Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { campaigns } from '../../console/campaigns/words.ts';
import { common } from '../../console/kit/words.ts';
import { people } from '../../console/access/words-people.ts';
import { phoneWords } from '../../console/replies/words-phones.ts';
import { runs } from '../../console/runs/words.ts';
import { ticketWords } from '../../console/tickets/words.ts';
import { insertIntegration } from '../../db/settings/integrations.ts';
import { seedSettings } from '../../db/settings/seed.ts';
import type { Locale } from '../../domain/user.ts';
import { createExampleWebservice } from '../../examples/webservice/server.ts';
import { chromiumPath, startBrowser } from '../kit/browser.ts';
import { createProvider } from '../kit/factories.ts';
import { byKeyboard, byMouse, type PageInput } from '../kit/page-input.ts';
import { until } from '../kit/until.ts';
import { createWholeSystem } from '../kit/whole-system.ts';

/**
 * The main path through the console, from the first sign-in to the finished ticket: in both languages, and once without
 * a mouse. Elements are found by role and label.
 */
const system = await createWholeSystem();
const { sql, box, publicUrl, admin } = system;
/** The current password of the admin. Each story changes it. */
let { password } = admin;
await seedSettings(sql, new Date());
// Slow enough for the page to show the progress.
const providerId = await createProvider(system, { ratePerSecond: 10 });
const [{ name: providerName }] = await sql<
  [{ name: string }]
>`select name from providers where id = ${providerId}`;
const contacts = 30;
const token = 'a-token-of-the-example';
const example = createExampleWebservice({ contacts, pageSize: 20, token });
await new Promise<void>((resolve) => example.listen(0, '127.0.0.1', resolve));
const webserviceUrl = `http://127.0.0.1:${(example.address() as AddressInfo).port}/contacts`;
await sql.begin((tx) =>
  insertIntegration(tx, box, {
    name: 'CRM',
    config: { authentication: { kind: 'bearer' }, headers: [], origins: [new URL(webserviceUrl).origin] },
    secrets: { secret: token, headers: {} },
  }),
);

afterAll(() => {
  example.closeAllConnections();
  example.close();
});

describe.skipIf(chromiumPath === null)('from the first sign-in to the finished ticket', async () => {
  if (chromiumPath === null) return;
  const browser = await startBrowser();

  test.each([
    ['em português', 'pt-BR', () => byMouse],
    ['in English', 'en', () => byMouse],
    ['by keyboard alone', 'pt-BR', byKeyboard],
  ] as const)(
    '%s',
    async (how, locale, inputFor) => {
      await sql`update users set must_change_password = true where login = ${admin.login}`;
      const context = await browser.newContext({ locale, reducedMotion: 'reduce' });
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      const pageErrors: string[] = [];
      page.on('pageerror', ({ message }) => pageErrors.push(message));
      await playStory(page, inputFor(page), { locale, name: `Cobrança, ${how}` });
      expect(pageErrors).toEqual([]);
      await context.close();
    },
    300_000,
  );
});

async function playStory(
  page: Page,
  user: PageInput,
  { locale, name }: { locale: Locale; name: string },
): Promise<void> {
  const words = { ...common[locale], people: people[locale], phones: phoneWords[locale] };
  const [t, run, ticket] = [campaigns[locale], runs[locale], ticketWords[locale]];
  const field = (label: string): Locator =>
    page.getByLabel(label, { exact: true }).and(page.locator('input, select, textarea'));
  const button = (label: string): Locator => page.getByRole('button', { name: label, exact: true });
  const link = (label: string): Locator => page.getByRole('link', { name: label, exact: true });
  const option = (role: 'radio' | 'checkbox', label: string): Locator =>
    page.getByRole(role, { name: label });
  /** Presses a link or button and waits for the next page. */
  const go = async (target: Locator, to: RegExp): Promise<void> => {
    await Promise.all([page.waitForURL(to), user.press(target)]);
  };

  await page.goto(publicUrl);
  expect(page.url()).toContain('/sign-in');
  await user.write(field(words.people.login), admin.login);
  await user.write(field(words.people.password), password);
  await go(button(words.people.signIn), /\/choose-password$/);
  await user.write(field(words.people.givenPassword), password);
  password = `${password}, ${name}`;
  await user.write(field(words.people.fields.password), password);
  await go(button(words.people.savePassword), /\/$/);

  if ((await page.getAttribute('html', 'lang')) !== locale) {
    await user.press(page.locator('.user-menu > summary'));
    await user.press(page.locator(`.user-menu button[lang="${locale}"]`));
    await page.locator(`html[lang="${locale}"]`).waitFor();
  }

  // The first block creates a draft, which cannot be enabled yet.
  await go(link(words.nav.campaigns).first(), /\/campaigns$/);
  await go(link(t.add).first(), /\/campaigns\/new$/);
  await user.write(field(t.fields.name), name);
  await user.choose(field(t.fields['schedule.recurrence.every']), t.every.day);
  await user.date(field(t.fields['schedule.startsAt']));
  await page.locator('.occurrences li').nth(4).waitFor();
  await go(button(words.saveAndContinue), /\/message/);
  await go(button(t.enable), /\/campaigns\/\d+(\?.*)?$/);
  const missing = page.locator('.alert').filter({ hasText: t.fields['message.template'] });
  await missing.getByText(t.fields['mailing.sendingHoursId']).waitFor();

  // Each missing field is a link.
  await go(missing.getByRole('link', { name: t.fields['message.template'], exact: true }), /\/message/);
  await user.write(
    field(t.fields['message.template']),
    'Ola, {nome}! Seu pedido {codigo} chegou. Algo mais? Responda.',
  );
  await user.choose(field(t.fields['message.providerId']), providerName);
  await page.locator('.bubble').filter({ hasText: 'Seu pedido' }).waitFor();
  await go(button(words.saveAndContinue), /\/mailing/);

  await user.tick(option('radio', t.sources.webservice));
  await user.write(field(t.fields['mailing.webservice.baseUrl']), webserviceUrl);
  await user.press(button(t.webservice.urlBuilder));
  await user.press(
    page.locator('[data-rows="mailing.webservice.params"]').getByRole('button', { name: words.add }),
  );
  await user.write(field(t.fields['mailing.webservice.params.*.key']).last(), 'since');
  await user.write(field(t.fields['mailing.webservice.params.*.value']).last(), '{lastRunAt}');
  await user.press(button(t.webservice.done));
  await user.choose(field(t.fields['mailing.webservice.integrationId']), 'CRM');
  await user.write(field(t.fields['mailing.webservice.fieldMap.mobile']), 'contato.celular');
  await user.write(field(t.fields['mailing.webservice.fieldMap.phone']), 'contato.telefone');
  await user.press(button(t.webservice.testUrl));
  await page.getByText(t.webservice.url).first().waitFor();
  await user.choose(field(t.fields['mailing.sendingHoursId']), 'Sempre');
  // The campaign is complete. Tickets are optional.
  await go(button(words.saveAndContinue), /\/campaigns\/\d+$/);
  await page.getByText(t.complete).waitFor();
  await go(link(t.blocks.ticket), /\/ticket$/);

  await user.tick(option('radio', t.when.on_reply));
  await user.choose(field(t.fields['ticketPolicy.departmentId']), 'Cobrança');
  await user.choose(field(t.fields['ticketPolicy.assigneeId']), 'Equipe de atendimento');
  await user.choose(field(t.fields['ticketPolicy.categoryId']), 'Relacionamento');
  await user.choose(field(t.fields['ticketPolicy.subcategoryId']), 'Relacionamento › Comunicado');
  await go(button(words.save), /\/campaigns\/\d+(\?.*)?$/);

  await user.press(button(t.enable));
  await page.getByText(t.enabledNotice).waitFor();
  await go(link(t.runNow), /\/run-now$/);
  await go(button(t.runNow), /\/runs\/\d+$/);
  // The page updates without a reload.
  await page.getByText(run.status.finished).first().waitFor();

  await go(link(words.nav.phones), /\/phones$/);
  const phone = page.getByRole('link', { name: /^\(\d\d\) / }).first();
  const number = (await phone.textContent())?.trim() ?? '';
  await go(phone, /\/phones\/./);
  await user.write(field(words.phones.fields.text), `Ainda não chegou (${name})`);
  await user.press(button(words.phones.send));
  await page.getByText(words.phones.answered).waitFor();

  const opened = await until('the ticket is open', async () => {
    const [row] = await sql<{ id: number }[]>`
      select t.id from tickets as t join campaigns as c on c.id = t.campaign_id where c.name = ${name}`;
    return row?.id;
  });
  await go(link(words.nav.tickets), /\/tickets$/);
  await go(link(String(opened)), /\/tickets\/\d+$/);
  await page.getByText(`Ainda não chegou (${name})`).first().waitFor();
  await page.getByText(number).first().waitFor();
  await user.choose(field(ticket.fields.status), ticket.statuses.finished);
  await user.choose(field(ticket.fields.resolutionId), 'Resolvido');
  await user.press(button(words.save));
  await page.getByText(`${ticket.statuses.open} → ${ticket.statuses.finished}`).waitFor();
  const [row] = await sql<[{ status: string }]>`select status from tickets where id = ${opened}`;
  expect(row.status).toBe('finished');
}
