import { setTimeout as sleep } from 'node:timers/promises';

/** The chaos tool's client of the API, like the program of a user. */
export interface ApiClient {
  /**
   * Returns the status and the JSON of the answer. Repeats the request after a 5xx or no answer, so only for idempotent
   * requests. Throws after `giveUpMs`.
   */
  call(method: string, path: string, body?: object | string): Promise<{ status: number; body: unknown }>;
}

const giveUpMs = 180_000;
const answerTimeoutMs = 20_000;
const retryMs = 300;

export function createApiClient(url: string, token: string): ApiClient {
  return {
    async call(method, path, body) {
      const isFile = typeof body === 'string';
      const giveUpAt = Date.now() + giveUpMs;
      for (;;) {
        const answer = await fetch(url + path, {
          method,
          headers: {
            authorization: `Bearer ${token}`,
            ...(body === undefined ? {} : { 'content-type': isFile ? 'text/csv' : 'application/json' }),
          },
          ...(body === undefined ? {} : { body: isFile ? body : JSON.stringify(body) }),
          signal: AbortSignal.timeout(answerTimeoutMs),
        }).then(
          async (response) => ({ status: response.status, body: parse(await response.text()) }),
          (error: unknown) => String(error),
        );
        if (typeof answer !== 'string' && answer.status < 500) return answer;
        if (Date.now() > giveUpAt) {
          const problem =
            typeof answer === 'string' ? answer : `${answer.status} ${JSON.stringify(answer.body)}`;
          throw new Error(`${method} ${path} was not answered within ${giveUpMs / 1000} s: ${problem}`);
        }
        await sleep(retryMs);
      }
    },
  };
}

const parse = (text: string): unknown => (text === '' ? null : JSON.parse(text));
