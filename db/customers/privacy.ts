import { type PrivacySettings, privacySettings } from '../../domain/privacy.ts';
import type { Sql } from '../core/client.ts';
import { json } from '../core/json.ts';

/** The admins' settings, or the defaults. */
export async function getPrivacySettings(sql: Sql): Promise<PrivacySettings> {
  const [row] = await sql<{ definition: unknown }[]>`select definition from privacy_settings`;
  return privacySettings.parse(row?.definition ?? {});
}

/** The same; other writers wait until the transaction ends, even before the row exists. */
export async function lockPrivacySettings(tx: Sql): Promise<PrivacySettings> {
  await tx`lock table privacy_settings in share row exclusive mode`;
  return getPrivacySettings(tx);
}

export async function savePrivacySettings(sql: Sql, settings: PrivacySettings): Promise<void> {
  await sql`
    insert into privacy_settings (definition) values (${json(sql, settings)})
    on conflict (only_row) do update set definition = excluded.definition`;
}
