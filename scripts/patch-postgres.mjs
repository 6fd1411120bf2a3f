// Runs after `npm ci`, and before `npm start`, `npm test` and `npm run demo`: plain JavaScript, no dependencies.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../node_modules/postgres/src/connection.js', import.meta.url));

/**
 * Mends what postgres 3.4.9 (the last version) does when a connection is reset while it is in use, as in every restart
 * or fail-over of the server. Between the socket's events 'error' and 'close', the pool still takes the connection for
 * a good one. A query given to it then is neither sent nor failed: it waits for ever, and once the connection is made
 * anew it is taken for the one that the server answers, so that each query there gets the rows of the next. And the
 * flag that says that a write is about to happen stays set, so that nothing is written any more.
 *
 * With this, whatever the connection holds when it closes fails with CONNECTION_CLOSED. test/client.test.ts fails
 * without it.
 */
const ORIGINAL = `    !hadError && (query || sent.length) && error(Errors.connection('CONNECTION_CLOSED', options, socket))
`;
const MENDED = `    if (query || sent.length)
      error(Errors.connection('CONNECTION_CLOSED', options, socket))
    query = errorResponse = chunk = nextWriteTimer = null
`;

export function patchPostgres() {
  const source = readFileSync(FILE, 'utf8');
  if (source.includes(MENDED)) return;
  if (!source.includes(ORIGINAL)) {
    throw new Error(
      'The package postgres is another version than scripts/patch-postgres.mjs was written for. See whether it still needs the patch (test/client.test.ts), then correct or remove it.',
    );
  }
  // Renamed into place: a process that starts meanwhile reads one or the other.
  const draft = `${FILE}.${process.pid}`;
  writeFileSync(draft, source.replace(ORIGINAL, MENDED));
  renameSync(draft, FILE);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) patchPostgres();
