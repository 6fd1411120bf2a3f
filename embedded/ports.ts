import { createServer } from 'node:net';
import { StartError } from './start-error.ts';

/** Throws a StartError that names the port and the setting unless `port` of 127.0.0.1 is free. */
export async function requireFreePort(port: number, wantedBy: string, setting: string): Promise<void> {
  const code = await tryToListen(port);
  if (code === null) return;
  if (code === 'EADDRINUSE') {
    throw new StartError(
      `${wantedBy} needs port ${port}, which another program is using. Stop that program, or choose another port with ${setting}.`,
    );
  }
  throw new StartError(
    `${wantedBy} cannot listen on port ${port} (${code}). Choose another with ${setting}.`,
  );
}

/** A port of 127.0.0.1 that is free now. Use it at once: nothing reserves it. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('The system gave no port'));
      });
    });
  });
}

/** Null if the port could be listened on, else the system's error code. */
async function tryToListen(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(null)));
  });
}
