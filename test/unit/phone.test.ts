import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  canonicalPhone,
  choosePhone,
  ddds,
  formatPhone,
  maskPhone,
  normalizePhone,
  parseBrazilian,
  parseByLibrary,
  parsePhone,
  phonesIn,
  phonesMeant,
  readPhoneCell,
} from '../../domain/phone.ts';

const mobile = '+5511987654321';

describe('parsePhone', () => {
  test.each([
    '11987654321',
    '(11) 98765-4321',
    '11 9 8765 4321',
    '11.98765.4321',
    '011987654321',
    '(011) 98765-4321',
    '0xx11 98765-4321',
    '(0XX11) 98765-4321',
    '0**11 98765-4321',
    '0 15 11 98765-4321',
    '5511987654321',
    '+5511987654321',
    '+55 (11) 98765-4321',
    '+55 (0)11 98765-4321',
    '(+55) 11 98765-4321',
    '005511987654321',
    '00 55 11 98765-4321',
    '055 11 98765-4321',
    "'11987654321",
    '11987654321.0',
    '5511987654321,00',
    '\u202a+55 11 98765\u20114321\u202c',
    '\u00a011\u00a098765-4321 ',
  ])('reads the spelling %j', (raw) => {
    expect(parsePhone(raw)).toEqual({ ok: true, e164: mobile });
  });

  test.each(['', '   ', '\u200b'])('reports %j as missing', (raw) => {
    expect(parsePhone(raw)).toMatchObject({ ok: false, reason: 'phone_missing' });
  });

  test.each([
    ['-', null],
    ['não tem', null],
    ['123', null],
    ['20987654321', null], // no such DDD
    ['00987654321', null],
    ['11 87654-32109', null], // eleven digits without the 9
    ['119876543210', null],
    ['11987654321 / 11912345678', null],
    ['11987654321 ou 11912345678', null],
    ['11987654321 ramal 3', null],
    ['11987654321 x3', null],
    ['=11987654321', null],
    ['+99911987654321', null],
    ['1'.repeat(300), null],
    ['98765-4321', 'area_code_missing'],
    ['3456-7890', 'area_code_missing'],
    ['5,51199E+12', 'spreadsheet_number'],
    ['1.19877E+10', 'spreadsheet_number'],
    ['1E+10', 'spreadsheet_number'],
    ['1187654321', 'ninth_digit_missing'],
    ['(11) 7765-4321', 'ninth_digit_missing'], // formerly Nextel: the metadata still has it as a mobile number
    ['+55 11 9876-5432', 'ninth_digit_missing'],
    ['1198765432.0', 'ninth_digit_missing'], // not 11 98765-4320
  ] as const)('reports %j as invalid, with the hint %s', (raw, hint) => {
    expect(parsePhone(raw)).toEqual({ ok: false, reason: 'phone_invalid', hint });
  });

  test.each([
    '1134567890',
    '(0xx11) 3456-7890',
    '+55 11 3456-7890',
    '08001234567',
    '4004-1234',
    '+44 20 7946 0958',
  ])('reports that %j is not a mobile number', (raw) => {
    expect(parsePhone(raw)).toMatchObject({ ok: false, reason: 'not_a_mobile' });
  });

  test('adds the ninth digit only on request, and only to mobile numbers', () => {
    const options = { addNinthDigit: true };
    expect(parsePhone('(11) 8765-4321', options)).toEqual({ ok: true, e164: mobile });
    expect(parsePhone('0055 11 8765.4321', options)).toEqual({ ok: true, e164: mobile });
    expect(parsePhone('11 7765-4321', options)).toEqual({ ok: true, e164: '+5511977654321' });
    expect(parsePhone('11 3765-4321', options)).toMatchObject({ reason: 'not_a_mobile' });
    expect(parsePhone('20 8765-4321', options)).toMatchObject({ reason: 'phone_invalid' });
    expect(parsePhone(mobile, options)).toEqual({ ok: true, e164: mobile });
  });

  test('reads numbers of other countries, and uses the configured default country', () => {
    expect(parsePhone('+351 912 345 678')).toEqual({ ok: true, e164: '+351912345678' });
    expect(parsePhone('00351 912 345 678')).toEqual({ ok: true, e164: '+351912345678' });
    expect(parsePhone('+52 1 55 1234 5678')).toEqual({ ok: true, e164: '+525512345678' });
    expect(parsePhone('+54 11 15 1234-5678')).toEqual({ ok: true, e164: '+5491112345678' });
    expect(parsePhone('+1 415 555 2671')).toEqual({ ok: true, e164: '+14155552671' });
    expect(parsePhone('912 345 678', { defaultCountry: 'PT' })).toEqual({ ok: true, e164: '+351912345678' });
    expect(parsePhone('11987654321', { defaultCountry: 'PT' })).toMatchObject({ reason: 'phone_invalid' });
    expect(parsePhone('+55 11 98765-4321', { defaultCountry: 'PT' })).toEqual({ ok: true, e164: mobile });
  });
});

describe('phonesIn', () => {
  test.each([
    ['11 98765-4321', ['+5511987654321']],
    ['(11) 3000-0001', ['+551130000001']],
    ['1187654321', ['+5511987654321']],
    ['Mãe: 11 3000-0001, Pai: 11 98765-4321 / 11 98765-4321', ['+551130000001', '+5511987654321']],
    ['+351 912 345 678', ['+351912345678']],
    ['00351 912 345 678', ['+351912345678']],
    ['123.456.789-09', []],
    ['12345678909', []],
    ['12.345.678/0001-95', []],
    ['98765-4321', []],
    ['Rua 1198765 432', []],
    ['31/12/2026 10:00', []],
    ['1.234.567,89', []],
    ['', []],
  ])('finds in %j: %j', (text, phones) => {
    expect(phonesIn(text)).toEqual(phones);
  });
});

describe('the fast path for Brazilian numbers', () => {
  const national = fc.oneof(
    fc.integer({ min: 0, max: 99_999_999_999 }).map((number) => String(number).padStart(11, '0')),
    fc.integer({ min: 0, max: 9_999_999_999 }).map((number) => String(number).padStart(10, '0')),
    fc
      .tuple(fc.integer({ min: 10, max: 99 }), fc.integer({ min: 0, max: 99_999_999 }))
      .map(([ddd, number]) => `${ddd}9${String(number).padStart(8, '0')}`),
  );
  const prefixes = [
    '',
    '',
    '0xx',
    '(0XX',
    '0**',
    '55',
    '+55 ',
    '(+55)',
    '0055',
    '00 55 ',
    '0',
    '00',
    '015',
    '055',
    '+',
  ];
  const spelling = fc
    .tuple(
      fc.constantFrom(...prefixes),
      national,
      fc.constantFrom<(digits: string) => string>(
        (digits) => digits,
        (digits) => `(${digits.slice(0, 2)}) ${digits.slice(2, 7)}-${digits.slice(7)}`,
        (digits) => `${digits.slice(0, 2)} ${digits.slice(2, 3)} ${digits.slice(3, 7)} ${digits.slice(7)}`,
        (digits) => ` ${digits.slice(0, 2)}--${digits.slice(2)} `,
        (digits) => `${digits.slice(0, -1)}.${digits.slice(-1)}`,
        (digits) => `${digits.slice(0, 2)}.${digits.slice(2, 7)}.${digits.slice(7)}`,
      ),
    )
    .map(([prefix, digits, spell]) => prefix + spell(digits));
  const soup = fc.string({
    unit: fc.constantFrom(...'0123456789012345678959 ()+-.xX'.split('')),
    maxLength: 18,
  });

  test('agrees with libphonenumber whenever it returns a result', () => {
    let answered = 0;
    const holds = fc.property(
      fc.oneof({ weight: 4, arbitrary: spelling }, { weight: 1, arbitrary: soup }),
      fc.record({ addNinthDigit: fc.boolean(), defaultCountry: fc.constantFrom('BR', 'BR', 'PT') }),
      (raw, options) => {
        const fast = parseBrazilian(raw, options);
        if (fast === undefined) return;
        answered++;
        expect(fast).toEqual(parseByLibrary(raw, options));
      },
    );
    fc.assert(holds, { numRuns: 20_000 });
    expect(answered).toBeGreaterThan(2_000);
  });

  test('finds in a text the number that normalizePhone reads', () => {
    let found = 0;
    const holds = fc.property(spelling, (raw) => {
      const phone = normalizePhone(raw);
      const phones = phonesIn(raw);
      // A dot among the digits can be the decimal point of a spreadsheet.
      if (phone === null || raw.includes('.')) return;
      if (!ddds.has(Number(phone.slice(3, 5))) || !/^\+55\d\d[2-9]/.test(phone)) return;
      found++;
      expect(phones).toEqual([phone]);
    });
    fc.assert(holds, { numRuns: 5_000 });
    expect(found).toBeGreaterThan(500);
  });

  test('knows the same DDDs as libphonenumber', () => {
    for (let ddd = 10; ddd <= 99; ddd++) {
      expect(parseBrazilian(`${ddd}987654321`)?.ok ?? false).toBe(parseByLibrary(`${ddd}987654321`).ok);
    }
  });

  test('returns a result for the common spellings', () => {
    for (const raw of [
      '(11) 98765-4321',
      '+55 11 98765-4321',
      '11.98765.4321',
      '(0xx11) 98765-4321',
      '1134567890',
    ]) {
      expect(parseBrazilian(raw)).toBeDefined();
    }
  });
});

describe('canonicalPhone', () => {
  test.each([
    '+5511987654321',
    '5511987654321',
    '11987654321',
    '(11) 98765-4321',
    '011987654321',
    '0xx11 98765-4321',
    ' 5511987654321 ',
    '005511987654321',
    'tel:+55-11-98765-4321',
    'whatsapp:+5511987654321',
    // Without the ninth digit.
    '+551187654321',
    '551187654321',
    '1187654321',
    '011 8765-4321',
    '(11) 8765-4321',
    '0 41 11 8765-4321',
    '00551187654321',
    'tel:551187654321',
    'whatsapp:+551187654321',
  ])('reads the mobile number from %j', (written) => {
    expect(canonicalPhone(written)).toBe(mobile);
  });

  test.each([
    ['551134567890', '+551134567890'],
    ['(11) 3456-7890', '+551134567890'],
    ['15551234567', null],
    ['12025550123', '+12025550123'],
    ['+4791234567', '+4791234567'],
    ['351912345678', '+351912345678'],
    ['28123', null],
    ['BANCO', null],
    ['', null],
  ])('reads %j as %j', (written, phone) => {
    expect(canonicalPhone(written)).toBe(phone);
  });

  test('returns the number as a mailing stores it, and does not change its own result', () => {
    const numbers = fc
      // 99999999 is a placeholder, which is refused in a cell.
      .tuple(fc.constantFrom(...ddds), fc.integer({ min: 60_000_000, max: 99_999_998 }), fc.boolean())
      .map(([ddd, subscriber, ninth]) => `${ddd}${ninth ? 9 : ''}${subscriber}`);
    const before = fc.constantFrom('', '0', '55', '+55', '0055', '+55 ', '(0', 'tel:+55');
    fc.assert(
      fc.property(numbers, before, (number, prefix) => {
        const phone = canonicalPhone(prefix + number);
        expect(phone).toBe(`+55${number.slice(0, 2)}9${number.slice(-8)}`);
        expect(canonicalPhone(phone ?? '')).toBe(phone);
        // In a cell, eight digits that start with 9 may be nine without one; a carrier drops no digits.
        const cell = readPhoneCell(number);
        const isSure = number.length === 11 || number.charAt(2) !== '9';
        expect(cell.ok && cell.e164).toBe(isSure && phone);
      }),
    );
  });
});

describe('readPhoneCell', () => {
  test.each([
    ['99999999999', 'phone_invalid'],
    ['(11) 99999-9999', 'phone_invalid'],
    ['(__) _____-____', 'phone_missing'],
    ['(  )      -    ', 'phone_missing'],
    ['(11) 3333-4444 RG 98765432-1', 'phone_invalid'],
    ['CPF:119;87654321', 'phone_invalid'],
  ])('finds no number in %j', (raw, reason) => {
    expect(readPhoneCell(raw)).toMatchObject({ ok: false, reason });
  });

  test.each([
    ['11987654321 / 11912345678', 'one_of_several'],
    ['11987654321 ou 11912345678', 'one_of_several'],
    ['11987654321;1134567890', 'one_of_several'],
    ['(11) 98765-4321\n(11) 91234-5678', 'one_of_several'],
    ['11 3456-7890 / 11 98765-4321', 'one_of_several'],
    ['+55 11 98765-4321 e +55 21 97654-3210', 'one_of_several'],
    ['(11) 9 8765-4321 recado c/ Ana 11 3333-4444', 'one_of_several'],
    ['(11)98765-4321/4322', null],
    ['Cel: (11) 98765-4321', null],
    ['whats 11 9.8765.4321', null],
    ['tel (0xx11) 98765-4321', null],
    ['DDD: 11 TEL: 98765-4321', null],
    ['ddd 11 num 987654321', null],
    ['11_98765_4321', null],
    ['{11} 987654321', null],
    ['(11)98765/4321', null],
    ['+55 0xx11 98765-4321', null],
    // With the DDD of the number before it.
    ['(11) 3333-4444 / 98765-4321', 'one_of_several'],
    ['(11)3333-4444 98765-4321', 'one_of_several'],
    ['(11) 99999-9999 / (11) 98765-4321', 'one_of_several'],
    ['(11) 98765-4321 (Maria)', null],
    ['55 11 98765-4321 - João', null],
    ['015 11 98765-4321 casa', null],
    ['11987654321 ramal 3', null],
    ['=11987654321', null],
    ['1187654321', 'ninth_digit_added'],
    ['Cel. (11) 8765-4321', 'ninth_digit_added'],
    ['8765-4321 (11)', 'ninth_digit_added'],
    ['98765-4321 (11)', null],
    ['9 8765-4321 - DDD 11', null],
    ['98765.4321 [011]', null],
    ['11/98765-4321', null],
    ['(11) 98765–4321', null],
    ['１１ ９８７６５－４３２１', null],
    ['11\u00a098765\u20114321', null],
    ['1,1987654321E+10', null],
    ['5.511987654321E12', null],
    ['https://wa.me/5511987654321', null],
    ['5511987654321@c.us', null],
    ['tel:+55-11-98765-4321', null],
    ['=HYPERLINK("https://wa.me/5511987654321";"Ana")', null],
    ['CPF 21987654321 cel 11987654321', null],
    ['CNPJ: 12.345.678/0001-95 / (11) 98765-4321', null],
    ['WhatsApp+55 11 98765-4321', null],
  ])('finds the mobile number in %j', (raw, note) => {
    expect(readPhoneCell(raw)).toEqual({ ok: true, e164: mobile, note });
    expect(normalizePhone(raw)).toBe(mobile);
  });

  test.each([
    '1198765432111912345678',
    '119876543210',
    'CPF 123.456.789-09',
    'R$ 1.198,76 54321',
    'CPF 11987654321',
    'RG nº 11987654321',
    'pedido 11987654321',
    // Must not be read with the first digits as the DDD (Maranhão, Pernambuco, Minas Gerais).
    '98987-6543/21',
    '8765-4321/11',
    '98987-6543~21',
    '8765-4321 20',
    // One of nine digits is missing: adding a 9 would give the number of another subscriber.
    '11 98765-432',
    '1198765432',
    '(11) 98765432',
    '2.987654321e10',
    'fone: 3456-7890',
    'não tem',
    '12345678901234567890',
  ])('finds no valid number in %j', (raw) => {
    expect(readPhoneCell(raw)).toMatchObject({ ok: false, reason: 'phone_invalid' });
    expect(normalizePhone(raw)).toBeNull();
  });

  test('never combines the digits of different numbers', () => {
    const noise = fc.string({ unit: fc.constantFrom(...Array.from('ab :/;,()\n')), maxLength: 8 });
    const number = fc.integer({ min: 0, max: 99_999_999 }).map((n) => `119${String(n).padStart(8, '0')}`);
    fc.assert(
      fc.property(noise, number, noise, fc.option(number), (before, first, between, second) => {
        const raw = `${before}${first}${between === '' ? ' ' : between}${second ?? ''}`;
        const result = readPhoneCell(raw);
        if (result.ok) expect([first, second]).toContain(result.e164.slice(3));
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('a cell never gives the number of another subscriber', () => {
  const ddd = fc.constantFrom(...ddds);
  // Nine nines are a placeholder.
  const own = fc.integer({ min: 0, max: 99_999_998 }).map((n) => `9${String(n).padStart(8, '0')}`);

  test('when the DDD is after the number', () => {
    const spell = fc.constantFrom<(ddd: number, own: string) => string>(
      (ddd, own) => `${own.slice(0, 5)}-${own.slice(5)} (${ddd})`,
      (ddd, own) => `${own.slice(0, 5)}-${own.slice(5)}(0${ddd})`,
      (ddd, own) => `${own} ${ddd}`,
      (ddd, own) => `${own.slice(0, 1)} ${own.slice(1, 5)}-${own.slice(5)}, DDD ${ddd}`,
    );
    fc.assert(
      fc.property(ddd, own, spell, (ddd, own, spell) => {
        expect(readPhoneCell(spell(ddd, own))).toMatchObject({ ok: true, e164: `+55${ddd}${own}` });
      }),
      { numRuns: 2_000 },
    );
  });

  test('when any digit is missing', () => {
    fc.assert(
      fc.property(ddd, own, fc.nat(8), fc.boolean(), (ddd, own, at, isGrouped) => {
        const short = own.slice(0, at) + own.slice(at + 1);
        const result = readPhoneCell(
          isGrouped ? `(${ddd}) ${short.slice(0, -3)}-${short.slice(-3)}` : `${ddd}${short}`,
        );
        // Without the ninth digit it is the same subscriber's number from before 2016.
        if (result.ok) expect(result.e164).toBe(`+55${ddd}9${short}`);
        if (result.ok) expect(short.charAt(0)).not.toBe('9');
      }),
      { numRuns: 2_000 },
    );
  });
});

test('parsePhone returns a result for any string', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (raw) => {
      const result = parsePhone(raw);
      if (result.ok) expect(result.e164).toMatch(/^\+[1-9]\d{6,14}$/);
    }),
  );
});

describe('choosePhone', () => {
  const landline = '1134567890';

  test('chooses the first mobile number of mobile, phone and phone 2', () => {
    expect(choosePhone({ mobile: '11987654321', phone: '11911111111', phone2: '' })).toEqual({
      ok: true,
      e164: mobile,
      field: 'mobile',
      note: null,
    });
    expect(choosePhone({ mobile: '', phone: landline, phone2: '11987654321' })).toEqual({
      ok: true,
      e164: mobile,
      field: 'phone2',
      note: null,
    });
  });

  test('gives the most informative reason when there is no mobile number', () => {
    const reason = (mobile: string, phone: string, phone2: string) => choosePhone({ mobile, phone, phone2 });
    expect(reason('', '', '')).toEqual({ ok: false, reason: 'phone_missing', hint: null });
    expect(reason('', landline, '')).toMatchObject({ reason: 'not_a_mobile' });
    expect(reason('123', landline, '')).toMatchObject({ reason: 'phone_invalid' });
    expect(reason(landline, '', '123')).toMatchObject({ reason: 'phone_invalid' });
    expect(reason('1,2E+10', '123', '')).toMatchObject({ hint: 'spreadsheet_number' });
  });
});

describe('maskPhone', () => {
  test.each([
    ['+5511987654321', '+55 11 9****-4321'],
    ['+551134567890', '+55 11 ****-7890'],
    ['+14155552671', '+14****71'],
    ['11987654321', '****'],
    ['', '****'],
  ])('shows %s as %s', (e164, masked) => {
    expect(maskPhone(e164)).toBe(masked);
  });
});

test.each([
  ['97000-0060', 67, '+5511970000060'],
  ['7000 0060', 67, '+5511970000060'],
  ['3000-0060', 67, '+551130000060'],
  ['(11) 97000-0060', 1, '+5511970000060'],
  ['+351 912 345 678', 1, '+351912345678'],
  ['Maria', 0, null],
  ['1234', 0, null],
])('%s matches %i phones', (written, count, one) => {
  const phones = phonesMeant(written);
  expect(phones).toHaveLength(count);
  if (one !== null) expect(phones).toContain(one);
});

test.each([
  ['+5511970000060', '(11) 97000-0060'],
  ['+551130000001', '(11) 3000-0001'],
  ['+351912345678', '+351 912 345 678'],
  ['+12125550100', '+1 212 555 0100'],
  ['28000', '28000'],
  ['LOJA', 'LOJA'],
])('a phone is shown as users write it: %s is %s', (phone, shown) => {
  expect(formatPhone(phone)).toBe(shown);
});
