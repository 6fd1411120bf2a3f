import { describe, expect, test } from 'vitest';
import { hashSecret } from '../../api/http/auth.ts';
import { adminPassword, createApi, errorOf, publicUrl } from '../kit/api.ts';
import { createSessions, userPassword as password } from '../kit/sessions.ts';

const api = await createApi();
const { app, sql, as } = api;
const { sessionOf, login, whoAmI, asAdmin, addUser } = createSessions(api);

describe('logging in', () => {
  test('returns a cookie that pages cannot read and other hosts cannot set', async () => {
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

  test('stores only a hash of the session', async () => {
    const answer = await login('admin', adminPassword);
    const id = answer.cookies[0]?.value ?? '';
    const stored = await sql<{ idHash: Buffer }[]>`select id_hash from sessions`;
    expect(stored.some(({ idHash }) => idHash.equals(hashSecret(id)))).toBe(true);
    expect(stored.some(({ idHash }) => idHash.includes(id))).toBe(false);
  });

  test('returns the same error for a wrong password, an unknown login and a disabled user', async () => {
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

  test('is rejected after ten failures, even with the right password, but not for other users', async () => {
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

  test('is rejected for a page of another site', async () => {
    const answer = await login('admin', adminPassword, { origin: 'https://evil.example' });
    expect(answer.statusCode).toBe(403);
    expect(errorOf(answer).code).toBe('cross_site');
  });
});

describe('a session', () => {
  test('ends at logout', async () => {
    const headers = await sessionOf('admin');
    expect((await whoAmI(headers)).statusCode).toBe(200);
    expect((await app.inject({ method: 'DELETE', url: '/api/session', headers })).statusCode).toBe(204);
    expect((await whoAmI(headers)).statusCode).toBe(401);
  });

  test('lets users change their name, language and time zone, and nothing else', async () => {
    await addUser('chooser', 'viewer');
    const headers = await sessionOf('chooser');
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

  test('rejects a profile change based on an outdated version', async () => {
    await addUser('twice', 'viewer');
    const headers = await sessionOf('twice');
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

  test('lets users choose the default sending hours of their campaigns, but no nonexistent ones', async () => {
    await addUser('habitual', 'operator');
    const headers = await sessionOf('habitual');
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
    // Another change keeps the choice, and the chosen hours can still be deleted.
    await app.inject({ method: 'PATCH', url: '/api/session', headers, payload: { locale: 'en' } });
    expect((await whoAmI(headers)).json()).toMatchObject({ sendingHoursId: id });
    expect((await as('admin')('DELETE', `/api/settings/sending-hours/${id}`)).statusCode).toBe(204);
    expect((await whoAmI(headers)).json()).toMatchObject({ sendingHoursId: null });
    expect((await change(null)).statusCode).toBe(200);
  });

  test.each([
    [
      'after twelve hours without a request',
      sql`update sessions set last_seen_at = now() - interval '12 hours 1 second'`,
    ],
    ['a week after the login', sql`update sessions set expires_at = now()`],
  ])('ends %s', async (_, pass) => {
    const headers = await sessionOf('admin');
    await pass;
    expect((await whoAmI(headers)).statusCode).toBe(401);
  });

  test('updates its last use at most once a minute', async () => {
    const headers = await sessionOf('admin');
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
    ['the user being disabled', { enabled: false }],
  ])('ends with %s', async (_, change) => {
    const name = `user-${Object.keys(change).join()}`;
    const id = await addUser(name, 'viewer');
    const headers = await sessionOf(name);
    expect((await asAdmin('PATCH', `/api/users/${id}`, change)).statusCode).toBe(200);
    expect((await whoAmI(headers)).statusCode).toBe(401);
  });

  test('survives its own password change, but other sessions of the user do not', async () => {
    await addUser('changer', 'viewer');
    const thisSession = await sessionOf('changer');
    const otherSession = await sessionOf('changer');
    const change = (current: string, password: string) =>
      app.inject({
        method: 'PUT',
        url: '/api/session/password',
        headers: thisSession,
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
    expect((await whoAmI(thisSession)).statusCode).toBe(200);
    expect((await whoAmI(otherSession)).statusCode).toBe(401);
    expect((await login('changer', 'another long password')).statusCode).toBe(200);
  });
});

describe('a change with a session', () => {
  const change = async (headers: Record<string, string>) => {
    const { cookie = '' } = await sessionOf('admin');
    return app.inject({
      method: 'POST',
      url: '/api/settings/regions',
      headers: { cookie, ...headers },
      payload: { name: `Region ${Math.random()}` },
    });
  };

  test.each([
    ['reports that it comes from our page', { 'sec-fetch-site': 'same-origin' }],
    ['reports that the user typed the URL', { 'sec-fetch-site': 'none' }],
    ['sends the origin of the public URL', { origin: publicUrl }],
    ['sends the origin of the requested host', { origin: 'http://10.0.0.5:3000', host: '10.0.0.5:3000' }],
  ])('is accepted when the browser %s', async (_, headers) => {
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
    ['has no information about its origin', {}],
  ])('is rejected when it %s', async (_, headers) => {
    const answer = await change(headers);
    expect(answer.statusCode).toBe(403);
    expect(errorOf(answer).code).toBe('cross_site');
  });
});
