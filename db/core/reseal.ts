import type { Sql } from './client.ts';
import {
  type SealedColumn,
  sealedColumns,
  type SealedPlace,
  type SecretBox,
  SecretKeyMissing,
} from './secrets.ts';

/** A value that no configured key opens. */
export interface LostSecret extends SealedPlace {
  /** The key that it was sealed with; null: that key is configured, but the value has been changed. */
  keyId: string | null;
}

export interface ResealReport {
  /** How many values were sealed anew. */
  resealed: number;
  /** How many values there are. */
  values: number;
  lost: LostSecret[];
}

/**
 * Seals everything with the newest key that an older one has sealed, so that older keys can be taken out of SECRET_KEYS.
 * Harmless to repeat, and while API and workers run: a value that has changed meanwhile is left to who changed it.
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

/** In words, for a person at a terminal or in a log. */
export function describeLost({ column, row, keyId }: LostSecret): string {
  return keyId === null
    ? `${column} of ${row} cannot be opened: it has been changed, or copied from elsewhere.`
    : `${column} of ${row} is sealed with the key "${keyId}", which is not in SECRET_KEYS.`;
}

/** Reseals when a process starts, and logs what it did: after a change of SECRET_KEYS nothing else has to be done. */
export async function resealAtStart(
  sql: Sql,
  box: SecretBox,
  log: { warn: (fields: object, message: string) => void; error: (fields: object, message: string) => void },
): Promise<void> {
  const { resealed, lost } = await resealAll(sql, box);
  if (resealed > 0)
    log.warn({ secrets: resealed, key: box.keyId }, 'Sealed secrets anew with the newest key');
  for (const one of lost) log.error({ ...one }, describeLost(one));
}
