import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { connect } from '../../db/core/client.ts';
import { LockTakenError, withHeldLock } from '../../db/core/held-lock.ts';
import { createDatabase } from '../kit/database.ts';
import { until } from '../kit/until.ts';

const { sql, url } = await createDatabase();

/** Retries until the lock is free: the lock of a cut connection is released with a delay. */
const takeLock = (name: string) =>
  until(`the lock ${name} is free`, () =>
    withHeldLock(sql, name, async () => true).catch((error: unknown) => {
      if (error instanceof LockTakenError) return false;
      throw error;
    }),
  );

test('a lock has one holder at a time and can be taken again after its release', async () => {
  const result = await withHeldLock(sql, 'a', async (lock) => {
    expect(lock.isHeld()).toBe(true);
    await expect(withHeldLock(sql, 'a', async () => null)).rejects.toThrow(LockTakenError);
    return withHeldLock(sql, 'b', async () => 'both');
  });
  expect(result).toBe('both');
  await takeLock('a');
});

test('a holder whose connection is cut gets an abort signal, and the call waits for its work', async () => {
  const holder = connect(url, { application: 'holder', max: 3 });
  let ended = false;
  const working = withHeldLock(holder, 'cut', async (lock) => {
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'holder'`;
    if (!lock.signal.aborted) await once(lock.signal, 'abort');
    expect(lock.isHeld()).toBe(false);
    // The pool has reconnected, but the lock is lost.
    await until('the pool answers again', () => holder`select 1`.then(() => true).catch(() => false));
    await takeLock('cut');
    ended = true;
    return 'done';
  });
  await expect(working).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
  expect(ended).toBe(true);
  await holder.end();
});

test('confirming a lock fails when another holder has it, even before the own connection has closed', async () => {
  const holder = connect(url, { application: 'asking holder', max: 2 });
  const working = withHeldLock(holder, 'asked', async (lock) => {
    await lock.confirm();
    await sql.begin(async (tx) => {
      const taken = tx`select pg_advisory_xact_lock(hashtext('asked'))`.execute();
      await until('the other waits', async () => {
        const [row] = await sql<[{ waits: boolean }]>`
          select exists (select from pg_locks where locktype = 'advisory' and not granted
            and database = (select oid from pg_database where datname = current_database())) as waits`;
        return row.waits;
      });
      await sql`
        select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'asking holder'`;
      await taken;
      await expect(lock.confirm()).rejects.toThrow();
    });
    return 'done';
  });
  await expect(working).rejects.toThrow();
  await holder.end();
});

test('a holder that lost its lock while it was frozen does nothing after it resumes', async () => {
  const script = fileURLToPath(new URL('../kit/held-lock-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, url, 'frozen'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  afterAll(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await until('it holds the lock', () => output.includes('step'));
  child.kill('SIGSTOP');
  await takeLock('frozen');
  output = '';
  child.kill('SIGCONT');
  await until('it has ended', () => output.includes('ended'));
  expect(output).toBe('lost\nended: Error\n');
});
