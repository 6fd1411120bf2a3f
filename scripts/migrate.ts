import { Connection } from '@temporalio/client';
import { ConfigError, readMigrationConfig } from '../config.ts';
import { connect, DatabaseSetupError } from '../db/core/client.ts';
import { migrate } from '../db/core/migrate.ts';
import { seedSettings } from '../db/settings/seed.ts';
import { prepareNamespace } from '../worker/namespace.ts';
import { attributes } from '../workflows/attributes.ts';

/**
 * `npm run migrate`: brings the database at DATABASE_URL up to date and gives a new one its first settings; then makes
 * the namespace and the search attributes that the server at TEMPORAL_ADDRESS lacks. May be repeated at any time.
 */
type MigrationConfig = ReturnType<typeof readMigrationConfig>;

async function prepareDatabase({ DATABASE_URL }: MigrationConfig): Promise<void> {
  const sql = connect(DATABASE_URL, { max: 3, application: 'torpedo-migrate' });
  try {
    const done = await migrate(sql);
    await seedSettings(sql, new Date());
    console.log(
      done.length > 0 ? `Database: applied ${done.join(', ')}.` : 'Database: the schema is up to date.',
    );
  } finally {
    await sql.end();
  }
}

async function prepareTemporal(config: MigrationConfig): Promise<void> {
  if (config.TEMPORAL_ADDRESS === undefined) {
    console.log('Temporal: left alone, TEMPORAL_ADDRESS is not given.');
    return;
  }
  const namespace = config.TEMPORAL_NAMESPACE;
  const names = Object.values(attributes).map(({ name }) => name);
  const connection = await Connection.connect({
    address: config.TEMPORAL_ADDRESS,
    tls: config.TEMPORAL_TLS,
    ...(config.TEMPORAL_API_KEY === undefined ? {} : { apiKey: config.TEMPORAL_API_KEY }),
  }).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(
      `The Temporal server at TEMPORAL_ADDRESS (${config.TEMPORAL_ADDRESS ?? ''}) can't be reached: ${why}.`,
    );
  });
  try {
    const { created, searchAttributes } = await prepareNamespace(connection, namespace, names);
    const done = [
      ...(created ? [`made the namespace ${namespace}`] : []),
      ...(searchAttributes.length > 0 ? [`added the search attributes ${searchAttributes.join(', ')}`] : []),
    ];
    console.log(done.length > 0 ? `Temporal: ${done.join('; ')}.` : 'Temporal: all is there already.');
  } catch (error) {
    console.error(
      `Temporal: the namespace ${namespace} could not be prepared. Where you may not do this yourself, have it made with these search attributes of the type Keyword: ${names.join(', ')}.`,
    );
    throw error;
  } finally {
    await connection.close();
  }
}

try {
  const config = readMigrationConfig();
  await prepareDatabase(config);
  await prepareTemporal(config);
} catch (error) {
  console.error(error instanceof ConfigError || error instanceof DatabaseSetupError ? error.message : error);
  process.exitCode = 1;
}
