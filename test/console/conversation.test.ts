import { expect, test } from 'vitest';
import { optOutPhone } from '../../db/customers/opt-outs.ts';
import { createCatalog, createRun } from '../kit/api.ts';
import { createConsole } from '../kit/console.ts';
import { createTicketCatalog, insertReply, onReply, openTicket } from '../kit/tickets.ts';

const ui = await createConsole();
const { sql } = ui;
const catalog = await createCatalog(ui);
const settings = await createTicketCatalog(sql);
const agent = await ui.signIn('operator');

let phones = 0;
async function ticketOf() {
  const phone = `+55119${String(50_000_000 + ++phones)}`;
  const { messageIds } = await createRun(ui, catalog, {
    phones: [phone],
    changes: { ticketPolicy: onReply(settings) },
  });
  const messageId = messageIds[0] ?? 0;
  await sql`update messages set status = 'delivered', sent_at = now() - interval '1 hour' where id = ${messageId}`;
  return { id: await openTicket(sql, messageId, 'Quero a 2ª via'), phone, messageId };
}
const bubblesOf = (body: string): string[] =>
  [...body.matchAll(/<span class="bubble">(.*?)<\/span>/g)].map(([, text = '']) => text);

test('the ticket page shows both directions with their status, and sends an answer once', async () => {
  const { id } = await ticketOf();
  const page = await agent.get(`/tickets/${id}`);
  expect(page.statusCode).toBe(200);
  expect(bubblesOf(page.body)).toEqual(['Ola Maria 1', 'Quero a 2ª via']);
  expect(page.body).toContain('Entregue');
  const form = { answer: 'Olá {nome}, segue o boleto.', removeAccents: 'true', once: 'a-number' };
  for (let i = 0; i < 2; i++) {
    const answered = await agent.post(`/tickets/${id}/answers`, form);
    expect([answered.statusCode, answered.headers.location]).toEqual([303, `/tickets/${id}`]);
  }
  const after = await agent.get(`/tickets/${id}`);
  expect(bubblesOf(after.body)).toEqual(['Ola Maria 1', 'Quero a 2ª via', 'Ola Maria 1, segue o boleto.']);
  expect(await sql`select from answers where ticket_id = ${id}`).toHaveLength(1);
});

test('the live part answers 204 until something changes', async () => {
  const { id, messageId } = await ticketOf();
  const address = /hx-get="([^"]*\/conversation[^"]*)"/;
  const seen = address.exec((await agent.get(`/tickets/${id}`)).body)?.[1] ?? '';
  expect((await agent.get(seen)).statusCode).toBe(204);
  await sql`update messages set status = 'undelivered', reason = 'not_delivered' where id = ${messageId}`;
  const moved = await agent.get(seen);
  expect(moved.body).toContain('Não entregue');
  const next = address.exec(moved.body)?.[1] ?? '';
  expect((await agent.get(next)).statusCode).toBe(204);
});

test('the preview shows the size of the answer while it is typed', async () => {
  const { id } = await ticketOf();
  const preview = async (form: Record<string, string>) =>
    (await agent.post(`/tickets/${id}/answers/preview`, form)).body;
  expect(await preview({ answer: 'Olá {nome}', removeAccents: 'true' })).toContain('1 segmento');
  expect(await preview({ answer: 'ã'.repeat(71) })).toContain('2 segmentos');
  expect(await preview({ answer: 'Olá {saldo}' })).toContain('não é uma tag');
  expect(await preview({ answer: ' ' })).not.toContain('segmento,');
});

test('a refused answer keeps its text and shows the reason', async () => {
  const { id } = await ticketOf();
  const refused = await agent.post(`/tickets/${id}/answers`, {
    answer: 'Olá {saldo}',
    removeAccents: 'true',
  });
  expect(refused.statusCode).toBe(422);
  expect(refused.body).toContain('Olá {saldo}');
  expect(refused.body).toContain('não é uma tag');
});

test('a ticket of an opted-out phone shows a sentence instead of the answer box', async () => {
  const { id, phone } = await ticketOf();
  await optOutPhone(sql, { phone, source: 'reply' });
  const page = await agent.get(`/tickets/${id}`);
  expect(page.body).toContain('Este telefone se descadastrou');
  expect(page.body).not.toContain(`action="/tickets/${id}/answers"`);
});

test('a viewer can read the conversation but not answer', async () => {
  const { id, messageId } = await ticketOf();
  await insertReply(sql, { messageId });
  const viewer = await ui.signIn('viewer');
  const page = await viewer.get(`/tickets/${id}`);
  expect(page.body).not.toContain(`action="/tickets/${id}/answers"`);
});

test('a chosen quick reply is filled in for the customer', async () => {
  const { id } = await ticketOf();
  const admin = await ui.signIn('admin');
  const saved = await admin.post('/settings/quick-replies', {
    name: 'Segunda via',
    'definition.text': 'Olá {primeiro_nome} ({codigo}), segue a 2ª via. {saldo}',
  });
  expect(saved.statusCode).toBe(303);
  const [entry] = await sql<[{ id: number }]>`select id from quick_replies`;
  expect((await agent.get(`/tickets/${id}`)).body).toContain('Segunda via');
  const unknown = await agent.get(`/tickets/${id}?quickReply=${entry.id}`);
  expect(unknown.body).toContain('Olá {primeiro_nome} ({codigo})');
  await sql`update quick_replies set definition = '{"text": "Olá {primeiro_nome} ({codigo}), segue a 2ª via."}'`;
  const filled = await agent.get(`/tickets/${id}?quickReply=${entry.id}`);
  expect(filled.body).toContain('Olá Maria (1), segue a 2ª via.');
});

test('an agent can resolve an unknown answer at its bubble, a viewer cannot', async () => {
  const { id } = await ticketOf();
  await agent.post(`/tickets/${id}/answers`, { answer: 'Segue o boleto.' });
  const [row] = await sql<[{ id: number }]>`
    update answers set status = 'unknown', reason = 'no_answer', sending_at = now() where ticket_id = ${id} returning id`;
  const action = `/answers/${row.id}/resolve`;
  const back = `/tickets/${id}`;
  expect((await (await ui.signIn('viewer')).get(`/tickets/${id}`)).body).not.toContain(action);
  expect((await agent.get(`/tickets/${id}`)).body).toContain(`action="${action}"`);
  const resolved = await agent.post(action, { sent: 'no', back });
  expect([resolved.statusCode, resolved.headers.location]).toEqual([303, back]);
  const after = (await agent.get(`/tickets/${id}`)).body;
  expect(after).toContain('Não enviada, segundo um usuário');
  expect(after).not.toContain(action);
  const late = await agent.post(action, { sent: 'yes', back });
  expect(late.headers.location).toBe(back);
  expect(await sql`select status from answers where ticket_id = ${id}`).toEqual([{ status: 'failed' }]);
});
