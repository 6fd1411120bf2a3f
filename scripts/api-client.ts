import { fetch } from 'undici';

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

/** Logs in and works with the session's cookie. */
export async function logIn(apiUrl: string, admin: { login: string; password: string }): Promise<ApiClient> {
  let cookie = '';
  const request = async (
    method: string,
    path: string,
    init: { headers?: Record<string, string>; body?: string | Uint8Array | AsyncIterable<Uint8Array> },
  ) => {
    const response = await fetch(apiUrl + path, {
      method,
      // A page of ours would send its origin: cookies count only with it.
      headers: { origin: new URL(apiUrl).origin, cookie, ...init.headers },
      ...(init.body === undefined ? {} : { body: init.body, duplex: 'half' as const }),
    });
    const text = await response.text();
    if (!response.ok) throw new ApiRefusal(`${method} ${path} answered ${response.status}: ${text}`);
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
    return text === '' ? null : (JSON.parse(text) as unknown);
  };
  const call: ApiClient['call'] = (method, path, body) =>
    request(
      method,
      path,
      body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    );
  await call('POST', '/api/session', admin);
  return {
    call,
    upload: (path, csv) =>
      request('PUT', path, {
        headers: { 'content-type': 'text/csv' },
        body: csv,
      }),
  };
}
