import { expect, test } from 'vitest';
import { whenDatabaseIsThere } from '../../health/database.ts';
import { createDatabase } from '../kit/database.ts';

const { sql } = await createDatabase();

/** Makes the server end the connection during a query, as a restart does. */
const loseServer = () => sql`select pg_terminate_backend(pg_backend_pid())`;

test('a process that loses the server during its first queries repeats them', async () => {
  let tries = 0;
  const clock = await whenDatabaseIsThere(sql, async () => {
    tries++;
    if (tries < 3) await loseServer();
    return 'followed';
  });
  expect([tries, clock]).toEqual([3, 'followed']);
});

test('any other error of the first queries ends the start', async () => {
  const start = whenDatabaseIsThere(sql, () => sql`select 1 / 0`);
  await expect(start).rejects.toThrow('division by zero');
});

test('a start that is stopped does not wait for the server', async () => {
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
