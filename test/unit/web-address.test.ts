import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AddressValues,
  buildAddress,
  fillParamValue,
  parseParamValue,
} from '../../domain/web-address.ts';
import { webserviceBlock } from '../../domain/webservice.ts';
import { problemsIn } from '../kit/problems.ts';

const values: AddressValues = {
  timezone: 'America/Sao_Paulo',
  // Still the 23rd in São Paulo.
  now: new Date('2026-11-24T01:30:05Z'),
  lastRunAt: new Date('2026-11-22T12:00:02Z'),
  occurrence: new Date('2026-11-24T01:00:00Z'),
};
const filled = (value: string, changes: Partial<AddressValues> = {}) =>
  fillParamValue(value, { ...values, ...changes });

describe('a date placeholder', () => {
  test.each([
    ['{today}', '2026-11-23'],
    ['{yesterday}', '2026-11-22'],
    ['{lastRunAt}', '2026-11-22T09:00:02-03:00'],
    ['{occurrence}', '2026-11-23T22:00:00-03:00'],
    ['{today:dd/MM/yyyy}', '23/11/2026'],
    ['{yesterday:yyyyMMdd}', '20261122'],
    ['{occurrence:yyyy-MM-ddTHH:mm:ss}', '2026-11-23T22:00:00'],
    ['{lastRunAt:HH:mm}', '09:00'],
    ['from {yesterday} to {today}', 'from 2026-11-22 to 2026-11-23'],
    ['{{"since":"{today}"}}', '{"since":"2026-11-23"}'],
    ['{{today}}', '{today}'],
    ['', ''],
  ])('%s becomes %s', (value, expected) => {
    expect(filled(value)).toBe(expected);
  });

  test('of the last run is the start of the epoch when there was none', () => {
    expect(filled('{lastRunAt}', { lastRunAt: null })).toBe('1970-01-01T00:00:00+00:00');
  });

  test('follows calendar days, also when the clocks change', () => {
    const now = new Date('2026-03-09T03:30:00Z'); // 23:30 on the day on which New York put the clocks forward.
    expect(filled('{yesterday} {today:HH}', { now, timezone: 'America/New_York' })).toBe('2026-03-07 23');
  });

  test.each([
    [
      '{tomorrow}',
      'placeholder_unknown',
      '{tomorrow} is not a placeholder. The placeholders are {today}, {yesterday}, {lastRunAt}, and {occurrence}.',
    ],
    [
      '{}',
      'placeholder_unknown',
      '{} is not a placeholder. The placeholders are {today}, {yesterday}, {lastRunAt}, and {occurrence}.',
    ],
    ['{today', 'param_brace', 'This { belongs to no placeholder. To write { itself, double it: {{.'],
    ['a}', 'param_brace', 'This } belongs to no placeholder. To write } itself, double it: }}.'],
    [
      '{today:DD/MM}',
      'date_form_unknown',
      '“DD/MM” is not a date format. Write it with yyyy, MM, dd, HH, mm, ss, like dd/MM/yyyy.',
    ],
    [
      '{today:}',
      'date_form_unknown',
      '“” is not a date format. Write it with yyyy, MM, dd, HH, mm, ss, like dd/MM/yyyy.',
    ],
  ])('%s is refused when the campaign is saved', (value, code, message) => {
    expect(parseParamValue(value)).toMatchObject({ ok: false, fault: { code } });
    expect(problemsIn(webserviceBlock, { params: [{ key: 'a', value }] })).toEqual([
      `params.0.value: ${message}`,
    ]);
  });
});

describe('the address', () => {
  test('keeps its own query unchanged, and has the parameters after it', () => {
    const url = buildAddress(
      {
        baseUrl: 'https://crm.example/api?x=%20a+b&empty=#part',
        params: [
          { key: 'q r', value: 'São & Paulo+=?' },
          { key: 'on', value: '{today}' },
          { key: 'on', value: '' },
        ],
      },
      values,
    );
    expect(url.href).toBe(
      'https://crm.example/api?x=%20a+b&empty=&q%20r=S%C3%A3o%20%26%20Paulo%2B%3D%3F&on=2026-11-23&on=',
    );
  });

  test('encodes every parameter without loss', () => {
    const text = fc.string({ unit: 'binary' }).map((one) => one.replaceAll(/[{}]/g, ''));
    const param = fc.record({ key: text, value: text });
    fc.assert(
      fc.property(
        fc.webUrl({ withQueryParameters: true, withFragments: true }),
        fc.array(param, { maxLength: 5 }),
        (baseUrl, params) => {
          const before = new URL(baseUrl);
          const url = buildAddress({ baseUrl, params }, values);
          expect(url.search.startsWith(before.search) || before.search === '').toBe(true);
          const own = [...before.searchParams].length;
          const expected = params.map(({ key, value }) => [
            key.replaceAll(/\p{Cs}/gu, '\ufffd'),
            value.replaceAll(/\p{Cs}/gu, '\ufffd'),
          ]);
          expect([...url.searchParams].slice(own)).toEqual(expected);
          expect(url.origin + url.pathname).toBe(before.origin + before.pathname);
          expect(url.hash).toBe('');
        },
      ),
    );
  });

  test('has the correct texts and dates in any combination', () => {
    const part = fc.oneof(
      fc.string().map((text) => [text.replaceAll(/[{}]/g, '$&$&'), text] as const),
      fc.constantFrom(['{today}', '2026-11-23'] as const, ['{lastRunAt:yyyy}', '2026'] as const),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const value = parts.map(([written]) => written).join('');
        expect(filled(value)).toBe(parts.map(([, meant]) => meant).join(''));
      }),
    );
  });

  test('must not contain a user or password', () => {
    expect(problemsIn(webserviceBlock, { baseUrl: 'https://ana:secret@crm.example/' })).toEqual([
      'baseUrl: Leave the user and password out of the address: store them in an integration.',
    ]);
    for (const baseUrl of ['ftp://crm.example/', 'crm.example', 'javascript:alert(1)', 'https://'])
      expect(webserviceBlock.safeParse({ baseUrl }).success, baseUrl).toBe(false);
  });
});
