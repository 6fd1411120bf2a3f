import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { ensureFirstAdmin, hashSecret } from '../../api/http/auth.ts';
import { createPasswords, generatePassword } from '../../api/access/passwords.ts';
import { insertSession } from '../../db/access/sessions.ts';
import { insertUser } from '../../db/access/users.ts';
import type { Role } from '../../domain/user.ts';
import { adminPassword, createApi, errorOf, publicUrl } from '../kit/api.ts';
import { createDatabase } from '../kit/database.ts';
import { cheapHash } from '../kit/password.ts';

const api = await createApi();
const { app, sql, as } = api;

const ownPage = { origin: publicUrl };
const login = (login: string, password: string, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url: '/api/session', payload: { login, password }, headers });
/** The headers of a page of ours with a session of the user. */
async function session(login: string): Promise<Record<string, string>> {
  const [user] = await sql<{ id: number }[]>`select id from users where login = ${login}`;
  const id = randomBytes(32).toString('base64url');
  await insertSession(sql, { idHash: hashSecret(id), userId: user?.id ?? 0 });
  return { cookie: `__Host-torpedo=${id}`, ...ownPage };
}
/** As the admin of the database, signed in: tokens may not manage users and tokens. */
const asAdmin = async (method: 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) =>
  app.inject({ method, url, headers: await session('admin'), ...(payload ? { payload } : {}) });
const whoAmI = (headers: Record<string, string>) =>
  app.inject({ method: 'GET', url: '/api/session', headers });

const password = 'a long password';
const passwordHash = cheapHash(password);
async function addUser(login: string, role: Role): Promise<number> {
  return (await insertUser(sql, { login, name: login, role, passwordHash })).id;
}

describe('logging in', () => {
  test('gives a cookie that pages can not read and other hosts can not set', async () => {
    const answer = await login('Admin', adminPassword);
    expect(answer.json()).toEqual({
      kind: 'user',
      id: api.adminId,
      name: 'Ana',
      role: 'admin',
      locale: 'pt-BR',
      timezone: 'America/Sao_Paulo',
      sendingHoursId: null,
      email: null,
      alerts: 0,
    });
    expect(answer.cookies).toMatchObject([
      { name: '__Host-torpedo', path: '/', httpOnly: true, secure: true, sameSite: 'Lax' },
    ]);
    expect(answer.cookies[0]).not.toHaveProperty('domain');
  });

  test('keeps only a hash of the session', async () => {
    const answer = await login('admin', adminPassword);
    const id = answer.cookies[0]?.value ?? '';
    const stored = await sql<{ idHash: Buffer }[]>`select id_hash from sessions`;
    expect(stored.some(({ idHash }) => idHash.equals(hashSecret(id)))).toBe(true);
    expect(stored.some(({ idHash }) => idHash.includes(id))).toBe(false);
  });

  test('says the same of a wrong password, an unknown login and a disabled user', async () => {
    const id = await addUser('gone', 'viewer');
    await asAdmin('PATCH', `/api/users/${id}`, { enabled: false });
    for (const [name, attempt] of [
      ['admin', 'not the password'],
      ['nobody', 'not the password'],
      ['gone', password],
    ] as const) {
      const answer = await login(name, attempt);
      expect(answer.statusCode).toBe(401);
      expect(errorOf(answer)).toMatchObject({
        code: 'login_failed',
        message: 'The login or the password is wrong.',
      });
    }
  });

  test('is refused after ten failures, even with the right password, and not to others', async () => {
    await addUser('guessed', 'viewer');
    await addUser('neighbor', 'viewer');
    for (let attempt = 0; attempt < 10; attempt++) {
      expect((await login('guessed', 'wrong')).statusCode).toBe(401);
    }
    const refused = await login('guessed', password);
    expect(refused.statusCode).toBe(429);
    expect(errorOf(refused)).toMatchObject({
      code: 'rate_limited',
      params: { retryAfterMs: expect.any(Number) as number, logins: true },
    });
    expect((await login('neighbor', password)).statusCode).toBe(200);
  });

  test('is refused to a page of another site', async () => {
    const answer = await login('admin', adminPassword, { origin: 'https://evil.example' });
    expect(answer.statusCode).toBe(403);
    expect(errorOf(answer).code).toBe('cross_site');
  });
});

describe('a session', () => {
  test('ends at logout', async () => {
    const headers = await session('admin');
    expect((await whoAmI(headers)).statusCode).toBe(200);
    expect((await app.inject({ method: 'DELETE', url: '/api/session', headers })).statusCode).toBe(204);
    expect((await whoAmI(headers)).statusCode).toBe(401);
  });

  test('lets people choose their name, language and zone, and nothing more', async () => {
    await addUser('chooser', 'viewer');
    const headers = await session('chooser');
    const change = (payload: object) =>
      app.inject({ method: 'PATCH', url: '/api/session', headers, payload });
    const choice = { name: 'Chosen', locale: 'en', timezone: 'America/Manaus' };
    expect((await change(choice)).json()).toMatchObject({ ...choice, role: 'viewer' });
    expect((await whoAmI(headers)).json()).toMatchObject(choice);
    expect(errorOf(await change({ timezone: 'Mars/Olympus' })).problems).toMatchObject([
      { field: 'timezone' },
    ]);
    expect((await change({ role: 'admin' })).statusCode).toBe(422);
    expect((await as('admin')('PATCH', '/api/session', choice)).statusCode).toBe(403);
  });

  test('keeps the profile that its user has saved on another page meanwhile', async () => {
    await addUser('twice', 'viewer');
    const headers = await session('twice');
    const version = String((await whoAmI(headers)).headers['etag']);
    const change = (name: string, tag = version) =>
      app.inject({
        ...({ method: 'PATCH', url: '/api/session', payload: { name } } as const),
        headers: { ...headers, 'if-match': tag },
      });
    expect((await change('First')).statusCode).toBe(200);
    expect(errorOf(await change('Second'))).toMatchObject({ code: 'version_conflict' });
    expect((await whoAmI(headers)).json()).toMatchObject({ name: 'First' });
    expect((await change('Second', String((await whoAmI(headers)).headers['etag']))).statusCode).toBe(200);
  });

  test('lets people choose the sending hours that their campaigns begin with, of those that there are', async () => {
    await addUser('habitual', 'operator');
    const headers = await session('habitual');
    const change = (sendingHoursId: number | null) =>
      app.inject({ method: 'PATCH', url: '/api/session', headers, payload: { sendingHoursId } });
    const definition = {
      timezone: 'America/Sao_Paulo',
      windows: [{ days: ['monday'], from: '08:00', to: '12:00' }],
    };
    const made = await as('admin')('POST', '/api/settings/sending-hours', { name: 'Segundas', definition });
    const { id } = made.json<{ id: number }>();
    expect((await whoAmI(headers)).json()).toMatchObject({ sendingHoursId: null });
    expect((await change(id)).json()).toMatchObject({ sendingHoursId: id });
    expect(errorOf(await change(id + 1)).problems).toMatchObject([
      { field: 'sendingHoursId', code: 'unknown' },
    ]);
    // They stay when something else is changed, and hinder nobody from deleting them.
    await app.inject({ method: 'PATCH', url: '/api/session', headers, payload: { locale: 'en' } });
    expect((await whoAmI(headers)).json()).toMatchObject({ sendingHoursId: id });
    expect((await as('admin')('DELETE', `/api/settings/sending-hours/${id}`)).statusCode).toBe(204);
    expect((await whoAmI(headers)).json()).toMatchObject({ sendingHoursId: null });
    expect((await change(null)).statusCode).toBe(200);
  });

  test.each([
    [
      'half a day without a request',
      sql`update sessions set last_seen_at = now() - interval '12 hours 1 second'`,
    ],
    ['a week after the login', sql`update sessions set expires_at = now()`],
  ])('ends %s', async (_, pass) => {
    const headers = await session('admin');
    await pass;
    expect((await whoAmI(headers)).statusCode).toBe(401);
  });

  test('is marked as seen at most once a minute', async () => {
    const headers = await session('admin');
    const [seen] =
      await sql`update sessions set last_seen_at = now() - interval '50 seconds' returning last_seen_at`;
    await whoAmI(headers);
    expect(await sql`select last_seen_at from sessions`).toContainEqual(seen);
    await sql`update sessions set last_seen_at = now() - interval '61 seconds'`;
    await whoAmI(headers);
    const [fresh] = await sql`select from sessions where last_seen_at > now() - interval '30 seconds'`;
    expect(fresh).toBeDefined();
  });

  test.each([
    ['a new role', { role: 'operator' }],
    ['a new password from an admin', { password: 'another long password' }],
    ['being disabled', { enabled: false }],
  ])('ends with %s', async (_, change) => {
    const name = `user-${Object.keys(change).join()}`;
    const id = await addUser(name, 'viewer');
    const headers = await session(name);
    expect((await asAdmin('PATCH', `/api/users/${id}`, change)).statusCode).toBe(200);
    expect((await whoAmI(headers)).statusCode).toBe(401);
  });

  test('survives its own change of the password, and the others of the user do not', async () => {
    await addUser('changer', 'viewer');
    const here = await session('changer');
    const elsewhere = await session('changer');
    const change = (current: string, password: string) =>
      app.inject({
        method: 'PUT',
        url: '/api/session/password',
        headers: here,
        payload: { current, password },
      });
    const wrong = await change('not it', 'another long password');
    expect(wrong.statusCode).toBe(422);
    expect(errorOf(wrong).problems).toEqual([
      { field: 'current', code: 'wrong_password', params: {}, message: 'Esta não é a sua senha atual.' },
    ]);
    const short = await change(password, 'short');
    expect(errorOf(short).problems).toMatchObject([
      { field: 'password', message: 'Escolha uma senha de ao menos 12 caracteres.' },
    ]);
    expect((await change(password, 'another long password')).statusCode).toBe(204);
    expect((await whoAmI(here)).statusCode).toBe(200);
    expect((await whoAmI(elsewhere)).statusCode).toBe(401);
    expect((await login('changer', 'another long password')).statusCode).toBe(200);
  });
});

describe('a password that was given', () => {
  const own = 'a password of my own';
  const give = async (name: string): Promise<string> => {
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

  test('is good for choosing one of their own, and for nothing else', async () => {
    await give('invited');
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
    expect((await choose(headers, password, own)).statusCode).toBe(204);
    expect((await whoAmI(headers)).json()).not.toHaveProperty('mustChangePassword');
    expect((await signIn('invited', password)).answer.statusCode).toBe(401);
    const again = await signIn('invited', own);
    expect(again.answer.json()).not.toHaveProperty('mustChangePassword');
  });

  test('lets who has it sign out', async () => {
    await give('leaver');
    const { headers } = await signIn('leaver', password);
    expect((await app.inject({ method: 'DELETE', url: '/api/session', headers })).statusCode).toBe(204);
    expect((await whoAmI(headers)).statusCode).toBe(401);
  });

  test('is what an admin sets for someone else, and not what an admin sets for themselves', async () => {
    const id = await addUser('forgetful', 'viewer');
    await asAdmin('PATCH', `/api/users/${id}`, { password: 'set by an admin' });
    const { answer } = await signIn('forgetful', 'set by an admin');
    expect(answer.json()).toMatchObject({ mustChangePassword: true });
    const listed = (await as('admin')('GET', '/api/users')).json<{ users: object[] }>().users;
    expect(listed).toContainEqual(expect.objectContaining({ login: 'forgetful', mustChangePassword: true }));

    const self = await addUser('self-made', 'admin');
    const headers = await session('self-made');
    const payload = { password: 'set by myself' };
    await app.inject({ method: 'PATCH', url: `/api/users/${self}`, headers, payload });
    const { answer: after } = await signIn('self-made', 'set by myself');
    expect(after.json()).not.toHaveProperty('mustChangePassword');
    await sql`update users set role = 'viewer' where id = ${self}`;
  });
});

describe('a change with a session', () => {
  const change = async (headers: Record<string, string>) => {
    const { cookie = '' } = await session('admin');
    return app.inject({
      method: 'POST',
      url: '/api/settings/regions',
      headers: { cookie, ...headers },
      payload: { name: `Region ${Math.random()}` },
    });
  };

  test.each([
    ['says that it comes from our page', { 'sec-fetch-site': 'same-origin' }],
    ['was typed by the user', { 'sec-fetch-site': 'none' }],
    ['has the origin of the public URL', { origin: publicUrl }],
    ['has the origin of the host it was sent to', { origin: 'http://10.0.0.5:3000', host: '10.0.0.5:3000' }],
  ])('is made when the browser %s', async (_, headers) => {
    expect((await change(headers)).statusCode).toBe(201);
  });

  test.each([
    ['comes from another site', { 'sec-fetch-site': 'cross-site' }],
    [
      'comes from a neighboring subdomain',
      { 'sec-fetch-site': 'same-site', origin: 'https://evil.torpedo.example' },
    ],
    ['has another origin', { origin: 'https://evil.example' }],
    ['has the origin of a file', { origin: 'null' }],
    ['does not say where it comes from', {}],
  ])('is refused when it %s', async (_, headers) => {
    const answer = await change(headers);
    expect(answer.statusCode).toBe(403);
    expect(errorOf(answer).code).toBe('cross_site');
  });
});

describe('an API token', () => {
  const make = async (payload: object) => {
    const headers = await session('admin');
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

  test('that is wrong is refused in words, even next to a good session', async () => {
    const headers = await session('admin');
    for (const authorization of ['Bearer tpd_nonsense', 'Bearer x', 'Basic YTpi', '']) {
      const answer = await whoAmI({ ...headers, authorization });
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
      expect(errorOf(answer)).toMatchObject({
        code: 'unauthenticated',
        message: 'Log in, or send an API token that is valid: Authorization: Bearer tpd_…',
      });
    }
  });

  test('of a lesser role is told which role it needs', async () => {
    const answer = await as('viewer')('POST', '/api/campaigns', {});
    expect(answer.statusCode).toBe(403);
    expect(errorOf(answer)).toMatchObject({
      code: 'forbidden',
      message: 'This needs the role Operator; yours is Viewer.',
      params: { needs: 'operator', role: 'viewer' },
    });
  });

  test('of an admin makes neither admins nor tokens, and revokes none', async () => {
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

  test('is revoked when who made it is no admin any more', async () => {
    const id = await addUser('leaving', 'admin');
    const headers = await session('leaving');
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

describe('users', () => {
  test('never show a password or its hash', async () => {
    await addUser('secretive', 'viewer');
    expect((await as('admin')('GET', '/api/users')).body).not.toMatch(/scrypt|passwordHash/);
    expect((await as('admin')('GET', '/api/audit')).body).not.toMatch(/scrypt|a long password/);
  });

  test('have logins that are taken once', async () => {
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

  test('are told all that is wrong with them at once, in their own language', async () => {
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

    test.each([{ role: 'viewer' }, { enabled: false }])('do not lose that one to %j', async (change) => {
      const answer = await asAdmin('PATCH', `/api/users/${api.adminId}`, change);
      expect(answer.statusCode).toBe(409);
      expect(errorOf(answer).code).toBe('last_admin');
    });

    test('keep one of two who remove each other at once', async () => {
      const name = `second-${Math.random()}`;
      const other = await addUser(name, 'admin');
      const remove = (id: number, headers: Record<string, string>) =>
        app.inject({ method: 'PATCH', url: `/api/users/${id}`, headers, payload: { role: 'operator' } });
      const [mine, theirs] = [await session('admin'), await session(name)];
      const answers = await Promise.all([remove(other, mine), remove(api.adminId, theirs)]);
      const [done, refused] = answers.map(({ statusCode }) => statusCode).toSorted();
      expect(done).toBe(200);
      // Removed before it was asked who they are, or the last one.
      expect([401, 409]).toContain(refused);
      expect(await sql`select from users where role = 'admin' and enabled`).toHaveLength(1);
      await sql`update users set role = 'admin' where id = ${api.adminId}`;
    });
  });
});

const passwords = createPasswords();

describe('the first start', () => {
  test('makes an admin with a readable password, once, whoever starts at the same time', async () => {
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
    expect(await passwords.verify(first?.password ?? '', user?.passwordHash ?? null)).toBe(true);
    // The log of the start keeps the password: whoever reads it there finds one that was changed.
    expect(user?.mustChangePassword).toBe(true);
    expect(await ensureFirstAdmin(empty.sql)).toBeNull();
  });
});

describe('a password', () => {
  test('is hashed with the cost that OWASP asks for, each time with another salt', async () => {
    const [one, two] = await Promise.all([passwords.hash('same'), passwords.hash('same')]);
    expect(one).toMatch(/^\$scrypt\$ln=17,r=8,p=1\$/);
    expect(one).not.toBe(two);
    expect(await passwords.verify('same', one)).toBe(true);
    expect(await passwords.verify('other', one)).toBe(false);
  });

  test('is the same in either composition of its accents', async () => {
    expect(await passwords.verify('ac\u0327a\u0303o', await passwords.hash('ação'))).toBe(true);
  });

  test('that is generated is never the same', () => {
    expect(new Set(Array.from({ length: 1000 }, generatePassword)).size).toBe(1000);
  });
});

describe('an error', () => {
  test('of JSON that is none is told as that', async () => {
    for (const payload of ['{"name": ', '', '{"a": NaN}']) {
      const answer = await as('operator')('POST', '/api/campaigns', payload, {
        'content-type': 'application/json',
      });
      expect(answer.statusCode).toBe(400);
      expect(errorOf(answer)).toMatchObject({ code: 'invalid_json', message: 'The body is not valid JSON.' });
    }
  });

  test('of a type that is not taken, a body that is too large, an address that does not exist', async () => {
    const xml = await as('operator')('POST', '/api/campaigns', '<a/>', { 'content-type': 'text/xml' });
    expect([xml.statusCode, errorOf(xml).code]).toEqual([415, 'unsupported_type']);
    const large = await as('operator')('POST', '/api/campaigns', { name: 'x'.repeat(2 * 1024 * 1024) });
    expect([large.statusCode, errorOf(large).code]).toEqual([413, 'too_large']);
    const nowhere = await as('operator')('GET', '/api/nowhere');
    expect([nowhere.statusCode, errorOf(nowhere).code]).toEqual([404, 'not_found']);
    const badUrl = await app.inject({ method: 'GET', url: '/api/%zz' });
    expect([badUrl.statusCode, errorOf(badUrl).code]).toEqual([400, 'bad_request']);
    const badId = await as('viewer')('GET', '/api/campaigns/seven');
    expect([badId.statusCode, errorOf(badId)]).toMatchObject([
      400,
      { code: 'invalid_parameters', problems: [{ field: 'id', message: 'Expected an id.' }] },
    ]);
  });

  test('of ours never tells more than a number to find it by', async () => {
    await sql`insert into campaigns (definition) values ('{"name": "broken"}')`;
    const answer = await as('viewer')('GET', '/api/campaigns');
    expect(answer.statusCode).toBe(500);
    expect(errorOf(answer)).toEqual({
      code: 'internal',
      params: {},
      message: 'An internal error occurred. The log has the details under the id of the request.',
      requestId: answer.headers['x-request-id'],
    });
  });
});
