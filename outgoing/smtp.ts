import { connect, type Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { createTransport } from 'nodemailer';
import type { EmailSecrets, EmailSettings, Mail } from '../domain/email.ts';
import { type AddressGuard, checkLiteral, guardedLookup } from '../mailing/address-guard.ts';
import { connectionProblem, type DeliveryProblem } from './problems.ts';

/** The client for the deployment's SMTP server. One connection for each mail: they are few. */
export interface Smtp {
  /** Null: the server has accepted the mail. Never throws. An aborted one may have been accepted. */
  send: (
    server: EmailSettings & EmailSecrets,
    mail: Mail,
    signal?: AbortSignal,
  ) => Promise<DeliveryProblem | null>;
}

interface SmtpOptions {
  /** Keeps the deployment's own network out of reach (mailing/address-guard.ts). */
  guard: AddressGuard;
  /** The longest wait for the connection, for the greeting, and for each answer. */
  timeoutMs?: number;
  /** Certificates that are trusted instead of Node's. */
  ca?: SecureContextOptions['ca'];
}

const usualTimeoutMs = 15_000;

export function createSmtp({ guard, timeoutMs = usualTimeoutMs, ca }: SmtpOptions): Smtp {
  return {
    async send(server, { to, subject, text, messageId, language }, signal) {
      const { host, port, security, user, password, from, fromName } = server;
      try {
        const socket = await open(guard, { host, port, timeoutMs });
        const transport = createTransport({
          host,
          port,
          secure: security === 'tls',
          requireTLS: security === 'starttls',
          ignoreTLS: security === 'none',
          ...(user === '' ? {} : { auth: { user, pass: password } }),
          tls: {
            rejectUnauthorized: server.verifyCertificate,
            ...(ca === undefined ? {} : { ca }),
          },
          greetingTimeout: timeoutMs,
          socketTimeout: timeoutMs,
          connectionTimeout: timeoutMs,
          disableFileAccess: true,
          disableUrlAccess: true,
          getSocket: (_, callback) => callback(null, { connection: socket }),
        });
        try {
          await transport.sendMail({
            from: { name: fromName, address: from },
            to,
            subject,
            text,
            messageId,
            // RFC 3834: answering machines leave it alone.
            headers: { 'Auto-Submitted': 'auto-generated', 'Content-Language': language },
            ...(signal ? { signal } : {}),
          });
          return null;
        } finally {
          transport.close();
          socket.destroy();
        }
      } catch (error) {
        return problemOf(error, host, timeoutMs);
      }
    },
  };
}

/** A connection to an address that the guard allows; nodemailer itself resolves names without asking it. */
function open(
  guard: AddressGuard,
  { host, port, timeoutMs }: { host: string; port: number; timeoutMs: number },
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    checkLiteral(guard, host);
    const socket = connect({ host, port, lookup: guardedLookup(guard) });
    const late = setTimeout(() => {
      socket.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }));
    }, timeoutMs);
    socket.once('connect', () => {
      clearTimeout(late);
      resolve(socket);
    });
    socket.once('error', (error) => {
      clearTimeout(late);
      reject(error);
    });
  });
}

/** The properties of nodemailer's errors that show the cause. Its messages quote the server, so they are not used. */
interface SmtpFailure {
  code: string;
  command: string;
  status: number | null;
}

const failureOf = (error: Error): SmtpFailure => {
  const read = (name: string): unknown => Reflect.get(error, name);
  const [code, original, command, status] = [
    read('code'),
    read('originalCode'),
    read('command'),
    read('responseCode'),
  ];
  return {
    code: typeof original === 'string' ? original : typeof code === 'string' ? code : '',
    command: typeof command === 'string' ? command : '',
    status: typeof status === 'number' ? status : null,
  };
};

function problemOf(error: unknown, host: string, timeoutMs: number): DeliveryProblem {
  const unexpected: DeliveryProblem = { code: 'delivery_failed', params: { host } };
  if (!(error instanceof Error)) return unexpected;
  const { code, command, status } = failureOf(error);
  if (code === 'EAUTH' || code === 'ENOAUTH') {
    return status !== null && status < 500
      ? { code: 'smtp_later', params: { host, status } }
      : { code: 'smtp_login_refused', params: { host, status } };
  }
  if (status !== null) {
    if (code === 'ETLS' || command === 'STARTTLS') return { code: 'smtp_starttls_missing', params: { host } };
    if (status >= 400 && status < 500) return { code: 'smtp_later', params: { host, status } };
    if (command === 'MAIL FROM') return { code: 'smtp_sender_refused', params: { host, status } };
    if (command === 'RCPT TO') return { code: 'smtp_recipient_refused', params: { host, status } };
    if (command === 'DATA') return { code: 'smtp_message_refused', params: { host, status } };
    return { code: 'smtp_expected', params: { host } };
  }
  switch (code) {
    case 'ETLS':
      return command === 'STARTTLS'
        ? { code: 'smtp_starttls_missing', params: { host } }
        : { code: 'tls_failed', params: { host, certificate: null } };
    case 'ECONNECTION':
      return { code: 'connection_lost', params: { host } };
    case 'ETIMEDOUT':
      return error.message === 'no connection in time'
        ? { code: 'connection_failed', params: { host } }
        : { code: 'timed_out', params: { host, at: 'start', seconds: timeoutMs / 1000 } };
    case 'EPROTOCOL':
      return { code: 'smtp_expected', params: { host } };
    default:
      return connectionProblem(Object.assign(error, { code }), host, timeoutMs) ?? unexpected;
  }
}
