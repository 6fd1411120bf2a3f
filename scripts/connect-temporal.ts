import { Connection } from '@temporalio/client';
import { ConfigError, type readMigrationConfig } from '../config.ts';

type TemporalConfig = Pick<ReturnType<typeof readMigrationConfig>, 'TEMPORAL_TLS' | 'TEMPORAL_API_KEY'>;

/** Connects at once, for a command. Throws a `ConfigError` when the server cannot be reached. */
export async function connectTemporal(address: string, config: TemporalConfig): Promise<Connection> {
  try {
    return await Connection.connect({
      address,
      tls: config.TEMPORAL_TLS,
      ...(config.TEMPORAL_API_KEY === undefined ? {} : { apiKey: config.TEMPORAL_API_KEY }),
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`The Temporal server at TEMPORAL_ADDRESS (${address}) cannot be reached: ${why}.`);
  }
}
