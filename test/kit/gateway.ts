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

/** A message that the gateway has taken. */
export interface Taken {
  at: string;
  sid: string;
  to: string;
  body: string;
  reference: string | null;
}

type Faults = z.input<typeof faults>;

/** The sandbox gateway in this process, which can go down and come up again at the same address. */
export async function createGateway() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  /** What the gateways that were taken down had taken. */
  const before: Taken[] = [];
  let running: { sandbox: Sandbox; ledgerFile: string } | null = null;
  const folder = await mkdtemp(join(tmpdir(), 'torpedo-gateway-'));
  let ups = 0;

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
    /** Takes everything and sends no receipts, unless `faults` says otherwise. */
    async up(faults: Faults = {}): Promise<void> {
      const ledgerFile = join(folder, `${++ups}.ndjson`);
      const sandbox = await buildSandbox({
        ...account,
        ledgerFile,
        faults: { receipts: false, ...faults },
      });
      await sandbox.listen(port);
      running = { sandbox, ledgerFile };
    },
    /** No connection is accepted any more; those that are open are cut. */
    async down(): Promise<void> {
      if (!running) return;
      await running.sandbox.close();
      before.push(...parsed(await readFile(running.ledgerFile, 'utf8')));
      running = null;
    },
    /** From the next message on. */
    async misbehave(faults: Faults): Promise<void> {
      await control('PUT', 'faults', { receipts: false, ...faults });
    },
    behave: (): Promise<void> => gateway.misbehave({}),
    /** A phone answers who wrote to it last. Resolves with the status of the answer to the callback. */
    async reply(from: string, body: string): Promise<number> {
      return ((await (await control('POST', 'replies', { from, body })).json()) as { status: number }).status;
    },
    /** All messages ever taken, in the order of their arrival. */
    async taken(): Promise<Taken[]> {
      if (!running) return before;
      return [...before, ...parsed(await (await control('GET', 'ledger?format=ndjson')).text())];
    },
    /** How many receipts have not been posted yet, also those of messages taken while it posted none. */
    async receiptsLeft(): Promise<number> {
      const summary = (await (await control('GET', 'ledger')).json()) as { receipts: { pending: number } };
      return summary.receipts.pending;
    },
    /** How many sends it was asked for, and how many of them met each fault. */
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
