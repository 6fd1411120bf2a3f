import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readinessOf, type Servers } from '../health/readiness.ts';
import type { ServerWatch } from '../health/watch.ts';

/** An answer is a few hundred bytes; a client that does not read it in this time is disconnected. */
const timeoutMs = 5_000;

export interface HealthServer {
  url: string;
  close(): Promise<void>;
}

/** Answers `GET /health/live` and `GET /health/ready` as the API does, without a login. */
export async function listenForHealthChecks({
  host,
  port,
  watch,
  isPolling,
}: {
  host: string;
  port: number;
  watch: ServerWatch<Servers>;
  isPolling: () => boolean;
}): Promise<HealthServer> {
  const answer = async (path: string): Promise<readonly [status: number, body: object]> => {
    if (path === '/health/live') return [200, { live: true }];
    if (path !== '/health/ready') return [404, { error: 'There are only /health/live and /health/ready.' }];
    const polling = isPolling();
    const body = { ...readinessOf(await watch.look(), polling), polling };
    return [body.ready ? 200 : 503, body];
  };
  const server = createServer((request, response) => {
    void answer(request.url ?? '').then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify(body));
    });
  });
  server.requestTimeout = timeoutMs;
  server.headersTimeout = timeoutMs;
  server.listen(port, host);
  await once(server, 'listening');
  // The address of a TCP server has this form.
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${taken}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
