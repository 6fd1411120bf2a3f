import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { z } from 'zod';
import { freePort } from '../../embedded/ports.ts';
import type { faults } from '../../sandbox/faults.ts';
import { buildSandbox, type Sandbox } from '../../sandbox/index.ts';

export const account = {
  accountSid: `AC${'0123456789abcdef'.repeat(2)}`,
  authToken: 'the-token',
  from: '+5511999990000',
};

/** A message that the gateway has accepted. */
export interface Taken {
  at: string;
  sid: string;
  to: string;
  body: string;
  reference: string | null;
}

type Faults = z.input<typeof faults>;

/** The sandbox gateway in this process. It can stop and start again at the same address. */
export async function createGateway() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  /** Messages that were accepted before the last stop. */
  const before: Taken[] = [];
  let running: { sandbox: Sandbox; ledgerFile: string } | null = null;
  const folder = await mkdtemp(join(tmpdir(), 'torpedo-gateway-'));
  let starts = 0;

  const control = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const response = await fetch(`${url}/sandbox/${path}`, {
      method,
      headers: { authorization: `Bearer ${account.authToken}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`The gateway answered ${response.status}: ${await response.text()}`);
    return response;
  };
  const parsed = (lines: string): Taken[] =>
    lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Taken);

  const gateway = {
    url,
    /** Starts it. Without `faults` it accepts every message and sends no receipts. */
    async up(faults: Faults = {}): Promise<void> {
      const ledgerFile = join(folder, `${++starts}.ndjson`);
      const sandbox = await buildSandbox({
        ...account,
        ledgerFile,
        faults: { receipts: false, ...faults },
      });
      await sandbox.listen(port);
      running = { sandbox, ledgerFile };
    },
    /** Stops accepting connections and cuts the open ones. */
    async down(): Promise<void> {
      if (!running) return;
      await running.sandbox.close();
      before.push(...parsed(await readFile(running.ledgerFile, 'utf8')));
      running = null;
    },
    /** Applies the faults from the next message on. */
    async misbehave(faults: Faults): Promise<void> {
      await control('PUT', 'faults', { receipts: false, ...faults });
    },
    behave: (): Promise<void> => gateway.misbehave({}),
    /** Sends a reply from a phone to the last sender. Resolves with the status of the callback's answer. */
    async reply(from: string, body: string): Promise<number> {
      return ((await (await control('POST', 'replies', { from, body })).json()) as { status: number }).status;
    },
    /** All accepted messages in the order of arrival. */
    async taken(): Promise<Taken[]> {
      if (!running) return before;
      return [...before, ...parsed(await (await control('GET', 'ledger?format=ndjson')).text())];
    },
    /** The number of receipts not posted yet, including those of messages accepted while receipts were off. */
    async receiptsLeft(): Promise<number> {
      const summary = (await (await control('GET', 'ledger')).json()) as { receipts: { pending: number } };
      return summary.receipts.pending;
    },
    /** The number of send requests, and how many of them met each fault. */
    async answers(): Promise<Record<string, number>> {
      const summary = (await (await control('GET', 'ledger')).json()) as { answers: Record<string, number> };
      return summary.answers;
    },
  };
  await gateway.up();
  afterAll(async () => {
    await gateway.down();
    await rm(folder, { recursive: true });
  });
  return gateway;
}
