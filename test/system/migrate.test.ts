import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, inject, test } from 'vitest';
import { connect } from '../../db/core/client.ts';
import { assertMigrated, migrate } from '../../db/core/migrate.ts';
import { createDatabase } from '../kit/database.ts';

const { sql, url } = await createDatabase();

const environment = {
  DATABASE_URL: url,
  TEMPORAL_ADDRESS: inject('temporalAddress'),
  PUBLIC_URL: 'http://127.0.0.1:1',
  SECRET_KEYS: `test:${randomBytes(32).toString('base64')}`,
  PORT: '0',
};
/** Runs a script and returns its exit code and output. */
const run = (script: string): Promise<{ code: unknown; output: string }> =>
  new Promise((resolve) => {
    const file = fileURLToPath(new URL(`../../${script}`, import.meta.url));
    const options = { env: { ...process.env, ...environment }, timeout: 50_000 };
    execFile(process.execPath, ['--import', 'tsx', file], options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
const processes = ['scripts/migrate.ts', 'api/main.ts', 'worker/main.ts'];

const [first] = await sql<[{ name: string; checksum: string }]>`select name, checksum from schema_migrations`;
const restore = async () => {
  await sql`alter table schema_migrations add column if not exists checksum text`;
  await sql`delete from schema_migrations where number > 1`;
  await sql`update schema_migrations set checksum = ${first.checksum}`;
};
afterAll(restore);

test.each(processes)(
  '%s refuses a database that was migrated with a different text of a migration',
  async (script) => {
    await restore();
    await sql`update schema_migrations set checksum = ${'0'.repeat(64)}`;
    const { code, output } = await run(script);
    expect(output).toContain(`migrated with a db/migrations/${first.name} that differs`);
    expect(output).toContain('Start the version that migrated the database.');
    expect(output).not.toContain('    at ');
    expect(code).toBe(1);
  },
);

test.each(processes)('%s refuses a database with a newer schema', async (script) => {
  await restore();
  await sql`insert into schema_migrations (number, name, checksum) values (2, '0002_next.sql', 'x')`;
  const { code, output } = await run(script);
  expect(output).toContain('The database is at migration 2, newer than this version of Torpedo (1).');
  expect(code).toBe(1);
});

test('a database without migration checksums is refused with the same message', async () => {
  await restore();
  await sql`alter table schema_migrations drop column checksum`;
  await expect(assertMigrated(sql)).rejects.toThrow('migrated with a db');
  await expect(migrate(sql)).rejects.toThrow('migrated with a db');
});

test('two concurrent processes apply each migration to an empty database once', async () => {
  const name = `torpedo_test_${randomBytes(6).toString('hex')}`;
  await sql`create database ${sql(name)}`;
  const empty = connect(new URL(`/${name}`, url).href, { max: 2 });
  try {
    await expect(assertMigrated(empty)).rejects.toThrow('Run `npm run migrate` first.');
    const applied = await Promise.all([migrate(empty), migrate(empty)]);
    expect(applied.flat()).toEqual([first.name]);
    await assertMigrated(empty);
    expect(await migrate(empty)).toEqual([]);
  } finally {
    await empty.end();
    await sql`drop database ${sql(name)}`;
  }
});
