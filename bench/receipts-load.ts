import { createHmac } from 'node:crypto';
import { Pool } from 'undici';
import { z } from 'zod';
import { account } from './runs.ts';

/**
 * Posts one `delivered` for each of a range of messages, signed as Twilio signs, all made before the clock starts. A
 * process of its own. Prints `{"rate": …}`; fails when one is not answered with 204.
 */
const { url, path, publicUrl, first, count, connections } = z
  .object({
    url: z.string(),
    /** With `{message}` where our id goes. */
    path: z.string(),
    publicUrl: z.string(),
    first: z.int(),
    count: z.int(),
    connections: z.int(),
  })
  .parse(JSON.parse(process.argv[2] ?? ''));

const requests = Array.from({ length: count }, (_, index) => {
  const id = first + index;
  const target = path.replace('{message}', String(id));
  const form: Record<string, string> = {
    AccountSid: account.accountSid,
    ApiVersion: '2010-04-01',
    From: account.from,
    To: `+55119${10_000_000 + index + 1}`,
    MessageSid: sidOf(id),
    MessageStatus: 'delivered',
    SmsSid: sidOf(id),
    SmsStatus: 'delivered',
  };
  const signed = Object.keys(form)
    .sort()
    .map((name) => name + (form[name] ?? ''))
    .join('');
  return {
    path: target,
    body: new URLSearchParams(form).toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'x-twilio-signature': createHmac('sha1', account.authToken)
        .update(publicUrl + target + signed)
        .digest('base64'),
    },
  };
});

const pool = new Pool(url, { connections, pipelining: 1 });
let next = 0;
const began = performance.now();
const loop = async (): Promise<void> => {
  for (let request = requests[next++]; request; request = requests[next++]) {
    const { statusCode, body } = await pool.request({ method: 'POST', ...request });
    await body.dump();
    if (statusCode !== 204) throw new Error(`Answered ${statusCode}.`);
  }
};
await Promise.all(Array.from({ length: connections }, loop));
const rate = count / ((performance.now() - began) / 1000);
await pool.close();
console.log(JSON.stringify({ rate }));

/** As bench/receipts.ts writes it into the database. */
function sidOf(messageId: number): string {
  return `SM${String(messageId).padStart(32, '0')}`;
}
