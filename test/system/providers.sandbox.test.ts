import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { providerAccount } from '../../domain/provider.ts';
import { createCallback } from '../../sms/callback.ts';
import { createProvider } from '../../sms/index.ts';
import type { Callback } from '../../sms/provider.ts';
import { connectAnywhere, localTokens } from '../kit/connect.ts';
import { eventually } from '../kit/until.ts';

/** The adapter against the sandbox in a separate process, as a developer starts it. */
const accountSid = `AC${'0123456789abcdef'.repeat(2)}`;
const account = providerAccount.parse({
  kind: 'sandbox',
  accountSid,
  from: '+5511999990000',
  authToken: 'the-token',
});

async function startSandbox(faults: object = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'torpedo-sandbox-'));
  const ledger = join(directory, 'ledger.ndjson');
  const args = ['--port', '0', '--account-sid', accountSid, '--auth-token', 'the-token', '--ledger', ledger];
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'sandbox/main.ts', ...args, '--faults', JSON.stringify(faults)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(async () => {
    if (child.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(directory, { recursive: true });
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const url = /http:\S+/.exec(line)?.[0];
  if (url === undefined) throw new Error(`Not a ready line: ${line}`);
  return { url, child, ledger };
}

/** Records every callback as the webhook route passes it to an adapter. */
async function startWebhooks() {
  const callbacks: Callback[] = [];
  const server = createServer((request, response) => {
    void text(request).then((rawBody) => {
      const { method = '', headers } = request;
      callbacks.push(createCallback({ method, url: url + (request.url ?? ''), headers, rawBody }));
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url, callbacks };
}

test('a message is sent, its receipts and a reply arrive, and the ledger is complete after SIGTERM', async () => {
  const webhooks = await startWebhooks();
  const sandbox = await startSandbox({ receiptDelayMs: 10 });
  const provider = createProvider(
    { id: 5, reference: 'r', segmentProfile: 'gsm', ...account },
    {
      publicUrl: webhooks.url,
      sandboxUrl: sandbox.url,
      sendTimeoutMs: 5000,
      connections: 2,
      connect: connectAnywhere,
      tokens: localTokens,
    },
  );
  onTestFinished(() => provider.close());

  const sent = await provider.send({ messageId: 41, to: '+5511988887777', text: 'Olá, Ana 🚀' });
  expect(sent).toMatchObject({ kind: 'accepted' });
  await eventually(() => expect(webhooks.callbacks).toHaveLength(2));
  expect(webhooks.callbacks.every((callback) => provider.verify(callback))).toBe(true);
  expect(webhooks.callbacks.flatMap((callback) => provider.readReceipts(callback).read)).toMatchObject([
    { messageId: 41, status: 'sent', reason: null },
    { messageId: 41, status: 'delivered', reason: null },
  ]);

  const control = (method: string, path: string, body: object) =>
    fetch(`${sandbox.url}/sandbox/${path}`, {
      method,
      headers: { authorization: 'Bearer the-token' },
      body: JSON.stringify(body),
    });
  await control('PUT', 'inbound', { url: `${webhooks.url}/webhooks/providers/5/inbound` });
  await control('POST', 'replies', { from: '+5511988887777', body: 'SAIR' });
  const [, , reply] = webhooks.callbacks;
  expect(reply && provider.verify(reply) && provider.readInbound(reply).read).toMatchObject([
    { from: '+5511988887777', to: '+5511999990000', text: 'SAIR' },
  ]);

  sandbox.child.kill('SIGTERM');
  await once(sandbox.child, 'exit');
  expect(sandbox.child.exitCode).toBe(0);
  expect(JSON.parse(await readFile(sandbox.ledger, 'utf8'))).toMatchObject({
    reference: '41',
    body: 'Olá, Ana 🚀',
  });
});

test('a message that the gateway accepted without an answer is ambiguous, never temporary', async () => {
  const errorRate = {
    http429: 0.1,
    http503: 0.1,
    http500: 0.1,
    drop_before_accept: 0.1,
    http500_after_accept: 0.1,
    drop_after_accept: 0.1,
    hang_after_accept: 0.1,
  };
  const sandbox = await startSandbox({ errorRate, receipts: false });
  const provider = createProvider(
    { id: 5, reference: 'r', segmentProfile: 'gsm', ...account },
    {
      publicUrl: 'http://127.0.0.1:1',
      sandboxUrl: sandbox.url,
      sendTimeoutMs: 500,
      connections: 50,
      connect: connectAnywhere,
      tokens: localTokens,
    },
  );
  onTestFinished(() => provider.close());

  const outcomes = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      provider.send({ messageId: index + 1, to: '+5511988887777', text: 'Oi' }),
    ),
  );
  const response = await fetch(`${sandbox.url}/sandbox/ledger?format=ndjson`, {
    headers: { authorization: 'Bearer the-token' },
  });
  const taken = new Set(
    (await response.text())
      .split('\n')
      .filter(Boolean)
      .map((line) => Number((JSON.parse(line) as { reference: string }).reference)),
  );
  outcomes.forEach(({ kind }, index) => {
    if (kind === 'accepted') expect(taken).toContain(index + 1);
    if (kind === 'temporary') expect(taken).not.toContain(index + 1);
  });
  const kinds = new Set(outcomes.map(({ kind }) => kind));
  expect(kinds).toEqual(new Set(['accepted', 'temporary', 'ambiguous']));
  expect(
    outcomes.filter(({ kind }, index) => kind !== 'accepted' && taken.has(index + 1)).length,
  ).toBeGreaterThan(20);
});
