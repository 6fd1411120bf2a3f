import { describe, expect, test } from 'vitest';
import { openReplyTicket } from '../../db/tickets/opening.ts';
import { createCatalog, createRun } from '../kit/api.ts';
import { chromiumPath, startBrowser } from '../kit/browser.ts';
import { createConsole, type SignedInUser } from '../kit/console.ts';
import { createTicketCatalog, insertReply, onReply } from '../kit/tickets.ts';

/** Tickets in a real browser: bulk actions, and two users who change one ticket. */
const ui = await createConsole();
const { sql } = ui;
const catalog = await createCatalog(ui);
const settings = await createTicketCatalog(sql);
const [ana, bia] = [await ui.signIn('agent'), await ui.signIn('agent')];
const url = await ui.app.listen({ port: 0, host: '127.0.0.1' });

let phones = 0;
async function openTicket(): Promise<number> {
  const { messageIds } = await createRun(ui, catalog, {
    phones: [`+55119${String(++phones).padStart(8, '0')}`],
    changes: { ticketPolicy: onReply(settings) },
  });
  const inboundMessageId = await insertReply(sql, { messageId: messageIds[0] ?? 0 });
  const answer = await sql.begin((tx) => openReplyTicket(tx, { inboundMessageId }));
  return answer?.ticketId ?? 0;
}

describe.skipIf(chromiumPath === null)('in a browser', async () => {
  if (chromiumPath === null) return;
  const browser = await startBrowser();
  const open = async (user: SignedInUser, path: string) => {
    const [name = '', value = ''] = user.cookie.split('=');
    const context = await browser.newContext({ locale: 'pt-BR' });
    await context.addCookies([{ name, value, url }]);
    const page = await context.newPage();
    await page.goto(url + path);
    return page;
  };

  test('one box selects all tickets of a list to finish them, and a ticket that changed meanwhile is reported', async () => {
    const ids = [await openTicket(), await openTicket(), await openTicket()];
    const page = await open(ana, '/tickets?view=unanswered');
    await page.locator('.nav-count .tab-mark').waitFor();
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.isVisible('button[value="finish"]')).toBe(false);
    await page.check('[data-select-all] input');
    expect(await page.isVisible('button[value="finish"]')).toBe(true);
    expect(await page.locator('input[name="ticket"]:checked').count()).toBe(3);
    await sql`update tickets set version = version + 1 where id = ${ids[1] ?? 0}`;
    await page.selectOption('[name="resolutionId"]', String(settings.solvedId));
    await page.click('button[value="finish"]');
    await page
      .getByText(`2 de 3 atendimentos alterados. Alterados por outro usuário enquanto isso: ${ids[1] ?? 0}.`)
      .waitFor();
    await page.check(`input[value="${ids[1] ?? 0}:2"]`);
    await page.click('button[value="take"]');
    await page.getByText('1 atendimento alterado.').waitFor();
    const [row] = await sql`select user_id from tickets where id = ${ids[1] ?? 0}`;
    expect(row).toEqual({ userId: ana.id });
    await page.context().close();
  });

  test('when two users change a ticket, the second sees the change of the first and keeps the own input', async () => {
    const id = await openTicket();
    const [first, second] = [await open(ana, `/tickets/${id}`), await open(bia, `/tickets/${id}`)];
    const save = 'form:has([name="seen"]) button[type=submit]';
    await first.selectOption('[name="status"]', 'waiting');
    await first.click(save);
    await first.getByText('Salvo.').waitFor();
    await second.selectOption('[name="status"]', 'in_progress');
    await second.click(save);
    await second.getByText('agora “Aguardando”; você preencheu “Em andamento”').waitFor();
    expect(await second.inputValue('[name="status"]')).toBe('in_progress');
    await second.click(save);
    await second.getByText('Salvo.').waitFor();
    const [row] = await sql`select status from tickets where id = ${id}`;
    expect(row).toEqual({ status: 'in_progress' });
    await first.context().close();
    await second.context().close();
  });
});
