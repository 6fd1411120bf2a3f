import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { describeLost, resealAll } from '../../db/core/reseal.ts';
import { createSecretBox, sealedColumns } from '../../db/core/secrets.ts';
import { getProviderSecrets, insertProvider } from '../../db/providers/providers.ts';
import { insertIntegration, openIntegration } from '../../db/settings/integrations.ts';
import { openTicketPosting, setTicketPosting } from '../../db/tickets/posts.ts';
import { setAlertWebhook, setEmailSettings } from '../../db/alerts/channels.ts';
import { alertWebhook } from '../../domain/alert-webhook.ts';
import { emailSettings } from '../../domain/email.ts';
import { integrationConfig } from '../../domain/integration.ts';
import { providerConfig } from '../../domain/provider.ts';
import { ticketPosting } from '../../domain/ticket-posting.ts';
import { createDatabase } from '../kit/database.ts';

const { sql, url } = await createDatabase();
const newKey = (id: string) => ({ id, key: randomBytes(32) });
const [first, second, third] = [newKey('2026'), newKey('2027'), newKey('2028')];
const phone = '+5511900000001';

/** Seals one secret of each kind with the first key. */
const box = createSecretBox([first]);
const providerId = await sql.begin(async (tx) => {
  const provider = await insertProvider(tx, box, {
    name: 'Twilio',
    config: providerConfig.parse({
      kind: 'twilio',
      accountSid: `AC${'0'.repeat(32)}`,
      from: '+5511999990000',
    }),
    secrets: { kind: 'twilio', authToken: 'the-token' },
    segmentProfile: 'gsm',
    ratePerSecond: null,
  });
  return provider.id;
});
const integrationId = await sql.begin(async (tx) => {
  const integration = await insertIntegration(tx, box, {
    name: 'CRM',
    config: integrationConfig.parse({ authentication: { kind: 'bearer' }, origins: ['https://crm.example'] }),
    secrets: { secret: 'the-secret', headers: {} },
  });
  return integration.id;
});
await setTicketPosting(sql, box, ticketPosting.parse({ url: 'https://helpdesk.example/tickets' }), {
  secret: 'x'.repeat(32),
  headers: {},
});
await setAlertWebhook(sql, box, alertWebhook.parse({ url: 'https://chat.example/alerts' }), {
  secret: 'x'.repeat(32),
  headers: {},
});
await setEmailSettings(sql, box, emailSettings.parse({ host: 'smtp.example', from: 'a@example.com' }), {
  password: 'the-password',
});
const hashBefore = (await createPhoneHashing({ sql, box })())(phone);

test('every column with sealed values is listed with the primary key of its table', async () => {
  const columns = await sql<{ column: string; key: string }[]>`
    select c.table_name || '.' || c.column_name as column, k.column_name as key
    from information_schema.columns as c
      join information_schema.table_constraints as t on t.table_name = c.table_name and t.constraint_type = 'PRIMARY KEY'
      join information_schema.key_column_usage as k on k.constraint_name = t.constraint_name
    where c.domain_name = 'sealed' order by 1`;
  expect(Object.fromEntries(columns.map(({ column, key }) => [column, key]))).toEqual(sealedColumns);
});

test('no other column contains sealed values', async () => {
  const columns = await sql<{ table: string; column: string }[]>`
    select table_name as table, column_name as column from information_schema.columns
    where table_schema = 'public' and data_type in ('text', 'jsonb')`;
  for (const { table, column } of columns) {
    const found = await sql`select from ${sql(table)} where ${sql(column)}::text like ${`%${first.id}:%`}`;
    if (found.count > 0) expect(Object.keys(sealedColumns)).toContain(`${table}.${column}`);
  }
  expect(await resealAll(sql, box)).toEqual({
    values: Object.keys(sealedColumns).length,
    resealed: 0,
    lost: [],
  });
});

test('after a key change all secrets can be opened with the new key alone', async () => {
  const values = Object.keys(sealedColumns).length;
  expect(await resealAll(sql, createSecretBox([second, first]))).toEqual({
    values,
    resealed: values,
    lost: [],
  });

  const alone = createSecretBox([second]);
  expect(await getProviderSecrets(sql, alone, providerId)).toMatchObject({ authToken: 'the-token' });
  expect(await openIntegration(sql, alone, integrationId)).toMatchObject({
    secrets: { secret: 'the-secret' },
  });
  expect(await openTicketPosting(sql, alone)).toMatchObject({ secret: 'x'.repeat(32) });
  // The opt-outs of erased phones are still found.
  expect((await createPhoneHashing({ sql, box: alone })())(phone)).toEqual(hashBefore);
});

test('a value sealed with a missing key is reported, and the others are resealed', async () => {
  await sql`update providers set secrets = ${`lost:${Buffer.alloc(64).toString('base64')}`} where id = ${providerId}`;
  const { resealed, lost } = await resealAll(sql, createSecretBox([third, second]));
  expect(resealed).toBe(Object.keys(sealedColumns).length - 1);
  expect(lost.map(describeLost)).toEqual([
    `providers.secrets of ${providerId} is sealed with the key "lost", which is not in SECRET_KEYS.`,
  ]);
});

test('`npm run reseal` reports its result and whether older keys can be removed', async () => {
  const run = (...keys: { id: string; key: Buffer }[]) =>
    spawnSync(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(new URL('../../scripts/reseal.ts', import.meta.url))],
      {
        env: {
          ...process.env,
          DATABASE_URL: url,
          SECRET_KEYS: keys.map(({ id, key }) => `${id}:${key.toString('base64')}`).join(','),
        },
        encoding: 'utf8',
      },
    );
  const failed = run(second, third);
  expect(failed.status).toBe(1);
  expect(failed.stderr).toContain('is sealed with the key "lost"');
  expect(failed.stdout).not.toContain('can be removed');
  await sql`delete from providers where id = ${providerId}`;
  const done = run(third, second);
  expect([done.status, done.stderr]).toEqual([0, '']);
  expect(done.stdout).toBe(
    'Resealed 5 of 5 secrets with the key "2028".\nThe other keys can be removed from SECRET_KEYS.\n',
  );
});
