import { createHmac } from 'node:crypto';
import { Agent, type buildConnector, request } from 'undici';
import { userAgent } from '../domain/user-agent.ts';

/** The answer of a webhook. A status of null means no answer; the rest gives the reason. */
export interface WebhookAnswer {
  status: number | null;
  /** The beginning of its body, or the reason why there is none. */
  text: string;
  /** The wait that it requested. */
  retryAfterMs: number | null;
  /** Why there is no answer; null: there is one. */
  error: unknown;
}

export interface Webhook {
  /** Never throws: any error becomes an answer, including an abort of `signal`. Does not follow redirects. */
  post(
    url: string,
    headers: Record<string, string>,
    body: string,
    signal?: AbortSignal,
  ): Promise<WebhookAnswer>;
  close(): Promise<void>;
}

/** The longest wait for an answer. */
export const webhookTimeoutMs = 10_000;
const keptCharacters = 500;
/** We read no more of a body than this, then close the connection. */
const readBytes = 64 * 1024;
const connections = 20;

/**
 * The client for addresses that events are posted to: the helpdesk, and the webhook of alerts.
 *
 * @param connect guards the deployment's network (mailing/address-guard.ts)
 */
export function createWebhook({ connect }: { connect: buildConnector.connector }): Webhook {
  const agent = new Agent({
    connect,
    connections,
    headersTimeout: webhookTimeoutMs,
    bodyTimeout: webhookTimeoutMs,
  });
  return {
    async post(url, headers, body, signal) {
      try {
        const answer = await request(url, {
          dispatcher: agent,
          method: 'POST',
          headers: { 'content-type': 'application/json; charset=utf-8', 'user-agent': userAgent, ...headers },
          body,
          signal: AbortSignal.any([AbortSignal.timeout(webhookTimeoutMs), ...(signal ? [signal] : [])]),
        });
        let text = '';
        let bytes = 0;
        for await (const chunk of answer.body) {
          const piece = Buffer.from(chunk as Uint8Array);
          if (text.length < keptCharacters) text += piece.toString('utf8');
          bytes += piece.length;
          if (bytes > readBytes) break;
        }
        return {
          status: answer.statusCode,
          text: storable(text),
          retryAfterMs: retryAfterMs(answer.headers['retry-after']),
          error: null,
        };
      } catch (error) {
        return { status: null, text: storable(reasonOf(error)), retryAfterMs: null, error };
      }
    },
    close: () => agent.destroy(),
  };
}

/** PostgreSQL cannot store NUL. */
const storable = (text: string): string => text.replaceAll('\0', '\ufffd').slice(0, keptCharacters);

/** RFC 9110, 10.2.3: seconds or a date. */
function retryAfterMs(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'No answer.';
  if (error.name === 'TimeoutError') return `No answer within ${webhookTimeoutMs / 1000} seconds.`;
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  return `No answer. ${code}${error.message}`;
};

/**
 * The header `Torpedo-Signature`: `t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>" in hexadecimal>`. The signature
 * covers the time, so that nobody can replay an old post as a new one.
 */
export function signatureOf(secret: string, body: string, at: Date): string {
  const seconds = Math.floor(at.getTime() / 1000);
  const hmac = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${hmac}`;
}
