import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { connect } from '../../db/core/client.ts';
import { migrate } from '../../db/core/migrate.ts';
import { startPostgres } from '../../embedded/postgres.ts';
import { attributes } from '../../workflows/attributes.ts';
import { requireTemporalBinary, startTemporal } from '../../embedded/temporal.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A PostgreSQL server in which test/kit/database.ts creates databases. */
    databaseUrl: string;
    /** A migrated, empty database without connections. */
    templateDatabase: string;
    /** A Temporal server with the namespace `default` and the search attributes. */
    temporalAddress: string;
  }
}

const SEARCH_ATTRIBUTES = Object.values(attributes).map(({ name }) => name);

/**
 * One PostgreSQL and one Temporal server for all test files, in a temporary folder and on free ports, so that concurrent
 * test runs are independent. TEST_DATABASE_URL and TEST_TEMPORAL_ADDRESS select running servers instead.
 */
export default async function startServices(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(await scratchFolder(), 'torpedo-test-'));
  // For root, PostgreSQL runs as another user, who needs access to the folder.
  await chmod(folder, 0o711);
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const step of closing.toReversed()) await step();
  };

  const starts = await Promise.allSettled([
    startDatabase(project, join(folder, 'postgres'), closing),
    startTemporalServer(project, join(folder, 'temporal'), closing),
  ]);
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed) {
    await close();
    throw failed.reason;
  }
  return close;
}

/**
 * A file system in memory where there is one with room, as to create the 800 files of a database takes 12 ms there and
 * 300 ms of processor time on ext4. Containers often have only 64 MB of it.
 */
async function scratchFolder(): Promise<string> {
  const memory = '/dev/shm';
  const { bavail, bsize } = await statfs(memory).catch(() => ({ bavail: 0, bsize: 0 }));
  const enough = 4 * 1024 ** 3;
  return Math.min(bavail * bsize, freemem()) > enough ? memory : tmpdir();
}

async function startDatabase(project: TestProject, dataDir: string, closing: (() => Promise<unknown>)[]) {
  let url = process.env.TEST_DATABASE_URL;
  if (!url) {
    const server = await startPostgres({ dataDir, port: 0, throwaway: true, log: () => undefined });
    closing.push(server.stop);
    url = server.url;
  }
  const template = `torpedo_template_${randomBytes(4).toString('hex')}`;
  const server = connect(url, { max: 1 });
  await server`create database ${server(template)}`;
  closing.push(async () => {
    await server`drop database ${server(template)}`;
    await server.end();
  });
  const sql = connect(new URL(`/${template}`, url).href, { max: 2, purpose: 'migration' });
  await migrate(sql).finally(() => sql.end());
  project.provide('databaseUrl', url);
  project.provide('templateDatabase', template);
}

async function startTemporalServer(
  project: TestProject,
  dataDir: string,
  closing: (() => Promise<unknown>)[],
) {
  let address = process.env.TEST_TEMPORAL_ADDRESS;
  if (!address) {
    const server = await startTemporal({
      binary: await requireTemporalBinary(console.log),
      dataDir,
      port: 0,
      uiPort: null,
      namespace: 'default',
      searchAttributes: SEARCH_ATTRIBUTES,
      throwaway: true,
      log: () => undefined,
    });
    closing.push(server.stop);
    address = server.address;
  }
  project.provide('temporalAddress', address);
}
