import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { connectLazily, temporalProbe } from '../../health/temporal.ts';

test('a call to Temporal that is being retried fails when the connection is closed', async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  const { connection, close } = connectLazily({ address: `127.0.0.1:${address.port}`, tls: false });
  const call = connection.workflowService.getSystemInfo({});
  const failed = expect(call).rejects.toThrow('UNAVAILABLE');
  await expect.poll(() => connections).toBeGreaterThan(1);
  await close();
  await failed;
  await expect(temporalProbe(connection, 'default')()).rejects.toThrow();
  server.close();
});
