import { beforeEach, expect, test } from 'vitest';
import { budgetsIn, checkBudgets, setDeploymentBudget } from '../../db/money/costs.ts';
import { countAnswers } from '../../db/money/single-costs.ts';
import { applyAnswerReceipts } from '../../db/tickets/answers.ts';
import { createApi, createCatalog, createReadyCampaign, createRun, documentOf } from '../kit/api.ts';
import { createGateway } from '../kit/gateway.ts';
import { createTicketCatalog, onReply, openTicket } from '../kit/tickets.ts';

const gateway = await createGateway();
const day = '2026-11-30';
const api = await createApi({ sandboxUrl: gateway.url, clock: () => new Date(`${day}T15:00:00Z`) });
const { as, sql } = api;
const operator = as('operator');
const catalog = await createCatalog(api);
const { providerId } = catalog;
const tickets = await createTicketCatalog(sql);

beforeEach(async () => {
  await sql`delete from single_costs`;
  await sql`update answers set status = 'failed', cost_day = null`;
  await sql`delete from prices`;
  await setDeploymentBudget(sql, null);
});

const price = async (amount: string, firstDay = '2026-01-01'): Promise<void> => {
  const answer = await as('admin')('PUT', `/api/providers/${providerId}/prices`, { price: amount, firstDay });
  expect(answer.statusCode, answer.body).toBe(200);
};
const costs = async () =>
  (await as('viewer')('GET', '/api/costs')).json<Record<string, { segments: number }>>();
const costOf = (segments: number, millionths: number, unpriced = 0) => ({
  currency: 'BRL',
  segments,
  millionths,
  unpriced,
});

let phones = 0;
/** An answer that the provider has accepted. */
async function sentAnswer(text = 'Olá'): Promise<{ id: number; runId: number }> {
  const phone = `+55119${String(20_000_000 + ++phones)}`;
  const { messageIds, runId } = await createRun(api, catalog, {
    phones: [phone],
    changes: { ticketPolicy: onReply(tickets) },
  });
  const ticketId = await openTicket(sql, messageIds[0] ?? 0);
  const { id } = (await operator('POST', `/api/tickets/${ticketId}/answers`, { text })).json<{
    id: number;
  }>();
  await sql`update answers set status = 'sent', sender = 'x', sent_at = now() where id = ${id}`;
  return { id, runId };
}

test('an answer is counted once in the month and the budget, even by concurrent counts', async () => {
  await price('0,10');
  const { runId } = await sentAnswer('x'.repeat(100));
  const { id: second } = await sentAnswer();
  await sql`update answers set status = 'queued' where id = ${second}`;
  await Promise.all([countAnswers(sql, day), countAnswers(sql, day)]);
  await countAnswers(sql, day);
  expect(await costs()).toMatchObject({
    spent: costOf(1, 100_000),
    answers: costOf(1, 100_000),
    tests: costOf(0, 0),
  });
  await setDeploymentBudget(sql, 100_000);
  expect(await budgetsIn(sql, { month: '2026-11', campaignIds: [] })).toMatchObject([{ spent: 100_000 }]);
  // Answers alone have used up the budget: runs stop, but answers are still sent.
  expect(await checkBudgets(sql, [runId], '2026-11')).toEqual(['used_up']);
  const { id } = await sentAnswer();
  await countAnswers(sql, day);
  expect(await sql`select status from answers where id = ${id}`).toMatchObject([{ status: 'sent' }]);
  expect(await costs()).toMatchObject({ spent: costOf(2, 200_000) });
});

test('an answer that fails later is subtracted from the day on which it was counted', async () => {
  await price('0,10');
  const { id } = await sentAnswer();
  await countAnswers(sql, '2026-11-29');
  await applyAnswerReceipts(sql, [
    {
      messageId: id,
      providerId,
      providerMessageId: 'SM1',
      status: 'failed',
      reason: 'number_invalid',
      providerCode: '1',
      at: null,
    },
  ]);
  await countAnswers(sql, day);
  expect(await sql`select day::text, segments, millionths from single_costs`).toEqual([
    { day: '2026-11-29', segments: 0, millionths: 0 },
  ]);
});

test('a test message is counted when the provider accepts it, and a later price corrects its cost', async () => {
  const id = await createReadyCampaign(api, documentOf(catalog));
  const test = await operator('POST', `/api/campaigns/${id}/test-send`, { phone: '11900000001' });
  expect(test.json()).toMatchObject({ outcome: 'accepted', segments: 1 });
  expect(await costs()).toMatchObject({ tests: costOf(1, 0, 1), spent: costOf(1, 0, 1) });
  await price('0,25', day);
  expect(await costs()).toMatchObject({ tests: costOf(1, 250_000), spent: costOf(1, 250_000) });
  // A test message does not count toward the budget of its campaign.
  expect(await costs()).toMatchObject({ campaigns: [] });
});
