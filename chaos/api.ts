import { setTimeout as sleep } from 'node:timers/promises';

/** The tool's requests to the API, as a user's program would make them. */
export interface ApiClient {
  /**
   * The status and the JSON of the answer. Repeats the request on a 5xx or without an answer, so only for idempotent
   * requests. Throws after `patienceMs`.
   */
  call(method: string, path: string, body?: object | string): Promise<{ status: number; body: unknown }>;
}

const patienceMs = 180_000;
const answerTimeoutMs = 20_000;
const retryMs = 300;

export function createApiClient(url: string, token: string): ApiClient {
  return {
    async call(method, path, body) {
      const file = typeof body === 'string';
      const giveUpAt = Date.now() + patienceMs;
      for (;;) {
        const answer = await fetch(url + path, {
          method,
          headers: {
            authorization: `Bearer ${token}`,
            ...(body === undefined ? {} : { 'content-type': file ? 'text/csv' : 'application/json' }),
          },
          ...(body === undefined ? {} : { body: file ? body : JSON.stringify(body) }),
          signal: AbortSignal.timeout(answerTimeoutMs),
        }).then(
          async (response) => ({ status: response.status, body: parse(await response.text()) }),
          (error: unknown) => String(error),
        );
        if (typeof answer !== 'string' && answer.status < 500) return answer;
        if (Date.now() > giveUpAt) {
          const why = typeof answer === 'string' ? answer : `${answer.status} ${JSON.stringify(answer.body)}`;
          throw new Error(`${method} ${path} has had no answer for ${patienceMs / 1000} s: ${why}`);
        }
        await sleep(retryMs);
      }
    },
  };
}

const parse = (text: string): unknown => (text === '' ? null : JSON.parse(text));
