import { describe, expect, test } from 'vitest';
import { createPasswords } from '../../api/access/passwords.ts';
import { insertUser } from '../../db/access/users.ts';
import { adminPassword, createApi, errorOf } from '../kit/api.ts';
import { cheapHash } from '../kit/password.ts';
import { insertCookie } from '../kit/sessions.ts';

const limits = { account: 60, unauthenticated: 40 };
// Hashing takes long enough for other requests to arrive meanwhile.
const passwords = createPasswords({ ln: 14, r: 8, p: 1 });
const api = await createApi({ requestsPerMinute: limits, passwords });
const { app, sql } = api;

const login = (name: string, password: string, remoteAddress: string) =>
  app.inject({ method: 'POST', url: '/api/session', payload: { login: name, password }, remoteAddress });
const whoAmI = (headers: Record<string, string>, remoteAddress: string) =>
  app.inject({ method: 'GET', url: '/api/session', headers, remoteAddress });
const sessionOf = (userId: number) => insertCookie(sql, userId);
const password = 'a long password';
async function addUser(name: string): Promise<number> {
  const passwordHash = cheapHash(password);
  return (await insertUser(sql, { login: name, name, role: 'viewer', passwordHash })).id;
}
/** Repeats the request until it is rate-limited; returns how many were allowed. */
async function allowedRequests(
  request: () => Promise<{ statusCode: number }>,
  atMost: number,
): Promise<number> {
  for (let count = 0; count < atMost; count++) if ((await request()).statusCode === 429) return count;
  return atMost;
}

describe('an IP address', () => {
  test('without a session is rate-limited before the database is queried', async () => {
    const address = '203.0.113.1';
    const known = { authorization: `Bearer ${api.tokens.viewer}` };
    const fresh = { authorization: `Bearer ${api.tokens.operator}` };
    expect((await whoAmI(known, address)).statusCode).toBe(200);
    const wrong = { authorization: 'Bearer tpd_nonsense' };
    expect(await allowedRequests(() => whoAmI({}, address), 100)).toBe(limits.unauthenticated - 1);

    const refused = await whoAmI(wrong, address);
    expect(errorOf(refused)).toMatchObject({ code: 'rate_limited' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    // Neither a login nor the first request with a session reaches the database.
    expect((await login('admin', adminPassword, address)).statusCode).toBe(429);
    expect((await whoAmI(fresh, address)).statusCode).toBe(429);

    // An account seen from this address before, and any other address, is not limited.
    expect((await whoAmI(known, address)).statusCode).toBe(200);
    expect((await whoAmI(fresh, '203.0.113.2')).statusCode).toBe(200);
  });

  test('of IPv6 is limited together with its network', async () => {
    const wrong = { authorization: 'Bearer tpd_nonsense' };
    let host = 0;
    const request = () => whoAmI(wrong, `2001:db8:0:7::${(++host).toString(16)}`);
    expect(await allowedRequests(request, 100)).toBe(limits.unauthenticated);
    expect((await whoAmI(wrong, '2001:db8:0:8::1')).statusCode).toBe(401);
  });
});

test('a user is rate-limited across all addresses, without affecting other users', async () => {
  const id = await addUser('busy');
  const [first, second] = [await sessionOf(id), await sessionOf(id)];
  const other = await sessionOf(api.adminId);
  let count = 0;
  const request = () => (++count % 2 === 0 ? whoAmI(first, '203.0.113.10') : whoAmI(second, '203.0.113.11'));
  expect(await allowedRequests(request, 100)).toBe(limits.account);
  expect((await whoAmI(other, '203.0.113.10')).statusCode).toBe(200);
});

describe('wrong passwords', () => {
  test('for one user do not lock out other users, or the same user at another address', async () => {
    const address = '203.0.113.20';
    await addUser('viewer');
    for (let attempt = 0; attempt < 10; attempt++) {
      expect((await login('viewer', 'wrong', address)).statusCode).toBe(401);
    }
    for (let attempt = 0; attempt < 20; attempt++) {
      expect((await login('viewer', 'wrong', address)).statusCode).toBe(429);
    }
    // The right password has to wait too, so that a guesser does not learn it.
    const refused = await login('viewer', password, address);
    expect(errorOf(refused)).toMatchObject({ code: 'rate_limited' });
    expect((await login('admin', adminPassword, address)).statusCode).toBe(200);
    expect((await login('viewer', password, '203.0.113.21')).statusCode).toBe(200);
  });

  test('that are sent concurrently are checked at most ten times', async () => {
    await addUser('guessed');
    const answers = await Promise.all(
      Array.from({ length: 25 }, () => login('guessed', 'wrong', '203.0.113.22')),
    );
    const statuses = answers.map(({ statusCode }) => statusCode);
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(15);
  });

  test('for many users at once do not starve other logins', async () => {
    const done: string[] = [];
    const flood = Array.from({ length: 6 }, async (_, index) => {
      await login(`guess-${index}`, 'wrong', '203.0.113.23');
      done.push('flood');
    });
    const otherLogin = login('admin', adminPassword, '203.0.113.24').then((answer) => {
      done.push('other');
      return answer;
    });
    expect((await otherLogin).statusCode).toBe(200);
    await Promise.all(flood);
    // Two were in progress, and one or two more may have started; with a plain queue this login would be last.
    expect(done.indexOf('other')).toBeLessThan(6);
  });

  test('in a password change are rate-limited too', async () => {
    const id = await addUser('changer');
    const headers = { ...(await sessionOf(id)), origin: 'https://torpedo.example' };
    const change = (current: string) =>
      app.inject({
        method: 'PUT',
        url: '/api/session/password',
        headers,
        payload: { current, password: 'another long password' },
      });
    for (let attempt = 0; attempt < 10; attempt++) expect((await change('wrong')).statusCode).toBe(422);
    expect((await change(password)).statusCode).toBe(429);
  });
});
