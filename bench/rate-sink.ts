import { createServer } from 'node:http';

/**
 * Answers every POST as Twilio answers an accepted message. Records when each arrived, its campaign, and the number of
 * its segments by its length; a GET returns these records and clears them. It answers after LATENCY_MS. A separate
 * process: it records what a provider receives.
 */
const latencyMs = Number(process.env['LATENCY_MS'] ?? 0);
const body = JSON.stringify({ sid: `SM${'0'.repeat(32)}`, status: 'queued' });
const head = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
/** The longest text of one segment in the alphabet of the benchmark's texts. */
const oneSegment = 160;

let arrivals: { at: number; messageId: number; segments: number }[] = [];

const server = createServer((request, response) => {
  const at = performance.now();
  if (request.method === 'GET') {
    const text = JSON.stringify(arrivals);
    arrivals = [];
    response.end(text);
    return;
  }
  let form = '';
  request.setEncoding('latin1').on('data', (piece: string) => (form += piece));
  request.once('end', () => {
    const fields = new URLSearchParams(form);
    const callback = new URL(fields.get('StatusCallback') ?? '');
    const segments = (fields.get('Body') ?? '').length > oneSegment ? 2 : 1;
    arrivals.push({ at, messageId: Number(callback.searchParams.get('message')), segments });
    setTimeout(() => response.writeHead(201, head).end(body), latencyMs);
  });
});
server.keepAliveTimeout = 75_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address) console.log(`http://127.0.0.1:${address.port}`);
});
