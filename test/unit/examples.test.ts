import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { choosePhone } from '../../domain/phone.ts';
import { generateMailing } from '../../examples/make-mailing.ts';
import { readCsv } from '../../mailing/csv.ts';

async function* bytesOf(text: Iterable<string>): AsyncGenerator<Uint8Array> {
  for (const chunk of text) yield Buffer.from(chunk);
}

/** The number of lines by the outcome of their phone; a repeated phone is `duplicate_phone`. */
async function countOutcomes(text: Iterable<string>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const phones = new Set<string>();
  for await (const batch of readCsv(bytesOf(text), { extraFields: [], today: '2026-11-29' })) {
    for (const record of batch) {
      const phone = record.ok ? choosePhone(record.contact) : undefined;
      let outcome: string = phone === undefined ? 'line_invalid' : phone.ok ? 'good' : phone.reason;
      if (phone?.ok) {
        if (phones.has(phone.e164)) outcome = 'duplicate_phone';
        phones.add(phone.e164);
      }
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    }
  }
  return counts;
}

test('examples/mailing.csv is the output of the script', async () => {
  const file = await readFile(new URL('../../examples/mailing.csv', import.meta.url), 'utf8');
  expect([...generateMailing(1000, 1)].join('')).toBe(file);
});

test('the example mailing has a few lines with each kind of flaw', async () => {
  const counts = await countOutcomes(generateMailing(1000, 1));
  for (const flaw of ['phone_missing', 'phone_invalid', 'not_a_mobile', 'duplicate_phone']) {
    expect(counts[flaw]).toBeGreaterThan(1);
    expect(counts[flaw]).toBeLessThan(20);
  }
  expect(Object.values(counts).reduce((sum, count) => sum + count)).toBe(1000);
});

test('the example mailing repeats only the phones that it means to repeat', async () => {
  const { good = 0, duplicate_phone: duplicates = 0 } = await countOutcomes(generateMailing(100_000, 7));
  expect(good).toBeGreaterThan(96_000);
  expect(good).toBeLessThan(98_000);
  expect(duplicates).toBeGreaterThan(400);
  expect(duplicates).toBeLessThan(800);
});
