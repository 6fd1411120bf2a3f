import { expect, test } from 'vitest';
import { followDatabaseClock } from '../../db/core/clock.ts';
import { createDatabase } from '../kit/database.ts';

const { sql } = await createDatabase();

test('a process with a wrong clock follows the clock of the database and warns once', async () => {
  const warnings: number[] = [];
  const clock = await followDatabaseClock({
    sql,
    log: { warn: ({ skewMs }) => warnings.push(skewMs) },
    localNow: () => Date.now() + 50 * 60_000,
  });
  const [{ now }] = await sql<[{ now: Date }]>`select clock_timestamp() as now`;
  // A busy machine can take long between the two reads.
  expect(Math.abs(clock.now().getTime() - now.getTime())).toBeLessThan(30_000);
  clock.stop();
  expect(warnings).toHaveLength(1);
  expect(Math.round((warnings[0] ?? 0) / 60_000)).toBe(50);
});

test('a correct clock causes no warning', async () => {
  const warnings: number[] = [];
  const clock = await followDatabaseClock({ sql, log: { warn: ({ skewMs }) => warnings.push(skewMs) } });
  clock.stop();
  expect(warnings).toEqual([]);
});
