import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { codeIn } from './contacts.ts';

/** A message that the gateway has accepted. */
export interface AcceptedMessage {
  sid: string;
  at: Date;
  to: string;
  /** The code of its line, from its text; null: the text has no code. */
  code: string | null;
  status: 'queued' | 'sent' | 'delivered' | 'undelivered';
}

export interface GatewayState {
  receipts: { pending: number; done: number; failed: number; repeated: number };
  /** The number of sends with each fault. */
  answers: Record<string, number>;
}

export interface GatewayClient {
  account: { accountSid: string; authToken: string; from: string };
  /** The messages accepted after `since`; null: all. In order of acceptance. */
  accepted(since: string | null): Promise<AcceptedMessage[]>;
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
  const get = async (query: string): Promise<Response> => {
    const response = await fetch(`${url}/sandbox/ledger${query}`, {
      headers: { authorization: `Bearer ${account.authToken}` },
    });
    if (!response.ok) throw new Error(`The gateway answered ${response.status}.`);
    return response;
  };
  return {
    account,
    async accepted(since) {
      const text = await (await get(`?format=ndjson${since === null ? '' : `&since=${since}`}`)).text();
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const { body, ...message } = entry.parse(JSON.parse(line));
          return { ...message, code: codeIn(body) };
        });
    },
    state: async () => state.parse(await (await get('')).json()),
  };
}

/** The messages whose final receipt the API answered with a 2xx, from a file that the gateway writes next to its ledger. */
export async function acknowledgedSids(ledgerFile: string): Promise<ReadonlySet<string>> {
  const text = await readFile(`${ledgerFile}.finished`, 'utf8').catch(() => '');
  return new Set(text.split('\n').filter((sid) => sid !== ''));
}
