import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import smpp, { type Pdu, type Session } from 'smpp';
import { onTestFinished } from 'vitest';
import { freePort } from '../../embedded/ports.ts';
import { until } from './until.ts';

// Debian installs the programs outside the PATH of users.
const pathWithSbin = `${process.env.PATH ?? ''}:/usr/sbin`;

const programs = ['bearerbox', 'smsbox', 'sqlite3'];
export const hasKannel =
  spawnSync('which', programs, { env: { ...process.env, PATH: pathWithSbin } }).status === 0;
if (!hasKannel) {
  console.warn(
    'Tests with Kannel are skipped because it is not installed. Install it with: apt-get install kannel sqlite3',
  );
}

/** An SMS that the operator accepted. */
export interface OperatorMessage {
  to: string;
  from: string;
  text: string;
  dataCoding: number;
}

const refusedAddress = 0x0b; // ESME_RINVDSTADR, SMPP 3.4, 5.1.3

/** The receipt state by the last digit of the number. All other numbers get DELIVRD. */
const states = new Map([
  ['1', 'UNDELIV'],
  ['3', 'EXPIRED'],
]);

/**
 * The SMPP center of an operator. By the last digit of the number: 1 is undelivered, 3 expires, 2 is refused at once, 4
 * gets its receipt only after `sendHeldReceipts`, and all others are delivered.
 */
export async function startOperator() {
  const taken: OperatorMessage[] = [];
  const sessions = new Set<Session>();
  /** The newest is last. */
  const bound: Session[] = [];
  const late: Parameters<typeof sendReceipt>[1][] = [];
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
        if (to.endsWith('4')) late.push({ id, to, from });
        else sendReceipt(session, { id, to, from });
      } else if (['bind_transceiver', 'enquire_link', 'unbind'].includes(pdu.command)) {
        session.send(pdu.response());
        if (pdu.command === 'bind_transceiver') bound.push(session);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const session of sessions) session.close();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    port: (server.address() as AddressInfo).port,
    taken,
    /** How often Kannel has bound. */
    binds: () => bound.length,
    /** Sends the held receipts. */
    sendHeldReceipts(): void {
      for (const one of late.splice(0)) sendReceipt(bound.at(-1), one);
    },
    /** Sends an SMS from a phone. */
    write(from: string, to: string, text: string): void {
      bound.at(-1)?.deliver_sm({
        source_addr: from,
        source_addr_ton: 1,
        destination_addr: to,
        short_message: text,
      });
    },
  };
}

function sendReceipt(
  session: Session | undefined,
  { id, to, from }: { id: string; to: string; from: string },
): void {
  const state = states.get(to.slice(-1)) ?? 'DELIVRD';
  session?.deliver_sm({
    esm_class: 4,
    source_addr: to,
    source_addr_ton: 1,
    destination_addr: from,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:2611241200 done date:2611241201 stat:${state} err:000 text:`,
  });
}

/** Starts Kannel from examples/gateways/kannel.conf with its own ports, secrets and folder, and with shorter waits. */
export async function startKannel(options: {
  operatorPort: number;
  sendsmsPort: number;
  password: string;
  inboundUrl: string;
}): Promise<{ killBearerbox: () => Promise<void>; retried: () => Promise<string[]> }> {
  const folder = await mkdtemp(join(tmpdir(), 'torpedo-kannel-'));
  const spool = join(folder, 'spool');
  await mkdir(spool);
  const receipts = join(folder, 'receipts.db');
  const table = await readFile('examples/gateways/kannel-receipts.sql', 'utf8');
  const made = spawnSync('sqlite3', [receipts], { input: table, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`sqlite3 failed: ${made.stderr}`);
  const smsboxPort = String(await freePort());
  const settings: [RegExp, string][] = [
    [/^admin-port = .*/m, `admin-port = ${await freePort()}`],
    [/^smsbox-port = .*/m, `smsbox-port = ${smsboxPort}`],
    [/^store-location = .*/m, `store-location = "${spool}"`],
    [/^database = .*/m, `database = "${receipts}"`],
    [/\/var\/log\/kannel/g, folder],
    [/^log-level = .*/gm, 'log-level = 0'],
    [/^http-queue-delay = .*/m, 'http-queue-delay = 1'],
    [/^port = .*/m, `port = ${options.operatorPort}`],
    [/^reconnect-delay = .*/m, 'reconnect-delay = 1'],
    [/^sendsms-port = .*/m, `sendsms-port = ${options.sendsmsPort}`],
    [/^password = .*/m, `password = "${options.password}"`],
    [/^get-url = "[^?]*\?key=[^&]*/m, `get-url = "${options.inboundUrl}`],
  ];
  let config = await readFile('examples/gateways/kannel.conf', 'utf8');
  for (const [setting, value] of settings) {
    if (config.search(setting) === -1) throw new Error(`kannel.conf has no ${String(setting)}`);
    config = config.replace(setting, value);
  }
  const file = join(folder, 'kannel.conf');
  await writeFile(file, config);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const bearerbox = startAndRestart('bearerbox', file);
  await listening(Number(smsboxPort));
  startAndRestart('smsbox', file);
  await listening(options.sendsmsPort);
  return {
    /** The URLs of our API that it called again. */
    async retried() {
      const log = await readFile(join(folder, 'smsbox.log'), 'latin1');
      return Array.from(log.matchAll(/Retrying request <([^>]*)>/g), ([, url = '']) => url);
    },
    /** smsbox ends with bearerbox, and both are restarted. */
    killBearerbox: () => bearerbox.kill(),
  };
}

/** Restarts the program when it ends, like Debian's run_kannel_box but without a delay. */
function startAndRestart(box: string, config: string): { kill: () => Promise<void> } {
  let stopped = false;
  const start = (): ChildProcess => {
    const started = spawn(box, ['-v', '4', config], {
      stdio: 'ignore',
      env: { ...process.env, PATH: pathWithSbin },
    });
    started.once('exit', () => {
      if (!stopped) child = start();
    });
    return started;
  };
  const kill = async (): Promise<void> => {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  };
  let child = start();
  onTestFinished(() => {
    stopped = true;
    return kill();
  });
  return { kill };
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
