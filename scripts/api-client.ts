import { randomBytes } from 'node:crypto';
import { fetch, type Response } from 'undici';

/** A program's view of the HTTP API: what the scripts use, as any other program would. */
export interface ApiClient {
  /** The answer's JSON. Throws `ApiRefusal` for any other than 2xx. */
  call(method: string, path: string, body?: unknown): Promise<unknown>;
  upload(path: string, csv: AsyncIterable<Uint8Array> | Uint8Array): Promise<unknown>;
}

/** The API's refusal, with its own words. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
}

/** Works with an API token. */
export const withToken = (apiUrl: string, token: string): ApiClient =>
  createClient(apiUrl, () => ({ authorization: `Bearer ${token}` }));

/** Logs in and works with the session's cookie. */
async function logIn(apiUrl: string, admin: { login: string; password: string }): Promise<ApiClient> {
  let cookie = '';
  const client = createClient(
    apiUrl,
    // A page of ours would send its origin: cookies count only with it.
    () => ({ origin: new URL(apiUrl).origin, cookie }),
    (response) => {
      cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
    },
  );
  await client.call('POST', '/api/session', admin);
  return client;
}

/** Logs in with the password of a first start and chooses `password` instead, as everybody has to. */
export async function claimFirstAdmin(
  apiUrl: string,
  admin: { login: string; password: string },
  password = randomBytes(18).toString('base64url'),
): Promise<ApiClient & { login: string; password: string }> {
  const client = await logIn(apiUrl, admin);
  await client.call('PUT', '/api/session/password', { current: admin.password, password });
  return { ...client, login: admin.login, password };
}

function createClient(
  apiUrl: string,
  credentials: () => Record<string, string>,
  onResponse: (response: Response) => void = () => undefined,
): ApiClient {
  const request = async (
    method: string,
    path: string,
    init: { headers?: Record<string, string>; body?: string | Uint8Array | AsyncIterable<Uint8Array> },
  ) => {
    const response = await fetch(apiUrl + path, {
      method,
      headers: { ...credentials(), ...init.headers },
      ...(init.body === undefined ? {} : { body: init.body, duplex: 'half' as const }),
    });
    const text = await response.text();
    if (!response.ok) throw new ApiRefusal(`${method} ${path} answered ${response.status}: ${text}`);
    onResponse(response);
    return text === '' ? null : (JSON.parse(text) as unknown);
  };
  return {
    call: (method, path, body) =>
      request(
        method,
        path,
        body === undefined
          ? {}
          : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
      ),
    upload: (path, csv) => request('PUT', path, { headers: { 'content-type': 'text/csv' }, body: csv }),
  };
}
