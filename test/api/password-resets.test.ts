import { beforeEach, expect, test } from 'vitest';
import { insertSession } from '../../db/access/sessions.ts';
import { insertUser } from '../../db/access/users.ts';
import { adminPassword, box, createApi, errorOf, publicUrl } from '../kit/api.ts';
import { cheapHash } from '../kit/password.ts';
import { createSmtpServer, smtpLogin } from '../kit/smtp.ts';
import { until } from '../kit/until.ts';
import { startWorkers } from '../kit/workers.ts';

const api = await createApi();
const { app, sql } = api;
const smtp = await createSmtpServer();
await startWorkers({ ...api, box, publicUrl, sandboxUrl: 'http://127.0.0.1:1' });
const newPassword = 'uma senha bem nova';

const post = (url: string, payload: object, address = '192.0.2.7') =>
  app.inject({ method: 'POST', url, payload, remoteAddress: address });
const request = (login: string, address?: string) => post('/api/password-resets', { login }, address);
const use = (token: string, password = newPassword) => post('/api/password-resets/use', { token, password });
const logIn = (login: string, password: string) => post('/api/session', { login, password });

let users = 0;
async function createUser(changes: { enabled?: boolean } = {}) {
  const login = `pessoa-${++users}`;
  const email = `Pessoa.${users}@example.com`;
  const user = await insertUser(sql, {
    login,
    name: 'Bia',
    role: 'operator',
    passwordHash: cheapHash(adminPassword),
    email,
  });
  if (changes.enabled === false) await sql`update users set enabled = false where id = ${user.id}`;
  const mails = () => smtp.received.filter(({ to }) => to === email);
  const token = async (count = 1) => {
    const mail = await until('the link has arrived', () => mails().length === count && mails().at(-1));
    return /token=([\w-]+)/.exec(mail.text)?.[1] ?? '';
  };
  return { ...user, email, mails, token };
}

beforeEach(async () => {
  const email = { enabled: true, host: 'localhost', port: smtp.port, from: 'a@example.com', ...smtpLogin };
  expect((await api.as('admin')('PUT', '/api/settings/email', email)).statusCode).toBe(200);
});

test('a link by e-mail sets a new password once, and ends all sessions of the user', async () => {
  const bia = await createUser();
  await insertSession(sql, { idHash: Buffer.from('a session'), userId: bia.id });
  expect((await request(bia.login)).statusCode).toBe(202);
  const token = await bia.token();
  expect(bia.mails()[0]?.text).toContain(`${publicUrl}/reset-password?token=${token}`);
  const stored = await sql`select * from password_resets`;
  expect(JSON.stringify(stored)).not.toContain(token);
  expect((await post('/api/password-resets/check', { token })).json()).toEqual({ valid: true });

  expect(errorOf(await use(token, 'curta')).problems).toMatchObject([{ code: 'password_too_short' }]);
  expect((await use(token)).statusCode).toBe(204);
  expect((await sql`select from sessions where user_id = ${bia.id}`).count).toBe(0);
  expect((await logIn(bia.login, adminPassword)).statusCode).toBe(401);
  expect((await logIn(bia.login, newPassword)).statusCode).toBe(200);
  expect(errorOf(await use(token)).problems).toMatchObject([{ field: 'token', code: 'reset_link_invalid' }]);
  const [entry] = await sql`select actor, action from audit_log order by id desc limit 1`;
  expect(entry).toEqual({ actor: `user:${bia.id}`, action: 'user.password_reset' });
});

test('only one of two concurrent requests with the same link succeeds', async () => {
  const bia = await createUser();
  await request(bia.email.toUpperCase());
  const token = await bia.token();
  const answers = await Promise.all([use(token), use(token, 'outra senha bem nova')]);
  expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([204, 422]);
});

test('the response does not reveal whether the user exists, has an e-mail address or is enabled', async () => {
  const disabledUser = await createUser({ enabled: false });
  const withoutEmail = await createUser();
  await sql`update users set email = null where id = ${withoutEmail.id}`;
  const known = await createUser();
  const answers = [];
  for (const login of ['nobody', disabledUser.login, withoutEmail.login, known.login])
    answers.push(await request(login, '192.0.2.8'));
  for (const { statusCode, body, headers } of answers) {
    expect([statusCode, body]).toEqual([202, 'null']);
    expect(Object.keys(headers).toSorted()).toEqual(Object.keys(answers[0]?.headers ?? {}).toSorted());
  }
  await known.token();
  expect([...disabledUser.mails(), ...withoutEmail.mails()]).toEqual([]);
});

test('a link is rejected after it expires or after its user is disabled', async () => {
  const bia = await createUser();
  await request(bia.login, '192.0.2.9');
  const token = await bia.token();
  await sql`update password_resets set expires_at = now() where user_id = ${bia.id}`;
  expect((await use(token)).statusCode).toBe(422);
  await sql`update password_resets set expires_at = now() + interval '1 minute' where user_id = ${bia.id}`;
  await sql`update users set enabled = false where id = ${bia.id}`;
  expect((await use(token)).statusCode).toBe(422);
});

test('requests are limited per mailbox and per IP address', async () => {
  const bia = await createUser();
  for (let index = 0; index < 6; index++) await request(bia.login, `198.51.100.${index}`);
  await bia.token(3);
  const rows = await until('all mails are delivered', async () => {
    const found = await sql<{ state: string }[]>`select state from notifications where user_id = ${bia.id}`;
    return found.every(({ state }) => state === 'delivered') && found;
  });
  expect(rows).toHaveLength(3);
  const statuses = [];
  for (let index = 0; index < 12; index++) statuses.push((await request('nobody', '203.0.113.1')).statusCode);
  expect(statuses.filter((status) => status === 429)).toHaveLength(2);
});

test('without an e-mail server no link is sent, and the sign-in page does not offer a reset', async () => {
  const bia = await createUser();
  await sql`delete from email_settings`;
  expect((await app.inject({ url: '/api/password-resets' })).json()).toEqual({ offered: false });
  expect((await request(bia.login, '192.0.2.10')).statusCode).toBe(202);
  expect((await sql`select from notifications where user_id = ${bia.id}`).count).toBe(0);
});
