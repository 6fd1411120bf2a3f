import { expect, test } from 'vitest';
import { type EmailSettings, emailSettings } from '../../domain/email.ts';
import { createAddressGuard } from '../../mailing/address-guard.ts';
import { createSmtp } from '../../outgoing/smtp.ts';
import { localOutgoing } from '../kit/outgoing.ts';
import { createSmtpServer, createTcpServer, smtpLogin } from '../kit/smtp.ts';

/** Delivery over SMTP, and the problem that the client reports for each kind of failure. */
const starttls = await createSmtpServer();
const tls = await createSmtpServer({ secure: true });
const plain = await createSmtpServer({ disabledCommands: ['STARTTLS', 'AUTH'] });
const garbage = await createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
const silent = await createTcpServer(() => undefined);
const closing = await createTcpServer((socket) => socket.destroy());

const mail = {
  to: 'Ana@example.com',
  subject: 'Execução 7 — ação',
  text: 'Olá, Ana.\n\n• Isto é um teste.',
  messageId: '<notification-1@torpedo.example>',
  language: 'pt-BR',
};
const server = (changes: Partial<EmailSettings>) =>
  emailSettings.parse({
    enabled: true,
    host: 'localhost',
    port: starttls.port,
    from: 'torpedo@example.com',
    user: smtpLogin.user,
    ...changes,
  });
const send = (changes: Partial<EmailSettings>, password = smtpLogin.password) =>
  localOutgoing.smtp.send({ ...server(changes), password }, mail);

test.each([
  ['STARTTLS', starttls, {}],
  ['TLS', tls, { security: 'tls' }],
  ['no encryption', plain, { security: 'none', user: '' }],
  ['an address instead of a name', starttls, { host: '127.0.0.1' }],
] as const)('a mail arrives unchanged over %s', async (_, to, changes) => {
  expect(await send({ port: to.port, ...changes })).toBeNull();
  expect(to.received.at(-1)).toMatchObject({
    to: 'Ana@example.com',
    subject: mail.subject,
    text: expect.stringContaining(mail.text) as string,
    messageId: mail.messageId,
  });
});

test.each([
  ['a name that is not in DNS', { host: 'nowhere.invalid' }, 'dns_failed'],
  ['a port on which nothing listens', { port: 1 }, 'connection_refused'],
  ['no STARTTLS', { port: plain.port, user: '' }, 'smtp_starttls_missing'],
  ['TLS on the port of STARTTLS', { security: 'tls' }, 'tls_failed'],
  ['a server that does not speak SMTP', { port: garbage }, 'smtp_expected'],
  ['a silent server', { port: silent }, 'timed_out'],
  ['a server that hangs up', { port: closing }, 'connection_lost'],
] as const)('%s is reported as a problem', async (_, changes, code) => {
  expect((await send(changes))?.code).toBe(code);
});

test('a wrong password is reported with the status of the server', async () => {
  expect(await send({}, 'errada')).toEqual({
    code: 'smtp_login_refused',
    params: { host: 'localhost', status: 535 },
  });
});

test('an untrusted certificate is refused unless an admin allows it', async () => {
  const { send: sendUntrusting } = createSmtp({ guard: createAddressGuard(['127.0.0.1', 'localhost']) });
  const untrusted = (changes: Partial<EmailSettings>) =>
    sendUntrusting({ ...server(changes), password: smtpLogin.password }, mail);
  for (const changes of [{}, { port: tls.port, security: 'tls' as const }]) {
    expect(await untrusted(changes)).toMatchObject({
      code: 'tls_failed',
      params: { certificate: { fault: 'self_signed' } },
    });
    expect(await untrusted({ ...changes, verifyCertificate: false })).toBeNull();
  }
});

test('a server in a private network is refused unless the deployment allows it', async () => {
  const { send: sendGuarded } = createSmtp({ guard: createAddressGuard([]) });
  for (const host of ['localhost', '127.0.0.1', '169.254.169.254']) {
    expect((await sendGuarded({ ...server({ host }), password: '' }, mail))?.code).toBe(
      'alert_address_refused',
    );
  }
});

test('a connection that breaks after the mail was received is reported as lost', async () => {
  starttls.behavior.dropAfterData = () => true;
  expect((await send({}))?.code).toBe('connection_lost');
  starttls.behavior.dropAfterData = () => false;
});

test.each([
  ['sender', 550, 'smtp_sender_refused'],
  ['recipient', 550, 'smtp_recipient_refused'],
  ['data', 554, 'smtp_message_refused'],
  ['recipient', 451, 'smtp_later'],
  ['data', 451, 'smtp_later'],
  ['login', 454, 'smtp_later'],
] as const)('at the step %s, %i is reported as %s', async (step, status, code) => {
  starttls.behavior[step] = () => status;
  expect(await send({})).toEqual({ code, params: { host: 'localhost', status } });
  starttls.behavior[step] = () => null;
});
