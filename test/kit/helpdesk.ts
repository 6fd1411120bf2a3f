import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll } from 'vitest';
import { freePort } from '../../embedded/ports.ts';

/** A post that the helpdesk received. */
export interface Received {
  event: { id: number; kind: string; changes: object; reply: { text: string } | null };
  ticket: { id: number; status: string; phone: string; version: number };
  headers: IncomingMessage['headers'];
  /** Whether the signature is valid by docs/tickets.md. */
  verified: boolean;
}

export const helpdeskSecret = 'a-secret-of-32-characters-or-so!';

/** A helpdesk that can stop and start again at the same address. `answer` returns the status for each post. */
export async function createHelpdeskServer(answer: (post: Received) => number = () => 200) {
  const port = await freePort();
  const received: Received[] = [];
  let server: Server | null = null;
  const helpdesk = {
    url: `http://127.0.0.1:${port}/tickets`,
    /** All posts in order, with any answer. */
    received,
    answer,
    /** Every answer waits for this promise. */
    pause: Promise.resolve(),
    async up(): Promise<void> {
      const next = createServer((request, response) => {
        void text(request).then(async (body) => {
          const post = {
            ...(JSON.parse(body) as Received),
            headers: request.headers,
            verified: isSigned(request, body),
          };
          received.push(post);
          await helpdesk.pause;
          response.statusCode = helpdesk.answer(post);
          response.end(`answer to event ${String(request.headers['torpedo-event'])}`);
        });
      });
      await new Promise<void>((resolve) => next.listen(port, '127.0.0.1', resolve));
      server = next;
    },
    async down(): Promise<void> {
      const last = server;
      server = null;
      if (!last) return;
      last.closeAllConnections();
      await new Promise((resolve) => last.close(resolve));
    },
  };
  await helpdesk.up();
  afterAll(() => helpdesk.down());
  return helpdesk;
}

/** Implements the docs independently of the code under test. */
function isSigned(request: IncomingMessage, body: string): boolean {
  const header = String(request.headers['torpedo-signature']);
  const { t, v1 } = Object.fromEntries(header.split(',').map((part) => part.split('='))) as Record<
    string,
    string
  >;
  const expected = createHmac('sha256', helpdeskSecret)
    .update(`${t ?? ''}.${body}`)
    .digest('hex');
  return v1 === expected && Math.abs(Date.now() / 1000 - Number(t)) < 300;
}
