import { expect, test } from 'vitest';
import { openReplyTicket } from '../../db/tickets/opening.ts';
import { createCatalogue, createRun } from '../kit/api.ts';
import { createConsole, textOf } from '../kit/console.ts';
import { createTicketCatalogue, insertReply, onReply } from '../kit/tickets.ts';

/** What comes back from people: replies, tickets, customers, opt-outs. */
const ui = await createConsole();
const { sql } = ui;
const catalogue = await createCatalogue(ui);
const settings = await createTicketCatalogue(sql);
const operator = await ui.person('operator');
const admin = await ui.person('admin');
const viewer = await ui.person('viewer');

async function openTicket(phone: string): Promise<{ ticketId: number; messageId: number }> {
  const { messageIds } = await createRun(ui, catalogue, {
    phones: [phone],
    changes: { ticketPolicy: onReply(settings) },
  });
  const [messageId = 0] = messageIds;
  const inboundMessageId = await insertReply(sql, { messageId, text: 'Quero a <segunda via>' });
  const answer = await sql.begin((tx) => openReplyTicket(tx, { inboundMessageId }));
  if (!answer) throw new Error('No ticket was opened.');
  return { ticketId: answer.ticketId, messageId };
}
const fieldsOf = (version: number, changes: Record<string, string>) => ({
  version: String(version),
  status: 'open',
  departmentId: String(settings.departmentId),
  assigneeId: String(settings.assigneeId),
  categoryId: String(settings.categoryId),
  subcategoryId: String(settings.subcategoryId),
  note: '',
  ...changes,
});

test('A reply is found by its phone, with the ticket it opened, its text as it was written', async () => {
  const { ticketId } = await openTicket('+5511911110001');
  const page = await viewer.get('/replies?phone=11911110001');
  expect(textOf(page)).toContain('Quero a <segunda via>');
  expect(page.body).not.toContain('<segunda');
  expect(page.body).toContain(`href="/tickets/${ticketId}"`);
  expect(textOf(await viewer.get('/replies?phone=11911119999'))).toContain(
    'Nada encontrado com este filtro.',
  );
});

test('A phone that can not be read is said at the filter, and the rest of the page stays', async () => {
  const page = await viewer.get('/tickets?phone=abc');
  expect(page.statusCode).toBe(200);
  expect(textOf(page)).toContain('Informe um celular válido.');
  expect(page.body).toContain('value="abc"');
});

test('A ticket is finished with a resolution, and its history tells who did it', async () => {
  const { ticketId } = await openTicket('+5511911110002');
  const refused = await operator.post(`/tickets/${ticketId}`, fieldsOf(1, { status: 'finished' }));
  expect(refused.statusCode).toBe(422);
  expect(refused.body).toMatch(/name="resolutionId"[^>]*aria-invalid="true"/);
  const answer = await operator.post(
    `/tickets/${ticketId}`,
    fieldsOf(1, { status: 'finished', resolutionId: String(settings.solvedId), note: 'Boleto enviado' }),
  );
  expect(answer.headers.location).toBe(`/tickets/${ticketId}`);
  const page = textOf(await viewer.get(`/tickets/${ticketId}`));
  expect(page).toContain('Status do atendimento: Aberto → Finalizado');
  expect(page).toMatch(/Alterado Pessoa \d/);
  expect(page).toContain('Boleto enviado');
});

test('Of two who change a ticket at once the second is told', async () => {
  const { ticketId } = await openTicket('+5511911110003');
  await operator.post(`/tickets/${ticketId}`, fieldsOf(1, { status: 'waiting' }));
  const answer = await admin.post(`/tickets/${ticketId}`, fieldsOf(1, { status: 'in_progress' }));
  expect(answer.statusCode).toBe(409);
  expect(textOf(answer)).toContain('Outra pessoa alterou isto');
});

test('A customer is added, found, changed; what they say of being written to is kept', async () => {
  const made = await operator.post('/customers', { name: 'João Assunção', mobile: '(11) 91111-0004' });
  const address = made.headers.location ?? '';
  expect(address).toMatch(/^\/customers\/\d+$/);
  expect(textOf(await viewer.get('/customers?name=joao'))).toContain('João Assunção');
  await operator.post(address, { name: 'João A. Lima', mobile: '+5511911110004', code: 'C-4' });
  await operator.post(`${address}/consents`, { consent: 'refused', note: 'Por telefone' });
  const page = textOf(await viewer.get(address));
  expect(page).toContain('João A. Lima');
  expect(page).toMatch(/Recusado [\d/]+, [\d:]+ · Console · Por telefone/);
  await admin.post(`${address}/delete`);
  expect((await viewer.get(address)).statusCode).toBe(404);
});

test('A customer with neither code nor phone is refused at the field', async () => {
  const answer = await operator.post('/customers', { name: 'Ninguém' });
  expect(answer.statusCode).toBe(422);
  expect(answer.body).toMatch(/name="code"[^>]*aria-invalid="true"/);
});

test('A phone is opted out by an admin, and let back in with a reason only', async () => {
  await admin.post('/opt-outs', { phone: '11911110005', note: 'Pediu por e-mail' });
  expect(textOf(await viewer.get('/opt-outs'))).toContain('+5511911110005');
  const [row] = await sql<[{ id: number }]>`select id from opt_outs where phone = '+5511911110005'`;
  expect(textOf(await admin.get(`/opt-outs/${row.id}/remove`))).toContain('+5511911110005');
  expect((await admin.post(`/opt-outs/${row.id}/remove`, { note: '' })).statusCode).toBe(422);
  await admin.post(`/opt-outs/${row.id}/remove`, { note: 'Pediu de volta' });
  expect(textOf(await viewer.get('/opt-outs'))).toContain('Nenhum descadastro');
  expect((await operator.get('/opt-outs/new')).statusCode).toBe(403);
});
