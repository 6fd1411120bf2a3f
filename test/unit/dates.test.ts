import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { birthDates, businessDates, readDate } from '../../domain/dates.ts';

const today = '2026-11-29';
const birth = (text: string) => readDate(text, birthDates(today));
const due = (text: string) => readDate(text, businessDates(today));

describe('a birth date', () => {
  test.each([
    '25/12/1980',
    '25-12-1980',
    '25.12.1980',
    '25 12 1980',
    '25/12/80',
    '25/12/1980 00:00',
    '25/12/1980 12h30',
    '25/12/1980 às 12:30',
    '25/12/1980 às 14h',
    '25/12/1980 14hs',
    '19801225030000',
    '1980-12-25Z',
    '1980-12-25-03:00',
    'Nascimento: 25/12/1980',
    'quinta-feira, 25 de dezembro de 1980',
    'qui, 25 de dez de 1980',
    'Thu, 25 Dec 1980 00:00:00 GMT',
    'Thu Dec 25 1980 00:00:00 GMT-0300 (Horário Padrão de Brasília)',
    '25-DEC-80',
    '1980-12-25',
    '1980/12/25',
    '1980-12-25T03:00:00.000Z',
    '1980-12-25 00:00:00',
    '19801225',
    '25121980',
    '25-Dez-1980',
    '25/dez/80',
    '25 de dezembro de 1980',
    'Dec 25, 1980',
    'December 25, 1980',
    '12/25/1980',
    '29580',
    '29580,5',
    '346550400',
    '346550400000',
    '346561200000',
    '/Date(346550400000)/',
    String.raw`\/Date(346561200000-0300)\/`,
  ])('is read from %s', (text) => {
    expect(birth(text)).toBe('1980-12-25');
  });

  test.each([
    '00/00/0000',
    '0000-00-00',
    '0000-00-00 00:00:00',
    '0001-01-01T00:00:00',
    '01/01/0001',
    '1753-01-01',
    '1899-12-30T00:00:00',
    '30/12/1899',
    '1900-01-00',
    '31/12/9999',
    '99991231',
    '00000000',
    '  /  /    ',
    '1900-01-01 00:00:00',
    '01/01/1900',
    '-62135596800000',
    '/Date(-62135596800000)/',
    '',
  ])('is empty for %j', (text) => {
    expect(birth(text)).toBe('');
  });

  test.each([
    ['a two-digit year that fits two centuries', '25/12/20'],
    ['a day that the month does not have', '31/02/1980'],
    ['29 February of a common year', '29/02/1981'],
    ['a month that does not exist', '25/13/1980'],
    ['a future date', '30/11/2026'],
    ['a date that is too long ago', '02/01/1900'],
    ['a year alone', '1980'],
    ['a month and a year', '12/1980'],
    ['a mobile number', '11987654321'],
    ['a word', 'ontem'],
    ['a word that is not a month', '25 desde 1980'],
  ])('is not read from %s', (_, text) => {
    expect(birth(text)).toBeUndefined();
  });
});

test('a two-digit year of a due date is the one within a lifetime of today', () => {
  expect(due('25/12/26')).toBe('2026-12-25');
  expect(due('25/12/80')).toBe('1980-12-25');
  expect(due('46000')).toBe('2025-12-09');
});

const forms: ((iso: string) => string)[] = [
  (iso) => iso,
  (iso) => `${iso}T00:00:00`,
  (iso) => iso.replaceAll('-', ''),
  (iso) => iso.split('-').reverse().join('/'),
  (iso) => iso.split('-').reverse().map(Number).join('/'),
  (iso) => `${iso.split('-').reverse().join('.')} 23:59`,
  (iso) => String((Date.parse(iso) - Date.UTC(1899, 11, 30)) / 86_400_000),
  (iso) => String(Date.parse(iso) + 3 * 3_600_000),
  (iso) => String(Date.parse(iso) / 1000),
  (iso) => `/Date(${Date.parse(iso)})/`,
];

test('a date is read the same in every form', () => {
  const dates = fc
    // Before 1928 a serial number has four digits. Near 1970 a Unix time has few digits, or may be seconds of another year.
    .date({ min: new Date('1928-01-01'), max: new Date('2026-11-29'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10))
    .filter((iso) => iso < '1969-09-01' || iso > '1970-04-27');
  fc.assert(
    fc.property(dates, fc.constantFrom(...forms), (iso, form) => {
      expect(birth(form(iso))).toBe(iso);
    }),
    { numRuns: 2_000 },
  );
});

test('reading a date never throws, and returns only valid dates of the window', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d/.\- T:]{1,14}$/)), (text) => {
      const date = birth(text);
      if (date === undefined || date === '') return;
      expect(date).toMatch(/^\d{4}-\d\d-\d\d$/);
      expect(new Date(date).toISOString().slice(0, 10)).toBe(date);
      expect(date >= '1916-11-29' && date <= today).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

test('the fast path for the usual forms agrees with the general path', () => {
  const digits = (length: number, max: number) =>
    fc.integer({ min: 0, max }).map((n) => String(n).padStart(length, '0'));
  const year = fc.oneof(digits(4, 9999), fc.integer({ min: 1890, max: 2210 }).map(String));
  const windows = [birthDates('2026-11-28'), businessDates('2026-11-28')];
  fc.assert(
    fc.property(digits(2, 40), digits(2, 15), year, fc.constantFrom(...windows), (d, m, y, window) => {
      // A trailing space excludes a date from the fast path.
      expect(readDate(`${d}/${m}/${y}`, window)).toBe(readDate(`${d}/${m}/${y} `, window));
      expect(readDate(`${y}-${m}-${d}`, window)).toBe(readDate(`${y}-${m}-${d} `, window));
    }),
    { numRuns: 2_000 },
  );
});
