import type { Sql } from '../db/core/client.ts';
import { getProviderAccount } from '../db/providers/providers.ts';
import type { SecretBox } from '../db/core/secrets.ts';
import { endDoubt, endSuspicion, noteDoubt } from '../db/providers/trouble.ts';
import { failures } from '../domain/failures.ts';
import { createProvider, type ProviderDeps } from '../sms/index.ts';
import type { Provider, SendOutcome } from '../sms/provider.ts';
import { finalFailure } from './failure.ts';

/** The adapters in use, with their open connections: one for each provider, replaced when its row changes. */
export function createProviders({ sql, box, ...deps }: ProviderDeps & { sql: Sql; box: SecretBox }) {
  const open = new Map<number, { account: string; provider: Provider }>();
  return {
    async get(providerId: number): Promise<Provider> {
      const row = await getProviderAccount(sql, box, providerId);
      if (!row) throw finalFailure(failures.notFound, `There is no provider ${providerId}.`);
      const account = JSON.stringify(row);
      const known = open.get(providerId);
      if (known?.account === account) return known.provider;
      const provider = createProvider(row, deps);
      open.set(providerId, { account, provider });
      // The old adapter finishes what is still in flight first.
      void known?.provider.close();
      return provider;
    },
    async close(): Promise<void> {
      await Promise.all([...open.values()].map(({ provider }) => provider.close()));
    },
  };
}
export type Providers = ReturnType<typeof createProviders>;

/** Records what the answer to one send shows about the provider. */
export async function noteAnswer(
  sql: Sql,
  { providerId, answer, deduplicates }: { providerId: number; answer: SendOutcome; deduplicates: boolean },
): Promise<void> {
  if (answer.kind === 'ambiguous' && !deduplicates)
    await noteDoubt(sql, providerId, { answers: 1, code: answer.publicCode });
  if (answer.kind === 'accepted' || answer.kind === 'refused') await endDoubt(sql, providerId);
  if (answer.kind === 'accepted') await endSuspicion(sql, providerId);
}
