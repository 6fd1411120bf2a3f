import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCallback } from '../../sms/callback.ts';

const formOf = (rawBody: string) =>
  createCallback({
    method: 'POST',
    url: 'https://torpedo.example/',
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    rawBody,
  }).form;

test('a form is read as it was written, with any field names and values', () => {
  const text = fc.string({ unit: 'grapheme' });
  const name = fc.oneof(text, fc.constantFrom('constructor', 'toString', 'a'));
  fc.assert(
    fc.property(fc.array(fc.tuple(name, text)), (pairs) => {
      const accepted = pairs.filter(([one]) => one !== '__proto__');
      const written = new URLSearchParams(pairs).toString();
      const read = Object.entries(formOf(written)).flatMap(([one, values]) =>
        [values].flat().map((value) => [one, value]),
      );
      const ofName = (all: string[][], name: string) => all.filter(([one]) => one === name);
      for (const [one] of accepted) expect(ofName(read, one)).toEqual(ofName(accepted, one));
      expect(read).toHaveLength(accepted.length);
    }),
  );
});

test('only 1,000 fields of a form are read', () => {
  const many = Array.from({ length: 100_000 }, (_, index) => `f${index}=1`).join('&');
  expect(Object.keys(formOf(many))).toHaveLength(1_000);
});
