import { type AddressInfo, createServer } from 'node:net';
import { pino } from 'pino';
import { afterAll } from 'vitest';
import { buildApp } from '../../api/http/app.ts';
import { ensureFirstAdmin } from '../../api/http/auth.ts';
import { adminConsole } from '../../console/app.tsx';
import { connectAnywhere, localTokens } from './connect.ts';
import { cheapPasswords } from './password.ts';
import { createSystem, type SystemOptions } from './system.ts';
import { localWebservice } from './webservice.ts';
import { localOutgoing } from './outgoing.ts';

/**
 * The complete system for one test file: workers, a gateway that posts receipts, and the API with the console at
 * `publicUrl`. Call it at the top of the file.
 */
export async function createWholeSystem(options: SystemOptions = {}) {
  // The workers need the address before the API listens, so the port is reserved until then.
  const reservation = createServer();
  await new Promise<void>((resolve) => reservation.listen(0, '127.0.0.1', resolve));
  const { port } = reservation.address() as AddressInfo;
  const publicUrl = `http://127.0.0.1:${port}`;
  const system = await createSystem({ ...options, publicUrl });
  const { sql, box, temporal, gateway } = system;
  await gateway.misbehave({ receipts: true });

  const app = await buildApp({
    sql,
    box,
    passwords: cheapPasswords,
    temporal,
    logger: pino({ level: 'silent' }),
    sms: {
      publicUrl,
      sandboxUrl: gateway.url,
      sendTimeoutMs: 5_000,
      connections: 4,
      connect: connectAnywhere,
      tokens: localTokens,
    },
    outgoing: localOutgoing,
    webservice: localWebservice,
    uploadLimitBytes: 1024 * 1024,
  });
  await app.register(adminConsole, { publicUrl });
  const admin = await ensureFirstAdmin(sql, cheapPasswords);
  if (!admin) throw new Error('The database is not new.');
  // As if the admin had chosen a password. test/console/story.test.ts tests the choice.
  await sql`update users set must_change_password = false`;
  await new Promise((resolve) => reservation.close(resolve));
  await app.listen({ port, host: '127.0.0.1' });
  afterAll(() => app.close());
  return { ...system, app, publicUrl, admin };
}
