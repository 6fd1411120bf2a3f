import { describe, expect, test } from 'vitest';
import { createApi, errorOf } from '../kit/api.ts';

const { app, as, sql } = await createApi();
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

describe('an error', () => {
  test('for invalid JSON names the cause', async () => {
    for (const payload of ['{"name": ', '', '{"a": NaN}']) {
      const answer = await as('operator')('POST', '/api/campaigns', payload, {
        'content-type': 'application/json',
      });
      expect(answer.statusCode).toBe(400);
      expect(errorOf(answer)).toMatchObject({ code: 'invalid_json', message: 'The body is not valid JSON.' });
    }
  });

  test('has its own code for an unsupported type, a large body, an unknown URL and invalid parameters', async () => {
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

  test('of the server contains only a request id for the log', async () => {
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
