import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createContactReader, type ExtraField } from '../../domain/contact.ts';
import { createLineReader, type MailingRecord } from '../../domain/line.ts';
import { readMoney } from '../../domain/money.ts';
import { profiles } from '../../domain/segments.ts';
import { parseTemplate } from '../../domain/template.ts';

const extraFields: ExtraField[] = [
  { name: 'plano', type: 'text', required: false },
  { name: 'valor', type: 'money', required: false },
  { name: 'vence', type: 'date', required: false },
  { name: 'vip', type: 'boolean', required: true },
];
const toContact = createContactReader(extraFields, '2026-11-30');

/** Contents of real cells, whole and in fragments. */
const fragments = [
  ...[
    '11987654321',
    '(11) 98765-4321',
    '1130000001',
    '5,51199E+12',
    '98765-4321 (11)',
    '11 98765-4321 / 3000-0001',
  ],
  ...[
    'Ana',
    'JoÃ£o',
    'Jo\ufffdo',
    'NÃO INFORMADO',
    'null',
    '#N/D',
    '-',
    '0',
    'false',
    '="0012"',
    "'-77",
    '=A1',
    '=1+1',
  ],
  ...[
    '31/12/80',
    '00/00/0000',
    '46000',
    '31/02/1980',
    'R$ 1.234,56',
    '1,234',
    '(99,90)',
    'sim',
    'talvez',
    '&nbsp;',
  ],
  ...[
    '<b>',
    '{nome}',
    '{x}',
    '{',
    '\u202e',
    '\u200b',
    '🎉',
    '\ud83d',
    '\0',
    'x'.repeat(700),
    '=C3=A3',
    '%C3',
    '\\u00',
    '\\n',
  ],
];
const cell = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('', ...fragments) },
  {
    weight: 2,
    arbitrary: fc.array(fc.constantFrom(...fragments), { maxLength: 3 }).map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
);
const raw = fc.record({
  code: cell,
  name: cell,
  mobile: cell,
  phone: cell,
  phone2: cell,
  birthDate: cell,
  customMessage: cell,
});
const rulesOf = (written: string | null, removeAccents: boolean) => {
  const parsed =
    written === null
      ? null
      : parseTemplate(
          written,
          extraFields.map(({ name }) => name),
        );
  if (parsed?.ok === false) throw new Error('The template is invalid.');
  return createLineReader({
    template: parsed?.template ?? null,
    removeAccents,
    maxSegments: 1,
    profile: profiles.gsm,
    extraFields,
  });
};

describe('a line with any content', () => {
  const readers = [null, 'Oi', 'Olá {nome}, {plano}: R$ {valor} até {vence}'].flatMap((template) =>
    [true, false].map((remove) => [template, rulesOf(template, remove)] as const),
  );

  test('has a phone and a text, or a reason; and a dropped value has a warning', () => {
    fc.assert(
      fc.property(
        raw,
        fc.array(cell, { minLength: 4, maxLength: 4 }),
        fc.constantFrom(...readers),
        (values, extra, [template, readLine]) => {
          const record: MailingRecord = { line: 2, ok: true, ...toContact(values, extra) };
          const line = readLine(record);
          expect(line.reason === null).toBe(line.problem === null);
          if (line.reason === null) {
            expect(line.phone).toMatch(/^\+[1-9]\d{6,14}$/);
            if (template !== null) {
              expect(line.text).not.toBeNull();
              expect(line.segments).toBe(1);
            }
          } else expect(line.text).toBeNull();
          // The number has only digits of the cells, except a ninth digit that a warning reports.
          if (line.phone !== null) {
            const digits = [values.mobile, values.phone, values.phone2]
              .join(' ')
              .normalize('NFKC')
              .replaceAll(/\D/g, '');
            const own = line.phone.slice(-8);
            expect(
              digits.includes(own) || /E/i.test([values.mobile, values.phone, values.phone2].join(' ')),
            ).toBe(true);
          }
          for (const text of [line.text ?? '', line.contact?.name ?? '', line.contact?.customMessage ?? ''])
            expect(text).not.toMatch(/\ufffd|^#N\/D$|&nbsp;|(?!\n)\p{Cc}|\p{Cs}/u);
          const { contact, warnings } = line;
          if (!/["']/.test(values.name)) expect(contact?.name).not.toBe('=A1');
          if (contact?.birthDate === '' && /^(?:31\/02\/1980|Ana|talvez)$/.test(values.birthDate))
            expect(warnings.map(({ params }) => 'column' in params && params.column)).toContain(
              'data_nascimento',
            );
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test('that cannot be read has that reason', () => {
    expect(
      rulesOf('Oi', true)({ line: 3, ok: false, problem: { code: 'quote_misplaced', params: {} } }),
    ).toMatchObject({
      reason: 'line_invalid',
      problem: { code: 'quote_misplaced' },
      contact: null,
    });
  });
});

describe('an amount of money', () => {
  const spellings: ((cents: bigint) => string)[] = [
    (cents) => plain(cents, ',', '.'),
    (cents) => plain(cents, ',', ''),
    (cents) => plain(cents, '.', ''),
    (cents) => plain(cents, '.', ','),
    (cents) => `R$ ${plain(cents, ',', '.')}`,
    (cents) => `R$\u00a0${plain(cents, ',', '\u00a0')}`,
    (cents) => ` ${plain(cents, ',', '.')} `,
  ];
  const plain = (cents: bigint, point: string, thousands: string): string => {
    const digits = cents.toString().padStart(3, '0');
    return `${digits.slice(0, -2).replaceAll(/\B(?=(?:\d{3})+$)/g, thousands)}${point}${digits.slice(-2)}`;
  };

  test.each([
    ['.5', '0,50'],
    [',50', '0,50'],
    ['-.5', '-0,50'],
    ['5.', '5,00'],
    ['R$ .99', '0,99'],
    ['10,50 reais', '10,50'],
    ['000', '0,00'],
    ['00099,90', '99,90'],
    // It may be in cents.
    ['0000009990', undefined],
    ['1,5E+3', undefined],
  ])('%s is %s', (text, money) => {
    expect(readMoney(text)).toBe(money);
  });

  test('keeps all its digits in every spelling', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.constantFrom(...spellings), (cents, spell) => {
        expect(readMoney(spell(cents))).toBe(plain(cents, ',', '.'));
      }),
      { numRuns: 2_000 },
    );
  });

  test('has no added digits, and is read from its own spelling', () => {
    const soup = fc.string({
      unit: fc.constantFrom(...Array.from('0123456789.,-+ ()R$x\u00a0')),
      maxLength: 14,
    });
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: 'binary' })), (text) => {
        const money = readMoney(text);
        if (money === undefined) return;
        expect(money).toMatch(/^-?\d{1,3}(?:\.\d{3})*,\d\d$/);
        expect(readMoney(money)).toBe(money);
        const whole = money.replaceAll(/\D/g, '').slice(0, -2).replace(/^0+/, '');
        const written = text.replaceAll(/\D/g, '').replace(/^0+/, '');
        // Rounding may carry.
        if (!/9[.,]?\d*$/.test(text) && !/[.,]\d{3,}$/.test(text))
          expect(written.startsWith(whole)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });
});
