import { expect, test } from 'vitest';
import { whenDatabaseIsThere } from '../../health/database.ts';
import { createDatabase } from '../kit/database.ts';

const { sql } = await createDatabase();

/** A connection of its own that the server ends in the middle of a query, as a restart does. */
const loseServer = () => sql`select pg_terminate_backend(pg_backend_pid())`;

test('A process whose server goes away during its first queries takes them again', async () => {
  let tries = 0;
  const clock = await whenDatabaseIsThere(sql, async () => {
    tries++;
    if (tries < 3) await loseServer();
    return 'followed';
  });
  expect([tries, clock]).toEqual([3, 'followed']);
});

test('Another error of the first queries ends the start', async () => {
  const start = whenDatabaseIsThere(sql, () => sql`select 1 / 0`);
  await expect(start).rejects.toThrow('division by zero');
});

test('A start that is stopped does not wait for the server', async () => {
  const stopping = new AbortController();
  const start = whenDatabaseIsThere(
    sql,
    async () => {
      stopping.abort();
      await loseServer();
    },
    stopping.signal,
  );
  await expect(start).rejects.toThrow('aborted');
});
