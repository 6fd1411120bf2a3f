import { pino } from 'pino';
import { afterAll } from 'vitest';
import { buildApp } from '../api/app.ts';
import type { System } from './system.ts';

/** The API at the address that the system gave the gateway for its receipts. */
export async function listenForReceipts(system: System, publicUrl: string): Promise<void> {
  const app = await buildApp({
    sql: system.sql,
    box: system.box,
    temporal: system.temporal,
    logger: pino({ level: 'silent' }),
    sms: { publicUrl, sandboxUrl: system.gateway.url, sendTimeoutMs: 2_000, connections: 1 },
    uploadLimitBytes: 1024,
  });
  await app.listen({ host: '127.0.0.1', port: Number(new URL(publicUrl).port) });
  afterAll(() => app.close());
}
