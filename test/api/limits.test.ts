import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createPasswords } from '../../api/access/passwords.ts';
import { hashSecret } from '../../api/http/auth.ts';
import { insertSession } from '../../db/access/sessions.ts';
import { insertUser } from '../../db/access/users.ts';
import { adminPassword, createApi, errorOf } from '../kit/api.ts';
import { cheapHash } from '../kit/password.ts';

const limits = { account: 60, unauthenticated: 40 };
// Hashes that take long enough for others to come meanwhile.
const passwords = createPasswords({ ln: 14, r: 8, p: 1 });
const api = await createApi({ requestsPerMinute: limits, passwords });
const { app, sql } = api;

const login = (name: string, password: string, remoteAddress: string) =>
  app.inject({ method: 'POST', url: '/api/session', payload: { login: name, password }, remoteAddress });
const whoAmI = (headers: Record<string, string>, remoteAddress: string) =>
  app.inject({ method: 'GET', url: '/api/session', headers, remoteAddress });
async function sessionOf(userId: number): Promise<Record<string, string>> {
  const id = randomBytes(32).toString('base64url');
  await insertSession(sql, { idHash: hashSecret(id), userId });
  return { cookie: `__Host-torpedo=${id}` };
}
const password = 'a long password';
async function addUser(name: string): Promise<number> {
  const passwordHash = cheapHash(password);
  return (await insertUser(sql, { login: name, name, role: 'viewer', passwordHash })).id;
}
/** Asks until it is refused for asking too often; how often it was not. */
async function askUntilRefused(ask: () => Promise<{ statusCode: number }>, atMost: number): Promise<number> {
  for (let asked = 0; asked < atMost; asked++) if ((await ask()).statusCode === 429) return asked;
  return atMost;
}

describe('an address', () => {
  test('that shows no session is refused after as many as it may send, before the database is asked', async () => {
    const address = '203.0.113.1';
    const known = { authorization: `Bearer ${api.tokens.viewer}` };
    const fresh = { authorization: `Bearer ${api.tokens.operator}` };
    expect((await whoAmI(known, address)).statusCode).toBe(200);
    const wrong = { authorization: 'Bearer tpd_nonsense' };
    expect(await askUntilRefused(() => whoAmI({}, address), 100)).toBe(limits.unauthenticated - 1);

    const refused = await whoAmI(wrong, address);
    expect(errorOf(refused)).toMatchObject({ code: 'rate_limited' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    // Neither a login nor the first request with a session gets as far as the database.
    expect((await login('admin', adminPassword, address)).statusCode).toBe(429);
    expect((await whoAmI(fresh, address)).statusCode).toBe(429);

    // Whoever was known there before goes on, and so does everybody elsewhere.
    expect((await whoAmI(known, address)).statusCode).toBe(200);
    expect((await whoAmI(fresh, '203.0.113.2')).statusCode).toBe(200);
  });

  test('of IPv6 counts with its network', async () => {
    const wrong = { authorization: 'Bearer tpd_nonsense' };
    let host = 0;
    const ask = () => whoAmI(wrong, `2001:db8:0:7::${(++host).toString(16)}`);
    expect(await askUntilRefused(ask, 100)).toBe(limits.unauthenticated);
    expect((await whoAmI(wrong, '2001:db8:0:8::1')).statusCode).toBe(401);
  });
});

test('a user is refused after as many requests as they may send, from wherever they come, and no other user is', async () => {
  const id = await addUser('busy');
  const [here, there] = [await sessionOf(id), await sessionOf(id)];
  const other = await sessionOf(api.adminId);
  let asked = 0;
  const ask = () => (++asked % 2 === 0 ? whoAmI(here, '203.0.113.10') : whoAmI(there, '203.0.113.11'));
  expect(await askUntilRefused(ask, 100)).toBe(limits.account);
  expect((await whoAmI(other, '203.0.113.10')).statusCode).toBe(200);
});

describe('wrong passwords', () => {
  test('of a viewer keep nobody out, at the same address or elsewhere', async () => {
    const address = '203.0.113.20';
    await addUser('viewer');
    for (let attempt = 0; attempt < 10; attempt++) {
      expect((await login('viewer', 'wrong', address)).statusCode).toBe(401);
    }
    for (let attempt = 0; attempt < 20; attempt++) {
      expect((await login('viewer', 'wrong', address)).statusCode).toBe(429);
    }
    // The right one has to wait there, too: whoever guesses must not see which it was.
    const refused = await login('viewer', password, address);
    expect(errorOf(refused)).toMatchObject({ code: 'rate_limited' });
    expect((await login('admin', adminPassword, address)).statusCode).toBe(200);
    expect((await login('viewer', password, '203.0.113.21')).statusCode).toBe(200);
  });

  test('all sent at once are judged ten times, no more', async () => {
    await addUser('guessed');
    const answers = await Promise.all(
      Array.from({ length: 25 }, () => login('guessed', 'wrong', '203.0.113.22')),
    );
    const statuses = answers.map(({ statusCode }) => statusCode);
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(15);
  });

  test('for many users at once let others have their turn', async () => {
    const done: string[] = [];
    const flood = Array.from({ length: 6 }, async (_, index) => {
      await login(`guess-${index}`, 'wrong', '203.0.113.23');
      done.push('flood');
    });
    const person = login('admin', adminPassword, '203.0.113.24').then((answer) => {
      done.push('person');
      return answer;
    });
    expect((await person).statusCode).toBe(200);
    await Promise.all(flood);
    // Two were under way, and one or two more may have begun meanwhile; first come, first served would be last.
    expect(done.indexOf('person')).toBeLessThan(6);
  });

  test('in the change of a password have to wait as well', async () => {
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
