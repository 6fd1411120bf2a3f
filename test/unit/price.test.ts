import fc from 'fast-check';
import { getCountries, getCountryCallingCode, getExampleNumber } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { describe, expect, test } from 'vitest';
import { createFormat } from '../../domain/format.ts';
import { callingCodeOf } from '../../domain/phone.ts';
import {
  choosePrice,
  costOfSegments,
  decimalOf,
  millionthsOf,
  type Price,
  pricePrefix,
  priceText,
  readPrice,
} from '../../domain/price.ts';

describe('a typed price', () => {
  test.each([
    ['0,085', '0.085'],
    ['0.085', '0.085'],
    ['R$ 0,085', '0.085'],
    ['R$0,1', '0.10'],
    ['€ 0,07', '0.07'],
    ['BRL 0.5', '0.50'],
    [' 1 ', '1.00'],
    ['0', '0.00'],
    ['1.234', '1.234'],
    ['0,000001', '0.000001'],
    ['99999.999999', '99999.999999'],
  ])('%s is read as %s', (typed, read) => {
    expect(readPrice(typed)).toBe(read);
    expect(priceText.parse(typed)).toBe(read);
  });

  test.each(['', 'grátis', '0,0000001', '-1', '1.234,50', '1 2', '100000', '0,1,2', '1e3', ',5'])(
    '%j is refused',
    (typed) => {
      expect(readPrice(typed)).toBeUndefined();
      expect(priceText.safeParse(typed).success).toBe(false);
    },
  );

  test('is stored without loss, and read back as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99_999_999_999 }), (millionths) => {
        const text = decimalOf(millionths);
        expect(text).toMatch(/^\d+\.\d{2,6}$/);
        expect(millionthsOf(text)).toBe(millionths);
        expect(readPrice(text)).toBe(text);
        expect(readPrice(text.replace('.', ','))).toBe(text);
      }),
    );
    expect(decimalOf(-85_000)).toBe('-0.085');
    expect(millionthsOf('-0.085')).toBe(-85_000);
  });
});

test('a price prefix is the calling code of a country', () => {
  expect(pricePrefix.parse('+55')).toBe('55');
  expect(pricePrefix.parse('')).toBe('');
  for (const wrong of ['5511', '999', 'BR', '0']) expect(pricePrefix.safeParse(wrong).success).toBe(false);
});

test('a mobile number of every country has the calling code of that country', () => {
  for (const country of getCountries()) {
    const number =
      getExampleNumber(country, examples)?.number ?? `+${getCountryCallingCode(country)}12345678`;
    expect(callingCodeOf(number), country).toBe(getCountryCallingCode(country));
  }
  expect(callingCodeOf('11987654321')).toBeNull();
});

const day = fc.constantFrom('2026-01-01', '2026-02-01', '2026-02-02', '2026-03-01');
const prefix = fc.constantFrom('', '1', '55', '351');
const somePrices: fc.Arbitrary<Price[]> = fc.uniqueArray(
  fc.record({ prefix, firstDay: day, millionths: fc.integer({ min: 0, max: 500_000 }) }),
  { selector: ({ prefix, firstDay }) => `${prefix} ${firstDay}`, maxLength: 12 },
);

/** The rule, step by step: the prices that apply, of them the most specific prefix, of these the latest day. */
function choosePriceNaively(prices: readonly Price[], country: string, on: string): number | null {
  const applying = prices
    .filter((price) => price.firstDay <= on)
    .filter((price) => price.prefix === '' || price.prefix === country);
  const longest = Math.max(-1, ...applying.map((price) => price.prefix.length));
  const specific = applying.filter((price) => price.prefix.length === longest);
  return specific.sort((a, b) => (a.firstDay < b.firstDay ? 1 : -1))[0]?.millionths ?? null;
}

test('the price of a country and a day agrees with the naive rule', () => {
  fc.assert(
    fc.property(somePrices, prefix, day, (prices, country, on) => {
      expect(choosePrice(prices, { country, day: on })).toBe(choosePriceNaively(prices, country, on));
    }),
  );
});

test('a cost is the sum over its segments, and segments without a price are counted separately', () => {
  const some = fc.array(fc.record({ country: prefix, segments: fc.integer({ min: 0, max: 100_000 }) }));
  fc.assert(
    fc.property(somePrices, some, day, (prices, segments, on) => {
      let millionths = 0n;
      let unpriced = 0;
      for (const { country, segments: count } of segments) {
        const price = choosePriceNaively(prices, country, on);
        if (price === null) unpriced += count;
        else millionths += BigInt(price) * BigInt(count);
      }
      const cost = costOfSegments(segments, { prices, day: on, currency: 'BRL' });
      expect(cost).toMatchObject({ currency: 'BRL', unpriced });
      expect(BigInt(cost.millionths)).toBe(millionths);
    }),
  );
});

test('money is formatted in the language of the reader', () => {
  const portuguese = createFormat('pt-BR', null);
  const english = createFormat('en', null);
  const plain = (text: string): string => text.replaceAll('\u00A0', ' ');
  expect(plain(portuguese.money(1_284_000_000, 'BRL'))).toBe('R$ 1.284,00');
  expect(plain(portuguese.unitPrice(85_000, 'BRL'))).toBe('R$ 0,085');
  expect(plain(portuguese.unitPrice(100_000, 'BRL'))).toBe('R$ 0,10');
  expect(english.money(1_284_000_000, 'USD')).toBe('$1,284.00');
  expect(english.unitPrice(7_900, 'USD')).toBe('$0.0079');
});
