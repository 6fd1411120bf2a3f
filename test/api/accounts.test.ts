import { beforeEach, describe, expect, test } from 'vitest';
import { createPasswords } from '../../api/access/passwords.ts';
import { ensureFirstAdmin } from '../../api/http/auth.ts';
import { createApi, errorOf } from '../kit/api.ts';
import { createDatabase } from '../kit/database.ts';
import { createSessions, ownPage, userPassword as password } from '../kit/sessions.ts';

const api = await createApi();
const { app, sql, as } = api;
const { sessionOf, login, whoAmI, asAdmin, addUser } = createSessions(api);

describe('users', () => {
  test('never show a password or its hash', async () => {
    await addUser('secretive', 'viewer');
    expect((await as('admin')('GET', '/api/users')).body).not.toMatch(/scrypt|passwordHash/);
    expect((await as('admin')('GET', '/api/audit')).body).not.toMatch(/scrypt|a long password/);
  });

  test('have unique logins', async () => {
    const added = await asAdmin('POST', '/api/users', {
      login: 'twin',
      name: 'Twin',
      role: 'viewer',
      password,
    });
    expect(added.statusCode).toBe(201);
    expect(added.headers.location).toBe(`/api/users/${added.json<{ id: number }>().id}`);
    const answer = await asAdmin('POST', '/api/users', {
      login: 'TWIN',
      name: 'Other',
      role: 'viewer',
      password: password,
    });
    expect(answer.statusCode).toBe(409);
    expect(errorOf(answer)).toMatchObject({
      code: 'name_taken',
      problems: [{ field: 'login', code: 'taken' }],
    });
  });

  test('with several invalid fields get all problems at once, in the language of the admin', async () => {
    const answer = await asAdmin('POST', '/api/users', {
      login: 'Não pode',
      role: 'boss',
      password: 'x',
      age: 7,
    });
    expect(answer.statusCode).toBe(422);
    expect(errorOf(answer).problems).toEqual([
      {
        field: 'login',
        code: 'login_format',
        params: {},
        message: 'Use até 100 letras sem acento, números e . _ @ + -',
      },
      { field: 'name', code: 'missing', params: {}, message: 'Preencha este campo.' },
      {
        field: 'role',
        code: 'not_an_option',
        params: { options: ['admin', 'operator', 'agent', 'viewer'] },
        message: 'O esperado é admin, operator, agent ou viewer.',
      },
      {
        field: 'password',
        code: 'password_too_short',
        params: { minimum: 12 },
        message: 'Escolha uma senha de ao menos 12 caracteres.',
      },
      { field: 'age', code: 'unknown_field', params: {}, message: 'Este campo não existe.' },
    ]);
  });

  describe('with one admin left', () => {
    beforeEach(() => sql`update users set role = 'operator' where role = 'admin' and id <> ${api.adminId}`);

    test.each([{ role: 'viewer' }, { enabled: false }])('cannot lose that admin by %j', async (change) => {
      const answer = await asAdmin('PATCH', `/api/users/${api.adminId}`, change);
      expect(answer.statusCode).toBe(409);
      expect(errorOf(answer).code).toBe('last_admin');
    });

    test('keep one admin when two admins remove each other concurrently', async () => {
      const name = `second-${Math.random()}`;
      const other = await addUser(name, 'admin');
      const remove = (id: number, headers: Record<string, string>) =>
        app.inject({ method: 'PATCH', url: `/api/users/${id}`, headers, payload: { role: 'operator' } });
      const [mine, theirs] = [await sessionOf('admin'), await sessionOf(name)];
      const answers = await Promise.all([remove(other, mine), remove(api.adminId, theirs)]);
      const [done, refused] = answers.map(({ statusCode }) => statusCode).toSorted();
      expect(done).toBe(200);
      // 401: removed before authentication; 409: the last admin.
      expect([401, 409]).toContain(refused);
      expect(await sql`select from users where role = 'admin' and enabled`).toHaveLength(1);
      await sql`update users set role = 'admin' where id = ${api.adminId}`;
    });
  });
});

describe('a password set by an admin', () => {
  const ownPassword = 'a password of my own';
  const addAdmin = async (name: string): Promise<string> => {
    const user = { login: name, name, role: 'admin', password };
    return String((await asAdmin('POST', '/api/users', user)).json<{ id: number }>().id);
  };
  const signIn = async (name: string, secret: string) => {
    const answer = await login(name, secret);
    const headers = { cookie: `__Host-torpedo=${answer.cookies[0]?.value ?? ''}`, ...ownPage };
    return { answer, headers };
  };
  const choose = (headers: Record<string, string>, current: string, password: string) =>
    app.inject({ method: 'PUT', url: '/api/session/password', headers, payload: { current, password } });

  test('only allows the user to choose a new password', async () => {
    await addAdmin('invited');
    const { answer, headers } = await signIn('invited', password);
    expect(answer.json()).toMatchObject({ kind: 'user', mustChangePassword: true });
    for (const [method, url] of [
      ['GET', '/api/session'],
      ['PATCH', '/api/session'],
      ['GET', '/api/campaigns'],
      ['POST', '/api/users'],
      ['GET', '/api/nowhere'],
    ] as const) {
      const refused = await app.inject({ method, url, headers });
      if (url === '/api/nowhere') expect(refused.statusCode).toBe(404);
      else
        expect([url, refused.statusCode, errorOf(refused).code]).toEqual([
          url,
          403,
          'password_change_required',
        ]);
    }
    expect(errorOf(await choose(headers, password, password)).problems).toMatchObject([
      { field: 'password', code: 'same_password' },
    ]);
    expect((await choose(headers, password, ownPassword)).statusCode).toBe(204);
    expect((await whoAmI(headers)).json()).not.toHaveProperty('mustChangePassword');
    expect((await signIn('invited', password)).answer.statusCode).toBe(401);
    const again = await signIn('invited', ownPassword);
    expect(again.answer.json()).not.toHaveProperty('mustChangePassword');
  });

  test('allows the user to sign out', async () => {
    await addAdmin('leaver');
    const { headers } = await signIn('leaver', password);
    expect((await app.inject({ method: 'DELETE', url: '/api/session', headers })).statusCode).toBe(204);
    expect((await whoAmI(headers)).statusCode).toBe(401);
  });

  test('must be changed by another user, but not by the admin who set it for themselves', async () => {
    const id = await addUser('forgetful', 'viewer');
    await asAdmin('PATCH', `/api/users/${id}`, { password: 'set by an admin' });
    const { answer } = await signIn('forgetful', 'set by an admin');
    expect(answer.json()).toMatchObject({ mustChangePassword: true });
    const listed = (await as('admin')('GET', '/api/users')).json<{ users: object[] }>().users;
    expect(listed).toContainEqual(expect.objectContaining({ login: 'forgetful', mustChangePassword: true }));

    const self = await addUser('self-made', 'admin');
    const headers = await sessionOf('self-made');
    const payload = { password: 'set by myself' };
    await app.inject({ method: 'PATCH', url: `/api/users/${self}`, headers, payload });
    const { answer: after } = await signIn('self-made', 'set by myself');
    expect(after.json()).not.toHaveProperty('mustChangePassword');
    await sql`update users set role = 'viewer' where id = ${self}`;
  });
});

describe('an API token', () => {
  const make = async (payload: object) => {
    const headers = await sessionOf('admin');
    const answer = await app.inject({ method: 'POST', url: '/api/tokens', headers, payload });
    expect(answer.statusCode).toBe(201);
    return answer.json<{ id: number; token: string; expiresAt: string | null }>();
  };
  const use = (token: string) => whoAmI({ authorization: `Bearer ${token}` });

  test('is shown once, and works until it is revoked', async () => {
    const { id, token } = await make({ name: 'billing', role: 'operator' });
    expect(token).toMatch(/^tpd_[\w-]{43}$/);
    expect((await use(token)).json()).toMatchObject({ kind: 'token', id, name: 'billing', role: 'operator' });
    expect((await as('admin')('GET', '/api/tokens')).body).not.toContain(token);
    expect((await asAdmin('DELETE', `/api/tokens/${id}`)).json()).toMatchObject({
      revokedAt: expect.any(String) as string,
    });
    expect((await use(token)).statusCode).toBe(401);
  });

  test('does not work once it has expired', async () => {
    const { id, token } = await make({ name: 'short', role: 'viewer', expiresInDays: 1 });
    expect((await use(token)).statusCode).toBe(200);
    await sql`update api_tokens set expires_at = now() where id = ${id}`;
    expect((await use(token)).statusCode).toBe(401);
  });

  test('that is invalid is rejected, even with a valid session', async () => {
    const headers = await sessionOf('admin');
    for (const authorization of ['Bearer tpd_nonsense', 'Bearer x', 'Basic YTpi', '']) {
      const answer = await whoAmI({ ...headers, authorization });
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
      expect(errorOf(answer)).toMatchObject({
        code: 'unauthenticated',
        message: 'Log in, or send a valid API token: Authorization: Bearer tpd_…',
      });
    }
  });

  test('with an insufficient role gets an error that names the required role', async () => {
    const answer = await as('viewer')('POST', '/api/campaigns', {});
    expect(answer.statusCode).toBe(403);
    expect(errorOf(answer)).toMatchObject({
      code: 'forbidden',
      message: 'This needs the role Operator; yours is Viewer.',
      params: { needs: 'operator', role: 'viewer' },
    });
  });

  test('of an admin cannot manage users or tokens', async () => {
    const user = { login: 'maker-of-admins', name: 'X', role: 'admin', password };
    for (const [method, url, payload] of [
      ['POST', '/api/users', user],
      ['PATCH', `/api/users/${api.adminId}`, { password }],
      ['POST', '/api/tokens', { name: 'more', role: 'admin' }],
      ['DELETE', '/api/tokens/1', undefined],
    ] as const) {
      const answer = await as('admin')(method, url, payload);
      expect([url, answer.statusCode, errorOf(answer).code]).toEqual([url, 403, 'not_for_tokens']);
    }
    expect(await sql`select from users where login = ${user.login}`).toHaveLength(0);
    expect((await as('admin')('GET', '/api/users')).statusCode).toBe(200);
  });

  test('stops working when its creator is no longer an admin', async () => {
    const id = await addUser('leaving', 'admin');
    const headers = await sessionOf('leaving');
    const made = await app.inject({
      method: 'POST',
      url: '/api/tokens',
      headers,
      payload: { name: 'kept', role: 'admin' },
    });
    const { token } = made.json<{ token: string }>();
    expect((await use(token)).statusCode).toBe(200);
    await asAdmin('PATCH', `/api/users/${id}`, { role: 'viewer' });
    expect((await use(token)).statusCode).toBe(401);
  });
});

describe('the first start', () => {
  test('creates one admin with a readable password, even with concurrent starts', async () => {
    const empty = await createDatabase();
    const made = await Promise.all([ensureFirstAdmin(empty.sql), ensureFirstAdmin(empty.sql)]);
    const [first] = made.filter((admin) => admin !== null);
    expect(made.filter((admin) => admin !== null)).toHaveLength(1);
    expect(first).toEqual({
      login: 'admin',
      password: expect.stringMatching(/^([a-z2-9]{4}-){4}[a-z2-9]{4}$/) as string,
    });
    const [user] = await empty.sql<{ passwordHash: string; mustChangePassword: boolean }[]>`
      select password_hash, must_change_password from users`;
    expect(await createPasswords().verify(first?.password ?? '', user?.passwordHash ?? null)).toBe(true);
    // The startup log contains the password, so it must be changed.
    expect(user?.mustChangePassword).toBe(true);
    expect(await ensureFirstAdmin(empty.sql)).toBeNull();
  });
});
