/**
 * A process that starts both servers in the given folder, prints their addresses, and waits to be killed. For
 * test/system/embedded.test.ts.
 */
import { join } from 'node:path';
import { startPostgres } from '../../embedded/postgres.ts';
import { requireTemporalBinary, startTemporal } from '../../embedded/temporal.ts';

const [folder = ''] = process.argv.slice(2);
const log = console.error;
const [database, temporal] = await Promise.all([
  startPostgres({ dataDir: join(folder, 'postgres'), port: 0, log }),
  startTemporal({
    binary: await requireTemporalBinary(log),
    dataDir: join(folder, 'temporal'),
    port: 0,
    uiPort: null,
    namespace: 'default',
    searchAttributes: ['TorpedoCampaign'],
    log,
  }),
]);
console.log(
  JSON.stringify({ url: database.url, address: temporal.address, pids: [database.pid, temporal.pid] }),
);
setInterval(() => undefined, 60_000);
