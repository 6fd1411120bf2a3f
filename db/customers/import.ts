import type { CustomerLine } from '../../domain/customer-file.ts';
import type { Database, Sql } from '../core/client.ts';
import { type ConsentStatement, recordConsents } from './consents.ts';
import { registerCustomers } from './matching.ts';

/** The results of an import. Several lines of one customer in a portion count once each. */
export interface ImportedCustomers {
  inserted: number;
  updated: number;
  unchanged: number;
}

/** Lines imported in one transaction, which locks their customers for some tenths of a second. */
const portionLines = 1_000;

/** An import without a heartbeat (`keepImportAlive`) for this long is abandoned. */
const abandonedAfterSeconds = 120;

/** The import no longer exists: PostgreSQL crashed meanwhile, or the process sent no heartbeat for too long. */
export class ImportLost extends Error {
  override readonly name = 'ImportLost';
}

/**
 * Starts an import of a customer file: one at a time in the whole deployment. Null while another is running.
 *
 * Uses a row instead of a lock, because a lock would hold a connection for the whole upload. Call `keepImportAlive`
 * about every 30 seconds, and `endImport` at the end.
 */
export async function beginImport(sql: Sql): Promise<number | null> {
  await deleteAbandonedImport(sql);
  const [row] = await sql<{ id: number }[]>`
    insert into customer_imports default values on conflict (only_row) do nothing returning id`;
  return row?.id ?? null;
}

export async function keepImportAlive(sql: Sql, importId: number): Promise<void> {
  await sql`update customer_imports set alive_at = now() where id = ${importId}`;
}

/** Deletes the import and its waiting lines. */
export async function endImport(sql: Sql, importId: number): Promise<void> {
  await sql`delete from customer_imports where id = ${importId}`;
}

/** Deletes an import that a killed process left. Returns how many. */
export async function deleteAbandonedImport(sql: Sql): Promise<number> {
  const rows = await sql`
    delete from customer_imports where alive_at < now() - make_interval(secs => ${abandonedAfterSeconds})`;
  return rows.count;
}

/**
 * Stores lines until the whole file has been read, in short separate statements: the sender may be slow, and a file
 * that turns out to be invalid changes nothing.
 *
 * Throws PostgreSQL's 23503 when the import no longer exists.
 */
export function createPortionWriter(sql: Sql, importId: number) {
  let held: CustomerLine[] = [];
  let portions = 0;
  const write = async (lines: readonly CustomerLine[]): Promise<void> => {
    await sql`
      insert into customer_import_portions (import_id, seq, lines)
      values (${importId}, ${portions}, ${JSON.stringify(lines)}::text::json)`;
    portions++;
  };
  return {
    async add(lines: readonly CustomerLine[]): Promise<void> {
      held.push(...lines);
      while (held.length >= portionLines) {
        await write(held.slice(0, portionLines));
        held = held.slice(portionLines);
      }
    },
    /** Writes the rest. Returns the number of portions, which count from 0. */
    async flush(): Promise<number> {
      if (held.length > 0) await write(held);
      held = [];
      return portions;
    },
  };
}

/**
 * Imports the lines of a portion as customers, in their order, in one transaction. A statement of consent without a
 * date gets the date `now`. Repeating it changes nothing.
 *
 * One portion at a time: a transaction over a million lines would lock as many customers for minutes, and block replies
 * and runs that register customers.
 *
 * @throws {ImportLost}
 */
export async function applyPortion(
  sql: Database,
  { importId, seq }: { importId: number; seq: number },
  { actor, now }: { actor: string; now: Date },
): Promise<ImportedCustomers> {
  return sql.begin(async (tx) => {
    const [portion] = await tx<{ lines: CustomerLine[] }[]>`
      select lines from customer_import_portions where import_id = ${importId} and seq = ${seq}`;
    if (!portion) throw new ImportLost('The lines of the file are gone.');
    const outcomes: ImportedCustomers = { inserted: 0, updated: 0, unchanged: 0 };
    const statements = new Map<number, ConsentStatement>();
    const registered = await registerCustomers(tx, portion.lines);
    registered.forEach((customer, index) => {
      if (customer === null) return;
      outcomes[customer.outcome]++;
      const { consent = null, consentDate = null } = portion.lines[index] ?? {};
      // An empty cell does not revoke a statement in another line of the customer.
      if (consent === null) return;
      // A file that repeats the known consent adds no statement.
      if (consent === customer.consent) statements.delete(customer.id);
      else {
        const at = consentDate === null ? now : new Date(`${consentDate}T00:00:00Z`);
        statements.set(customer.id, { customerId: customer.id, consent, at });
      }
    });
    await recordConsents(tx, [...statements.values()], { source: 'import', actor });
    return outcomes;
  });
}

/** Until autovacuum runs, the planner has no statistics for a million new rows. */
export async function analyzeCustomers(sql: Sql): Promise<void> {
  await sql`analyze customers`;
}
