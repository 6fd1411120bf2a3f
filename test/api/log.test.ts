import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { createLog } from '../../health/log.ts';
import { createDatabase } from '../kit/database.ts';

const { sql } = await createDatabase();

test('a log line contains the code of a PostgreSQL error, but no values from the row that the error quotes', async () => {
  const lines: string[] = [];
  const log = createLog(
    'test',
    'info',
    new Writable({
      write(line: Buffer, _, done) {
        lines.push(line.toString());
        done();
      },
    }),
  );
  const add = () =>
    sql`insert into customers (code, name, mobile) values ('log-1', 'Maria Souza', '+5511955551234')`;
  await add();
  const error: unknown = await add().catch((error: unknown) => error);
  expect(error).toMatchObject({ code: '23505', detail: expect.stringContaining('log-1') as string });
  log.error({ err: error }, 'request failed');
  log.warn({ error, cookie: 'none' }, 'it failed');
  log.warn({ err: new Error('outer', { cause: error }) }, 'it failed');
  expect(lines).toHaveLength(3);
  for (const line of lines.slice(0, 2)) expect(line).toContain('23505');
  expect(lines.join('')).not.toMatch(/log-1|Maria|55551234/);
});
