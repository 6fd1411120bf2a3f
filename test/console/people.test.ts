import { expect, test } from 'vitest';
import { openReplyTicket } from '../../db/tickets/opening.ts';
import { openTicketPosting } from '../../db/tickets/posts.ts';
import { box, createCatalog, createRun } from '../kit/api.ts';
import { createConsole, textOf } from '../kit/console.ts';
import { createTicketCatalog, insertReply, onReply } from '../kit/tickets.ts';

/** Customer files, data subject requests, and the helpdesk. */
const ui = await createConsole();
const { sql } = ui;
const catalog = await createCatalog(ui);
const tickets = await createTicketCatalog(sql);
const admin = await ui.signIn('admin');
const operator = await ui.signIn('operator');
const viewer = await ui.signIn('viewer');

const header =
  'codigo;nome;celular;telefone;telefone2;data_nascimento;regiao;tipo_cliente;consentimento;data_consentimento';
const upload = (content: string) =>
  ui.app.inject({
    method: 'POST',
    url: '/customers/import',
    payload: `--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\ncontent-type: text/csv\r\n\r\n${content}\r\n--x--\r\n`,
    headers: {
      cookie: operator.cookie,
      'sec-fetch-site': 'same-origin',
      'content-type': 'multipart/form-data; boundary=x',
    },
  });
const customerOf = async (code: string): Promise<number> => {
  const [row] = await sql<[{ id: number }]>`select id from customers where code = ${code}`;
  return row.id;
};

test('customers are imported from a file, and the answer shows counts and bad lines', async () => {
  expect((await viewer.get('/customers/import')).statusCode).toBe(403);
  const lines = [
    header,
    'A1;Ana;11911110001;;;;;;sim;',
    'A2;Bia;11911110002;;;31/02/1990;;;;',
    ';Cal;;;;;;;;',
  ];
  const answer = await upload(lines.join('\r\n'));
  expect(answer.statusCode).toBe(200);
  expect(textOf(answer)).toMatch(/3 linhas lidas Clientes novos 2 .* Linhas deixadas de fora 1 /);
  expect(textOf(answer)).toContain('“data_nascimento” não é uma data de nascimento');
  expect(textOf(answer)).toMatch(/Linha Problema 4 Nem “codigo” nem um telefone tem valor/);
  const refused = await upload('nome;telefone\r\nAna;1');
  expect(refused.statusCode).toBe(422);
  expect(textOf(refused)).toContain('Nada foi importado');
  expect(textOf(refused)).toContain('codigo;nome');
});

test('the result of an upload by script is rendered from the answer of the API', async () => {
  const warnings = { lines: 0, of: [], first: [] };
  const imported = { lines: 5, inserted: 2, updated: 3, unchanged: 0, badLines: 0, problems: [], warnings };
  const part = await operator.post('/customers/import-result', {
    status: '200',
    answer: JSON.stringify(imported),
  });
  expect(textOf(part)).toContain('5 linhas lidas');
  const broken = await operator.post('/customers/import-result', { status: '0', answer: '' });
  expect(textOf(broken)).toContain('Nada foi importado');
});

test('the page of a customer shows the messages, the replies and the tickets', async () => {
  const id = await customerOf('A1');
  const { messageIds } = await createRun(ui, catalog, {
    phones: ['+5511911110001'],
    changes: { ticketPolicy: onReply(tickets) },
  });
  const [messageId = 0] = messageIds;
  await sql`update messages set customer_id = ${id} where id = ${messageId}`;
  const inboundMessageId = await insertReply(sql, { messageId, text: 'Quero negociar' });
  await sql`update inbound_messages set customer_id = ${id} where id = ${inboundMessageId}`;
  const opened = await sql.begin((tx) => openReplyTicket(tx, { inboundMessageId }));
  await sql`update tickets set customer_id = ${id} where id = ${opened?.ticketId ?? 0}`;
  const page = await viewer.get(`/customers/${id}`);
  expect(textOf(page)).toContain('Quero negociar');
  expect(page.body).toContain(`href="/tickets/${opened?.ticketId ?? 0}"`);
  expect(page.body).toContain(`href="/messages/${messageId}"`);
  expect(textOf(page)).toContain('Concedido');
  expect(page.body).not.toContain('/person');
  expect(textOf(await viewer.get(`/replies?customerId=${id}`))).toContain('Quero negociar');
});

test('retention is set in days and must be positive', async () => {
  const form = { consentRequired: 'on', messageDays: '90', ticketPostDays: '30', auditDays: '' };
  await admin.post('/settings/privacy', form);
  expect((await viewer.get('/settings/privacy')).body).toMatch(/name="ticketPostDays"[^>]*value="30"/);
  expect((await viewer.get('/settings/privacy')).body).toMatch(/name="messageDays"[^>]*value="90"/);
  const refused = await admin.post('/settings/privacy', { ...form, messageDays: '0' });
  expect(refused.statusCode).toBe(422);
  expect(refused.body).toMatch(/name="messageDays"[^>]*aria-invalid="true"/);
  await admin.post('/settings/privacy', { messageDays: '' });
});

test('the data of a phone is found, exported as a file, and erased after a confirmation', async () => {
  const { messageIds } = await createRun(ui, catalog, { phones: ['+5511911119999'] });
  expect((await operator.post('/settings/privacy/person', { phone: '11911119999' })).statusCode).toBe(403);
  const wrong = await admin.post('/settings/privacy/person', { phone: 'abc' });
  expect(textOf(wrong)).toContain('Informe um número de telefone.');
  const page = await admin.post('/settings/privacy/person', { phone: '(11) 91111-9999' });
  expect(textOf(page)).toMatch(/Telefones \(11\) 91111-9999 Códigos 1 Mensagens 1 Não enviadas 1/);
  const file = await admin.post('/settings/privacy/export', { phone: '+5511911119999' });
  expect(file.headers['content-disposition']).toContain('person.json');
  expect(file.json()).toMatchObject({ messages: [{ id: messageIds[0] }] });

  const unsure = await admin.post('/settings/privacy/erase', { phone: '+5511911119999' });
  expect([unsure.statusCode, textOf(unsure)]).toEqual([
    422,
    expect.stringContaining('Marque a confirmação.'),
  ]);
  const done = await admin.post('/settings/privacy/erase', { phone: '+5511911119999', confirmed: 'on' });
  expect(textOf(done)).toContain('Apagados os dados de 1 mensagem, 0 respostas');
  expect(await sql`select from messages where phone = '+5511911119999'`).toHaveLength(0);
});

test('a message without a phone is found by its code or from its page, and erased', async () => {
  const { messageIds } = await createRun(ui, catalog, { phones: [null, null] });
  const [coded = 0, named = 0] = messageIds;
  await sql`update messages set code = 'code-7', name = null where id = ${coded}`;
  await sql`update messages set code = null, name = 'Só Nome' where id = ${named}`;
  const found = await admin.post('/settings/privacy/person', { phone: '', code: 'code-7', messageId: '' });
  expect(textOf(found)).toMatch(/Códigos code-7 Mensagens 1/);
  expect(found.body).toContain('name="code" value="code-7"');

  expect((await admin.get(`/messages/${named}`)).body).toContain(`/messages/${named}/person`);
  expect((await operator.get(`/messages/${named}`)).body).not.toContain('/person');
  expect((await operator.get(`/messages/${named}/person`)).statusCode).toBe(403);
  const page = await admin.get(`/messages/${named}/person`);
  expect(page.body).toContain(`name="messageId" value="${named}"`);
  const both: Record<string, string>[] = [{ code: 'code-7' }, { messageId: String(named) }];
  for (const who of both)
    expect(textOf(await admin.post('/settings/privacy/erase', { ...who, confirmed: 'on' }))).toContain(
      'Apagados os dados de 1 mensagem',
    );
  expect(await sql`select code, name from messages where id in (${coded}, ${named})`).toEqual([
    { code: null, name: null },
    { code: null, name: null },
  ]);
});

test('a search for the phone of a customer redirects to the customer, who can be erased there', async () => {
  const id = await customerOf('A1');
  const found = await admin.post('/settings/privacy/person', { phone: '11911110001' });
  expect(found.headers.location).toBe(`/customers/${id}/person`);
  expect(textOf(await admin.get(`/customers/${id}/person`))).toContain('Ana');
  const erase = () => admin.post('/settings/privacy/erase', { customerId: String(id), confirmed: 'on' });
  expect(textOf(await erase())).toContain('uma resposta dela está em andamento');
  await sql`update inbound_messages set handled_at = now(), effect = 'ticket'`;
  expect(textOf(await erase())).toContain('Pessoa apagada');
  expect((await viewer.get(`/customers/${id}`)).statusCode).toBe(404);
});

test('the helpdesk settings keep their secrets unless new ones are entered', async () => {
  const blank = await admin.get('/settings/ticket-posting');
  expect(blank.body).toMatch(/name="secret"[^>]*value="[A-Za-z0-9_-]{43}"/);
  const form = {
    enabled: 'on',
    url: 'https://helpdesk.example/torpedo',
    events: ['opened', 'changed'],
    secret: 'um-segredo-de-assinatura-longo',
    'headers.0.name': 'Authorization',
    'headers.0.value': 'Bearer muito-secreto',
  };
  const refused = await admin.post('/settings/ticket-posting', { ...form, 'headers.0.value': '' });
  expect(refused.body).toMatch(/name="headers\.0\.value"[^>]*aria-invalid="true"/);
  await admin.post('/settings/ticket-posting', form);
  const page = await admin.get('/settings/ticket-posting');
  expect(page.body).not.toMatch(/muito-secreto|um-segredo-de-assinatura/);
  await admin.post('/settings/ticket-posting', { ...form, secret: '', 'headers.0.value': '' });
  expect(await openTicketPosting(sql, box)).toMatchObject({
    events: ['opened', 'changed'],
    secret: 'um-segredo-de-assinatura-longo',
    headers: { Authorization: 'Bearer muito-secreto' },
  });
  expect((await operator.get('/settings/ticket-posting')).statusCode).toBe(403);
});

test('failed helpdesk posts are listed and can be replayed', async () => {
  const { messageIds } = await createRun(ui, catalog, { changes: { ticketPolicy: onReply(tickets) } });
  const inboundMessageId = await insertReply(sql, { messageId: messageIds[0] ?? 0 });
  await sql.begin((tx) => openReplyTicket(tx, { inboundMessageId }));
  await sql`update ticket_posts set state = 'failed', attempts = 9, answer_status = 422, answer = 'não conheço'`;
  const list = await operator.get('/settings/ticket-posts?state=failed');
  expect(textOf(list)).toContain('422 não conheço');
  expect(textOf(list)).toContain('Reenviar os que falharam (1)');
  expect(textOf(await operator.get('/settings/ticket-posts/replay-failed'))).toContain('1 envio que falhou');
  await operator.post('/settings/ticket-posts/replay-failed');
  expect(await sql`select from ticket_posts where state = 'failed'`).toHaveLength(0);
  const [post] = await sql<[{ eventId: number }]>`select event_id from ticket_posts`;
  await sql`update ticket_posts set state = 'delivered'`;
  const again = await operator.post(`/settings/ticket-posts/${post.eventId}/replay`);
  expect(again.headers.location).toBe('/settings/ticket-posts');
  expect(await sql`select from ticket_posts where state = 'waiting'`).toHaveLength(1);
  expect((await viewer.get('/settings/ticket-posts')).statusCode).toBe(403);
});

test('an entry in use lists its uses and offers archiving instead of deletion', async () => {
  const address = `/settings/departments/${tickets.departmentId}`;
  const page = await admin.get(`${address}/delete`);
  expect(textOf(page)).toMatch(/não pode ser excluído\. Em uso por: .*\d+ atendimentos?/);
  expect(page.body).toContain(`action="${address}/archive"`);
});
