// Runs after `npm ci`, and before `npm start`, `npm test` and `npm run demo`: plain JavaScript, no dependencies.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = new URL('../node_modules/postgres/src/', import.meta.url);

/**
 * The bugs of postgres 3.4.9, the newest release, that hang or crash a process or lose a transaction. Each names its
 * upstream issue (github.com/porsager/postgres) and is removed when a release fixes it. test/system/client.test.ts and
 * test/system/client.restart.test.ts fail without them.
 */
const PATCHES = [
  {
    // Issue 1130. A connection that is reset while it is in use stays in the pool between the socket's events 'error'
    // and 'close'. A query that it receives in this interval is neither sent nor rejected, and after the reconnect each
    // query gets the rows of the next. The flag that a write is scheduled also stays set, so that nothing is written
    // again. Patched: everything that the connection holds when it closes is rejected with CONNECTION_CLOSED.
    file: 'connection.js',
    original: `    !hadError && (query || sent.length) && error(Errors.connection('CONNECTION_CLOSED', options, socket))
`,
    patched: `    if (query || sent.length)
      error(Errors.connection('CONNECTION_CLOSED', options, socket))
    query = errorResponse = chunk = nextWriteTimer = null
`,
  },
  {
    // Issue 1173. When the server refuses a COPY as it ends, the stream was dropped before the server's answer, so it
    // never ends and its caller waits forever. Patched: the stream fails with the server's error.
    file: 'connection.js',
    original: `        final = callback
        stream = null
      }
    })
    query.resolve(stream)
  }

  function CopyOutResponse() {
`,
    patched: `        final = callback
      }
    })
    query.resolve(stream)
  }

  function CopyOutResponse() {
`,
  },
  {
    // Issues 1154 and 1208. A query, a scheduled write or a COPY that reaches a connection whose socket is gone throws a
    // TypeError that no caller can catch, and the process ends. Patched, here and in the next three: it is rejected, or
    // dropped where its caller has been rejected already.
    file: 'connection.js',
    original: `    if (stream)
      return queryError(q, Errors.generic('COPY_IN_PROGRESS', 'You cannot execute queries during copy'))
`,
    patched: `    if (!socket)
      return queryError(q, Errors.connection('CONNECTION_CLOSED', options))

    if (stream)
      return queryError(q, Errors.generic('COPY_IN_PROGRESS', 'You cannot execute queries during copy'))
`,
  },
  {
    file: 'connection.js',
    original: `    const x = socket.write(chunk, fn)
`,
    patched: `    if (!socket) {
      chunk = nextWriteTimer = null
      return true
    }
    const x = socket.write(chunk, fn)
`,
  },
  {
    file: 'connection.js',
    original: `  function CopyInResponse() {
    stream = new Stream.Writable({
      autoDestroy: true,
      write(chunk, encoding, callback) {
        socket.write(b().d().raw(chunk).end(), callback)
      },
      destroy(error, callback) {
        callback(error)
        socket.write(b().f().str(error + b.N).end())
        stream = null
      },
      final(callback) {
        socket.write(b().c().end())
`,
    patched: `  function CopyInResponse() {
    const copySocket = socket
    stream = new Stream.Writable({
      autoDestroy: true,
      write(chunk, encoding, callback) {
        copySocket.write(b().d().raw(chunk).end(), callback)
      },
      destroy(error, callback) {
        callback(error)
        if (copySocket !== socket)
          return
        copySocket.write(b().f().str(error + b.N).end())
        stream = null
      },
      final(callback) {
        copySocket.write(b().c().end())
`,
  },
  {
    file: 'connection.js',
    original: `    closedTime = performance.now()
    hadError && options.shared.retries++
`,
    patched: `    stream = final = null
    closedTime = performance.now()
    hadError && options.shared.retries++
`,
  },
  {
    // Issue 1216. A transaction keeps its reference to a connection that has closed. Once the pool has opened that
    // connection again for another query, further statements of the transaction (at least its ROLLBACK) run there:
    // outside a transaction, or in another one. Statements waiting in the transaction never settle. Patched: both are
    // rejected. reserve() has the same bug, and others; nothing here may use it (db/core/client.ts).
    file: 'index.js',
    original: `      , connection
      , prepare = null

    try {
      await sql.unsafe('begin ' + options.replace(/[^a-z ]/ig, ''), [], { onexecute }).execute()
      return await Promise.race([
        scope(connection, fn),
        new Promise((_, reject) => connection.onclose = reject)
      ])
`,
    patched: `      , connection
      , lost = null
      , prepare = null

    try {
      await sql.unsafe('begin ' + options.replace(/[^a-z ]/ig, ''), [], { onexecute }).execute()
      return await Promise.race([
        scope(connection, fn),
        new Promise((_, reject) => connection.onclose = e => {
          lost = e
          while (queries.length)
            queries.shift().reject(e)
          reject(e)
        })
      ])
`,
  },
  {
    file: 'index.js',
    original: `        q.catch(e => uncaughtError || (uncaughtError = e))
        c.queue === full
`,
    patched: `        q.catch(e => uncaughtError || (uncaughtError = e))
        if (lost)
          return q.reject(lost)
        c.queue === full
`,
  },
  {
    // A missing feature, without an issue. If the network drops packets silently, a query waits for as long as the
    // operating system retransmits: 15 minutes on Linux. Patched: a connection that waits for the server and receives
    // nothing for options.silence seconds is closed (db/core/client.ts sets it).
    file: 'connection.js',
    original: `      keep_alive && socket.setKeepAlive && socket.setKeepAlive(true, 1000 * keep_alive)
`,
    patched: `      keep_alive && socket.setKeepAlive && socket.setKeepAlive(true, 1000 * keep_alive)
      options.silence && socket.setTimeout(1000 * options.silence)
      socket.on('timeout', () =>
        (query || sent.length) && socket && socket.destroy(Errors.connection('CONNECTION_SILENT', options, socket)))
`,
  },
  {
    // The mark that `connect` checks (db/core/client.ts). A change of the patches increments the number in both.
    file: 'index.js',
    original: `Object.assign(Postgres, {
  PostgresError,
`,
    patched: `Object.assign(Postgres, {
  torpedoPatches: 2,
  PostgresError,
`,
  },
];

export function patchPostgres() {
  for (const file of new Set(PATCHES.map((patch) => patch.file))) patchFile(file);
}

function patchFile(file) {
  const path = fileURLToPath(new URL(file, folder));
  const source = readFileSync(path, 'utf8');
  // The mark of earlier patches is replaced.
  let result = source.replace(/ *torpedoPatches: \d+,\n/, '');
  for (const { original, patched } of PATCHES.filter((patch) => patch.file === file)) {
    if (result.includes(patched)) continue;
    if (!result.includes(original)) {
      throw new Error(
        `node_modules/postgres/src/${file} is not the source that scripts/patch-postgres.mjs was written for. Run \`npm ci\`. If that does not help, the package has another version: see whether it still needs the patches (test/system/client.test.ts and client.restart.test.ts), then correct or remove them.`,
      );
    }
    result = result.replace(original, patched);
  }
  if (result === source) return;
  // Renamed into place: a process that starts meanwhile reads one or the other.
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, result);
  renameSync(draft, path);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) patchPostgres();
