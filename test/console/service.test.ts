import { expect, test } from 'vitest';
import { openReplyTicket } from '../../db/tickets/opening.ts';
import { createCatalog, createRun } from '../kit/api.ts';
import { createConsole, textOf } from '../kit/console.ts';
import { createTicketCatalog, insertReply, onReply } from '../kit/tickets.ts';

/** Replies, tickets, customers and opt-outs. */
const ui = await createConsole();
const { sql } = ui;
const catalog = await createCatalog(ui);
const settings = await createTicketCatalog(sql);
const operator = await ui.signIn('operator');
const admin = await ui.signIn('admin');
const viewer = await ui.signIn('viewer');

async function openTicket(phone: string): Promise<{ ticketId: number; messageId: number }> {
  const { messageIds } = await createRun(ui, catalog, {
    phones: [phone],
    changes: { ticketPolicy: onReply(settings) },
  });
  const [messageId = 0] = messageIds;
  const inboundMessageId = await insertReply(sql, { messageId, text: 'Quero a <segunda via>' });
  const answer = await sql.begin((tx) => openReplyTicket(tx, { inboundMessageId }));
  if (!answer) throw new Error('No ticket was opened.');
  return { ticketId: answer.ticketId, messageId };
}
/** The form of a ticket as it was opened, with the changes of the user. */
const fieldsOf = (changes: Record<string, string>) => {
  return { ...openedForm, seen: JSON.stringify(openedForm), ...changes };
};
const openedForm = {
  status: 'open',
  resolutionId: '',
  userId: '',
  departmentId: String(settings.departmentId),
  assigneeId: String(settings.assigneeId),
  categoryId: String(settings.categoryId),
  subcategoryId: String(settings.subcategoryId),
};

test('a reply is found by its phone and shows its escaped text and its ticket', async () => {
  const { ticketId } = await openTicket('+5511911110001');
  const page = await viewer.get('/replies?phone=11911110001');
  expect(textOf(page)).toContain('Quero a <segunda via>');
  expect(page.body).not.toContain('<segunda');
  expect(page.body).toContain(`href="/tickets/${ticketId}"`);
  expect(textOf(page)).toContain(`Atendimento ${ticketId}`);
  expect(textOf(await viewer.get('/replies?phone=11911119999'))).toContain(
    'Nada encontrado com este filtro.',
  );
});

test('an invalid phone is reported at the filter, and the page still opens', async () => {
  const page = await viewer.get('/tickets?phone=abc');
  expect(page.statusCode).toBe(200);
  expect(textOf(page)).toContain('Informe um número de telefone.');
  expect(page.body).toContain('value="abc"');
});

test('the less common ticket filters are in a disclosure, which is open when one of them is set', async () => {
  expect((await viewer.get('/tickets')).body).toContain('<details class="more-filters"><summary>');
  const set = await viewer.get('/tickets?phone=11911110001');
  expect(set.body).toContain('<details class="more-filters" open>');
});

test('a ticket is finished with a resolution, and its history shows the user', async () => {
  const { ticketId } = await openTicket('+5511911110002');
  const refused = await operator.post(`/tickets/${ticketId}`, fieldsOf({ status: 'finished' }));
  expect(refused.statusCode).toBe(422);
  expect(refused.body).toMatch(/name="resolutionId"[^>]*aria-invalid="true"/);
  const answer = await operator.post(
    `/tickets/${ticketId}`,
    fieldsOf({ status: 'finished', resolutionId: String(settings.solvedId) }),
  );
  expect(answer.headers.location).toBe(`/tickets/${ticketId}`);
  const page = textOf(await viewer.get(`/tickets/${ticketId}`));
  expect(page).toContain('Status do atendimento: Aberto → Finalizado');
  expect(page).toMatch(/Alterado Pessoa \d/);
});

test('when two users change different fields of a ticket, both changes are kept', async () => {
  const { ticketId } = await openTicket('+5511911110003');
  await operator.post(`/tickets/${ticketId}`, fieldsOf({ status: 'waiting' }));
  const answer = await admin.post(`/tickets/${ticketId}`, fieldsOf({ userId: String(operator.id) }));
  expect(answer.statusCode).toBe(303);
  const [row] = await sql`select status, user_id from tickets where id = ${ticketId}`;
  expect(row).toEqual({ status: 'waiting', userId: operator.id });
});

test('when two users change the same field, the second sees both values and keeps the own input', async () => {
  const { ticketId } = await openTicket('+5511911110004');
  await operator.post(`/tickets/${ticketId}`, fieldsOf({ status: 'waiting', userId: String(admin.id) }));
  const answer = await admin.post(`/tickets/${ticketId}`, fieldsOf({ status: 'in_progress' }));
  expect(answer.statusCode).toBe(409);
  expect(textOf(answer)).toContain(
    'Status do atendimento: agora “Aguardando”; você preencheu “Em andamento”.',
  );
  expect(answer.body).toMatch(/value="in_progress" selected|selected value="in_progress"/);
  const seen = /name="seen" value="([^"]*)"/.exec(answer.body)?.[1]?.replaceAll('&quot;', '"') ?? '';
  const again = await admin.post(
    `/tickets/${ticketId}`,
    fieldsOf({ status: 'in_progress', userId: String(admin.id), seen }),
  );
  expect(again.statusCode).toBe(303);
  const [row] = await sql`select status, user_id from tickets where id = ${ticketId}`;
  expect(row).toEqual({ status: 'in_progress', userId: admin.id });
});

test('a note is appended with its author and is marked as internal', async () => {
  const { ticketId } = await openTicket('+5511911110006');
  await operator.post(`/tickets/${ticketId}/notes`, { text: 'Ligar <amanhã>' });
  expect((await admin.post(`/tickets/${ticketId}/notes`, { text: ' ' })).statusCode).toBe(422);
  await admin.post(`/tickets/${ticketId}/notes`, { text: 'Boleto enviado' });
  expect((await viewer.post(`/tickets/${ticketId}/notes`, { text: 'x' })).statusCode).toBe(403);
  const page = await viewer.get(`/tickets/${ticketId}`);
  expect(page.body.match(/class="internal-note"/g)).toHaveLength(2);
  expect(textOf(page)).toMatch(/Pessoa 1 .* Ligar <amanhã> Pessoa 2 .* Boleto enviado/);
});

test('a ticket is taken with one click, unless another user has already taken it', async () => {
  const { ticketId } = await openTicket('+5511911110007');
  const agent = await ui.signIn('agent');
  const page = await agent.get(`/tickets/${ticketId}`);
  expect(textOf(page)).toContain('Assumir');
  await agent.post(`/tickets/${ticketId}/take`, { version: '1' });
  expect(textOf(await agent.get(`/tickets/${ticketId}`))).toMatch(/Atendente Pessoa \d+/);
  const late = await operator.post(`/tickets/${ticketId}/take`, { version: '1' });
  expect(late.headers['set-cookie']).toContain('error');
  const [row] = await sql`select user_id from tickets where id = ${ticketId}`;
  expect(row).toEqual({ userId: agent.id });
});

test('an agent starts with unanswered tickets, or with the own tickets if there are any', async () => {
  const { ticketId } = await openTicket('+5511911110008');
  await sql`update tickets set customer_wrote_at = now() - interval '2 hours' where id = ${ticketId}`;
  const agent = await ui.signIn('agent');
  const current = /aria-current="page"[^>]*>([^<]+)</g;
  const tabOf = async () =>
    [...(await agent.get('/tickets')).body.matchAll(current)].map(([, words]) => words);
  expect(await tabOf()).toContain('Sem resposta');
  const all = `/tickets?view=unanswered&phone=11911110008`;
  expect(textOf(await agent.get(all))).toContain('há 2 h');
  await agent.post('/tickets/change', { ticket: `${ticketId}:1`, action: 'take', back: all });
  expect(await tabOf()).toContain('Meus');
  const counted = await agent.get('/tickets/unanswered', { 'hx-request': 'true' });
  expect(textOf(counted)).toMatch(/\d+ sem resposta/);
});

test('a bulk change reports the numbers of the tickets that it could not change', async () => {
  const [a, b, c] = [
    (await openTicket('+5511911110021')).ticketId,
    (await openTicket('+5511911110022')).ticketId,
    (await openTicket('+5511911110023')).ticketId,
  ];
  await operator.post(`/tickets/${b}`, fieldsOf({ status: 'waiting' }));
  const selected = { ticket: [`${a}:1`, `${b}:1`, `${c}:1`] };
  const noticeOf = async (fields: Record<string, string | string[]>) => {
    const answer = await operator.post('/tickets/change', fields);
    const cookie = answer.cookies.find(({ name }) => name === 'torpedo-notice');
    return cookie?.value;
  };
  expect(await noticeOf({ ...selected, action: 'finish', resolutionId: String(settings.solvedId) })).toBe(
    `done:2 de 3 atendimentos alterados. Alterados por outro usuário enquanto isso: ${b}.`,
  );
  expect(await noticeOf({ ...selected, action: 'finish', resolutionId: '' })).toContain('Escolha a solução');
  expect(await noticeOf({ action: 'take' })).toContain('Marque ao menos um');
});

test('a customer is added, found, changed and deleted, and the consent is recorded', async () => {
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

test('a customer without code and phone is refused at the field', async () => {
  const answer = await operator.post('/customers', { name: 'Ninguém' });
  expect(answer.statusCode).toBe(422);
  expect(answer.body).toMatch(/name="code"[^>]*aria-invalid="true"/);
});

test('an admin can opt a phone out, and remove the opt-out only with a reason', async () => {
  await admin.post('/opt-outs', { phone: '11911110005', note: 'Pediu por e-mail' });
  expect(textOf(await viewer.get('/opt-outs'))).toContain('(11) 91111-0005');
  const [row] = await sql<[{ id: number }]>`select id from opt_outs where phone = '+5511911110005'`;
  expect(textOf(await admin.get(`/opt-outs/${row.id}/remove`))).toContain('(11) 91111-0005');
  expect((await admin.post(`/opt-outs/${row.id}/remove`, { note: '' })).statusCode).toBe(422);
  await admin.post(`/opt-outs/${row.id}/remove`, { note: 'Pediu de volta' });
  expect(textOf(await viewer.get('/opt-outs'))).toContain('Nenhum descadastro');
  expect((await operator.get('/opt-outs/new')).statusCode).toBe(403);
});

test('an agent can open tickets, replies and customers, and other pages name the roles that can open them', async () => {
  const agent = await ui.signIn('agent');
  const { ticketId } = await openTicket('+5511911110031');
  const first = await agent.get('/');
  expect([first.statusCode, first.headers.location]).toEqual([303, '/tickets']);
  const list = await agent.get('/tickets');
  const [menu = ''] = list.body.split('</header>');
  expect([...menu.matchAll(/class="nav-link" href="([^"]+)"/g)].map(([, href]) => href)).toEqual([
    '/replies',
    '/tickets',
    '/customers',
  ]);
  const page = await agent.get(`/tickets/${ticketId}`);
  expect(page.statusCode).toBe(200);
  expect(page.body).not.toMatch(/href="\/(messages|runs|campaigns)/);
  for (const url of ['/customers', '/replies', '/replies/held', '/profile']) {
    expect((await agent.get(url)).statusCode, url).toBe(200);
  }
  for (const url of ['/campaigns', '/runs', '/messages', '/settings', '/opt-outs', '/settings/providers']) {
    expect((await agent.get(url)).statusCode, url).toBe(403);
  }
  expect(textOf(await agent.get('/runs'))).toContain(
    'Perfis que podem abrir esta página: Administrador, Operador e Leitor.',
  );
  const changed = await agent.post(`/tickets/${ticketId}`, fieldsOf({ status: 'in_progress' }));
  expect([changed.statusCode, changed.headers.location]).toEqual([303, `/tickets/${ticketId}`]);
});
