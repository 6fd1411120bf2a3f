import { createServer } from 'node:http';

/**
 * Answers every POST as Twilio answers an accepted message, after LATENCY_MS, and keeps nothing: what a sender can reach at
 * most on this machine. A process of its own, so that it shares no event loop with what is measured. Prints its URL.
 */
const latencyMs = Number(process.env['LATENCY_MS'] ?? 0);
const body = JSON.stringify({ sid: `SM${'0'.repeat(32)}`, status: 'queued' });
const head = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };

const server = createServer((request, response) => {
  request.resume();
  const answer = (): unknown => response.writeHead(201, head).end(body);
  request.once('end', latencyMs > 0 ? () => setTimeout(answer, latencyMs) : answer);
});
server.keepAliveTimeout = 75_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address) console.log(`http://127.0.0.1:${address.port}`);
});
