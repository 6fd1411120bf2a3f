import { createHmac } from 'node:crypto';
import { Client } from 'undici';
import { z } from 'zod';
import { account } from './runs.ts';

/**
 * A separate process that posts one `delivered` receipt for each message of a range, signed like Twilio's. All requests
 * are prepared before the measurement. Prints `{"rate": …}`; fails if a request is not answered with 204.
 */
const { url, path, publicUrl, first, count, connections } = z
  .object({
    url: z.string(),
    /** With `{message}` as the placeholder for our id. */
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

// Each loop has its own connection, because a pool would search for a free one for each request.
const clients = Array.from({ length: connections }, () => new Client(url, { pipelining: 1 }));
let next = 0;
const startedAt = performance.now();
await Promise.all(
  clients.map(async (client) => {
    for (let request = requests[next++]; request; request = requests[next++]) {
      const { statusCode, body } = await client.request({ method: 'POST', ...request });
      await body.dump();
      if (statusCode !== 204) throw new Error(`Answered ${statusCode}.`);
    }
  }),
);
const rate = count / ((performance.now() - startedAt) / 1000);
await Promise.all(clients.map((client) => client.close()));
console.log(JSON.stringify({ rate }));

/** Returns the same values that bench/receipts.ts writes into the database. */
function sidOf(messageId: number): string {
  return `SM${String(messageId).padStart(32, '0')}`;
}
