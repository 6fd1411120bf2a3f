import { describe, expect, test } from 'vitest';
import { hasNewOrigin } from '../../domain/destination.ts';
import { integrationConfig } from '../../domain/integration.ts';
import { providerConfig, providerKinds, secretAddresses } from '../../domain/provider.ts';

describe('a secret must be entered again for a new address only', () => {
  test.each([
    ['the same address', 'https://a.example/x', 'https://a.example/x', false],
    ['another path or query', 'https://a.example/x', 'https://a.example/y?z={secret.key}', false],
    [
      'the same address in capitals with its default port',
      'https://a.example/x',
      'HTTPS://A.Example:443/x',
      false,
    ],
    ['another host', 'https://a.example/x', 'https://b.example/x', true],
    [
      'a host that starts with the same name',
      'https://a.example/x',
      'https://a.example.evil.example/x',
      true,
    ],
    ['another port', 'https://a.example/x', 'https://a.example:8443/x', true],
    ['another scheme', 'https://a.example/x', 'http://a.example/x', true],
    ['no address', 'https://a.example/x', 'nowhere', true],
  ])('if its origin is new: %s', (_, before, after, expected) => {
    expect(hasNewOrigin([before], [after])).toBe(expected);
  });

  test('if its origin is none of those that the secret was entered for', () => {
    const before = ['https://a.example', 'https://b.example'];
    expect(hasNewOrigin(before, ['https://b.example/path'])).toBe(false);
    expect(hasNewOrigin(before, [...before, 'https://c.example'])).toBe(true);
    expect(hasNewOrigin([], ['https://c.example'])).toBe(true);
  });
});

test('each kind of provider declares the addresses that an admin chooses and that get its secrets', () => {
  const configs = {
    twilio: { accountSid: `AC${'0'.repeat(32)}`, from: '+5511999990000' },
    sandbox: { accountSid: `AC${'0'.repeat(32)}`, from: '+5511999990000' },
    zenvia: { from: 'loja' },
    infobip: { from: 'loja', baseUrl: 'https://abc.api.infobip.com' },
    http: { request: { method: 'GET', url: 'https://sms.example/send?to={to}' } },
  };
  const found = providerKinds.map((kind) => [
    kind,
    secretAddresses(providerConfig.parse({ kind, ...configs[kind] })),
  ]);
  expect(Object.fromEntries(found)).toEqual({
    twilio: [],
    sandbox: [],
    zenvia: [],
    infobip: ['https://abc.api.infobip.com'],
    http: ['https://sms.example/send?to={to}'],
  });
});

describe('the addresses of an integration', () => {
  const parse = (...origins: string[]) =>
    integrationConfig.safeParse({ authentication: { kind: 'bearer' }, origins });

  test.each([
    ['crm.example', 'https://crm.example'],
    [' API.crm.example:8443 ', 'https://api.crm.example:8443'],
    ['https://crm.example/', 'https://crm.example'],
    ['https://crm.example:443', 'https://crm.example'],
    ['http://10.1.2.3:8080', 'http://10.1.2.3:8080'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
  ])('are stored as origins: %j', (written, kept) => {
    expect(parse(written).data?.origins).toEqual([kept]);
  });

  test.each([
    'https://crm.example/path',
    'https://crm.example?key=1',
    'https://user:password@crm.example',
    'ftp://crm.example',
    'javascript://crm.example',
    'https://',
    '*.crm.example',
    'a b',
    '',
  ])('are refused: %j', (written) => {
    expect(parse(written).success).toBe(false);
  });
});
