import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { codeIn } from './contacts.ts';

/** A message that the gateway has accepted. */
export interface Taken {
  sid: string;
  at: Date;
  to: string;
  /** Its line, by its text; null: the text matches no line. */
  code: string | null;
  status: 'queued' | 'sent' | 'delivered' | 'undelivered';
}

export interface GatewayState {
  receipts: { pending: number; done: number; failed: number; repeated: number };
  /** The number of sends by fault. */
  answers: Record<string, number>;
}

export interface GatewayClient {
  account: { accountSid: string; authToken: string; from: string };
  /** The messages accepted after `since`; null: all. In order of acceptance. */
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

/** The gateway's internal state, which the system under test cannot see. */
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

/** Messages whose final receipt the API answered with a 2xx: from the file that the gateway keeps beside its ledger. */
export async function acknowledgedSids(ledgerFile: string): Promise<ReadonlySet<string>> {
  const text = await readFile(`${ledgerFile}.finished`, 'utf8').catch(() => '');
  return new Set(text.split('\n').filter((sid) => sid !== ''));
}
