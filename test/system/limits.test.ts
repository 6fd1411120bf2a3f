import { randomBytes } from 'node:crypto';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { startApi } from '../../api/main.ts';
import { startProxy } from '../../chaos/proxy.ts';
import { readConfig } from '../../config.ts';
import { connect } from '../../db/core/client.ts';
import { type Limits, limits, type Purpose } from '../../db/core/limits.ts';
import { createDatabase } from '../kit/database.ts';
import { until } from '../kit/until.ts';

const { sql, url } = await createDatabase();
await sql`create table held (n int)`;
await sql`insert into held values (1)`;

const none: Limits = { statementMs: 0, lockMs: 0, idleInTransactionMs: 0, silenceMs: 0 };
const opened: { end(): Promise<void> }[] = [];
afterAll(() => Promise.all(opened.map((one) => one.end())));
const limited = (changes: Partial<Limits>, application = 'limited', to = url) => {
  const one = connect(to, { max: 1, application, purpose: { ...none, ...changes } });
  opened.push(one);
  return one;
};

describe('each purpose has its limits', () => {
  test.each(Object.entries(limits))('%s', async (purpose, { statementMs, lockMs, idleInTransactionMs }) => {
    const one = connect(url, { max: 1, purpose: purpose as Purpose });
    const [row] = await one<[Record<string, number>]>`
      select ${one.unsafe(
        [
          'statement_timeout',
          'lock_timeout',
          'idle_in_transaction_session_timeout',
          'client_connection_check_interval',
          'tcp_keepalives_idle',
          'tcp_user_timeout',
        ]
          .map((name) => `(select setting::int from pg_settings where name = '${name}') as ${name}`)
          .join(),
      )}`;
    expect(row).toEqual({
      statementTimeout: statementMs,
      lockTimeout: lockMs,
      idleInTransactionSessionTimeout: idleInTransactionMs,
      clientConnectionCheckInterval: 5_000,
      tcpKeepalivesIdle: 15,
      tcpUserTimeout: 30_000,
    });
    await one.end();
  });

  test.each(Object.entries(limits))(
    '%s gives up on a silent server only after the statement timeout of the server',
    (_, one) => {
      const { statementMs, silenceMs } = one;
      expect(silenceMs === 0 ? statementMs : silenceMs).toBeGreaterThanOrEqual(statementMs);
    },
  );
});

test('a statement that takes too long fails, and the connection stays usable', async () => {
  const one = limited({ statementMs: 100 });
  await expect(one`select pg_sleep(60)`).rejects.toMatchObject({ code: '57014' });
  expect(await one`select 1 as one`).toEqual([{ one: 1 }]);
});

test('a COPY that takes too long fails, and its transaction releases its locks', async () => {
  const one = limited({ statementMs: 300 });
  const copying = one.begin(async (tx) => {
    await tx`lock table held in share row exclusive mode`;
    const copy = await tx`copy held from stdin`.writable();
    const ended = finished(copy);
    ended.catch(() => undefined);
    // PostgreSQL checks the timeout when data arrives.
    for (;;) {
      await Promise.race([sleep(20), ended]);
      copy.write('2\n');
    }
  });
  await expect(copying).rejects.toMatchObject({ code: '57014' });
  await sql`lock table held in share row exclusive mode nowait`.catch((error: unknown) => {
    // Refused because it is outside a transaction, not because the lock is taken.
    expect(error).toMatchObject({ code: '25P01' });
  });
});

test('a statement that waits too long for a lock fails, and the lock holder continues', async () => {
  const one = limited({ lockMs: 100 });
  await sql.begin(async (tx) => {
    await tx`update held set n = n + 1`;
    await expect(one`update held set n = n - 1`).rejects.toMatchObject({ code: '55P03' });
  });
  expect(await one`select n from held`).toEqual([{ n: 2 }]);
});

test('a transaction that is idle for too long is ended, and its locks are released', async () => {
  const one = limited({ idleInTransactionMs: 200 });
  const silent = one.begin(async (tx) => {
    await tx`update held set n = 99`;
    await until('the row is free', () =>
      sql.begin(async (other) => (await other`select from held for update skip locked`).count === 1),
    );
    await tx`update held set n = 100`;
  });
  await expect(silent).rejects.toThrow();
  expect(await sql`select from held where n >= 99`).toHaveLength(0);
});

test('a killed process leaves no running statement', async () => {
  const one = limited({}, 'killed');
  const running = one`select pg_sleep(600)`.execute();
  const pids = await until('it runs', async () => {
    const rows = await sql<{ pid: number }[]>`
      select pid from pg_stat_activity where application_name = 'killed' and wait_event = 'PgSleep'`;
    return rows.length > 0 && rows;
  });
  // Closes the socket as the operating system does for a killed process.
  await one.end({ timeout: 0 });
  await expect(running).rejects.toThrow();
  await until('the server has ended it', async () => {
    const rows = await sql`select from pg_stat_activity where pid = ${pids[0]?.pid ?? 0}`;
    return rows.count === 0;
  });
});

test('a connection whose packets are lost is abandoned and replaced', async () => {
  const proxy = await startProxy(Number(new URL(url).port));
  const through = new URL(url);
  through.port = String(proxy.port);
  const one = limited({ silenceMs: 500 }, 'silent', through.href);
  await one`select 1`;
  // An idle connection stays open beyond the limit.
  await sleep(700);
  const [before] = await one<[{ pid: number }]>`select pg_backend_pid() as pid`;
  expect(before.pid).toBe((await one<[{ pid: number }]>`select pg_backend_pid() as pid`)[0].pid);
  proxy.breakWith({ how: 'half_open' });
  await expect(one`select 1`).rejects.toMatchObject({ code: 'CONNECTION_SILENT' });
  proxy.repair();
  expect(await until('it answers again', () => one`select 1 as one`.catch(() => null))).toEqual([{ one: 1 }]);
  await one.end();
  await proxy.close();
});

test('a request that waits too long for a row lock gets 503, and other requests succeed meanwhile', async () => {
  const api = await startApi(
    readConfig({
      DATABASE_URL: url,
      DATABASE_POOL: '2',
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      PUBLIC_URL: 'http://127.0.0.1:1',
      SECRET_KEYS: `test:${randomBytes(32).toString('base64')}`,
      PORT: '0',
      LOG_LEVEL: 'silent',
    }),
  );
  try {
    const post = (path: string, body: object) =>
      fetch(new URL(path, api.url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const { login = '', password = '' } = api.firstAdmin ?? {};
    const cookie = (await post('/api/session', { login, password })).headers.getSetCookie().join('; ');
    const headers = { cookie, origin: 'http://127.0.0.1:1', 'content-type': 'application/json' };
    await fetch(new URL('/api/session/password', api.url), {
      method: 'PUT',
      headers,
      body: JSON.stringify({ current: password, password: randomBytes(18).toString('base64url') }),
    });
    const settings = new URL('/api/privacy/settings', api.url);
    const get = () => fetch(settings, { headers: { cookie } });
    const body = await (await get()).text();
    const put = () => fetch(settings, { method: 'PUT', headers, body });
    expect((await put()).status).toBe(200);
    await sql.begin(async (tx) => {
      await tx`select from privacy_settings for update`;
      const waiting = put();
      expect((await get()).status).toBe(200);
      const answer = await waiting;
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({ error: { code: 'busy' } });
    });
    expect((await put()).status).toBe(200);
  } finally {
    await api.stop();
  }
});
