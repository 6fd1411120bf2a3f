import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contactFields, type ExtraField } from '../../domain/contact.ts';
import { defaultNames, fieldMap, foldAttribute } from '../../domain/webservice.ts';
import { createFieldMap } from '../../mailing/field-map.ts';
import { keepNumbers } from '../../mailing/json-number.ts';
import { readJsonAnswer } from '../../mailing/json-answer.ts';
import { WebserviceRefused } from '../../mailing/refused.ts';
import { repairJson } from '../../mailing/json-repair.ts';

const limits = { depth: 50, recordBytes: 64 * 1024 };

/** The bytes in pieces of these sizes, repeated; [] is a single piece. */
async function* pieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes.length === 0 ? bytes.length : (sizes[turn % sizes.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function read(
  body: string | Buffer,
  {
    sizes = [],
    recordsPath = null,
    contentType = '',
    skim = false,
  }: { sizes?: readonly number[]; recordsPath?: string | null; contentType?: string; skim?: boolean } = {},
): Promise<unknown[]> {
  const found: unknown[] = [];
  const bytes = pieces(Buffer.from(body), sizes);
  for await (const batch of readJsonAnswer({ host: 'x', contentType, bytes }, { recordsPath, limits, skim }))
    found.push(...batch);
  return found;
}

/** The records, or the code of the refusal; any other error fails the test. */
async function outcome(...args: Parameters<typeof read>): Promise<unknown[] | string> {
  try {
    return await read(...args);
  } catch (error) {
    if (error instanceof WebserviceRefused) return error.code;
    throw error;
  }
}

// One run takes 1 to 2 ms.
const runs = process.env.CI === undefined ? 500 : 2_000;
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 4 });
const record = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1, maxKeys: 5 });
const blank = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
/** JSON as people and programs write it: compact or indented. */
const written = (value: unknown, indent: number): string => JSON.stringify(value, null, indent);

describe('the JSON reader', () => {
  test('reads the same as JSON.parse, at any piece sizes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { maxLength: 6 }),
        fc.constantFrom('array', 'object', 'lines'),
        fc.nat(3),
        fc.constantFrom('', '\ufeff'),
        blank,
        sizes,
        async (records, form, indent, mark, around, sizes) => {
          const array = written(records, indent);
          const body = {
            array,
            object: `{"n":${around}1,"a":[],"inner":${around}{"items"${around}:${array}},"z":"}]"}`,
            lines: records.map((one) => written(one, 0)).join('\n'),
          }[form];
          const contentType = form === 'lines' ? 'application/x-ndjson' : '';
          const whole = mark + around + body + around;
          const answer = await outcome(whole, { sizes, contentType });
          const skimmed = await outcome(whole, { sizes, contentType, skim: true });
          if (form === 'lines' && records.length === 0) {
            expect([answer, skimmed]).toEqual(['empty_answer', 'empty_answer']);
          } else {
            expect(answer).toEqual(JSON.parse(keepNumbers(array)));
            expect(skimmed).toHaveLength(records.length);
          }
        },
      ),
      { numRuns: runs },
    );
  }, 120_000);

  /** The result of JSON.parse, after the same repairs where the text is invalid. */
  const parsedLeniently = (text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      return JSON.parse(repairJson(text));
    }
  };

  test('never crashes or hangs on damaged JSON, and reads only what JSON.parse reads', async () => {
    const damage = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      cut: fc.nat(5),
      insert: fc.oneof(
        fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', '0', '\u0000', 'é'),
        fc.string({ maxLength: 3 }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { maxLength: 4 }),
        fc.array(damage, { maxLength: 3 }),
        sizes,
        async (records, damages, sizes) => {
          let body = written({ data: records }, 0);
          for (const { at, cut, insert } of damages) {
            const index = Math.floor(at * body.length);
            body = body.slice(0, index) + insert + body.slice(index + cut);
          }
          const answer = await outcome(body, { sizes, recordsPath: 'data' });
          let parsed: unknown;
          try {
            parsed = parsedLeniently(Buffer.from(body).toString());
          } catch {
            parsed = undefined;
          }
          if (parsed === undefined && typeof answer !== 'string') {
            // Several documents in a row are JSON lines.
            expect(answer).toEqual(
              body
                .trim()
                .split('\n')
                .filter((line) => line.trim() !== '')
                .map(parsedLeniently),
            );
          }
        },
      ),
      { numRuns: runs },
    );
  }, 120_000);

  test('never crashes on arbitrary bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        sizes,
        fc.constantFrom('', 'application/x-ndjson'),
        async (bytes, sizes, contentType) => {
          const answer = await outcome(Buffer.from(bytes), { sizes, contentType });
          expect(typeof answer === 'string' || Array.isArray(answer)).toBe(true);
        },
      ),
      { numRuns: runs },
    );
  }, 120_000);

  test('tells JSON lines from a single document at any piece sizes', async () => {
    for (const [first, isLines] of [
      [60_000, true],
      [70_000, false],
    ] as const) {
      const body = `${written({ long: 'x'.repeat(first / 2), more: 'x'.repeat(first / 2) }, 0)}\n{"a": 1}`;
      for (const sizes of [[], [1_000], [65_000, 200_000], [65_536], [first + 50, 10]])
        expect(await outcome(body, { sizes }), `${first} in ${sizes.join()}`).toEqual(
          isLines ? [expect.anything(), { a: 1 }] : 'not_json',
        );
    }
  });

  test('reads a string of 64 KiB that arrives byte by byte', async () => {
    const long = 'é'.repeat(30_000);
    expect(await read(written([{ long }], 0), { sizes: [1] })).toEqual([{ long }]);
    expect(await outcome(written([{ long: long + long }], 0), { sizes: [1] })).toBe('record_too_large');
  });

  test('reads a first line that is longer than the limit for detecting JSON lines', async () => {
    const line = written({ a: 'x'.repeat(70_000 / 2) }, 0);
    expect(await read(`${line}\n${line}`)).toHaveLength(2);
    const data = written({ data: Array.from({ length: 5_000 }, (_, codigo) => ({ codigo })) }, 0);
    expect(await read(`${data}\n`)).toHaveLength(5_000);
  });
});

describe('the field map', () => {
  const extraFields: ExtraField[] = [
    { name: 'valor', type: 'number', required: false },
    { name: 'vencimento', type: 'date', required: false },
  ];
  const map = (changes: object = {}) =>
    createFieldMap({ fieldMap: fieldMap.parse(changes), extraFields, today: '2026-11-29' });

  test('reads the default names in every spelling', () => {
    const fields = contactFields.map(({ field }) => field);
    for (const field of fields) {
      const names: readonly string[] = defaultNames[field];
      for (const name of names) {
        for (const one of [
          name,
          name.toUpperCase(),
          name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
        ]) {
          const result = map()(1, { [one]: field === 'birthDate' ? '1980-12-31' : '11987654321' });
          expect(result, one).toMatchObject({ ok: true });
          if (result.ok) expect(result.contact[field], one).not.toBe('');
        }
      }
    }
    expect(map()(1, { Código: 7, 'Data de Nascimento': '31/12/1980', VALOR: 10.5 })).toMatchObject({
      contact: { code: '7', birthDate: '1980-12-31', extra: { valor: '10.5' } },
    });
  });

  test('uses the first default name that has a value, and no default when the campaign sets an attribute', () => {
    expect(map()(1, { id: 9, codigo: null, code: 5 })).toMatchObject({ contact: { code: '5' } });
    expect(map({ code: 'ref' })(1, { codigo: 5 })).toMatchObject({ contact: { code: '' } });
  });

  test('follows dotted paths, and prefers an attribute with dots in its name', () => {
    const element = { 'a.b': 1, a: { b: 2, list: [{ n: 3 }] }, __proto__: { c: 4 } };
    expect(map({ code: 'a.b' })(1, element)).toMatchObject({ contact: { code: '1' } });
    expect(map({ code: 'a.list.0.n' })(1, element)).toMatchObject({ contact: { code: '3' } });
    for (const path of ['c', 'constructor', '__proto__', 'a.list.length', 'a.list.9.n', 'a.b.c'])
      expect(map({ code: path })(1, element), path).toMatchObject({ contact: { code: '' } });
  });

  test('reads numbers exactly or not at all', () => {
    expect(map()(1, { celular: 5511987654321, codigo: 1e3 })).toMatchObject({
      contact: { mobile: '5511987654321', code: '1000' },
    });
    const exact = (json: string): unknown => map()(1, JSON.parse(keepNumbers(json)));
    expect(exact('{"codigo": 12345678901234567890, "valor": 99.90}')).toMatchObject({
      contact: { code: '12345678901234567890', extra: { valor: '99.90' } },
    });
    expect(exact('{"codigo": 1001.0, "celular": 1.198765432E10}')).toMatchObject({
      contact: { code: '1001', mobile: '11987654320' },
    });
    expect(exact('{"codigo": 1.23457E+11}')).toMatchObject({
      contact: { code: '' },
      warnings: [{ code: 'value_damaged', params: { column: 'codigo', damage: 'scientific' } }],
    });
  });

  test('reads birth dates in the usual forms', () => {
    for (const written of [
      '1980-12-31',
      '31/12/1980',
      '31-12-1980',
      '31.12.1980',
      '19801231',
      '1980-12-31T00:00:00.000Z',
      '31/12/1980 00:00',
    ])
      expect(map()(1, { nascimento: written }), written).toMatchObject({
        contact: { birthDate: '1980-12-31' },
      });
    expect(map()(1, { nascimento: '0000-00-00' })).toMatchObject({ contact: { birthDate: '' } });
    expect(map()(1, { nascimento: 'ontem' })).toMatchObject({
      ok: true,
      contact: { birthDate: '' },
      warnings: [{ code: 'value_invalid', params: { column: 'data_nascimento' }, value: 'ontem' }],
    });
  });

  test('returns a contact with warnings or a problem for any element', () => {
    const names = fc.oneof(
      fc.constantFrom(...Object.values(defaultNames).flat(), 'valor', 'vencimento', '__proto__', 'a.b'),
      fc.string(),
    );
    const paths = fc.option(fc.constantFrom('a', 'a.b', 'a.0.b', 'constructor', '__proto__.x'), {
      nil: null,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.dictionary(
            names,
            fc.oneof(fc.jsonValue(), fc.constantFrom('11987654321', 11987654321, '31/12/1980')),
            { maxKeys: 8 },
          ),
        ),
        fc.record({ code: paths, mobile: paths, birthDate: paths }),
        (element, changes) => {
          const result = map(changes)(3, element);
          expect(result.line).toBe(3);
          if (result.ok) {
            expect(Object.keys(result.contact.extra)).toEqual(['valor', 'vencimento']);
            for (const { field, maxLength } of contactFields) {
              expect(typeof result.contact[field]).toBe('string');
              expect(result.contact[field].length).toBeLessThanOrEqual(maxLength);
            }
          } else expect(result.problem.code).toBe('not_an_object');
        },
      ),
      { numRuns: runs },
    );
  }, 60_000);

  test('folds a folded name to itself', () => {
    fc.assert(fc.property(fc.string(), (name) => foldAttribute(foldAttribute(name)) === foldAttribute(name)));
  });
});
