import type { Connection } from '@temporalio/client';
import { ConfigError, readMigrationConfig } from '../config.ts';
import { connect, type Database } from '../db/core/client.ts';
import { isRestored } from '../db/core/deployment.ts';
import { migrate } from '../db/core/migrate.ts';
import { seedSettings } from '../db/settings/seed.ts';
import { taskQueue } from '../domain/ids.ts';
import { printedError } from '../health/start.ts';
import { prepareNamespace } from '../worker/namespace.ts';
import { describeRestore, stopAfterRestore } from '../worker/restored.ts';
import { attributes } from '../workflows/attributes.ts';
import { connectTemporal } from './connect-temporal.ts';

/**
 * `npm run migrate`: updates the database at DATABASE_URL and gives a new one its initial settings; then creates the
 * namespace and the search attributes that the server at TEMPORAL_ADDRESS lacks. If the database was restored from a
 * backup, stops what may have been done after it. Safe to repeat at any time.
 */
async function main(): Promise<void> {
  const config = readMigrationConfig();
  const sql = connect(config.DATABASE_URL, { max: 3, application: 'torpedo-migrate', purpose: 'migration' });
  try {
    await prepareDatabase(sql);
    await prepareTemporal(sql, config);
  } finally {
    await sql.end();
  }
}

async function prepareDatabase(sql: Database): Promise<void> {
  const done = await migrate(sql);
  await seedSettings(sql, new Date());
  console.log(
    done.length > 0 ? `Database: applied ${done.join(', ')}.` : 'Database: the schema is up to date.',
  );
}

async function prepareTemporal(sql: Database, config: ReturnType<typeof readMigrationConfig>): Promise<void> {
  const { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace } = config;
  if (address === undefined) {
    console.log('Temporal: skipped, because TEMPORAL_ADDRESS is not set.');
    if (await isRestored(sql))
      throw new ConfigError('The database was restored from a backup: set TEMPORAL_ADDRESS, too.');
    return;
  }
  const connection = await connectTemporal(address, config);
  try {
    await prepareNamespaceFor(connection, namespace);
    if (await isRestored(sql))
      console.log(describeRestore(await stopAfterRestore(sql, { connection, namespace, taskQueue })));
  } finally {
    await connection.close();
  }
}

async function prepareNamespaceFor(connection: Connection, namespace: string): Promise<void> {
  const names = Object.values(attributes).map(({ name }) => name);
  try {
    const { created, searchAttributes } = await prepareNamespace(connection, namespace, names);
    const done = [
      ...(created ? [`created the namespace ${namespace}`] : []),
      ...(searchAttributes.length > 0 ? [`added the search attributes ${searchAttributes.join(', ')}`] : []),
    ];
    console.log(
      done.length > 0
        ? `Temporal: ${done.join('; ')}.`
        : 'Temporal: the namespace and its search attributes exist.',
    );
  } catch (error) {
    console.error(
      `Temporal: the namespace ${namespace} could not be prepared. If you lack the permission, have an administrator create it with these search attributes of the type Keyword: ${names.join(', ')}.`,
    );
    throw error;
  }
}

try {
  await main();
} catch (error) {
  console.error(printedError(error));
  process.exitCode = 1;
}
