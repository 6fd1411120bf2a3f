import { expect, test } from 'vitest';
import { createApi, errorOf } from '../kit/api.ts';

const { as } = await createApi();
const admin = as('admin');
const problemsOf = async (method: 'GET' | 'POST', url: string, body?: object) => {
  const answer = await admin(method, url, body);
  return [answer.statusCode, ...(errorOf(answer).problems ?? []).map(({ field }) => field)];
};

test('text that PostgreSQL cannot store is rejected in any field, and the problem names the field', async () => {
  for (const text of ['a\0b', 'a\ud800', '\udc00b']) {
    expect(await problemsOf('POST', '/api/settings/regions', { name: text })).toEqual([422, 'name']);
    const holidays = [
      { date: '2027-01-01', name: 'Ano-Novo' },
      { date: '2027-12-25', name: text },
    ];
    expect(
      await problemsOf('POST', '/api/settings/holiday-calendars', { name: 'A', definition: { holidays } }),
    ).toEqual([422, 'definition.holidays.1.name']);
    expect(await problemsOf('POST', '/api/settings/regions', { name: 'A', [text]: 1 })).toEqual([422, '']);
  }
  expect(await problemsOf('GET', '/api/messages?customerCode=a%00b')).toEqual([400, 'customerCode']);
  expect(await problemsOf('GET', '/api/tickets?text=%00')).toEqual([400, 'text']);
  expect((await admin('GET', '/api/sandbox/phones/%00')).statusCode).toBe(400);
});

test('emoji and control characters that PostgreSQL can store are accepted', async () => {
  const name = 'Região 🚀\u0001';
  const made = await admin('POST', '/api/settings/regions', { name });
  expect(made.statusCode).toBe(201);
  expect(made.json()).toMatchObject({ name });
});

test('a body that is nested too deeply is rejected before it is validated', async () => {
  const template = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const answer = await admin(
    'POST',
    '/api/providers',
    `{"name": "A", "config": {"kind": "http", "request": {"body": {"kind": "json", "template": ${template}}}}}`,
    { 'content-type': 'application/json' },
  );
  expect([answer.statusCode, errorOf(answer).problems?.length]).toEqual([422, 1]);
});
