import { readFileSync } from 'node:fs';
import { createServer, Socket } from 'node:net';
import { simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterAll } from 'vitest';
import { freePort } from '../../embedded/ports.ts';

const [cert, key] = ['cert', 'key'].map((name) =>
  readFileSync(new URL(`../tls/${name}.pem`, import.meta.url)),
);

/** A mail as its recipient sees it. */
export interface ReceivedMail {
  to: string;
  subject: string;
  text: string;
  messageId: string;
}

export const smtpLogin = { user: 'torpedo', password: 'segredo-do-smtp' };

/** The status that the server answers at each step, or null for success. */
interface Behavior {
  login?: () => number | null;
  sender?: () => number | null;
  recipient?: (address: string) => number | null;
  data?: () => number | null;
  /** Delays the answer after the mail was received. */
  holdAnswer?: () => Promise<void>;
  /** Drops the connection after the mail was received instead of answering. */
  dropAfterData?: () => boolean;
}

/** An SMTP server with STARTTLS and a login. `behavior` makes it refuse, and `received` contains the accepted mails. */
export async function createSmtpServer(options: SMTPServerOptions = {}) {
  const port = await freePort();
  const received: ReceivedMail[] = [];
  const behavior: Behavior = {};
  const refusal = (status: number | null | undefined): Error | null =>
    status ? Object.assign(new Error('No, for ana@example.com'), { responseCode: status }) : null;
  const start = (): Promise<SMTPServer> => {
    const server = new SMTPServer({
      ...(cert && key ? { cert, key } : {}),
      authOptional: true,
      onAuth({ username, password }, _, done) {
        const status = behavior.login?.() ?? null;
        const isRight = username === smtpLogin.user && password === smtpLogin.password;
        if (status !== null) done(refusal(status));
        else if (isRight) done(null, { user: username });
        else done(refusal(535));
      },
      onMailFrom: (_address, _session, done) => done(refusal(behavior.sender?.())),
      onRcptTo: ({ address }, _, done) => done(refusal(behavior.recipient?.(address))),
      onData(stream, _, done) {
        void simpleParser(stream).then(async ({ to, subject, text, messageId }) => {
          const status = behavior.data?.() ?? null;
          if (status !== null) {
            done(refusal(status));
            return;
          }
          const [first] = [to ?? []].flat();
          received.push({
            to: first?.text ?? '',
            subject: subject ?? '',
            text: text ?? '',
            messageId: messageId ?? '',
          });
          if (behavior.dropAfterData?.() === true) {
            for (const connection of server.connections) {
              // The types omit it.
              const socket: unknown = Reflect.get(connection, '_socket');
              if (socket instanceof Socket) socket.destroy();
            }
            return;
          }
          await behavior.holdAnswer?.();
          done();
        });
      },
      ...options,
    });
    server.on('error', () => undefined);
    return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
  };
  let server: SMTPServer | null = await start();
  const down = async (): Promise<void> => {
    const last = server;
    server = null;
    if (last) await new Promise<void>((resolve) => last.close(() => resolve()));
  };
  afterAll(down);
  return {
    host: 'localhost',
    port,
    received,
    behavior,
    down,
    async up(): Promise<void> {
      server ??= await start();
    },
  };
}

/** A TCP server that does not speak SMTP: `onConnection` gets each connection. */
export async function createTcpServer(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return port;
}
