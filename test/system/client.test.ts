import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { connect } from '../../db/core/client.ts';
import { createDatabase } from '../kit/database.ts';
import { until } from '../kit/until.ts';

const { sql, url } = await createDatabase();

test('array parameters keep every text, number and time unchanged', async () => {
  const texts = ['', ' ', 'NULL', 'null', '"', '\\', '\\"', '{a,b}', 'ção, 😀', "it's", '\n\t', null];
  const rows = await sql<{ text: string | null }[]>`select unnest(${texts}::text[]) as text`;
  expect(rows.map(({ text }) => text)).toEqual(texts);
  const ids = await sql<{ id: number }[]>`select unnest(${[1, 2 ** 40]}::bigint[]) as id`;
  expect(ids.map(({ id }) => id)).toEqual([1, 2 ** 40]);
  const times = await sql<{ at: Date | null }[]>`
    select unnest(${['2026-11-23T10:00:00.123Z', null]}::timestamptz[]) as at`;
  expect(times.map(({ at }) => at)).toEqual([new Date('2026-11-23T10:00:00.123Z'), null]);
  expect((await sql`select from unnest(${[]}::int[])`).count).toBe(0);
});

test('a connection that is cut right after it opens fails only its own query', async () => {
  const unhandled: unknown[] = [];
  const record = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', record);
  const cut = connect(url, { application: 'cut', max: 4 });
  const deadline = performance.now() + 3_000;
  const queries = Promise.all(
    Array.from({ length: 4 }, async () => {
      while (performance.now() < deadline) await cut`select 1`.catch(() => undefined);
    }),
  );
  while (performance.now() < deadline) {
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cut'`;
    await sleep(2);
  }
  // No query hangs forever, although postgres.js waits longer before each reconnect.
  await queries;
  await cut.end({ timeout: 1 });
  process.off('unhandledRejection', record);
  expect(unhandled).toEqual([]);
});

test.each([
  ['while rows arrive', 'before insert on refused for each row'],
  ['at its end', 'after insert on refused for each statement'],
])(
  'a COPY that the server refuses %s fails with its error, and the connection stays usable',
  async (_, when) => {
    const one = connect(url, { max: 1 });
    const refused = one.begin(async (tx) => {
      await tx.unsafe(`
      create table refused (n int);
      create function pg_temp.refuse() returns trigger language plpgsql as $$ begin raise 'Refused.'; end $$;
      create trigger refuse ${when} execute function pg_temp.refuse()`);
      const copy = await tx`copy refused from stdin`.writable();
      copy.write('1\n');
      copy.end('2\n');
      await finished(copy);
    });
    await expect(refused).rejects.toThrow('Refused.');
    expect(await one`select to_regclass('refused') as gone`).toMatchObject([{ gone: null }]);
    await one.end();
  },
);

test('statements of a transaction whose connection was cut do not run on another connection', async () => {
  await sql`create table late (n int)`;
  // The pool reopens its only connection for the waiting query.
  const one = connect(url, { application: 'one', max: 1 });
  const waiting: Promise<unknown>[] = [];
  const cut = one.begin(async (tx) => {
    await tx`insert into late values (1)`;
    waiting.push(one`select pg_sleep(0.2)`.execute());
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'one'`;
    await tx`select 1`.catch(() => undefined);
    await waiting[0]?.catch(() => undefined);
    await Promise.allSettled([tx`insert into late values (2)`, tx`insert into late values (3)`]);
    await one`insert into late values (4)`;
  });
  await expect(cut).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
  await until('the rest of it has run', async () => (await sql`select from late where n = 4`).count > 0);
  expect(await sql`select n from late`).toEqual([{ n: 4 }]);
  await one.end();
});

test('a process with an unpatched driver refuses to run and names the fix', async () => {
  // The package as npm installs it, for copies of the files that import it.
  const folder = await mkdtemp(join(tmpdir(), 'torpedo-unpatched-'));
  try {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const unpatched = join(folder, 'node_modules', 'postgres');
    await cp(join(root, 'node_modules', 'postgres'), unpatched, { recursive: true });
    for (const file of ['client.ts', 'limits.ts'])
      await cp(join(root, 'db', 'core', file), join(folder, file));
    const source = join(unpatched, 'src', 'index.js');
    await writeFile(source, (await readFile(source, 'utf8')).replace(/ *torpedoPatches: \d+,\n/, ''));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    const main = join(folder, 'main.ts');
    await writeFile(main, "import { connect } from './client.ts'; connect('postgres://127.0.0.1:1/none');");
    const run = promisify(execFile)(process.execPath, ['--import', 'tsx', main], { cwd: root });
    await expect(run).rejects.toMatchObject({
      stderr: expect.stringContaining('Run `node scripts/patch-postgres.mjs`, then start again.') as string,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
