import { z } from 'zod';
import { readMoney } from './money.ts';
import { callingCodeOf, isCallingCode } from './phone.ts';
import { coded } from './problems/coded.ts';

/**
 * Prices of a segment, and what messages cost.
 *
 * An amount of money is an integer in millionths of the deployment's currency: R$ 0,085 is 85,000. In documents of the
 * API it is a decimal text, `0.085`, because JSON has no exact decimals. Integers of JavaScript are exact up to nine
 * billion of the currency.
 *
 * A price belongs to a provider and applies from a day of the deployment's time zone on. Its prefix is a country's
 * calling code (`55`), or empty for every country without a price of its own. A country's price takes precedence over the price
 * for all, however old it is; among prices of the same prefix, the latest that has begun applies.
 */
export interface Price {
  /** A country's calling code without +; '' for all. */
  prefix: string;
  /** `2026-12-01` */
  firstDay: string;
  /** Of one segment. */
  millionths: number;
}

const perUnit = 1_000_000;

/** A price of this or more is a typo: no currency has such an expensive SMS. */
const highestPrice = 100_000;

/**
 * Parses a price as people write it, `0,085`, `0.085`, `R$ 0,085`, into a decimal with a point. At most six decimals; a
 * separator is always that of the decimals. Undefined: it is no price.
 */
export function readPrice(text: string): string | undefined {
  const [, whole, decimals = ''] =
    /^(?:[A-Z]{3}|[A-Z]{0,2}\p{Sc})?\s*(\d{1,6})(?:[.,](\d{1,6}))?$/u.exec(text.trim()) ?? [];
  if (whole === undefined || Number(whole) >= highestPrice) return undefined;
  return decimalOf(Number(whole) * perUnit + Number(decimals.padEnd(6, '0')));
}

/** The price of one segment. Documents contain it with a point; any other spelling is rewritten. */
export const priceText = z
  .string()
  .max(40)
  .overwrite((text) => readPrice(text) ?? text)
  .refine((text) => readPrice(text) !== undefined, coded('price_format'));

/** A country's calling code, with or without the +; '' for all countries. */
export const pricePrefix = z
  .string()
  .max(10)
  .overwrite((text) => text.replaceAll(/[+\s]/g, ''))
  .refine((text) => text === '' || isCallingCode(text), coded('calling_code_unknown'));

const highestAmount = 1_000_000_000;

/**
 * Parses a sum as people write it (domain/money.ts), `R$ 15.000,00`, `15000.5`, into a decimal with a point. Undefined:
 * it is none, is zero or negative, or has more than nine digits.
 */
export function readAmount(text: string): string | undefined {
  const decimal = readMoney(text)?.replaceAll('.', '').replace(',', '.');
  if (decimal === undefined || !(Number(decimal) > 0) || Number(decimal) >= highestAmount) return undefined;
  return decimal;
}

/** A sum of money, such as a budget. Documents contain it with a point; any other spelling is rewritten. */
export const amountText = z
  .string()
  .max(40)
  .overwrite((text) => readAmount(text) ?? text)
  .refine((text) => readAmount(text) !== undefined, coded('amount_format'));

/** An ISO 4217 code that this runtime knows. */
export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'An ISO 4217 code, such as BRL.')
  .refine((code) => Intl.supportedValuesOf('currency').includes(code), 'An ISO 4217 code, such as BRL.');

export const defaultCurrency = 'BRL';

/** A canonical decimal, `0.085`, of an amount in millionths; at least two decimals. */
export function decimalOf(millionths: number): string {
  const digits = Math.abs(millionths).toString().padStart(7, '0');
  const decimals = digits.slice(-6).replace(/0{1,4}$/, '');
  return `${millionths < 0 ? '-' : ''}${digits.slice(0, -6)}.${decimals}`;
}

/** The opposite of `decimalOf`. */
export function millionthsOf(decimal: string): number {
  const [whole = '', decimals = ''] = decimal.replace('-', '').split('.');
  const value = Number(whole) * perUnit + Number(decimals.padEnd(6, '0').slice(0, 6));
  return decimal.startsWith('-') ? -value : value;
}

/** The price of a segment to a country on a day, of one provider's prices; null: none. */
export function choosePrice(
  prices: readonly Price[],
  { country, day }: { country: string; day: string },
): number | null {
  let chosen: Price | null = null;
  for (const price of prices) {
    if (price.firstDay > day || (price.prefix !== '' && price.prefix !== country)) continue;
    if (
      chosen === null ||
      price.prefix.length > chosen.prefix.length ||
      (price.prefix === chosen.prefix && price.firstDay > chosen.firstDay)
    )
      chosen = price;
  }
  return chosen?.millionths ?? null;
}

/** Segments by the country that they go to. */
export const segmentsByCountry = z.array(z.object({ country: z.string(), segments: z.int() }));
export type SegmentsByCountry = z.infer<typeof segmentsByCountry>;

/** What segments cost. Those without a price are counted apart: they are not free. */
export const cost = z.object({
  /** ISO 4217 */
  currency: z.string(),
  segments: z.int(),
  /** Of the segments that have a price, in millionths of the currency. */
  millionths: z.int(),
  /** How many of the segments have no price. */
  unpriced: z.int(),
});
export type Cost = z.infer<typeof cost>;

/** What segments cost on one day, at one provider's prices. */
export function costOfSegments(
  segments: SegmentsByCountry,
  { prices, day, currency }: { prices: readonly Price[]; day: string; currency: string },
): Cost {
  const sum: Cost = { currency, segments: 0, millionths: 0, unpriced: 0 };
  for (const part of segments) {
    const price = choosePrice(prices, { country: part.country, day });
    sum.segments += part.segments;
    if (price === null) sum.unpriced += part.segments;
    else sum.millionths += price * part.segments;
  }
  return sum;
}

/** The cost of other segments at the mean price of these. */
export function meanCost({ currency, ...of }: Cost, segments: number): Cost {
  if (of.segments === 0) return { currency, segments, millionths: 0, unpriced: segments };
  const share = segments / of.segments;
  return {
    currency,
    segments,
    millionths: Math.round(of.millionths * share),
    unpriced: Math.round(of.unpriced * share),
  };
}

/** Whether anything of it has a price. */
export const isPriced = ({ segments, unpriced }: Cost): boolean => segments > unpriced;

/** The country of a phone, for its price. */
export const countryOf = (e164: string): string => callingCodeOf(e164) ?? '';
