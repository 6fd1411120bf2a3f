import { expect, test } from 'vitest';
import { createConsole, textOf } from '../kit/console.ts';

const ui = await createConsole();
const { sql } = ui;
const admin = await ui.signIn('admin');
const viewer = await ui.signIn('viewer');

test('sending hours are created from the filled-in rows', async () => {
  const answer = await admin.post('/settings/sending-hours', {
    name: 'Comercial',
    'definition.timezone': 'America/Sao_Paulo',
    'definition.windows.0.from': '',
    'definition.windows.2.days': ['monday', 'friday'],
    'definition.windows.2.from': '08:00',
    'definition.windows.2.to': '18:00',
  });
  expect([answer.statusCode, answer.headers.location]).toEqual([303, '/settings/sending-hours']);
  const list = textOf(await viewer.get('/settings/sending-hours'));
  expect(list).toContain('Comercial');
  expect(list).toContain('seg, sex 08:00–18:00');
});

test('a problem is shown at its row, also after blank rows', async () => {
  const answer = await admin.post('/settings/sending-hours', {
    name: 'Noturno',
    'definition.timezone': 'America/Sao_Paulo',
    'definition.windows.0.from': '',
    'definition.windows.3.days': 'monday',
    'definition.windows.3.from': '22:00',
    'definition.windows.3.to': '25:00',
  });
  expect(answer.statusCode).toBe(422);
  expect(answer.body).toMatch(/name="definition\.windows\.0\.to" aria-describedby="[^"]*problem"/);
  expect(answer.body).toContain('value="25:00"');
  expect(textOf(answer)).toContain('Informe um horário de 00:00 a 24:00.');
});

test('an entry is renamed, archived, restored and deleted', async () => {
  await admin.post('/settings/regions', { name: 'Sul' });
  const [row] = await sql<[{ id: number }]>`select id from regions where name = 'Sul'`;
  await admin.post(`/settings/regions/${row.id}`, { name: 'Sul e Sudeste' });
  await admin.post(`/settings/regions/${row.id}/archive`);
  expect(textOf(await admin.get('/settings/regions'))).toContain('Sul e Sudeste Arquivado');
  await admin.post(`/settings/regions/${row.id}/restore`);
  expect(textOf(await admin.get('/settings/regions'))).toContain('Sul e Sudeste Disponível');
  const answer = await admin.post(`/settings/regions/${row.id}/delete`);
  expect(answer.headers.location).toBe('/settings/regions');
  expect(textOf(await admin.get('/settings/regions'))).toContain('Nenhum registro ainda');
});

test('a name in use is reported at the field, and a form that is sent twice creates one entry', async () => {
  const form = { name: 'Cobrança', once: 'a form of its own' };
  await Promise.all([admin.post('/settings/departments', form), admin.post('/settings/departments', form)]);
  const rows = await sql`select from departments where name = 'Cobrança'`;
  expect(rows.count).toBe(1);
  const answer = await admin.post('/settings/departments', { name: 'Cobrança' });
  expect(answer.statusCode).toBe(409);
  expect(textOf(answer)).toContain('Este nome já está em uso.');
});

test('a viewer can see an entry but not change it', async () => {
  const [row] = await sql<[{ id: number }]>`select id from sending_hours limit 1`;
  const page = await viewer.get(`/settings/sending-hours/${row.id}`);
  expect(page.body).toContain('<fieldset disabled');
  expect(page.body).not.toContain('Salvar');
  expect((await viewer.post(`/settings/sending-hours/${row.id}`, { name: 'x' })).statusCode).toBe(403);
  expect((await viewer.get('/settings/users')).statusCode).toBe(403);
});

test('when two users edit the same settings, the second gets a conflict, keeps the own input and can save again', async () => {
  const other = await ui.signIn('admin');
  const made = await ui.as('admin')('POST', '/api/settings/regions', { name: 'Antes' });
  const region = made.json<{ id: number }>().id;
  const [{ id: user }] = await sql<[{ id: number }]>`select id from users where id = ${viewer.id}`;
  const pages: [string, (text: string) => Record<string, string>][] = [
    [`/settings/regions/${region}`, (name) => ({ name })],
    [`/settings/users/${user}`, (name) => ({ name, role: 'viewer', enabled: 'on', password: '' })],
    ['/settings/reply-words', (word) => ({ optOut: `SAIR\n${word}`, optIn: '', help: '', holdDays: '7' })],
  ];
  for (const [path, form] of pages) {
    const versionIn = ({ body }: { body: string }) =>
      /name="if-match" value="([^"]*)"/.exec(body)?.[1]?.replaceAll('&quot;', '"') ?? '';
    const [mine, theirs] = [await admin.get(path), await other.get(path)].map(versionIn);
    expect(mine, path).toMatch(/^"[\w-]+"$/);
    const first = await other.post(path, { ...form('Delas'), 'if-match': theirs ?? '' });
    expect(first.statusCode, path).toBe(303);
    const refused = await admin.post(path, { ...form('Minhas'), 'if-match': mine ?? '' });
    expect(refused.statusCode, path).toBe(409);
    expect(textOf(refused), path).toContain('Esta parte foi alterada depois que você a abriu.');
    expect(refused.body).toContain('Minhas');
    const again = await admin.post(path, { ...form('Minhas'), 'if-match': versionIn(refused) });
    expect(again.statusCode, path).toBe(303);
  }
});

test('a user is added, changed and disabled, and the last admin cannot be demoted', async () => {
  const user = { login: 'bia', name: 'Bia', role: 'operator', password: 'uma senha bem longa' };
  await admin.post('/settings/users', user);
  const [row] = await sql<[{ id: number }]>`select id from users where login = 'bia'`;
  await admin.post(`/settings/users/${row.id}`, { name: 'Bia Lima', role: 'viewer', password: '' });
  expect(textOf(await admin.get('/settings/users'))).toContain('Bia Lima bia Leitor Desativado');
  await sql`update users set enabled = false where role = 'admin' and id <> ${admin.id}`;
  const answer = await admin.post(`/settings/users/${admin.id}`, {
    name: 'Eu',
    role: 'viewer',
    enabled: 'on',
  });
  expect(textOf(answer)).toContain('Este é o último administrador que pode entrar.');
});

test('a token is shown once, works, and can be revoked', async () => {
  const made = await admin.post('/settings/tokens', { name: 'CRM', role: 'viewer', expiresInDays: '' });
  const token = /id="token" value="([^"]+)"/.exec(made.body)?.[1] ?? '';
  const call = () => ui.app.inject({ url: '/api/campaigns', headers: { authorization: `Bearer ${token}` } });
  expect((await call()).statusCode).toBe(200);
  expect((await admin.get('/settings/tokens')).body).not.toContain(token);
  const [row] = await sql<[{ id: number }]>`select id from api_tokens where name = 'CRM'`;
  expect(textOf(await admin.get(`/settings/tokens/${row.id}/revoke`))).toContain('Revogar o token “CRM”?');
  await admin.post(`/settings/tokens/${row.id}/revoke`);
  expect((await call()).statusCode).toBe(401);
});

test('the audit log lists changes and can be filtered', async () => {
  const all = textOf(await admin.get('/settings/audit'));
  expect(all).toContain('revogou o token “CRM”');
  expect(all).toContain('Horário de execução');
  const narrowed = textOf(await admin.get('/settings/audit?subjectKind=token'));
  expect(narrowed).toContain('revogou o token “CRM”');
  expect(narrowed).not.toContain('criou a região');
});

test('reply words are entered one per line, blank lines are ignored, and a problem is shown at its list', async () => {
  const page = await viewer.get('/settings/reply-words');
  expect(textOf(page)).toContain('Padrão: SAIR, PARE,');
  expect(page.body).not.toContain('Salvar');
  const form = { optOut: 'SAIR\r\n\r\nCHEGA\r\n', optIn: 'VOLTAR', help: '' };
  const saved = await admin.post('/settings/reply-words', form);
  expect([saved.statusCode, saved.headers.location]).toEqual([303, '/settings/reply-words']);
  expect((await viewer.get('/settings/reply-words')).body).toMatch(/SAIR\nCHEGA<\/textarea>/);
  const refused = await admin.post('/settings/reply-words', { ...form, help: 'AJUDA\r\nSair' });
  expect(refused.statusCode).toBe(422);
  expect(refused.body).toMatch(/name="help"[^>]*aria-invalid="true"/);
  expect(refused.body).toContain('<a href="#f-help">Pedem ajuda</a>');
  expect(textOf(refused)).toContain('“Sair” aparece mais de uma vez');
  const none = await admin.post('/settings/reply-words', { optOut: ' ', optIn: '', help: '' });
  expect(textOf(none)).toContain('Informe ao menos uma palavra que descadastra.');
});

test('a keyword that is a reply word is reported at its row, together with an invalid text', async () => {
  const answer = await admin.post('/settings/automatic-texts', {
    optOut: 'Oi {valor}',
    help: '',
    'keywords.0.words': '2VIA, Sair',
    'keywords.0.text': 'Segue.',
  });
  expect(answer.statusCode).toBe(422);
  expect(answer.body).toMatch(/name="optOut"[^>]*aria-invalid="true"/);
  expect(answer.body).toMatch(/name="keywords\.0\.words"[^>]*aria-invalid="true"/);
});
