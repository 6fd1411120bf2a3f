import {
  type Integration,
  type IntegrationConfig,
  integrationConfig,
  type IntegrationSecrets,
  integrationSecrets,
} from '../../domain/integration.ts';
import type { Sql } from '../core/client.ts';
import { json } from '../core/json.ts';
import type { SealedPlace, SecretBox } from '../core/secrets.ts';

export interface IntegrationRow {
  id: number;
  name: string;
  config: IntegrationConfig;
  archivedAt: Date | null;
}

const columns = (sql: Sql) => sql`id, name, config, archived_at`;
const parsed = (row: IntegrationRow): IntegrationRow => ({
  ...row,
  config: integrationConfig.parse(row.config),
});
const place = (id: number): SealedPlace => ({ column: 'integrations.secrets', row: id });

/** Call it in a transaction: the secrets are sealed to the id that the first statement returns. */
export async function insertIntegration(
  sql: Sql,
  box: SecretBox,
  { name, config, secrets }: Omit<Integration, 'id'>,
): Promise<IntegrationRow> {
  const [row] = await sql<[IntegrationRow]>`
    insert into integrations (name, config, secrets) values (${name}, ${json(sql, config)}, '')
    returning ${columns(sql)}`;
  await setIntegrationSecrets(sql, box, row.id, secrets);
  return parsed(row);
}

export async function setIntegrationSecrets(
  sql: Sql,
  box: SecretBox,
  id: number,
  secrets: IntegrationSecrets,
): Promise<void> {
  await sql`update integrations set secrets = ${box.seal(JSON.stringify(secrets), place(id))} where id = ${id}`;
}

/** Changes the public fields. Null when there is no such integration. */
export async function updateIntegration(
  sql: Sql,
  { id, name, config, archived }: { id: number; name: string; config: IntegrationConfig; archived: boolean },
): Promise<IntegrationRow | null> {
  const [row] = await sql<IntegrationRow[]>`
    update integrations set name = ${name}, config = ${json(sql, config)},
      archived_at = ${archived ? sql`coalesce(archived_at, now())` : null}
    where id = ${id} returning ${columns(sql)}`;
  return row ? parsed(row) : null;
}

/** False when there is no such integration. Throws PostgreSQL's 23503 when a campaign refers to it. */
export async function deleteIntegration(sql: Sql, id: number): Promise<boolean> {
  return (await sql`delete from integrations where id = ${id}`).count > 0;
}

export async function listIntegrations(sql: Sql): Promise<IntegrationRow[]> {
  return (await sql<IntegrationRow[]>`select ${columns(sql)} from integrations order by name`).map(parsed);
}

/** The row, locked until the transaction ends. */
export async function lockIntegration(sql: Sql, id: number): Promise<IntegrationRow | null> {
  const [row] = await sql<
    IntegrationRow[]
  >`select ${columns(sql)} from integrations where id = ${id} for update`;
  return row ? parsed(row) : null;
}

export async function getIntegration(sql: Sql, id: number): Promise<IntegrationRow | null> {
  const [row] = await sql<IntegrationRow[]>`select ${columns(sql)} from integrations where id = ${id}`;
  return row ? parsed(row) : null;
}

/** Config and opened secrets, for a request. Throws when the secrets cannot be opened (their key is missing). */
export async function openIntegration(sql: Sql, box: SecretBox, id: number): Promise<Integration | null> {
  const [row] = await sql<(IntegrationRow & { secrets: string })[]>`
    select ${columns(sql)}, secrets from integrations where id = ${id}`;
  if (!row) return null;
  const { name, config } = parsed(row);
  const secrets = integrationSecrets.parse(JSON.parse(box.open(row.secrets, place(id))));
  return { id, name, config, secrets };
}
