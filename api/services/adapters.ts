import type { Sql } from '../../db/core/client.ts';
import { getProviderAccount } from '../../db/providers/providers.ts';
import type { SecretBox } from '../../db/core/secrets.ts';
import { createProvider, type ProviderDeps } from '../../sms/index.ts';
import type { Provider } from '../../sms/provider.ts';

/** How old what we know of a provider may be: webhooks can't read its row for each call. */
const maxAgeMs = 10_000;
/** Nobody makes us read a row more often than this by asking for it anew. */
const minAgeMs = 1_000;
/** Ids of no provider that are remembered as such. */
const maxUnknown = 1_000;

interface Known {
  account: string;
  provider: Provider;
  checkedAt: number;
}

/** The provider adapters of this process: one for each provider, made anew when its row has changed. */
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
    // What is under way through the old one is finished first.
    void before?.provider.close();
    return provider;
  };

  return {
    /**
     * Null when there is no such provider. `anew`: what is known did not do, the secrets may just have been changed.
     */
    get(id: number, { anew = false } = {}): Promise<Provider | null> | Provider | null {
      const age = anew ? minAgeMs : maxAgeMs;
      const found = known.get(id);
      const checkedAt = found?.checkedAt ?? unknown.get(id);
      if (checkedAt !== undefined && performance.now() - checkedAt < age) return found?.provider ?? null;
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
