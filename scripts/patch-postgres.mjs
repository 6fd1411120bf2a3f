// Runs after `npm ci`, and before `npm start`, `npm test` and `npm run demo`: plain JavaScript, no dependencies.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../node_modules/postgres/src/connection.js', import.meta.url));

/** What postgres 3.4.9 (the last version) does wrong, and how it is mended. test/system/client.test.ts fails without each. */
const PATCHES = [
  {
    // When a connection is reset while it is in use, as in every restart or fail-over of the server: between the socket's
    // events 'error' and 'close', the pool still takes it for a good one. A query given to it then is neither sent nor
    // failed: it waits for ever, and once the connection is made anew it is taken for the one that the server answers,
    // so that each query there gets the rows of the next. And the flag that says that a write is about to happen stays
    // set, so that nothing is written any more. Mended, whatever it holds when it closes fails with CONNECTION_CLOSED.
    original: `    !hadError && (query || sent.length) && error(Errors.connection('CONNECTION_CLOSED', options, socket))
`,
    mended: `    if (query || sent.length)
      error(Errors.connection('CONNECTION_CLOSED', options, socket))
    query = errorResponse = chunk = nextWriteTimer = null
`,
  },
  {
    // When the server refuses a COPY as it ends: the stream is forgotten before the server has answered, so that its end
    // never comes, and whoever waits for it does so for ever. Mended, the stream fails with the server's error.
    original: `        final = callback
        stream = null
      }
    })
    query.resolve(stream)
  }

  function CopyOutResponse() {
`,
    mended: `        final = callback
      }
    })
    query.resolve(stream)
  }

  function CopyOutResponse() {
`,
  },
];

export function patchPostgres() {
  const source = readFileSync(FILE, 'utf8');
  let patched = source;
  for (const { original, mended } of PATCHES) {
    if (patched.includes(mended)) continue;
    if (!patched.includes(original)) {
      throw new Error(
        'The package postgres is another version than scripts/patch-postgres.mjs was written for. See whether it still needs the patches (test/system/client.test.ts), then correct or remove them.',
      );
    }
    patched = patched.replace(original, mended);
  }
  if (patched === source) return;
  // Renamed into place: a process that starts meanwhile reads one or the other.
  const draft = `${FILE}.${process.pid}`;
  writeFileSync(draft, patched);
  renameSync(draft, FILE);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) patchPostgres();
