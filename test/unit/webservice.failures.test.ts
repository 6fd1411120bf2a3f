import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { startRawServer } from '../kit/raw-server.ts';
import { bytes, createWebserviceReader, json, numberedContacts, startWebservice } from '../kit/webservice.ts';

const service = await startWebservice(json([]));
afterAll(() => service.close());
const { codes, refusal } = createWebserviceReader(service);

describe('a fetch fails with a clear message when the service', () => {
  const at = (port: number): string => `http://127.0.0.1:${port}/contacts`;

  test('has a name that DNS does not know', async () => {
    expect(await refusal({ url: 'http://torpedo.invalid/contacts' })).toEqual({
      code: 'dns_failed',
      message: 'The name torpedo.invalid cannot be found (DNS). Check its spelling.',
      mayPass: true,
    });
  });

  test('does not listen on the port', async () => {
    const closed = await startWebservice(json([]));
    await closed.close();
    expect(await refusal({ url: closed.url })).toEqual({
      code: 'connection_refused',
      message: '127.0.0.1 refuses the connection: nothing listens on this port.',
      mayPass: true,
    });
  });

  test('does not speak TLS at an https address', async () => {
    expect(await refusal({ url: service.url.replace('http:', 'https:') })).toEqual({
      code: 'tls_failed',
      message:
        '127.0.0.1 does not use TLS on this port. Check the port, or whether the address begins with http://.',
      mayPass: false,
    });
  });

  test('has a self-signed certificate', async () => {
    const pem = (name: string) => readFileSync(new URL(`../tls/${name}.pem`, import.meta.url));
    const server = createTlsServer({ key: pem('key'), cert: pem('cert') }, (_, response) =>
      response.end('[]'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await refusal({ url: `https://127.0.0.1:${port}/` })).toEqual({
      code: 'tls_failed',
      message:
        'The connection to 127.0.0.1 is not safe: its certificate is self-signed (DEPTH_ZERO_SELF_SIGNED_CERT).',
      mayPass: false,
    });
    await new Promise((resolve) => server.close(resolve));
  });

  test.each([
    [400, 'request_refused', '127.0.0.1 refuses the request (400). Check the parameters.', false],
    [
      401,
      'unauthorized',
      '127.0.0.1 asks for credentials (401). Choose an integration for the campaign.',
      false,
    ],
    [403, 'forbidden', '127.0.0.1 forbids access to this address (403).', false],
    [404, 'address_not_found', '127.0.0.1 has nothing at this address (404).', false],
    [418, 'request_refused', '127.0.0.1 refuses the request (418). Check the parameters.', false],
    [429, 'too_many_requests', '127.0.0.1 asks for fewer requests (429).', true],
    [500, 'server_error', '127.0.0.1 has failed (500).', true],
    [503, 'server_error', '127.0.0.1 has failed (503).', true],
    [206, 'status_unexpected', '127.0.0.1 answered with the status 206, which has no records.', false],
    [302, 'redirect_broken', '127.0.0.1 redirects (302) without a usable address.', false],
  ])('answers with %i', async (status, code, message, mayPass) => {
    service.answer(bytes('<h1>No</h1>', { 'content-type': 'text/html' }, status));
    expect(await refusal()).toEqual({ code, message, mayPass });
  });

  test.each([
    [
      'a web page',
      ' <!doctype html><html>…',
      'html',
      '127.0.0.1 answers with a web page (HTML) or XML instead of JSON: often the page of a login or of an error.',
    ],
    [
      'text',
      'Nothing today.',
      'not_json',
      'The answer of 127.0.0.1 is not JSON; its Content-Type is text/plain.',
    ],
    [
      'nothing',
      '',
      'empty_answer',
      'The answer of 127.0.0.1 is empty. A service that has no records answers with an empty list: [].',
    ],
    ['a number', '42', 'not_records', 'The answer of 127.0.0.1 is only a number, not a list of contacts.'],
    ['null', 'null', 'not_records', 'The answer of 127.0.0.1 is only null, not a list of contacts.'],
    [
      'an array of numbers',
      '[1, 2, 3]',
      'not_records',
      'The list in the answer of 127.0.0.1 does not begin with an object but with a number: its elements are not contacts.',
    ],
    [
      'an array of numbers in an object',
      '{"ids": [1, 2]}',
      'not_records',
      'The list at “ids” in the answer of 127.0.0.1 does not begin with an object but with a number: its elements are not contacts.',
    ],
    [
      'an object alone',
      '{"user": "no such thing"}',
      'no_records',
      'The answer of 127.0.0.1 is an object without a list of contacts.',
    ],
    [
      'half an array',
      '[{"codigo": 1}, {"cod',
      'cut_off',
      'The answer of 127.0.0.1 ends in the middle: the JSON is not complete.',
    ],
    [
      'an array with a missing element',
      '[{"codigo": 1},, {"codigo": 2}]',
      'not_json',
      'The answer of 127.0.0.1 is not valid JSON: after 1 record, near byte 16.',
    ],
    [
      'two arrays',
      '[{"codigo": 1}][]',
      'not_json',
      'The answer of 127.0.0.1 is not valid JSON: after 1 record, near byte 16.',
    ],
    [
      'a record with a syntax error',
      '[{"codigo": 1}, {"codigo" 2}]',
      'not_json',
      'The answer of 127.0.0.1 is not valid JSON: after 1 record, near byte 17.',
    ],
    [
      'UTF-16',
      Buffer.from('\ufeff[]', 'utf16le'),
      'answer_encoding',
      'The answer of 127.0.0.1 is UTF-16. JSON has to be UTF-8.',
    ],
  ])('answers with %s', async (_, body, code, message) => {
    service.answer(bytes(body, { 'content-type': 'text/plain' }));
    expect(await refusal()).toEqual({ code, message, mayPass: false });
  });

  test('nests its answer 100 levels deep', async () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      service.answer(bytes(`[${open.repeat(100)}1${close.repeat(100)}]`));
      expect(await refusal(), open).toMatchObject({
        code: 'too_deep',
        message: 'The answer of 127.0.0.1 nests deeper than 50 levels, the maximum.',
      });
      service.answer(bytes(open.repeat(100) + '1' + close.repeat(100)));
      expect(await refusal(), open).toMatchObject({ code: 'too_deep' });
    }
  });

  test('sends an element of 50 MB', async () => {
    service.answer((_, response) => {
      response.write('[{"codigo": 1}, {"codigo": 2, "photo": "');
      const megabyte = 'x'.repeat(1024 * 1024);
      let sent = 0;
      const more = (): void => {
        while (sent++ < 50) if (!response.write(megabyte)) return void response.once('drain', more);
        response.end('"}]');
      };
      more();
    });
    const before = process.memoryUsage().rss;
    expect(await refusal()).toMatchObject({
      code: 'record_too_large',
      message: 'Record 2 in the answer of 127.0.0.1 is larger than 1 MB, the maximum for one.',
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(40 * 1024 * 1024);
  });

  test('sends an endless answer', async () => {
    service.answer((_, response) => {
      response.write('[{"codigo": 1}');
      const more = (): void => {
        while (!response.destroyed)
          if (!response.write(',{"codigo": 2}'.repeat(1000))) return void response.once('drain', more);
      };
      more();
    });
    expect(await refusal({ limits: { bytes: 2 * 1024 * 1024 } })).toMatchObject({
      code: 'too_large',
      message: 'The answer of 127.0.0.1 is larger than 2 MB, the maximum.',
    });
  });

  test('sends a few kilobytes that decompress to 50 MB', async () => {
    service.answer(bytes(gzipSync(`[${' '.repeat(50 * 1024 * 1024)}`), { 'content-encoding': 'gzip' }));
    expect(await refusal({ limits: { bytes: 1024 * 1024 } })).toMatchObject({ code: 'too_large' });
  });

  test('declares as compressed an answer that is damaged, cut off or not compressed', async () => {
    const whole = gzipSync(JSON.stringify(numberedContacts(1, 100)));
    const broken = Buffer.from(whole);
    broken.fill(0, 30, 60);
    const message =
      'The answer of 127.0.0.1 is marked as compressed, but cannot be decompressed: it is damaged or truncated.';
    for (const [encoding, body] of [
      ['gzip', broken],
      ['gzip', whole.subarray(0, -20)],
      ['gzip', Buffer.from('[]')],
      ['br', whole],
      ['deflate', Buffer.from('x not deflate')],
    ] as const) {
      service.answer(bytes(body, { 'content-encoding': encoding }));
      expect(await refusal(), encoding).toMatchObject({ code: 'compression_broken', message });
    }
    service.answer(bytes('[]', { 'content-encoding': 'zstd' }));
    expect(await refusal()).toMatchObject({ code: 'compression_unknown' });
  });

  test('redirects again and again', async () => {
    let hops = 0;
    service.answer((_, response) => {
      response.writeHead(302, { location: `/contacts?hop=${++hops}` }).end();
    });
    expect(await refusal()).toMatchObject({
      code: 'too_many_redirects',
      message: '127.0.0.1 redirects more than 5 times in a row.',
    });
    expect(hops).toBe(6);
  });

  test('accepts a request and sends nothing, or stops in the middle of its answer', async () => {
    service.answer(() => undefined);
    expect(await refusal({ limits: { idleMs: 1_000 } })).toEqual({
      code: 'timed_out',
      message: '127.0.0.1 did not answer within 1 second.',
      mayPass: true,
    });
    service.answer((_, response) => void response.write('[{"codigo": 1},'));
    expect(await refusal({ limits: { idleMs: 1_000 } })).toMatchObject({
      code: 'timed_out',
      message: '127.0.0.1 sent nothing for 1 second in the middle of its answer.',
    });
  });

  test('sends single bytes for longer than the total time limit', async () => {
    service.answer(async (_, response) => {
      response.write('[');
      while (!response.destroyed) {
        response.write(' ');
        await sleep(20);
      }
    });
    expect(await refusal({ limits: { totalMs: 600 } })).toEqual({
      code: 'takes_too_long',
      message: 'The answer was not complete after 1 s, the maximum.',
      mayPass: false,
    });
  });

  test('closes the connection in the middle of its answer', async () => {
    service.answer((_, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('[{"codigo": 1},');
      setTimeout(() => response.destroy(), 20);
    });
    expect(await refusal()).toEqual({
      code: 'connection_lost',
      message: 'The connection to 127.0.0.1 broke before its answer was complete.',
      mayPass: true,
    });
  });

  test('is not a web server', async () => {
    const raw = await startRawServer((socket) => socket.end('220 smtp.example ESMTP\r\n'));
    expect(await refusal({ url: at(raw.port) })).toEqual({
      code: 'not_http',
      message: 'The answer of 127.0.0.1 is not HTTP. Check the port.',
      mayPass: false,
    });
    await raw.close();
  });
});

test('an answer that comes shortly before the time limit is read', async () => {
  service.answer(async (request, response) => {
    // 29 seconds where 30 are allowed, scaled down.
    await sleep(580);
    json(numberedContacts(1, 1))(request, response);
  });
  expect(await codes({ limits: { idleMs: 2_000 } })).toEqual(['1']);
});
