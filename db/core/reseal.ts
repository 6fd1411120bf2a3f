import type { Sql } from './client.ts';
import {
  type SealedColumn,
  sealedColumns,
  type SealedPlace,
  type SecretBox,
  SecretKeyMissing,
} from './secrets.ts';

/** A value that no configured key can open. */
export interface LostSecret extends SealedPlace {
  /** The key that sealed it; null: that key is configured, but the value has been changed. */
  keyId: string | null;
}

export interface ResealReport {
  /** The number of resealed values. */
  resealed: number;
  /** The number of values. */
  values: number;
  lost: LostSecret[];
}

/**
 * Reseals all values of older keys with the newest key, so that the older keys can be removed from SECRET_KEYS. Safe to
 * repeat, and to run while API and workers run: skips a value that was changed meanwhile.
 */
export async function resealAll(sql: Sql, box: SecretBox): Promise<ResealReport> {
  const report: ResealReport = { resealed: 0, values: 0, lost: [] };
  for (const column of Object.keys(sealedColumns) as SealedColumn[]) {
    const [table = '', name = ''] = column.split('.');
    const key = sealedColumns[column];
    const rows = await sql<{ row: string; sealed: string }[]>`
      select ${sql(key)}::text as row, ${sql(name)} as sealed from ${sql(table)} where ${sql(name)} <> '' order by 1`;
    for (const { row, sealed } of rows) {
      report.values++;
      const place = { column, row };
      const secret = openAt(box, sealed, place);
      if (typeof secret !== 'string') report.lost.push(secret);
      else if (!box.isCurrent(sealed)) {
        const changed = await sql`
          update ${sql(table)} set ${sql(name)} = ${box.seal(secret, place)}
          where ${sql(key)}::text = ${row} and ${sql(name)} = ${sealed}`;
        report.resealed += changed.count;
      }
    }
  }
  return report;
}

function openAt(box: SecretBox, sealed: string, place: SealedPlace): string | LostSecret {
  try {
    return box.open(sealed, place);
  } catch (error) {
    return { ...place, keyId: error instanceof SecretKeyMissing ? error.keyId : null };
  }
}

/** A sentence for a terminal or a log. */
export function describeLost({ column, row, keyId }: LostSecret): string {
  return keyId === null
    ? `${column} of ${row} cannot be opened: it was changed, or copied from another place.`
    : `${column} of ${row} is sealed with the key "${keyId}", which is not in SECRET_KEYS.`;
}

/** Reseals when a process starts, and logs the result: a change of SECRET_KEYS needs no other step. */
export async function resealAtStart(
  sql: Sql,
  box: SecretBox,
  log: { warn: (fields: object, message: string) => void; error: (fields: object, message: string) => void },
): Promise<void> {
  const { resealed, lost } = await resealAll(sql, box);
  if (resealed > 0) log.warn({ secrets: resealed, key: box.keyId }, 'Resealed secrets with the newest key');
  for (const one of lost) log.error({ ...one }, describeLost(one));
}
