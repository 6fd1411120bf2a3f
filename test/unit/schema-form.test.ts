import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { FormValues } from '../../console/kit/form-data.ts';
import {
  limitsOf,
  problemsInRows,
  readForm,
  withoutBlankRows,
  withRows,
} from '../../console/kit/schema-form.ts';
import { keptDraft } from '../../domain/campaign.ts';

const schema = z.strictObject({
  name: z.string().trim().min(1).max(100),
  note: z.string().max(500).default(''),
  code: z.string().max(60).nullable().default(null),
  days: z.int().min(1).max(90).nullable().default(null),
  enabled: z.boolean().default(false),
  words: z.array(z.string()).default([]),
  rows: z.array(
    z.strictObject({ key: z.string().max(40), type: z.enum(['text', 'date']), required: z.boolean() }),
  ),
  headers: z.record(z.string(), z.string().nullable()).optional(),
  choice: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('none') }),
    z.strictObject({ kind: z.literal('key'), key: z.string().min(1).max(30) }),
    z.strictObject({ kind: z.enum(['page', 'offset']), first: z.int().default(1) }),
  ]),
  size: z
    .strictObject({ param: z.string().min(1), records: z.int() })
    .nullable()
    .default(null),
});
const form = (values: Record<string, string | string[]>) =>
  new FormValues(
    Object.entries(values).flatMap(([name, value]) => [value].flat().map((one) => [name, one] as const)),
  );

describe('a form that is read by its schema', () => {
  test('gives back any document that the form shows', () => {
    const word = fc.stringMatching(/^[a-z][a-z ]{0,8}[a-z]$/);
    const document = fc.record({
      name: word,
      note: fc.oneof(fc.constant(''), word),
      code: fc.option(word),
      days: fc.option(fc.integer({ min: 1, max: 90 })),
      enabled: fc.boolean(),
      words: fc.array(word),
      rows: fc.array(fc.record({ key: word, type: fc.constantFrom('text', 'date'), required: fc.boolean() })),
      choice: fc.oneof(
        fc.constant({ kind: 'none' }),
        fc.record({ kind: fc.constant('key'), key: word }),
        fc.record({ kind: fc.constantFrom('page', 'offset'), first: fc.nat() }),
      ),
      headers: fc.dictionary(word, word),
      size: fc.option(fc.record({ param: word, records: fc.nat() })),
    });
    fc.assert(
      fc.property(document, (shown) => {
        // Browsers send empty fields, too.
        const blank = { note: '', code: '', days: '' };
        const sent = FormValues.of(withRows(schema, { ...blank, ...nonNull(shown) }));
        expect(schema.parse(readForm(schema, sent))).toEqual(schema.parse(shown));
      }),
    );
  });

  test('passes invalid input on unchanged', () => {
    expect(readForm(schema, form({ days: 'ten', 'choice.kind': 'magic', name: ' ' }))).toEqual({
      name: ' ',
      days: 'ten',
      size: null,
      enabled: false,
      words: [],
      rows: [],
      choice: { kind: 'magic' },
      headers: {},
    });
  });

  test('splits words at line ends and commas, and uses the default for an empty number', () => {
    const read = readForm(
      schema,
      form({ words: 'SAIR\r\n PARE ,\r\n\r\n', 'choice.kind': 'page', 'choice.first': '' }),
    );
    expect(read).toMatchObject({ words: ['SAIR', 'PARE'], choice: { kind: 'page' } });
    expect(read.choice).not.toHaveProperty('first');
  });

  test('drops blank rows, and assigns problems to the remaining rows', () => {
    const sent = form({
      'rows.0.key': ' ',
      'rows.0.type': 'text',
      'rows.2.key': 'valor',
      'rows.2.type': 'date',
      'rows.2.required': 'on',
      'headers.1.name': 'X-Key',
      'headers.1.value': '',
      'headers.4.name': '',
    });
    expect(readForm(schema, sent)).toMatchObject({
      rows: [{ key: 'valor', type: 'date', required: true }],
      headers: { 'X-Key': null },
    });
    const shown = withoutBlankRows(schema, sent);
    expect([...shown.pairs()]).toEqual([
      ['rows.0.key', 'valor'],
      ['rows.0.type', 'date'],
      ['rows.0.required', 'on'],
      ['headers.0.name', 'X-Key'],
      ['headers.0.value', ''],
    ]);
    expect(
      problemsInRows(schema, shown, [
        { field: 'headers.X-Key' },
        { field: 'headers.gone' },
        { field: 'name' },
      ]),
    ).toEqual([{ field: 'headers.0.value' }, { field: 'headers' }, { field: 'name' }]);
  });
});

test('a field has the limits of its schema', () => {
  expect(limitsOf(schema, 'name')).toEqual({ required: true, maxLength: 100 });
  expect(limitsOf(schema, 'note')).toEqual({ required: false, maxLength: 500 });
  expect(limitsOf(schema, 'days')).toEqual({ required: false, min: 1, max: 90 });
  expect(limitsOf(schema, 'choice.key')).toEqual({ required: true, maxLength: 30 });
  expect(limitsOf(schema, 'rows.__N__.key')).toEqual({ required: false, maxLength: 40 });
  expect(limitsOf(schema, 'rows.3.key')).toEqual({ required: false, maxLength: 40 });
  expect(limitsOf(schema, 'nothing.of.it')).toEqual({});
  expect(limitsOf(keptDraft, 'schedule.recurrence.rrule')).toMatchObject({ required: true, maxLength: 1000 });
});

const nonNull = (document: object): object =>
  Object.fromEntries(Object.entries(document).filter(([, value]) => value !== null));
