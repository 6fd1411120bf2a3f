import { beforeEach, describe, expect, test, afterAll } from 'vitest';
import { type Integration, integrationConfig, integrationSecrets } from '../../domain/integration.ts';
import { fieldMap } from '../../domain/webservice.ts';
import { createTokenCache } from '../../mailing/authorization.ts';
import { WebserviceRefused } from '../../mailing/refused.ts';
import type { WebserviceDeps } from '../../mailing/webservice.ts';
import { json, readWebservice, startWebservice, webserviceDeps } from '../kit/webservice.ts';

const service = await startWebservice(json([]));
const other = await startWebservice(json([]));
const clock = { now: Date.now() };
let deps: WebserviceDeps;
beforeEach(() => {
  service.requests.length = 0;
  other.requests.length = 0;
  service.answer(json([{ codigo: 1 }]));
  other.answer(json([{ codigo: 2 }]));
  deps = { ...webserviceDeps(), tokens: createTokenCache({ now: () => clock.now }) };
});
afterAll(async () => {
  await service.close();
  await other.close();
});

const integrationOf = (
  authentication: object,
  secret: string | null = null,
  changes: { headers?: object[]; secretHeaders?: object; origins?: string[] } = {},
): Integration => ({
  id: 1,
  name: 'CRM',
  config: integrationConfig.parse({
    authentication,
    origins: changes.origins ?? [new URL(service.url).origin],
    headers: changes.headers ?? [],
  }),
  secrets: integrationSecrets.parse({ secret, headers: changes.secretHeaders ?? {} }),
});

async function read(integration: Integration, url = service.url): Promise<number> {
  let records = 0;
  const batches = readWebservice(deps, {
    url: new URL(url),
    integration,
    webservice: { recordsPath: null, paging: { by: 'links' }, fieldMap: fieldMap.parse({}) },
    extraFields: [],
    today: '2026-11-29',
    signal: new AbortController().signal,
  });
  for await (const batch of batches) records += batch.length;
  return records;
}
const refusal = async (integration: Integration, url?: string) => {
  const error: unknown = await read(integration, url).catch((error: unknown) => error);
  if (!(error instanceof WebserviceRefused)) throw error;
  return { code: error.code, message: error.message, mayPass: error.mayPass };
};
const lastRequest = () => service.requests.at(-1);

describe('an integration', () => {
  test('sends HTTP basic credentials in UTF-8', async () => {
    await read(integrationOf({ kind: 'basic', user: 'ana' }, 'sé:nha'));
    expect(lastRequest()?.headers.authorization).toBe(
      `Basic ${Buffer.from('ana:sé:nha').toString('base64')}`,
    );
  });

  test('sends a bearer token', async () => {
    await read(integrationOf({ kind: 'bearer' }, 'the-token'));
    expect(lastRequest()?.headers.authorization).toBe('Bearer the-token');
  });

  test('sends an API key in a header or at the end of the query', async () => {
    await read(integrationOf({ kind: 'api_key', in: 'header', name: 'X-Api-Key' }, 'k1'));
    expect(lastRequest()?.headers['x-api-key']).toBe('k1');
    await read(
      integrationOf({ kind: 'api_key', in: 'query', name: 'key' }, 'k 2&'),
      `${service.url}?a=%20b+c`,
    );
    expect(lastRequest()?.url).toBe('/contacts?a=%20b+c&key=k%202%26');
  });

  test('sends its plain and secret headers', async () => {
    await read(
      integrationOf({ kind: 'none' }, null, {
        headers: [
          { name: 'X-Tenant', value: '12' },
          { name: 'X-Sign', value: null },
        ],
        secretHeaders: { 'X-Sign': 'hush' },
      }),
    );
    expect(lastRequest()?.headers).toMatchObject({ 'x-tenant': '12', 'x-sign': 'hush' });
  });

  test('is sent with each page, and after a redirect within the origin', async () => {
    service.answer((request, response) => {
      if (request.url?.startsWith('/contacts')) response.writeHead(302, { location: '/v2' }).end();
      else
        json({ data: [{ codigo: request.url }], next: request.url === '/v2?key=k' ? '/v2?page=2' : null })(
          request,
          response,
        );
    });
    await read(integrationOf({ kind: 'api_key', in: 'query', name: 'key' }, 'k'));
    expect(service.requests.map(({ url }) => url)).toEqual([
      '/contacts?key=k',
      '/v2?key=k',
      '/v2?page=2&key=k',
    ]);
  });

  test('is never sent to another origin, neither after a redirect nor for a next page', async () => {
    const secret = integrationOf({ kind: 'bearer' }, 'secret', {
      headers: [{ name: 'X-Tenant', value: '12' }],
    });
    service.answer((_, response) => {
      response.writeHead(307, { location: other.url }).end();
    });
    expect(await read(secret)).toBe(1);
    service.answer(json({ data: [{ codigo: 1 }], next: `${other.url}?page=2` }));
    expect(await read(secret)).toBe(2);
    expect(other.requests).toHaveLength(2);
    for (const { headers } of other.requests) {
      expect(headers).not.toHaveProperty('authorization');
      expect(headers).not.toHaveProperty('x-tenant');
    }
  });

  test('is named as the cause when the service refuses a request to which it was not added', async () => {
    const secret = integrationOf({ kind: 'bearer' }, 'secret');
    other.answer((_, response) => void response.writeHead(401).end());
    service.answer((_, response) => void response.writeHead(301, { location: other.url }).end());
    const [from, to] = [new URL(service.url).origin, new URL(other.url).origin];
    expect(await refusal(secret)).toEqual({
      code: 'credentials_not_sent',
      message: `127.0.0.1 does not accept the request (401): a redirect leads to ${to}, and the integration is sent only to ${from}, where the campaign's address is. Begin the campaign's address with ${to}, or let the service stay at ${from}.`,
      mayPass: false,
    });
    other.answer((_, response) => void response.writeHead(403).end());
    service.answer(json({ data: [{ codigo: 1 }], next: `${other.url}?page=2` }));
    expect(await refusal(secret)).toMatchObject({
      code: 'credentials_not_sent',
      message: expect.stringContaining(`(403): the next page leads to ${to}`) as string,
    });
    for (const { headers } of other.requests) expect(headers).not.toHaveProperty('authorization');
    // Without credentials, only the service can be the cause.
    expect(await refusal(integrationOf({ kind: 'none' }))).toMatchObject({ code: 'forbidden' });
  });

  const { origin, port } = new URL(service.url);
  test.each([
    ['another host', 'https://api.crm.example'],
    ['another port', origin.replace(port, String(Number(port) + 1))],
    ['another scheme', origin.replace('http:', 'https:')],
  ])('is not sent when it allows only %s', async (_, allowed) => {
    expect(await refusal(integrationOf({ kind: 'bearer' }, 's', { origins: [allowed] }))).toEqual({
      code: 'integration_origin',
      message: `The integration “CRM” may not be sent to ${origin}. An admin can add this address to it.`,
      mayPass: false,
    });
    expect(service.requests).toHaveLength(0);
  });

  test('is named as the cause when the service does not accept it', async () => {
    service.answer((_, response) => void response.writeHead(401).end());
    expect(await refusal(integrationOf({ kind: 'bearer' }, 'wrong'))).toEqual({
      code: 'unauthorized',
      message: '127.0.0.1 does not accept the credentials of the integration (401). Correct them there.',
      mayPass: false,
    });
  });
});

describe('OAuth 2', () => {
  let issued = 0;
  let expiresIn: unknown = 3600;
  let forms: { authorization: string | undefined; form: string }[] = [];
  const tokens = (status = 200) =>
    other.answer((request, response) => {
      let form = '';
      request.on('data', (chunk) => (form += String(chunk)));
      request.on('end', () => {
        forms.push({ authorization: request.headers.authorization, form });
        response
          .writeHead(status, { 'content-type': 'application/json' })
          .end(JSON.stringify({ access_token: `t${++issued}`, token_type: 'Bearer', expires_in: expiresIn }));
      });
    });
  const oauth = (changes: object = {}, secret = 's+ cret') =>
    integrationOf(
      { kind: 'oauth2', tokenUrl: other.url, clientId: 'cli:ent', scope: 'contacts.read', ...changes },
      secret,
    );
  beforeEach(() => {
    issued = 0;
    expiresIn = 3600;
    forms = [];
    tokens();
  });
  const tokensSeen = () => service.requests.map(({ headers }) => headers.authorization);

  test('requests a token as the standard requires, with basic credentials or in a form', async () => {
    await read(oauth());
    await read(oauth({ clientAuthentication: 'form', audience: 'crm' }));
    expect(forms).toEqual([
      {
        authorization: `Basic ${Buffer.from('cli%3Aent:s%2B+cret').toString('base64')}`,
        form: 'grant_type=client_credentials&scope=contacts.read',
      },
      {
        authorization: undefined,
        form: 'grant_type=client_credentials&scope=contacts.read&audience=crm&client_id=cli%3Aent&client_secret=s%2B+cret',
      },
    ]);
  });

  test('reuses a token until shortly before it expires, also for concurrent mailings', async () => {
    await Promise.all([read(oauth()), read(oauth()), read(oauth())]);
    await read(oauth());
    expect(tokensSeen()).toEqual(Array.from({ length: 4 }, () => 'Bearer t1'));
    clock.now += 3_539_000;
    await read(oauth());
    expect(issued).toBe(1);
    clock.now += 2_000;
    await read(oauth());
    expect(tokensSeen().at(-1)).toBe('Bearer t2');
  });

  test('requests a new token for other credentials', async () => {
    await read(oauth());
    await read(oauth({}, 'another'));
    expect(tokensSeen()).toEqual(['Bearer t1', 'Bearer t2']);
  });

  test('renews a token that the service refuses, once', async () => {
    await read(oauth());
    service.answer((request, response) => {
      if (request.headers.authorization === 'Bearer t1') response.writeHead(401).end();
      else json([{ codigo: 1 }])(request, response);
    });
    expect(await read(oauth())).toBe(1);
    expect(tokensSeen()).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t2']);
    service.answer((_, response) => void response.writeHead(401).end());
    expect(await refusal(oauth())).toMatchObject({ code: 'unauthorized' });
    expect(issued).toBe(3);
  });

  test('renews a token for every page when the service requires it', async () => {
    const used = new Set<string>();
    service.answer((request, response) => {
      const token = request.headers.authorization ?? '';
      if (used.has(token)) {
        response.writeHead(401).end();
        return;
      }
      used.add(token);
      const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page') ?? 1);
      json({ data: [{ codigo: page }], next: page < 6 ? `/contacts?page=${page + 1}` : null })(
        request,
        response,
      );
    });
    expect(await read(oauth())).toBe(6);
    expect(issued).toBe(6);
    // A page that refuses every token ends the fetch after one renewal.
    service.answer((request, response) => {
      if (request.url?.includes('page=2')) response.writeHead(401).end();
      else json({ data: [{ codigo: 1 }], next: '/contacts?page=2' })(request, response);
    });
    expect(await refusal(oauth())).toMatchObject({ code: 'unauthorized' });
    expect(issued).toBe(7);
  });

  test('accepts a lifetime that is written as text, and assumes one that is missing', async () => {
    expiresIn = '120';
    await read(oauth());
    clock.now += 90_000;
    await read(oauth());
    expect(issued).toBe(1);
    clock.now += 10_000;
    expiresIn = undefined;
    await read(oauth());
    expect(issued).toBe(2);
  });

  test('reports a token address that refuses, fails or returns something else', async () => {
    tokens(401);
    expect(await refusal(oauth())).toEqual({
      code: 'authorization_failed',
      message:
        '127.0.0.1 issues no access token: it does not accept the client id, secret or scope (401). Correct the integration.',
      mayPass: false,
    });
    tokens(503);
    expect(await refusal(oauth())).toMatchObject({ code: 'server_error', mayPass: true });
    other.answer(json({ token: 'x' }));
    expect(await refusal(oauth())).toMatchObject({
      message: '127.0.0.1 issues no access token: its answer is not that of a token address (RFC 6749).',
    });
    // A failure is not cached: the next mailing requests a token again.
    tokens();
    expect(await read(oauth())).toBe(1);
  });

  test('checks the token address with the address guard', async () => {
    expect(await refusal(oauth({ tokenUrl: 'http://169.254.169.254/token' }))).toMatchObject({
      code: 'address_refused',
    });
  });
});
