import { type AlertWebhook, alertWebhook } from '../../domain/alert-webhook.ts';
import { type EmailSecrets, emailSecrets, type EmailSettings, emailSettings } from '../../domain/email.ts';
import { type PostingSecrets, postingSecrets } from '../../domain/ticket-posting.ts';
import type { Sql } from '../core/client.ts';
import { json } from '../core/json.ts';
import type { SealedPlace, SecretBox } from '../core/secrets.ts';

const emailPlace: SealedPlace = { column: 'email_settings.secrets', row: 1 };
const webhookPlace: SealedPlace = { column: 'alert_webhook.secrets', row: 1 };

/** The SMTP server with its password; null when not configured. */
export async function openEmailSettings(
  sql: Sql,
  box: SecretBox,
): Promise<(EmailSettings & EmailSecrets) | null> {
  const [row] = await sql<{ config: unknown; secrets: string }[]>`select config, secrets from email_settings`;
  if (!row) return null;
  const secrets: unknown = JSON.parse(box.open(row.secrets, emailPlace));
  return { ...emailSettings.parse(row.config), ...emailSecrets.parse(secrets) };
}

/** Makes other writers of this setting wait until the transaction ends, even before the row exists. */
export async function lockEmailSettings(sql: Sql): Promise<void> {
  await sql`lock table email_settings in share row exclusive mode`;
}

export async function setEmailSettings(
  sql: Sql,
  box: SecretBox,
  config: EmailSettings,
  secrets: EmailSecrets,
): Promise<void> {
  const sealed = box.seal(JSON.stringify(secrets), emailPlace);
  await sql`
    insert into email_settings (config, secrets) values (${json(sql, config)}, ${sealed})
    on conflict (id) do update set config = excluded.config, secrets = excluded.secrets`;
}

/** Whether e-mails are sent, without opening the secrets. */
export async function isEmailEnabled(sql: Sql): Promise<boolean> {
  const rows = await sql`select from email_settings where (config ->> 'enabled')::boolean`;
  return rows.count > 0;
}

/** The webhook with its opened secrets; null when not configured. */
export async function openAlertWebhook(
  sql: Sql,
  box: SecretBox,
): Promise<(AlertWebhook & PostingSecrets) | null> {
  const [row] = await sql<{ config: unknown; secrets: string }[]>`select config, secrets from alert_webhook`;
  if (!row) return null;
  const secrets: unknown = JSON.parse(box.open(row.secrets, webhookPlace));
  return { ...alertWebhook.parse(row.config), ...postingSecrets.parse(secrets) };
}

export async function lockAlertWebhook(sql: Sql): Promise<void> {
  await sql`lock table alert_webhook in share row exclusive mode`;
}

export async function setAlertWebhook(
  sql: Sql,
  box: SecretBox,
  config: AlertWebhook,
  secrets: PostingSecrets,
): Promise<void> {
  const sealed = box.seal(JSON.stringify(secrets), webhookPlace);
  await sql`
    insert into alert_webhook (config, secrets) values (${json(sql, config)}, ${sealed})
    on conflict (id) do update set config = excluded.config, secrets = excluded.secrets`;
}

/** Whether and with which kinds alerts are posted, without opening the secrets; null: not. */
export async function enabledAlertWebhook(sql: Sql): Promise<AlertWebhook | null> {
  const [row] = await sql<{ config: unknown }[]>`
    select config from alert_webhook where (config ->> 'enabled')::boolean`;
  return row ? alertWebhook.parse(row.config) : null;
}
