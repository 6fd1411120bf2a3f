import type { Sql } from '../../db/core/client.ts';
import { getProviderAccount } from '../../db/providers/providers.ts';
import type { SecretBox } from '../../db/core/secrets.ts';
import { createProvider, type ProviderDeps } from '../../sms/index.ts';
import type { Provider } from '../../sms/provider.ts';

/** The maximum age of cached provider data: webhooks cannot read its row for each call. */
const maxAgeMs = 10_000;
/** Calls with a wrong secret cause at most one row read per this interval. */
export const fewestMsBetweenReads = 1_000;
/** How many unknown provider ids are cached. */
const maxUnknown = 1_000;

interface Known {
  account: string;
  provider: Provider;
  checkedAt: number;
}

/** The provider adapters of this process: one for each provider, replaced when its row changes. */
export function createAdapters({ sql, box, sms }: { sql: Sql; box: SecretBox; sms: ProviderDeps }) {
  const known = new Map<number, Known>();
  const unknown = new Map<number, number>();
  const loading = new Map<number, Promise<Provider | null>>();

  const load = async (id: number): Promise<Provider | null> => {
    const row = await getProviderAccount(sql, box, id);
    const before = known.get(id);
    if (!row) {
      if (unknown.size >= maxUnknown) unknown.clear();
      unknown.set(id, performance.now());
      return null;
    }
    const account = JSON.stringify(row);
    if (before?.account === account) {
      before.checkedAt = performance.now();
      return before.provider;
    }
    const provider = createProvider(row, sms);
    known.set(id, { account, provider, checkedAt: performance.now() });
    unknown.delete(id);
    // The old adapter finishes its requests in progress first.
    void before?.provider.close();
    return provider;
  };

  return {
    /** Null if there is no such provider. `atMostMs`: the maximum age of cached data. */
    get(id: number, { atMostMs = maxAgeMs } = {}): Promise<Provider | null> | Provider | null {
      const found = known.get(id);
      const checkedAt = found?.checkedAt ?? unknown.get(id);
      if (checkedAt !== undefined && performance.now() - checkedAt < atMostMs) return found?.provider ?? null;
      let pending = loading.get(id);
      if (!pending) {
        pending = load(id).finally(() => loading.delete(id));
        loading.set(id, pending);
      }
      return pending;
    },

    async close(): Promise<void> {
      await Promise.all([...known.values()].map(({ provider }) => provider.close()));
    },
  };
}
export type Adapters = ReturnType<typeof createAdapters>;
