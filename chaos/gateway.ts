import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { codeIn } from './contacts.ts';

/** A message that the gateway has taken. */
export interface Taken {
  sid: string;
  at: Date;
  to: string;
  /** The line it was for, by its text; null: a text of nobody's. */
  code: string | null;
  status: 'queued' | 'sent' | 'delivered' | 'undelivered';
}

export interface GatewayState {
  receipts: { pending: number; done: number; failed: number; repeated: number };
  /** How many sends met each fault. */
  answers: Record<string, number>;
}

export interface GatewayClient {
  account: { accountSid: string; authToken: string; from: string };
  /** What it has taken after the message `since`; null: all. In the order in which it was taken. */
  taken(since: string | null): Promise<Taken[]>;
  state(): Promise<GatewayState>;
}

const entry = z.object({
  sid: z.string(),
  at: z.coerce.date(),
  to: z.string(),
  body: z.string(),
  status: z.enum(['queued', 'sent', 'delivered', 'undelivered']),
});
const state = z.object({
  receipts: z.object({ pending: z.int(), done: z.int(), failed: z.int(), repeated: z.int() }),
  answers: z.record(z.string(), z.int()),
});

/** The gateway's own side, which nothing of the system under test sees. */
export function createGatewayClient(url: string, account: GatewayClient['account']): GatewayClient {
  const ask = async (query: string): Promise<Response> => {
    const response = await fetch(`${url}/sandbox/ledger${query}`, {
      headers: { authorization: `Bearer ${account.authToken}` },
    });
    if (!response.ok) throw new Error(`The gateway answered ${response.status}.`);
    return response;
  };
  return {
    account,
    async taken(since) {
      const text = await (await ask(`?format=ndjson${since === null ? '' : `&since=${since}`}`)).text();
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const { body, ...taken } = entry.parse(JSON.parse(line));
          return { ...taken, code: codeIn(body) };
        });
    },
    state: async () => state.parse(await (await ask('')).json()),
  };
}

/** The messages whose final receipt the API has answered with a 2xx: from the file that the gateway keeps beside its ledger. */
export async function acknowledgedSids(ledgerFile: string): Promise<ReadonlySet<string>> {
  const text = await readFile(`${ledgerFile}.finished`, 'utf8').catch(() => '');
  return new Set(text.split('\n').filter((sid) => sid !== ''));
}
