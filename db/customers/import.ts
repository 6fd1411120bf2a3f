import type { CustomerLine } from '../../domain/customer-file.ts';
import type { Sql } from '../core/client.ts';
import { type ConsentStatement, noteConsents, refusingOf, skipRefusing } from './consents.ts';
import { registerCustomers } from './matching.ts';

/** What became of the lines of a file. Several lines of one customer count once each. */
export interface ImportedCustomers {
  inserted: number;
  updated: number;
  unchanged: number;
}

const portion = 1_000;

/**
 * Sets lines aside until the file has been read to its end: customers are locked while they are registered, and a slow
 * upload must not hold that. Call it in the transaction of the import; it is gone with it.
 */
export async function createImport(tx: Sql) {
  await tx`
    create temporary table arriving_customers (
      n bigint generated always as identity primary key, line jsonb not null) on commit drop`;
  return {
    async add(lines: readonly CustomerLine[]): Promise<void> {
      if (lines.length === 0) return;
      await tx`
        insert into arriving_customers (line)
        select line::jsonb from unnest(${lines.map((line) => JSON.stringify(line))}::text[]) as line`;
    },

    /** Makes customers of them, in their order. A statement of consent without a date was made at `now`. */
    async finish({ actor, now }: { actor: string; now: Date }): Promise<ImportedCustomers> {
      const outcomes: ImportedCustomers = { inserted: 0, updated: 0, unchanged: 0 };
      const refusing: number[] = [];
      for (let after = 0; ;) {
        const rows = await tx<{ n: number; line: CustomerLine }[]>`
          select n, line from arriving_customers where n > ${after} order by n limit ${portion}`;
        const last = rows.at(-1);
        if (last === undefined) break;
        after = last.n;
        const registered = await registerCustomers(
          tx,
          rows.map(({ line }) => line),
        );
        const statements = new Map<number, ConsentStatement>();
        registered.forEach((customer, index) => {
          if (customer === null) return;
          outcomes[customer.outcome]++;
          const { consent = null, consentDate = null } = rows[index]?.line ?? {};
          // That a file says again what is known is no news.
          if (consent === null || consent === customer.consent) statements.delete(customer.id);
          else {
            const at = consentDate === null ? now : new Date(`${consentDate}T00:00:00Z`);
            statements.set(customer.id, { customerId: customer.id, consent, at });
          }
        });
        await noteConsents(tx, [...statements.values()], { source: 'import', actor });
        refusing.push(...refusingOf([...statements.values()]));
      }
      // Last, since it locks messages and the counts of live runs: nobody waits for the rest of the import with these.
      await skipRefusing(tx, refusing);
      if (outcomes.inserted > portion) await tx`analyze customers`;
      return outcomes;
    },
  };
}
