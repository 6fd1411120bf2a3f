import { ConfigError, readMigrationConfig } from '../config.ts';
import { connect } from '../db/core/client.ts';
import { moveHome } from '../db/core/deployment.ts';
import { assertMigrated } from '../db/core/migrate.ts';
import { taskQueue } from '../domain/ids.ts';
import { printedError } from '../health/start.ts';
import { describeRestore, stopAfterRestore } from '../worker/restored.ts';
import { connectTemporal } from './connect-temporal.ts';

/**
 * `npm run restored`: marks the database at DATABASE_URL as restored from a backup, for cases in which Torpedo cannot
 * detect that. `--complete`: nothing happened after the backup was made, as in a planned move; then nothing is stopped.
 */
async function main(): Promise<void> {
  const config = readMigrationConfig();
  const complete = process.argv.includes('--complete');
  const { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE: namespace } = config;
  const sql = connect(DATABASE_URL, { max: 3, application: 'torpedo-restored' });
  try {
    await assertMigrated(sql);
    if (complete) {
      await moveHome(sql);
      console.log('The database is marked as complete. Runs and workflows continue where they were.');
      return;
    }
    if (TEMPORAL_ADDRESS === undefined) throw new ConfigError('Set TEMPORAL_ADDRESS: host:7233.');
    const connection = await connectTemporal(TEMPORAL_ADDRESS, config);
    try {
      console.log(describeRestore(await stopAfterRestore(sql, { connection, namespace, taskQueue })));
    } finally {
      await connection.close();
    }
  } finally {
    await sql.end();
  }
}

try {
  await main();
} catch (error) {
  console.error(printedError(error));
  process.exitCode = 1;
}
