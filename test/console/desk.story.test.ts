import type { Browser, Locator } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { countForReports } from '../../activities/reports.ts';
import { people } from '../../console/access/words-people.ts';
import { common } from '../../console/kit/words.ts';
import { reportWords } from '../../console/reports/words.ts';
import { runs } from '../../console/runs/words.ts';
import { threadWords } from '../../console/tickets/words-thread.ts';
import { ticketWords } from '../../console/tickets/words.ts';
import { insertUser } from '../../db/access/users.ts';
import { setEmailSettings } from '../../db/alerts/channels.ts';
import { setPrice } from '../../db/money/prices.ts';
import { seedSettings } from '../../db/settings/seed.ts';
import { defaultTimezone } from '../../domain/calendar.ts';
import { emailSettings } from '../../domain/email.ts';
import { messageStatusWords } from '../../domain/problems/states.ts';
import { chromiumPath, startBrowser } from '../kit/browser.ts';
import { createProvider, phoneOf, startRun } from '../kit/factories.ts';
import { cheapHash } from '../kit/password.ts';
import { createSmtpServer, smtpLogin } from '../kit/smtp.ts';
import { until } from '../kit/until.ts';
import { createWholeSystem } from '../kit/whole-system.ts';

/**
 * A story of the service desk: an operator approves a run from a mail, an agent answers a customer on a phone, and a
 * manager reads the cost.
 */
const system = await createWholeSystem({
  alertTiming: { checkEveryMs: 100, gatherMs: 300, quietMs: 1_500, repeatMs: 60_000 },
});
const { sql, box, publicUrl, gateway, temporal } = system;
const [words, run, ticket, thread, report, signIn] = [
  common['pt-BR'],
  runs['pt-BR'],
  ticketWords['pt-BR'],
  threadWords['pt-BR'],
  reportWords['pt-BR'],
  people['pt-BR'],
];
const password = 'uma senha longa';
const contacts = 8;

await seedSettings(sql, new Date());
const idOf = async (kind: string): Promise<number> => {
  const [row] = await sql<[{ id: number }]>`select min(id) as id from ${sql(kind)}`;
  return row.id;
};
const providerId = await createProvider(system);
await setPrice(sql, providerId, { prefix: '', firstDay: '2020-01-01', millionths: 85_000 });
const smtp = await createSmtpServer();
const email = {
  enabled: true,
  host: 'localhost',
  port: smtp.port,
  from: 'torpedo@example.com',
  user: smtpLogin.user,
};
await setEmailSettings(sql, box, emailSettings.parse(email), { password: smtpLogin.password });
for (const [login, name, role] of [
  ['olga', 'Olga', 'operator'],
  ['ana', 'Ana', 'agent'],
  ['marcos', 'Marcos', 'viewer'],
] as const) {
  await insertUser(sql, {
    ...{ login, name, role, passwordHash: cheapHash(password) },
    ...(login === 'olga' ? { email: 'olga@example.com' } : {}),
  });
}
await temporal.syncAlerts();

async function openAs(browser: Browser, login: string, { path = '/', width = 1280 } = {}) {
  const context = await browser.newContext({
    ...{ locale: 'pt-BR', reducedMotion: 'reduce' },
    viewport: { width, height: 844 },
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const pageErrors: string[] = [];
  page.on('pageerror', ({ message }) => pageErrors.push(message));
  const field = (label: string): Locator =>
    page.getByLabel(label, { exact: true }).and(page.locator('input, select, textarea'));
  const button = (label: string): Locator => page.getByRole('button', { name: label, exact: true });
  await page.goto(publicUrl + path);
  await field(signIn.login).fill(login);
  await field(signIn.password).fill(password);
  await button(signIn.signIn).click();
  await page.waitForURL((url) => url.pathname === path);
  const close = async (): Promise<void> => {
    expect(pageErrors).toEqual([]);
    await context.close();
  };
  return { page, field, button, close };
}

describe.skipIf(chromiumPath === null)('the service desk', async () => {
  if (chromiumPath === null) return;
  const browser = await startBrowser();

  test('approves a run from a mail, answers a customer on a phone, and reports the cost', async () => {
    const { id: runId } = await startRun(system, {
      providerId,
      mailing: contacts,
      template: 'Ola, {nome}! Sua fatura {codigo} vence amanha. Responda aqui.',
      safeguards: { approval: true },
      ticketPolicy: {
        when: 'on_reply',
        departmentId: await idOf('departments'),
        assigneeId: await idOf('assignees'),
        categoryId: (
          await sql<[{ id: number }]>`select category_id as id from subcategories order by id limit 1`
        )[0].id,
        subcategoryId: await idOf('subcategories'),
      },
    });

    // The operator receives a mail and follows its link.
    const mail = await until('the mail has arrived', () =>
      smtp.received.find(({ to }) => to === 'olga@example.com'),
    );
    expect(mail.subject).toContain(`A execução ${runId}`);
    const path = new RegExp(`${publicUrl}(/runs/\\d+)`).exec(mail.text)?.[1];
    expect(path).toBe(`/runs/${runId}`);
    const olga = await openAs(browser, 'olga', { path });
    await olga.page.getByRole('link', { name: run.approve }).click();
    // The page shows the cost before the send: 8 segments of R$ 0,085.
    await olga.page
      .getByText(/R\$\s0,68/)
      .first()
      .waitFor();
    await olga.button(run.approve).click();
    await olga.page.getByText(run.status.finished).first().waitFor();
    await olga.close();

    // A customer answers. The agent reads it on a phone and writes back.
    const phone = phoneOf(3);
    await gateway.reply(phone, 'Ja paguei ontem, podem conferir?');
    const ana = await openAs(browser, 'ana', { path: '/tickets', width: 390 });
    await until('the ticket is open', async () => (await sql`select from tickets`).length === 1);
    await ana.page.reload();
    const [{ id: ticketId }] = await sql<[{ id: number }]>`select id from tickets`;
    await ana.page.getByRole('link', { name: String(ticketId), exact: true }).click();
    await ana.button(ticket.take).click();
    await ana.page.getByText(ticket.taken).waitFor();
    const log = ana.page.getByRole('log');
    await log.getByText('podem conferir?').waitFor();
    await ana.field(thread.fields.answer).fill('Conferido, {nome}: pagamento recebido. Obrigada!');
    await ana.field(thread.fields.answer).press('Control+Enter');
    await ana.page.getByText(thread.sent).waitFor();
    // The receipt appears without a reload.
    const answer = log.getByRole('listitem').filter({ hasText: 'pagamento recebido' });
    await answer.getByText(messageStatusWords['pt-BR'].delivered).waitFor();
    const received = (await gateway.taken()).filter(({ to }) => to === phone);
    expect(received).toHaveLength(2);
    expect(received[1]?.body).toMatch(/^Conferido, .+: pagamento recebido\. Obrigada!$/);

    // A second reply joins the ticket.
    await gateway.reply(phone, 'Obrigado!');
    await log.getByText('Obrigado!').waitFor();
    expect(await sql`select id from tickets`).toHaveLength(1);
    await ana.page.reload();
    await ana.field(ticket.fields.status).selectOption({ label: ticket.statuses.finished });
    await ana.field(ticket.fields.resolutionId).selectOption({ index: 1 });
    await ana.button(words.save).click();
    await ana.page.getByText(thread.blocked.ticket_finished).waitFor();
    await ana.close();

    // The manager opens the report.
    await countForReports(sql, { rebuild: false, timezone: defaultTimezone, goesOn: () => true });
    const marcos = await openAs(browser, 'marcos', { path: '/reports' });
    const row = marcos.page.getByRole('row', { name: new RegExp(report.total) }).first();
    await row.getByText(/R\$\s0,68/).waitFor();
    await marcos.close();
  }, 180_000);
});
