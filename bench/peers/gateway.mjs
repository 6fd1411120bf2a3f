import { Buffer } from 'node:buffer';
import { performance } from 'node:perf_hooks';
import { URLSearchParams } from 'node:url';
import { Pool } from 'undici';

const inFlight = 50;

/**
 * Sends like the bare client in `bench/send.ts`: the same POST, with at most `inFlight` requests in flight.
 *
 * @param {string} url
 */
export function createGateway(url) {
  const account = `AC${'0'.repeat(32)}`;
  const pool = new Pool(url, { connections: inFlight, pipelining: 1 });
  const headers = {
    authorization: `Basic ${Buffer.from(`${account}:bench-token`).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded',
  };
  const path = `/2010-04-01/Accounts/${account}/Messages.json`;
  return {
    inFlight,
    /** @param {{ phone: string, text: string, id: string }} message */
    async send({ phone, text, id }) {
      const callback = `http://127.0.0.1:1/webhooks/providers/1/receipts?message=${id}`;
      const body = new URLSearchParams({
        From: '+5511999990000',
        StatusCallback: callback,
        To: phone,
        Body: text,
      });
      const response = await pool.request({ method: 'POST', path, headers, body: body.toString() });
      const answer = await response.body.json();
      if (response.statusCode !== 201) throw new Error(`The gateway answered ${response.statusCode}.`);
      return answer;
    },
  };
}

/** @param {number} count */
export const messages = (count) =>
  Array.from({ length: count }, (_, n) => ({ phone: `+55119${10_000_000 + n}`, text: `Ola, Maria ${n}!` }));

/**
 * For each count that it receives: creates that many jobs, then measures the seconds until the database has the outcome
 * of each.
 *
 * @param {(count: number) => Promise<() => Promise<void>>} prepare
 */
export function serve(prepare) {
  process.on('message', async (/** @type {number} */ count) => {
    const run = await prepare(count);
    const began = performance.now();
    await run();
    process.send?.((performance.now() - began) / 1000);
  });
  process.once('disconnect', () => process.exit());
  process.send?.('ready');
}
