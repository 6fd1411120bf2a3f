import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkLiteral, createAddressGuard, isAllowEntry } from '../../mailing/address-guard.ts';

const guard = createAddressGuard([]);

/** First address and prefix length, copied by hand from https://www.iana.org/assignments/iana-ipv4-special-registry. */
const special: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
const toNumber = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const toDotted = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
const isSpecial = (number: number): boolean =>
  special.some(
    ([first, bits]) =>
      Math.floor(number / 2 ** (32 - bits)) === Math.floor(toNumber(first) / 2 ** (32 - bits)),
  );
const anyAddress = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc.constantFrom(...special).chain(([first, bits]) => {
    const size = 2 ** (32 - bits);
    return fc.integer({
      min: Math.max(0, toNumber(first) - 2),
      max: Math.min(2 ** 32 - 1, toNumber(first) + size + 1),
    });
  }),
);

/** All notations of an IPv4 address that a URL accepts. */
const notations = (number: number): string[] => {
  const parts = toDotted(number).split('.').map(Number);
  const rest = number % 2 ** 24;
  return [
    toDotted(number),
    String(number),
    `0x${number.toString(16)}`,
    `0${number.toString(8)}`,
    `${parts[0] ?? 0}.${rest}`,
    `${parts[0] ?? 0}.${parts[1] ?? 0}.${number % 2 ** 16}`,
    parts.map((part) => `0x${part.toString(16)}`).join('.'),
    parts.map((part) => `0${part.toString(8)}`).join('.'),
    `${toDotted(number)}.`,
    `[::ffff:${toDotted(number)}]`,
    `[::ffff:${Math.floor(number / 65536).toString(16)}:${(number % 65536).toString(16)}]`,
  ];
};
const isRefused = (hostname: string): boolean => {
  try {
    checkLiteral(guard, hostname);
    return false;
  } catch {
    return true;
  }
};

describe('the address guard', () => {
  test('refuses every special IPv4 address and allows the global ones, except those for anycast and transition', () => {
    fc.assert(
      fc.property(anyAddress, (number) => {
        const address = toDotted(number);
        if (isSpecial(number)) expect(guard.allowsAddress(address), address).toBe(false);
        else if (!/^192\.(?:88\.99|175\.48|31\.196|52\.193)\./.test(address))
          expect(guard.allowsAddress(address), address).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  test('recognizes an address in every notation that a URL accepts', () => {
    fc.assert(
      fc.property(anyAddress, (number) => {
        for (const written of notations(number)) {
          const { hostname } = new URL(`http://${written}/`);
          expect(isRefused(hostname), `${written} → ${hostname}`).toBe(
            !guard.allowsAddress(toDotted(number)),
          );
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('allows IPv6 from 2000::/3 only, except addresses that embed IPv4 or are not on the internet', () => {
    for (const address of ['2001:4860:4860::8888', '2606:4700::1111', '2804:14c::1'])
      expect(guard.allowsAddress(address), address).toBe(true);
    for (const address of [
      '::',
      '::1',
      '::127.0.0.1',
      '64:ff9b::a00:1',
      '64:ff9b:1::1',
      '100::1',
      '2001::1',
      '2001:db8::1',
      '2002:a00:1::',
      '3fff::1',
      '4000::1',
      '5f00::1',
      'fc00::1',
      'fd12::1',
      'fe80::1',
      'fe80::1%eth0',
      'fec0::1',
      'ff02::1',
      '::ffff:10.0.0.1',
    ])
      expect(guard.allowsAddress(address), address).toBe(false);
  });

  test('accepts only addresses, ranges and host names as exceptions', () => {
    for (const entry of ['10.0.0.1', '10.0.0.0/8', 'fd00::/8', 'crm.internal', 'crm', 'CRM.Internal'])
      expect(isAllowEntry(entry), entry).toBe(true);
    for (const entry of ['', '10.0.0.0/99', 'http://crm', 'crm:80', '*.internal', 'a b', '-x'])
      expect(isAllowEntry(entry), entry).toBe(false);
    const allowing = createAddressGuard(['10.1.0.0/16', '::1', 'CRM.internal']);
    expect(allowing.allowsAddress('10.1.255.255')).toBe(true);
    expect(allowing.allowsAddress('::ffff:10.1.0.1')).toBe(true);
    expect(allowing.allowsAddress('10.2.0.1')).toBe(false);
    expect(allowing.allowsAddress('::1')).toBe(true);
    expect(allowing.allowsHost('crm.internal')).toBe(true);
    expect(allowing.allowsHost('crm.internal.')).toBe(true);
    expect(allowing.allowsHost('x.crm.internal')).toBe(false);
  });
});
