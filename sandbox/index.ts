import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createCallbacks } from './callbacks.ts';
import { createControl } from './control.ts';
import { type Faults, faults as faultsSchema } from './faults.ts';
import { answerJson } from './http.ts';
import { openLedger } from './ledger.ts';
import { errorBody, errors } from './messages.ts';
import { createPhones } from './phones.ts';
import { createReceipts, type ReceiptCounts, type Receipts } from './receipts.ts';
import { createTwilioApi } from './twilio-api.ts';
import type { z } from 'zod';

export interface SandboxOptions {
  /** `AC` and 32 hexadecimal digits: the only account that it has. */
  accountSid: string;
  /** The password of both APIs, and the key that signs callbacks. */
  authToken: string;
  /** Where replies are posted; can be set later (`PUT /sandbox/inbound`). Otherwise beside the receipts. */
  inboundUrl?: string | undefined;
  /**
   * Also appends the ledger to this file, and finished receipts to one beside it: receipts that were pending when the
   * sandbox stopped are sent after it has started again.
   */
  ledgerFile?: string | undefined;
  /** The seed of all faults: the same seed gives the same messages the same faults. */
  seed?: number | undefined;
  faults?: z.input<typeof faultsSchema> | undefined;
  /** Maximum receipts and replies in flight. */
  callbackConnections?: number | undefined;
}

export interface Sandbox {
  /** Listens on 127.0.0.1 only; port 0 takes a free one. Resolves to the base URL. */
  listen(port: number): Promise<string>;
  /** Closes all connections, stops posting receipts, and completes the ledger's file. */
  close(): Promise<void>;
}

/**
 * An SMS gateway in one process that implements Twilio's API, so that the real adapter runs against it: Messages
 * (create, read, list), signed status callbacks, signed incoming messages. The routes under /sandbox/ configure its
 * faults and return what it has accepted. It imports nothing from the rest of the code: its counts are independent
 * evidence.
 *
 * Plain node:http: every message is one POST here, often on the sender's own core, and the form and JSON through
 * Fastify took 10 to 30 % more time each (measured).
 */
export async function buildSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { accountSid, authToken, seed = 1, callbackConnections = 20 } = options;
  let current: Faults = faultsSchema.parse(options.faults ?? {});
  const faults = (): Faults => current;
  const ledger = await openLedger({ file: options.ledgerFile });
  const callbacks = createCallbacks({ authToken, connections: callbackConnections });
  const receiptsFor = (from: number, until: number): Receipts =>
    createReceipts({
      ...{ ledger, from, until, callbacks, accountSid, seed, faults },
      concurrency: callbackConnections,
    });
  // Separate, so that callbacks to an address that no longer exists do not delay the others.
  const owed = receiptsFor(0, ledger.owed);
  const receipts = receiptsFor(ledger.owed, Infinity);
  const phones = createPhones(ledger);
  const api = createTwilioApi({ accountSid, seed, ledger, phones, receipts, faults });
  const control = createControl({
    accountSid,
    ledger,
    phones,
    receipts: () => sumOf(owed.counts(), receipts.counts()),
    callbacks,
    api,
    inboundUrl: options.inboundUrl ?? null,
    faults: {
      get: faults,
      set(changed) {
        current = changed;
        owed.pump();
        receipts.pump();
      },
    },
  });

  const basic = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
  const bearer = `Bearer ${authToken}`;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { authorization } = request.headers;
    const forControl = request.url?.startsWith('/sandbox/') === true;
    if (authorization !== basic && !(forControl && authorization === bearer)) {
      request.resume();
      answerJson(response, 401, errorBody(errors.authenticate), {
        'www-authenticate': 'Basic realm="Twilio API"',
      });
      return;
    }
    await (forControl ? control : api).handle(request, response);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      process.emitWarning(error instanceof Error ? error : String(error));
      response.destroy();
    });
  });
  // Longer than any client keeps an idle connection: the client has to close it.
  server.keepAliveTimeout = 75_000;

  return {
    async listen(port) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', resolve);
      });
      owed.pump();
      const address = server.address();
      return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}`;
    },
    async close() {
      owed.close();
      receipts.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await callbacks.close();
      await ledger.close();
    },
  };
}

const sumOf = (a: ReceiptCounts, b: ReceiptCounts): ReceiptCounts => ({
  pending: a.pending + b.pending,
  done: a.done + b.done,
  failed: a.failed + b.failed,
  repeated: a.repeated + b.repeated,
});
