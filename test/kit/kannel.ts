import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import smpp, { type Pdu, type Session } from 'smpp';
import { afterAll } from 'vitest';
import { freePort } from '../../embedded/ports.ts';
import { until } from './until.ts';

// Debian keeps its programs out of the PATH of users.
const pathWithSbin = `${process.env.PATH ?? ''}:/usr/sbin`;

export const hasKannel =
  spawnSync('which', ['bearerbox', 'smsbox'], { env: { ...process.env, PATH: pathWithSbin } }).status === 0;
if (!hasKannel) {
  console.warn(
    'The tests with Kannel as gateway are left out: it is not installed. Install it (apt-get install kannel).',
  );
}

/** An SMS as the operator took it. */
export interface OperatorMessage {
  to: string;
  from: string;
  text: string;
  dataCoding: number;
}

const refusedAddress = 0x0b; // ESME_RINVDSTADR, SMPP 3.4, 5.1.3

/**
 * An operator's SMPP centre: delivers, but for numbers that end in 1, which can't be reached, and in 2, which it
 * refuses at once.
 */
export async function startOperator() {
  const taken: OperatorMessage[] = [];
  const sessions = new Set<Session>();
  const server = smpp.createServer((session) => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.on('close', () => sessions.delete(session));
    session.on('pdu', (pdu: Pdu) => {
      if (pdu.command === 'submit_sm') {
        const { destination_addr: to, source_addr: from, data_coding: dataCoding } = pdu;
        if (to.endsWith('2')) {
          session.send(pdu.response({ command_status: refusedAddress }));
          return;
        }
        const id = `op-${taken.length + 1}`;
        taken.push({ to, from, text: String(pdu.short_message.message), dataCoding });
        session.send(pdu.response({ message_id: id }));
        const state = to.endsWith('1') ? 'UNDELIV' : 'DELIVRD';
        session.deliver_sm({
          esm_class: 4,
          source_addr: to,
          source_addr_ton: 1,
          destination_addr: from,
          short_message: `id:${id} sub:001 dlvrd:001 submit date:2611241200 done date:2611241201 stat:${state} err:000 text:`,
        });
      } else if (['bind_transceiver', 'enquire_link', 'unbind'].includes(pdu.command)) {
        session.send(pdu.response());
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterAll(async () => {
    for (const session of sessions) session.close();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    port: (server.address() as AddressInfo).port,
    taken,
    isBound: () => sessions.size > 0,
    /** An SMS from a person. */
    write(from: string, to: string, text: string): void {
      for (const session of sessions) {
        session.deliver_sm({
          source_addr: from,
          source_addr_ton: 1,
          destination_addr: to,
          short_message: text,
        });
      }
    },
  };
}

/** Kannel as examples/kannel.conf sets it up, with ports, secrets and a folder of its own. */
export async function startKannel(options: {
  operatorPort: number;
  sendsmsPort: number;
  password: string;
  inboundUrl: string;
}): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'torpedo-kannel-'));
  const spool = join(folder, 'spool');
  await mkdir(spool);
  const smsboxPort = String(await freePort());
  const settings: [RegExp, string][] = [
    [/^admin-port = .*/m, `admin-port = ${await freePort()}`],
    [/^smsbox-port = .*/m, `smsbox-port = ${smsboxPort}`],
    [/^store-location = .*/m, `store-location = "${spool}"`],
    [/^port = .*/m, `port = ${options.operatorPort}`],
    [/^reconnect-delay = .*/m, 'reconnect-delay = 1'],
    [/^sendsms-port = .*/m, `sendsms-port = ${options.sendsmsPort}`],
    [/^password = .*/m, `password = "${options.password}"`],
    [/^get-url = "[^?]*\?key=[^&]*/m, `get-url = "${options.inboundUrl}`],
  ];
  let config = await readFile('examples/kannel.conf', 'utf8');
  for (const [setting, value] of settings) {
    if (!setting.test(config)) throw new Error(`examples/kannel.conf has no ${String(setting)}`);
    config = config.replace(setting, value);
  }
  const file = join(folder, 'kannel.conf');
  await writeFile(file, config);
  const start = (box: string) => {
    const child = spawn(box, ['-v', '4', file], {
      stdio: 'ignore',
      env: { ...process.env, PATH: pathWithSbin },
    });
    afterAll(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    return child;
  };
  afterAll(() => rm(folder, { recursive: true, force: true }));
  start('bearerbox');
  await listening(Number(smsboxPort));
  start('smsbox');
  await listening(options.sendsmsPort);
}

const listening = (port: number): Promise<true> =>
  until(
    `port ${port} is open`,
    () =>
      new Promise<boolean>((resolve) => {
        const socket = createConnection({ host: '127.0.0.1', port });
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
        socket.once('connect', () => socket.destroy());
      }),
  );
