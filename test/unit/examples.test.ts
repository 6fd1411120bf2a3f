import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { choosePhone } from '../../domain/phone.ts';
import { generateMailing } from '../../examples/make-mailing.ts';
import { readCsv } from '../../mailing/csv.ts';

async function* bytesOf(text: Iterable<string>): AsyncGenerator<Uint8Array> {
  for (const chunk of text) yield Buffer.from(chunk);
}

/** Lines by what becomes of them, a phone that was there before told apart. */
async function fates(text: Iterable<string>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const phones = new Set<string>();
  for await (const batch of readCsv(bytesOf(text), { extraFields: [], today: '2026-11-29' })) {
    for (const record of batch) {
      const phone = record.ok ? choosePhone(record.contact) : undefined;
      let fate: string = phone === undefined ? 'line_invalid' : phone.ok ? 'good' : phone.reason;
      if (phone?.ok) {
        if (phones.has(phone.e164)) fate = 'duplicate_phone';
        phones.add(phone.e164);
      }
      counts[fate] = (counts[fate] ?? 0) + 1;
    }
  }
  return counts;
}

test('examples/mailing.csv is what the script makes', async () => {
  const file = await readFile(new URL('../../examples/mailing.csv', import.meta.url), 'utf8');
  expect([...generateMailing(1000, 1)].join('')).toBe(file);
});

test('the example mailing has every kind of flaw, and few of each', async () => {
  const counts = await fates(generateMailing(1000, 1));
  for (const flaw of ['phone_missing', 'phone_invalid', 'not_a_mobile', 'duplicate_phone']) {
    expect(counts[flaw]).toBeGreaterThan(1);
    expect(counts[flaw]).toBeLessThan(20);
  }
  expect(Object.values(counts).reduce((sum, count) => sum + count)).toBe(1000);
});

test('numbers are repeated by intention only', async () => {
  const { good = 0, duplicate_phone: duplicates = 0 } = await fates(generateMailing(100_000, 7));
  expect(good).toBeGreaterThan(96_000);
  expect(good).toBeLessThan(98_000);
  expect(duplicates).toBeGreaterThan(400);
  expect(duplicates).toBeLessThan(800);
});
