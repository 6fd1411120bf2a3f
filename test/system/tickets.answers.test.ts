import { afterEach, expect, test } from 'vitest';
import { optOutPhone } from '../../db/customers/opt-outs.ts';
import { insertAnswer } from '../../db/tickets/answers.ts';
import { answerWorkflowId } from '../../domain/ids.ts';
import type { answer as answerWorkflow } from '../../workflows/answer.ts';
import { lookUps } from '../../workflows/look-ups.ts';
import { createRun } from '../kit/api.ts';
import { createHours, createProvider, startRun } from '../kit/factories.ts';
import { createTicketCatalog, onReply, openTicket } from '../kit/tickets.ts';
import { until } from '../kit/until.ts';
import { createWholeSystem } from '../kit/whole-system.ts';

const system = await createWholeSystem();
const { sql, gateway, client, clock, taskQueue } = system;
const settings = await createTicketCatalog(sql);
afterEach(async () => {
  clock.aheadMs = 0;
  await gateway.misbehave({ receipts: true, receiptDelayMs: 0 });
});

let phones = 0;
/** Creates a ticket with a reply of a customer. */
async function ticketOf(providerId: number) {
  const phone = `+55119${String(70_000_000 + ++phones)}`;
  const { messageIds } = await createRun(
    system,
    { providerId, hoursId: await createHours(sql) },
    { phones: [phone], changes: { ticketPolicy: onReply(settings) } },
  );
  return { ticketId: await openTicket(sql, messageIds[0] ?? 0), providerId, phone };
}
/** Sends an answer as the API does. */
async function answer({ ticketId, providerId, phone }: Awaited<ReturnType<typeof ticketOf>>, text = 'Oi') {
  const { answer } = await sql.begin((tx) =>
    insertAnswer(tx, {
      ...{ kind: 'user', ticketId, inboundMessageId: null, requestKey: null, providerId, phone, text },
      ...{ actor: 'user:1', actorName: 'Ana', segments: 1 },
    }),
  );
  await system.temporal.startAnswer(answer);
  return {
    ...answer,
    result: () => client.workflow.getHandle<typeof answerWorkflow>(answerWorkflowId(answer)).result(),
  };
}
const rowOf = async (id: number) => {
  const [row] = await sql`
    select status, reason, attempts, provider_message_id, sending_at, sent_at from answers where id = ${id}`;
  return row;
};
const statusOf = (id: number, status: string) =>
  until(`answer ${id} is ${status}`, async () => (await rowOf(id))?.status === status);
const messagesTo = async (phone: string) => (await gateway.taken()).filter(({ to }) => to === phone);

test('an answer is sent once and delivered, and Temporal lists it by its ticket', async () => {
  const ticket = await ticketOf(await createProvider(system));
  const { id, result } = await answer(ticket, 'Já verificamos.');
  expect(await result()).toBe('sent');
  await statusOf(id, 'delivered');
  expect(await messagesTo(ticket.phone)).toMatchObject([{ body: 'Já verificamos.', reference: String(id) }]);
  expect(await rowOf(id)).toMatchObject({ reason: null, attempts: 1, sentAt: expect.any(Date) as Date });
  await until('Temporal lists it', async () => {
    const query = `TorpedoTicket = '${ticket.ticketId}' and TorpedoOutcome = 'sent'`;
    for await (const { workflowId } of client.workflow.list({ query }))
      if (workflowId === `ticket/${ticket.ticketId}/answer/${id}`) return true;
    return false;
  });
  const history = JSON.stringify(
    await client.workflow.getHandle(`ticket/${ticket.ticketId}/answer/${id}`).fetchHistory(),
  );
  expect(history).not.toContain(ticket.phone.slice(1));
  expect(history).not.toContain('verificamos');
  // A second start sends nothing.
  await system.temporal.startAnswer({ id, ticketId: ticket.ticketId, inboundMessageId: null });
  expect(await result()).toBe('delivered');
  expect(await messagesTo(ticket.phone)).toHaveLength(1);
});

test('an answer is sent before queued campaign messages at a used-up rate, which is not exceeded', async () => {
  const rate = 8;
  const providerId = await createProvider(system, { ratePerSecond: rate });
  const ticket = await ticketOf(providerId);
  const before = (await gateway.taken()).length;
  const run = await startRun(system, { mailing: 90, providerId });
  await until('it sends', async () => (await gateway.taken()).length > before + 10);
  const atFirst = (await gateway.taken()).length;
  const [first] = [await answer(ticket), await answer(ticket), await answer(ticket)];
  await until('all are sent', async () => (await messagesTo(ticket.phone)).length === 3);
  // Before it, only messages of the run leave that are due before its workflow starts. The run has 80 more.
  const sinceThen = (await gateway.taken()).slice(atFirst);
  expect(sinceThen.findIndex(({ to }) => to === ticket.phone)).toBeLessThanOrEqual(5 * rate);
  await until('some more is sent', async () => (await gateway.taken()).length > before + 45);
  await system.temporal.cancelRun(run, 'user:1');
  const times = (await gateway.taken()).slice(before).map((one) => Date.parse(one.at));
  for (const from of times) {
    const within = times.filter((time) => time >= from && time < from + 4_000).length;
    // Plus the slots reserved ahead, which are less than a second.
    expect(within).toBeLessThanOrEqual(rate * 5);
  }
  expect(await rowOf(first.id)).toMatchObject({ attempts: 1 });
});

test('an answer that the provider may have accepted becomes unknown, is not resent, and is found by the look-up', async () => {
  const ticket = await ticketOf(await createProvider(system));
  await gateway.misbehave({ errorRate: { drop_after_accept: 1 } });
  const { id, result } = await answer(ticket);
  expect(await result()).toBe('unknown');
  expect(await rowOf(id)).toMatchObject({ status: 'unknown', reason: 'no_answer' });
  await gateway.behave();
  const round = async () =>
    client.workflow.execute(lookUps, { workflowId: `look-ups-${id}-${Date.now()}`, taskQueue, args: [] });
  clock.aheadMs = 6 * 60_000;
  await round();
  const [taken] = await messagesTo(ticket.phone);
  expect(await rowOf(id)).toMatchObject({ status: 'sent', providerMessageId: taken?.sid });
  expect(await sql`select from look_ups where message_id = ${id}`).toEqual([]);
});

test('an unknown answer is resolved by its receipt', async () => {
  const ticket = await ticketOf(await createProvider(system));
  await gateway.misbehave({ receipts: true, receiptDelayMs: 200, errorRate: { http500_after_accept: 1 } });
  const { id } = await answer(ticket);
  await statusOf(id, 'delivered');
  expect(await messagesTo(ticket.phone)).toHaveLength(1);
});

test('an answer that is not accepted is retried until it is', async () => {
  const ticket = await ticketOf(await createProvider(system));
  await gateway.down();
  const { id, result, ticketId } = await answer(ticket);
  const workflowId = `ticket/${ticketId ?? 0}/answer/${id}`;
  await until('the retry is reported', async () => {
    const rows = await sql`select cause from retries where workflow_id = ${workflowId}`;
    return rows.some(({ cause }) => (cause as { code: string }).code === 'message_not_taken');
  });
  expect(await rowOf(id)).toMatchObject({ status: 'queued' });
  await gateway.up();
  expect(await result()).toBe('sent');
  expect(await messagesTo(ticket.phone)).toHaveLength(1);
  expect(await sql`select from retries where workflow_id = ${workflowId}`).toEqual([]);
});

test('an answer that is not accepted for an hour fails', async () => {
  const ticket = await ticketOf(await createProvider(system));
  await gateway.misbehave({ errorRate: { http503: 1 }, retryAfterSeconds: 1 });
  const { id, result } = await answer(ticket);
  await sql`update answers set created_at = now() - interval '2 hours' where id = ${id}`;
  expect(await result()).toBe('failed');
  expect(await rowOf(id)).toMatchObject({ status: 'failed', reason: 'temporary_failure' });
  expect(await messagesTo(ticket.phone)).toEqual([]);
});

test('an answer waits while the account is refused and reports this reason', async () => {
  const ticket = await ticketOf(await createProvider(system, { authToken: 'another' }));
  const { id, ticketId } = await answer(ticket);
  await until('the reason is shown', async () => {
    const rows =
      await sql`select cause from retries where workflow_id = ${`ticket/${ticketId ?? 0}/answer/${id}`}`;
    return rows.some(({ cause }) => (cause as { code: string }).code === 'provider_account');
  });
  expect(await rowOf(id)).toMatchObject({ status: 'queued' });
});

test('an answer that the provider refuses fails', async () => {
  const ticket = await ticketOf(await createProvider(system));
  await gateway.misbehave({ refuse: [{ endsWith: ticket.phone.slice(-8), code: 21_211 }] });
  const { id, result } = await answer(ticket);
  expect(await result()).toBe('failed');
  expect(await rowOf(id)).toMatchObject({ reason: 'number_invalid' });
});

test('an answer is not sent to a phone that has opted out meanwhile', async () => {
  const ticket = await ticketOf(await createProvider(system));
  await optOutPhone(sql, { phone: ticket.phone, source: 'reply' });
  const { id, result } = await answer(ticket);
  expect(await result()).toBe('failed');
  expect(await rowOf(id)).toMatchObject({ reason: 'opted_out' });
  expect(await messagesTo(ticket.phone)).toEqual([]);
});

test('an answer that was claimed by a stopped attempt is not sent again', async () => {
  const ticket = await ticketOf(await createProvider(system));
  const { answer } = await sql.begin((tx) =>
    insertAnswer(tx, {
      ...{ kind: 'user', inboundMessageId: null, requestKey: null, text: 'Oi', segments: 1 },
      ...{ actor: 'user:1', actorName: 'Ana' },
      ...ticket,
    }),
  );
  await sql`update answers set status = 'sending', sender = 'dead#1', sending_at = now() where id = ${answer.id}`;
  await system.temporal.startAnswer(answer);
  await statusOf(answer.id, 'unknown');
  expect(await rowOf(answer.id)).toMatchObject({ reason: 'sender_died' });
  expect(await messagesTo(ticket.phone)).toEqual([]);
});
