import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { choosePhone } from '../../domain/phone.ts';
import { bytes, createWebserviceReader, json, numberedContacts, startWebservice } from '../kit/webservice.ts';

const service = await startWebservice(json([]));
afterAll(() => service.close());
const { records, codes, refusal } = createWebserviceReader(service);

describe('an answer', () => {
  test('can be an array, an object with one array, or JSON lines, with a byte order mark or white space around it', async () => {
    const array = JSON.stringify(numberedContacts(1, 2));
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

  test('can have no records', async () => {
    for (const body of ['[]', '{"data": []}', '{"data": [], "links": {"next": null}}']) {
      service.answer(bytes(body));
      expect(await codes(), body).toEqual([]);
    }
    service.answer(bytes('', {}, 204));
    expect(await codes()).toEqual([]);
    service.answer(bytes('{"result": {"items": null}}'));
    expect(await codes({ recordsPath: 'result.items' })).toEqual([]);
  });

  test('has its records at the path that the campaign sets', async () => {
    service.answer(json({ outros: [{ codigo: 'x' }], result: { items: numberedContacts(1, 2) } }));
    expect(await codes({ recordsPath: 'result.items' })).toEqual(['1', '2']);
    expect(await refusal()).toEqual({
      code: 'records_ambiguous',
      message:
        'The answer of 127.0.0.1 has lists in more than one place: outros and result.items. Enter one under “Path of the list in the response”.',
      mayPass: false,
    });
    expect(await refusal({ recordsPath: 'result.itens' })).toMatchObject({
      code: 'no_records',
      message:
        'The answer of 127.0.0.1 has no list at “result.itens”, where the campaign expects the contacts.',
    });
  });

  test('can be compressed', async () => {
    const plain = Buffer.from(JSON.stringify(numberedContacts(1, 3)));
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

  test('can be ISO-8859-1 or Windows-1252, declared or not; an invalid byte drops only its value', async () => {
    const latin = Buffer.from('[{"codigo": 1, "nome": "João – Conceição"}]'.replace('–', '\u0096'), 'latin1');
    service.answer(bytes(latin, { 'content-type': 'application/json; charset=ISO-8859-1' }));
    expect(await records()).toMatchObject([{ ok: true, contact: { name: 'João – Conceição' } }]);
    service.answer(bytes(latin, { 'content-type': 'application/json' }));
    expect(await records()).toMatchObject([{ ok: true, contact: { name: 'João – Conceição' } }]);
    const wrong = Buffer.from(
      '[{"codigo": 1, "nome": "João x", "celular": "1"}, {"codigo": 2, "nome": "Zé"}]',
    );
    wrong[wrong.indexOf('x"')] = 0xc3;
    service.answer(bytes(wrong));
    expect(await records()).toMatchObject([
      { contact: { code: '1', name: '', mobile: '1' }, warnings: [{ code: 'value_damaged' }] },
      { contact: { name: 'Zé' }, warnings: [] },
    ]);
  });

  test('has numbered elements from 1 on, including those that are not objects', async () => {
    service.answer(bytes('[{"codigo": 1}, 7, null, [1], "x", {"codigo": {"a": 1}}, {"codigo": 2}]'));
    expect(await records()).toMatchObject([
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

test('JSON with common mistakes of hand-written serializers is read', async () => {
  for (const record of [
    '{"codigo": 1, "nome": "Ana\tLuz", "valor": NaN}',
    '{"codigo": 1, "nome": "Ana\nLuz", "ativo": True, "x": None}',
    String.raw`{"codigo": 1, "nome": "Ana Luz", "pasta": "C:\dados\x"}`,
  ]) {
    service.answer(bytes(`{"itens": [${record}, {"codigo": 2}]}`));
    expect(await records(), record).toMatchObject([
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
    const [record] = await records();
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
  ])('in the format of %s is read as a contact', async (_, element) => {
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
  ])('can have the phone in parts: %j', async (element) => {
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
  ])('can have its birth date as %j', async (nascimento) => {
    expect(await contactOf({ codigo: 1, nascimento })).toMatchObject({
      birthDate: expect.stringMatching(/^(?:1980-12-25)?$/) as string,
      warnings: [],
    });
  });
});

test('an aborted fetch ends at once with the reason', async () => {
  service.answer((_, response) => void response.write('[{"codigo": 1},'));
  const controller = new AbortController();
  const fetching = records({ signal: controller.signal });
  setTimeout(() => controller.abort(new Error('stopped by a user')), 50);
  await expect(fetching).rejects.toThrow('stopped by a user');
});
