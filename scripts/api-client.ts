import { randomBytes } from 'node:crypto';
import { fetch, type Response } from 'undici';

/** A client of the HTTP API for the scripts, with no more access than any other program. */
export interface ApiClient {
  /** The JSON of the answer. Throws `ApiRefusal` for any status other than 2xx. */
  call(method: string, path: string, body?: unknown): Promise<unknown>;
  upload(path: string, csv: AsyncIterable<Uint8Array> | Uint8Array): Promise<unknown>;
}

/** An error of the API, with its own message. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
}

/** Authenticates with an API token. */
export const withToken = (apiUrl: string, token: string): ApiClient =>
  createClient(apiUrl, () => ({ authorization: `Bearer ${token}` }));

/** Logs in and uses the session's cookie. */
async function logIn(apiUrl: string, admin: { login: string; password: string }): Promise<ApiClient> {
  let cookie = '';
  const client = createClient(
    apiUrl,
    // A console page would send its origin: the API accepts cookies only with it.
    () => ({ origin: new URL(apiUrl).origin, cookie }),
    (response) => {
      cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
    },
  );
  await client.call('POST', '/api/session', admin);
  return client;
}

/** Logs in with the password of a first start and replaces it by `password`, as every first user must. */
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
