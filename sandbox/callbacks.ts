import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';

/** Twilio waits 15 seconds for the answer to a webhook. */
const WEBHOOK_TIMEOUT_MS = 15_000;

/**
 * Posts forms as Twilio does: signed with `X-Twilio-Signature`, over kept-alive connections.
 * https://www.twilio.com/docs/usage/webhooks/webhooks-security
 */
export function createCallbacks({ authToken, connections }: { authToken: string; connections: number }) {
  const agent = new Agent({
    connections,
    connectTimeout: WEBHOOK_TIMEOUT_MS,
    headersTimeout: WEBHOOK_TIMEOUT_MS,
    bodyTimeout: WEBHOOK_TIMEOUT_MS,
  });
  return {
    /** The status of the answer. Rejects if there is none. */
    async post(url: string, form: Record<string, string>): Promise<number> {
      const { statusCode, body } = await request(url, {
        dispatcher: agent,
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
          'user-agent': 'TwilioProxy/1.1',
          'x-twilio-signature': sign(authToken, url, form),
        },
        body: Object.entries(form)
          .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
          .join('&'),
      });
      await body.dump();
      return statusCode;
    },
    close: (): Promise<void> => agent.destroy(),
  };
}
export type Callbacks = ReturnType<typeof createCallbacks>;

const sign = (authToken: string, url: string, form: Record<string, string>): string => {
  const fields = Object.keys(form)
    .sort()
    .map((name) => name + (form[name] ?? ''));
  return createHmac('sha1', authToken)
    .update(url + fields.join(''))
    .digest('base64');
};
