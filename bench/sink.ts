import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

/**
 * Answers every POST as Twilio answers an accepted message, after LATENCY_MS, and stores nothing: the maximum rate of a
 * sender on this machine. A separate process, so that it shares no event loop with the code that is measured. Uses TLS
 * with the files TLS_CERT and TLS_KEY. STATUS: instead of 201, for clients that accept only 200. Prints its URL.
 */
const latencyMs = Number(process.env['LATENCY_MS'] ?? 0);
const status = Number(process.env['STATUS'] ?? 201);
const body = JSON.stringify({ sid: `SM${'0'.repeat(32)}`, status: 'queued' });
const head = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };

const handle: RequestListener = (request, response) => {
  request.resume();
  const answer = (): unknown => response.writeHead(status, head).end(body);
  request.once('end', latencyMs > 0 ? () => setTimeout(answer, latencyMs) : answer);
};
const { TLS_CERT: cert, TLS_KEY: key } = process.env;
const server =
  cert === undefined || key === undefined
    ? createServer(handle)
    : createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, handle);
server.keepAliveTimeout = 75_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address)
    console.log(`${cert === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`);
});
