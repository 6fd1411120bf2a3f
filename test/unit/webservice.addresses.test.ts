import { afterAll, describe, expect, test } from 'vitest';
import { createAddressGuard } from '../../mailing/address-guard.ts';
import { createWebserviceReader, json, numberedContacts, startWebservice } from '../kit/webservice.ts';

const service = await startWebservice(json([]));
afterAll(() => service.close());
const { codes, refusal } = createWebserviceReader(service);

describe('the address guard', () => {
  const refused = {
    code: 'address_refused',
    mayPass: false,
  };
  const strict = createAddressGuard([]);

  test('refuses private addresses by name', async () => {
    expect(await refusal({ url: service.url.replace('127.0.0.1', 'localhost'), guard: strict })).toEqual({
      ...refused,
      message:
        'localhost is in a private or reserved network, from which campaigns cannot fetch. An operator of this deployment can allow it (WEBSERVICE_ALLOW).',
    });
  });

  test.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '017700000001',
    '0',
    '127.0.0.1.',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:7f00:0001]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '[fe80::1]',
    '[fd00::1]',
    '[ff02::1]',
    '１２７.０.０.１',
    '①②⑦.0.0.1',
  ])('refuses the address %s', async (host) => {
    const requestsBefore = service.requests.length;
    const url = `http://${host}:${service.port}/contacts`;
    expect(await refusal({ url, guard: strict })).toMatchObject(refused);
    expect(service.requests).toHaveLength(requestsBefore);
  });

  test('refuses a redirect into a private network', async () => {
    service.answer((_, response) => {
      response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
    });
    expect(await refusal()).toMatchObject({
      ...refused,
      message:
        '169.254.169.254 is in a private or reserved network, from which campaigns cannot fetch. An operator of this deployment can allow it (WEBSERVICE_ALLOW).',
    });
  });

  test('refuses a next page in a private network', async () => {
    service.answer(json({ data: numberedContacts(1, 1), next: 'http://10.0.0.1/contacts' }));
    expect(await refusal()).toMatchObject(refused);
  });

  test('connects to the address that it checked, after a single DNS query', async () => {
    const answers = [['127.0.0.1'], ['10.0.0.1']];
    const queried: string[] = [];
    const guard = createAddressGuard(['127.0.0.1'], {
      lookup: (hostname, _, callback) => {
        queried.push(hostname);
        const addresses = answers[Math.min(queried.length, answers.length) - 1] ?? [];
        callback(
          null,
          addresses.map((address) => ({ address, family: 4 })),
        );
      },
    });
    service.answer(json(numberedContacts(1, 1)));
    const url = `http://rebinding.example:${service.port}/contacts`;
    expect(await codes({ url, guard })).toEqual(['1']);
    expect(queried).toEqual(['rebinding.example']);
    // The name now resolves to a private address: the next connection is refused.
    expect(await refusal({ url, guard })).toMatchObject(refused);
  });

  test('refuses a name when one of its addresses is private', async () => {
    const guard = createAddressGuard(['127.0.0.1'], {
      lookup: (_, __, callback) =>
        callback(null, [
          { address: '127.0.0.1', family: 4 },
          { address: '192.168.0.1', family: 4 },
        ]),
    });
    expect(await refusal({ url: `http://two.example:${service.port}/`, guard })).toMatchObject(refused);
  });

  test('allows the host names, addresses and ranges that the operator configures', async () => {
    service.answer(json(numberedContacts(1, 1)));
    for (const [allow, host] of [
      ['localhost', 'localhost'],
      ['127.0.0.1', '2130706433'],
      ['127.0.0.0/8', '127.0.0.1'],
    ] as const) {
      const url = `http://${host}:${service.port}/contacts`;
      expect(await codes({ url, guard: createAddressGuard([allow]) }), allow).toEqual(['1']);
    }
  });
});
