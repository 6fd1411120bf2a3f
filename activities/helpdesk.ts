import { createHmac } from 'node:crypto';
import { Agent, type buildConnector, request } from 'undici';

/** What the helpdesk answered; a status of null: no answer, and why. */
export interface HelpdeskAnswer {
  status: number | null;
  /** The beginning of its body, or why there is none. */
  text: string;
  /** It asked to be left alone for so long. */
  retryAfterMs: number | null;
}

export interface Helpdesk {
  /** Never throws: whatever goes wrong is an answer, also that `signal` aborts. Redirects are not followed. */
  post(
    url: string,
    headers: Record<string, string>,
    body: string,
    signal?: AbortSignal,
  ): Promise<HelpdeskAnswer>;
  close(): Promise<void>;
}

const timeoutMs = 10_000;
const keptCharacters = 500;
/** More of a body is not read: the connection is closed instead. */
const readBytes = 64 * 1024;
const connections = 20;

/**
 * The client for the user's helpdesk.
 *
 * @param connect guards the deployment's network (mailing/address-guard.ts)
 */
export function createHelpdesk({ connect }: { connect: buildConnector.connector }): Helpdesk {
  const agent = new Agent({
    connect,
    connections,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  return {
    async post(url, headers, body, signal) {
      try {
        const answer = await request(url, {
          dispatcher: agent,
          method: 'POST',
          headers: { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'Torpedo', ...headers },
          body,
          signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]),
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
        };
      } catch (error) {
        return { status: null, text: storable(reasonOf(error)), retryAfterMs: null };
      }
    },
    close: () => agent.destroy(),
  };
}

/** What PostgreSQL can hold: no NUL. */
const storable = (text: string): string => text.replaceAll('\0', '\ufffd').slice(0, keptCharacters);

/** RFC 9110, 10.2.3: seconds or a date. */
function retryAfterMs(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'No answer.';
  if (error.name === 'TimeoutError') return `No answer within ${timeoutMs / 1000} seconds.`;
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  return `No answer. ${code}${error.message}`;
};

/**
 * The header `Torpedo-Signature`: `t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>" in hexadecimal>`. The time is under
 * the signature, so that an old post can't be played back as a new one.
 */
export function signatureOf(secret: string, body: string, at: Date): string {
  const seconds = Math.floor(at.getTime() / 1000);
  const hmac = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${hmac}`;
}
