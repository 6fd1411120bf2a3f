import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { paging } from '../../domain/paging.ts';
import { choosePhone } from '../../domain/phone.ts';
import { fieldMap } from '../../domain/webservice.ts';
import type { AddressGuard } from '../../mailing/address-guard.ts';
import { createAddressGuard } from '../../mailing/address-guard.ts';
import type { MailingRecord } from '../../mailing/record.ts';
import { WebserviceRefused } from '../../mailing/refused.ts';
import type { WebserviceLimits } from '../../mailing/webservice.ts';
import { startRawServer } from '../kit/raw-server.ts';
import { bytes, json, readWebservice, startWebservice, webserviceDeps } from '../kit/webservice.ts';

const service = await startWebservice(json([]));
afterAll(() => service.close());

interface Choices {
  url?: string;
  limits?: Partial<WebserviceLimits>;
  guard?: AddressGuard;
  recordsPath?: string | null;
  paging?: z.input<typeof paging>;
  signal?: AbortSignal;
}

async function fetchAll(choices: Choices = {}): Promise<MailingRecord[]> {
  const deps = webserviceDeps(choices.limits);
  const all: MailingRecord[] = [];
  const batches = readWebservice(
    { ...deps, guard: choices.guard ?? deps.guard },
    {
      url: new URL(choices.url ?? service.url),
      integration: null,
      webservice: {
        recordsPath: choices.recordsPath ?? null,
        paging: paging.parse(choices.paging ?? { by: 'links' }),
        fieldMap: fieldMap.parse({}),
      },
      extraFields: [],
      today: '2026-11-29',
      signal: choices.signal ?? new AbortController().signal,
    },
  );
  for await (const batch of batches) all.push(...batch);
  return all;
}

/** The codes of the contacts. */
const codes = async (choices: Choices = {}): Promise<string[]> =>
  (await fetchAll(choices)).map((record) => (record.ok ? record.contact.code : record.problem.code));

async function refusal(choices: Choices = {}): Promise<{ code: string; message: string; mayPass: boolean }> {
  const error: unknown = await fetchAll(choices).then(
    (records) => new Error(`It was read: ${records.length} records.`),
    (error: unknown) => error,
  );
  if (!(error instanceof WebserviceRefused)) throw error;
  const { code, message, mayPass } = error;
  return { code, message, mayPass };
}

const people = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ codigo: from + index, celular: '11987654321' }));

describe('an answer', () => {
  test('is an array, an object with one, or lines; with a byte order mark or blanks around it', async () => {
    const array = JSON.stringify(people(1, 2));
    for (const body of [
      array,
      ` \r\n\t${array}\n\n`,
      `\ufeff${array}`,
      `{"total": 2, "ok": true, "tags": ["x"], "errors": [], "data": ${array}, "meta": {"took": 1.5e3, "by": null}}`,
      `{"a": {"b": {"items": ${array}}}}`,
      '{"codigo": 1}\n{"codigo": 2}\n',
      '{"codigo": 1}\r\n\r\n{"codigo": 2}',
    ]) {
      service.answer(bytes(body, { 'content-type': 'application/json' }));
      expect(await codes(), body).toEqual(['1', '2']);
    }
    service.answer(bytes('{"codigo": 7}', { 'content-type': 'application/x-ndjson' }));
    expect(await codes()).toEqual(['7']);
  });

  test('may have no records', async () => {
    for (const body of ['[]', '{"data": []}', '{"data": [], "links": {"next": null}}']) {
      service.answer(bytes(body));
      expect(await codes(), body).toEqual([]);
    }
    service.answer(bytes('', {}, 204));
    expect(await codes()).toEqual([]);
    service.answer(bytes('{"result": {"items": null}}'));
    expect(await codes({ recordsPath: 'result.items' })).toEqual([]);
  });

  test('has its records where the path of the campaign says', async () => {
    service.answer(json({ outros: [{ codigo: 'x' }], result: { items: people(1, 2) } }));
    expect(await codes({ recordsPath: 'result.items' })).toEqual(['1', '2']);
    expect(await refusal()).toEqual({
      code: 'records_ambiguous',
      message:
        'The answer of 127.0.0.1 has lists in more than one place: outros and result.items. Name one as the path of the list in the answer.',
      mayPass: false,
    });
    expect(await refusal({ recordsPath: 'result.itens' })).toMatchObject({
      code: 'no_records',
      message:
        'The answer of 127.0.0.1 has no list at “result.itens”, where the campaign expects the contacts.',
    });
  });

  test('may be compressed', async () => {
    const plain = Buffer.from(JSON.stringify(people(1, 3)));
    for (const [encoding, body] of [
      ['gzip', gzipSync(plain)],
      ['x-gzip', gzipSync(plain)],
      ['br', brotliCompressSync(plain)],
      ['deflate', deflateSync(plain)],
      ['deflate', deflateRawSync(plain)],
    ] as const) {
      service.answer(bytes(body, { 'content-encoding': encoding }));
      expect(await codes(), encoding).toEqual(['1', '2', '3']);
    }
    expect(service.requests.at(-1)?.headers['accept-encoding']).toBe('gzip, deflate, br');
  });

  test('may be ISO-8859-1 or Windows-1252, said or not; a wrong byte costs its value', async () => {
    const latin = Buffer.from('[{"codigo": 1, "nome": "João – Conceição"}]'.replace('–', '\u0096'), 'latin1');
    service.answer(bytes(latin, { 'content-type': 'application/json; charset=ISO-8859-1' }));
    expect(await fetchAll()).toMatchObject([{ ok: true, contact: { name: 'João – Conceição' } }]);
    service.answer(bytes(latin, { 'content-type': 'application/json' }));
    expect(await fetchAll()).toMatchObject([{ ok: true, contact: { name: 'João – Conceição' } }]);
    const wrong = Buffer.from(
      '[{"codigo": 1, "nome": "João x", "celular": "1"}, {"codigo": 2, "nome": "Zé"}]',
    );
    wrong[wrong.indexOf('x"')] = 0xc3;
    service.answer(bytes(wrong));
    expect(await fetchAll()).toMatchObject([
      { contact: { code: '1', name: '', mobile: '1' }, warnings: [{ code: 'value_damaged' }] },
      { contact: { name: 'Zé' }, warnings: [] },
    ]);
  });

  test('gives each of its elements a place, from 1 on over all pages, whatever the element is', async () => {
    service.answer(bytes('[{"codigo": 1}, 7, null, [1], "x", {"codigo": {"a": 1}}, {"codigo": 2}]'));
    expect(await fetchAll()).toMatchObject([
      { line: 1, ok: true },
      { line: 2, ok: false, problem: { code: 'not_an_object', params: { found: 'number' } } },
      { line: 3, ok: false, problem: { params: { found: 'null' } } },
      { line: 4, ok: false, problem: { params: { found: 'list' } } },
      { line: 5, ok: false, problem: { params: { found: 'text' } } },
      {
        line: 6,
        ok: true,
        contact: { code: '' },
        warnings: [{ code: 'value_invalid', params: { column: 'codigo', expected: 'single_value' } }],
      },
      { line: 7, ok: true },
    ]);
  });
});

test('JSON that a program has written by hand is read', async () => {
  for (const record of [
    '{"codigo": 1, "nome": "Ana\tLuz", "valor": NaN}',
    '{"codigo": 1, "nome": "Ana\nLuz", "ativo": True, "x": None}',
    String.raw`{"codigo": 1, "nome": "Ana Luz", "pasta": "C:\dados\x"}`,
  ]) {
    service.answer(bytes(`{"itens": [${record}, {"codigo": 2}]}`));
    expect(await fetchAll(), record).toMatchObject([
      { contact: { code: '1', name: 'Ana Luz' } },
      { contact: { code: '2' } },
    ]);
  }
  service.answer(bytes('[{"codigo": 1, "nome": "Ana "Luz""}]'));
  expect(await refusal()).toMatchObject({ code: 'not_json' });
});

describe('an element', () => {
  const contactOf = async (element: object) => {
    service.answer(json([element]));
    const [record] = await fetchAll();
    return record?.ok === true
      ? { ...record.contact, warnings: record.warnings.map(({ code }) => code) }
      : record;
  };
  const ana = { code: '7', name: 'Ana', mobile: '11987654321', warnings: [] };
  const own = { codigo: 7, nome: 'Ana', celular: '11987654321' };

  test.each([
    ['Tiny', { contato: own }],
    ['JSON:API', { type: 'clientes', id: '7', attributes: { nome: 'Ana', celular: '11987654321' } }],
    ['HubSpot', { id: '7', properties: { name: 'Ana', mobilephone: '11987654321' }, archived: false }],
    ['GraphQL', { cursor: 'x', node: own }],
    ['Elasticsearch', { _index: 'a', _source: own }],
    [
      'Salesforce',
      { attributes: { type: 'Contact', url: '/x' }, Id: '7', Name: 'Ana', MobilePhone: '11987654321' },
    ],
    ['Bling', { id: 7, nome: 'Ana', codigo: '', telefone: '', celular: '11987654321' }],
    [
      'XML as JSON',
      { codigo: { '#text': '7' }, nome: { _: 'Ana', $: { x: 1 } }, celular: { $t: '11987654321' } },
    ],
    ['MongoDB', { codigo: { $numberLong: '7' }, nome: 'Ana', celular: '11987654321' }],
    [
      'Firestore',
      {
        fields: {
          codigo: { integerValue: '7' },
          nome: { stringValue: 'Ana' },
          celular: { stringValue: '11987654321' },
        },
      },
    ],
  ])('of %s is a contact', async (_, element) => {
    expect(await contactOf(element)).toMatchObject(ana);
  });

  test.each([
    [
      {
        telefones: [
          { tipo: 'fixo', ddd: '11', numero: '3000-0001' },
          { tipo: 'celular', ddd: '11', numero: 987654321 },
        ],
      },
    ],
    [{ phones: [{ phone: '+55 11 98765-4321', type: 'cellphone' }] }],
    [{ celular: { ddi: 55, ddd: 11, numero: '98765-4321' } }],
    [{ celular: [{ number: '11 98765-4321' }, null] }],
    [{ celular: { numero: '(11) 98765-4321', ddd: '11' } }],
  ])('has the phone in its parts: %j', async (element) => {
    const contact = await contactOf(element);
    expect(choosePhone({ mobile: '', phone: '', phone2: '', ...contact })).toMatchObject({
      e164: '+5511987654321',
    });
  });

  test.each([
    [[1980, 12, 25]],
    [[1980, 12, 25, 0, 0]],
    [{ year: 1980, month: 12, day: 25 }],
    [{ $date: '1980-12-25T03:00:00Z' }],
    [{ date: '1980-12-25 00:00:00.000000', timezone_type: 3, timezone: 'America/Sao_Paulo' }],
    [-62135596800000],
    [{ '@nil': 'true' }],
  ])('has its birth date as %j', async (nascimento) => {
    expect(await contactOf({ codigo: 1, nascimento })).toMatchObject({
      birthDate: expect.stringMatching(/^(?:1980-12-25)?$/) as string,
      warnings: [],
    });
  });
});

describe('pages', () => {
  /** Three pages of two records; `link` writes how a page links to the next. */
  const paged =
    (
      link: (next: string | null) => { body?: object; header?: string },
    ): Parameters<typeof service.answer>[0] =>
    (request, response) => {
      const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page') ?? 1);
      const { body, header } = link(page < 3 ? `/contacts?page=${page + 1}` : null);
      response
        .writeHead(200, {
          'content-type': 'application/json',
          ...(header === undefined ? {} : { link: header }),
        })
        .end(JSON.stringify({ data: people(page * 10, 2), ...body }));
    };

  test.each([
    ['next', (next: string | null) => ({ body: { next } })],
    ['links.next', (next: string | null) => ({ body: { links: { self: 'x', next } } })],
    [
      '_links.next.href',
      (next: string | null) => ({ body: { _links: next === null ? {} : { next: { href: next } } } }),
    ],
    [
      '@odata.nextLink',
      (next: string | null) => ({ body: next === null ? {} : { '@odata.nextLink': next } }),
    ],
    [
      'meta.pagination.next_page_url',
      (next: string | null) => ({ body: { meta: { pagination: { next_page_url: next } } } }),
    ],
    ['d.__next', (next: string | null) => ({ body: { d: { __next: next } } })],
    [
      'an array of links',
      (next: string | null) => ({
        body: {
          links: [
            { rel: 'self', href: '/contacts' },
            ...(next === null ? [] : [{ rel: 'next', href: next }]),
          ],
        },
      }),
    ],
    [
      'the Link header',
      (next: string | null) => ({
        header:
          next === null
            ? '</contacts>; rel="first"'
            : `</contacts>; rel="first", <${next}>; title="a, b"; rel="last next"`,
      }),
    ],
  ])('are followed by %s', async (_, link) => {
    service.answer(paged(link));
    expect(await codes()).toEqual(['10', '11', '20', '21', '30', '31']);
  });

  test('whose next one is not told by an address are refused, for leaving the rest out would be wrong', async () => {
    for (const [next, words] of [
      [2, '“next” has a value'],
      ['eyJpZCI6MTB9', '“next” has a value'],
      [true, '“next” is true'],
    ]) {
      service.answer(json({ data: people(1, 2), next }));
      expect(await refusal()).toMatchObject({
        code: 'more_pages',
        message: `The answer of 127.0.0.1 shows more pages behind 2 contacts: ${String(words)}. Set under “Pages of the answer” how they are fetched (Test URL proposes it), or that one answer has all contacts.`,
      });
    }
    service.answer(json({ data: people(1, 1), next: 'ftp://files/x' }));
    expect(await refusal()).toMatchObject({ code: 'next_page_unreadable' });
  });

  test('that go round in a circle end; a last page that links to itself is the last', async () => {
    service.answer((request, response) => {
      const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page') ?? 1);
      json({ data: people(page, 1), next: `/contacts?page=${page === 3 ? 2 : page + 1}` })(request, response);
    });
    expect(await refusal()).toMatchObject({
      code: 'page_repeated',
      message: 'Page 4 of 127.0.0.1 is an earlier page again: its links to the next page go in a circle.',
    });
    service.answer((request, response) => {
      const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page') ?? 1);
      json({ data: people(page, 1), next: `/contacts?page=${Math.min(page + 1, 3)}` })(request, response);
    });
    expect(await codes()).toEqual(['1', '2', '3']);
  });

  test('without an end are followed only so far', async () => {
    let page = 0;
    service.answer((request, response) =>
      json({ data: people(page, 1), next: `/contacts?page=${++page}` })(request, response),
    );
    expect(await refusal({ limits: { pages: 5 } })).toMatchObject({
      code: 'too_many_pages',
      message: '127.0.0.1 has more than 5 pages, the most that are followed. Ask for more records on each.',
    });
  });
});

describe('what a person reads when the service', () => {
  const at = (port: number): string => `http://127.0.0.1:${port}/contacts`;

  test('has a name that DNS does not know', async () => {
    expect(await refusal({ url: 'http://torpedo.invalid/contacts' })).toEqual({
      code: 'dns_failed',
      message: 'The name torpedo.invalid cannot be found (DNS). Check its spelling.',
      mayPass: true,
    });
  });

  test('is not there', async () => {
    const gone = await startWebservice(json([]));
    await gone.close();
    expect(await refusal({ url: gone.url })).toEqual({
      code: 'connection_refused',
      message: '127.0.0.1 refuses the connection: nothing listens on this port.',
      mayPass: true,
    });
  });

  test('speaks no TLS where it should', async () => {
    expect(await refusal({ url: service.url.replace('http:', 'https:') })).toEqual({
      code: 'tls_failed',
      message:
        '127.0.0.1 does not speak TLS on this port. Should the address begin with http://, or is it another port?',
      mayPass: false,
    });
  });

  test('has a certificate that nobody signed', async () => {
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
      'an array with a hole',
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
      'a record that is broken inside',
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

  test('nests a hundred levels deep', async () => {
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

  test('has one element of 50 MB', async () => {
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
      message: 'Record 2 in the answer of 127.0.0.1 is larger than 1 MB, the most for one.',
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(40 * 1024 * 1024);
  });

  test('never ends', async () => {
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

  test('sends a few kilobytes that become gigabytes', async () => {
    service.answer(bytes(gzipSync(`[${' '.repeat(50 * 1024 * 1024)}`), { 'content-encoding': 'gzip' }));
    expect(await refusal({ limits: { bytes: 1024 * 1024 } })).toMatchObject({ code: 'too_large' });
  });

  test('says that its answer is compressed, and it is broken, cut off, or something else', async () => {
    const whole = gzipSync(JSON.stringify(people(1, 100)));
    const broken = Buffer.from(whole);
    broken.fill(0, 30, 60);
    const message =
      'The answer of 127.0.0.1 claims to be compressed, and cannot be decompressed: it is damaged or cut off.';
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

  test('redirects without an end', async () => {
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

  test('takes a request and says nothing, or falls silent in the middle', async () => {
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

  test('drips one byte at a time, for longer than all of it may take', async () => {
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

  test('answers late, but in time', async () => {
    service.answer(async (request, response) => {
      // 29 seconds where 30 are allowed, scaled down.
      await sleep(580);
      json(people(1, 1))(request, response);
    });
    expect(await codes({ limits: { idleMs: 2_000 } })).toEqual(['1']);
  });

  test('breaks the connection off in the middle', async () => {
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

  test('is no web server', async () => {
    const raw = await startRawServer((socket) => socket.end('220 smtp.example ESMTP\r\n'));
    expect(await refusal({ url: at(raw.port) })).toEqual({
      code: 'not_http',
      message: 'The answer of 127.0.0.1 is not HTTP. Is this the right port?',
      mayPass: false,
    });
    await raw.close();
  });
});

test('a fetch that is given up ends at once, with the reason', async () => {
  service.answer((_, response) => void response.write('[{"codigo": 1},'));
  const giveUp = new AbortController();
  const fetching = fetchAll({ signal: giveUp.signal });
  setTimeout(() => giveUp.abort(new Error('by a person')), 50);
  await expect(fetching).rejects.toThrow('by a person');
});

describe('the address guard', () => {
  const refused = {
    code: 'address_refused',
    mayPass: false,
  };
  const strict = createAddressGuard([]);

  test('refuses private addresses by name', async () => {
    expect(await refusal({ url: service.url.replace('127.0.0.1', 'localhost'), guard: strict })).toEqual({
      ...refused,
      message:
        'localhost is in a private or reserved network, which campaigns may not fetch from. An operator of this deployment can allow it (WEBSERVICE_ALLOW).',
    });
  });

  test.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '017700000001',
    '0',
    '127.0.0.1.',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:7f00:0001]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '[fe80::1]',
    '[fd00::1]',
    '[ff02::1]',
    '１２７.０.０.１',
    '①②⑦.0.0.1',
  ])('refuses the address %s', async (host) => {
    const connections = service.requests.length;
    const url = `http://${host}:${service.port}/contacts`;
    expect(await refusal({ url, guard: strict })).toMatchObject(refused);
    expect(service.requests).toHaveLength(connections);
  });

  test('refuses a redirect into a private network', async () => {
    service.answer((_, response) => {
      response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
    });
    expect(await refusal()).toMatchObject({
      ...refused,
      message:
        '169.254.169.254 is in a private or reserved network, which campaigns may not fetch from. An operator of this deployment can allow it (WEBSERVICE_ALLOW).',
    });
  });

  test('refuses a next page in a private network', async () => {
    service.answer(json({ data: people(1, 1), next: 'http://10.0.0.1/contacts' }));
    expect(await refusal()).toMatchObject(refused);
  });

  test('connects to the address that it has checked, and asks DNS only once for it', async () => {
    const answers = [['127.0.0.1'], ['10.0.0.1']];
    const asked: string[] = [];
    const guard = createAddressGuard(['127.0.0.1'], {
      lookup: (hostname, _, callback) => {
        asked.push(hostname);
        const addresses = answers[Math.min(asked.length, answers.length) - 1] ?? [];
        callback(
          null,
          addresses.map((address) => ({ address, family: 4 })),
        );
      },
    });
    service.answer(json(people(1, 1)));
    const url = `http://rebinding.example:${service.port}/contacts`;
    expect(await codes({ url, guard })).toEqual(['1']);
    expect(asked).toEqual(['rebinding.example']);
    // The name now leads into the private network: the next connection is refused.
    expect(await refusal({ url, guard })).toMatchObject(refused);
  });

  test('refuses a name as soon as one of its addresses is private', async () => {
    const guard = createAddressGuard(['127.0.0.1'], {
      lookup: (_, __, callback) =>
        callback(null, [
          { address: '127.0.0.1', family: 4 },
          { address: '192.168.0.1', family: 4 },
        ]),
    });
    expect(await refusal({ url: `http://two.example:${service.port}/`, guard })).toMatchObject(refused);
  });

  test('lets through what the operator allows: a host by its name, an address, a range', async () => {
    service.answer(json(people(1, 1)));
    for (const [allow, host] of [
      ['localhost', 'localhost'],
      ['127.0.0.1', '2130706433'],
      ['127.0.0.0/8', '127.0.0.1'],
    ] as const) {
      const url = `http://${host}:${service.port}/contacts`;
      expect(await codes({ url, guard: createAddressGuard([allow]) }), allow).toEqual(['1']);
    }
  });
});
