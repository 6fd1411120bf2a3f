import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createApi, createCatalog, documentOf } from '../kit/api.ts';
import { json, startWebservice } from '../kit/webservice.ts';

/** Which contacts receive a message, by code, phone and consent, for each source. */
const service = await startWebservice(json([]));
afterAll(() => service.close());
const api = await createApi();
const { sql } = api;
const operator = api.as('operator');
const catalog = await createCatalog(api);
const header = 'codigo;nome;celular;telefone;telefone2;data_nascimento';
const [one, two, three] = ['11900000001', '11900000002', '11900000003'] as const;

interface Contact {
  codigo: string;
  celular: string;
}
interface Checked {
  line: number;
  skipped: string | null;
  warnings: string[];
}

/** The result for each contact, in order; lines of a file are counted from its header. */
const sources: [string, (contacts: readonly Contact[]) => Promise<Checked[]>][] = [
  [
    'a CSV file',
    async (contacts) => {
      const saved = await operator(
        'POST',
        '/api/campaigns',
        documentOf(catalog, { message: { template: 'Oi', providerId: catalog.providerId } }),
      );
      const lines = contacts.map(({ codigo, celular }) => `${codigo};Nome;${celular};;;;`);
      const uploaded = await operator(
        'PUT',
        `/api/campaigns/${saved.json<{ id: number }>().id}/mailing/file`,
        [`${header};mensagem`, ...lines].join('\n'),
        { 'content-type': 'text/csv' },
      );
      const { problems, warnings } = uploaded.json<{
        problems: { line: number; code: string }[];
        warnings: { first: { line: number; code: string }[] };
      }>();
      return contacts.map((_, index) => ({
        line: index + 1,
        skipped: problems.find(({ line }) => line === index + 2)?.code ?? null,
        warnings: warnings.first.filter(({ line }) => line === index + 2).map(({ code }) => code),
      }));
    },
  ],
  [
    'a web service',
    async (contacts) => {
      service.answer(json(contacts.map((contact) => ({ ...contact, nome: 'Nome' }))));
      const answer = await operator('POST', '/api/webservice/preview', {
        webservice: { baseUrl: service.url },
        message: { template: 'Oi' },
      });
      return answer
        .json<{ contacts: { line: number; skipped: string | null; warnings: { code: string }[] }[] }>()
        .contacts.map(({ line, skipped, warnings }) => ({
          line,
          skipped,
          warnings: warnings.map(({ code }) => code),
        }));
    },
  ],
];

const importCustomers = async (...lines: string[]) =>
  (
    await operator(
      'POST',
      '/api/customers/import',
      [`${header};regiao;tipo_cliente;consentimento;data_consentimento`, ...lines].join('\n'),
      { 'content-type': 'text/csv' },
    )
  ).json<{ inserted: number; updated: number; unchanged: number }>();

beforeEach(async () => {
  await sql`truncate customers restart identity cascade`;
});

describe.each(sources)('in %s', (_, check) => {
  test('only the first contact of a phone that is allowed to receive messages receives one', async () => {
    await importCustomers(
      `1;Ana;${one};;;;;;não;`,
      `2;Bia;${one};;;;;;sim;`,
      `4;Eva;${one};;;;;;sim;`,
      `3;Rui;${two};;;;;;não;`,
    );
    expect(
      await check([
        { codigo: '1', celular: one },
        { codigo: '2', celular: one },
        { codigo: '4', celular: one },
        { codigo: '3', celular: two },
      ]),
    ).toMatchObject([
      { skipped: 'no_consent' },
      { skipped: null },
      { skipped: 'duplicate_phone' },
      { skipped: 'no_consent' },
    ]);
  });

  test('a contact with the phone of a customer and a code that differs only by leading zeros is that customer', async () => {
    await importCustomers(`0012;Ana;${one};;;;;;não;`, `0013;Rui;${two};;;;;;sim;`);
    expect(
      await check([
        { codigo: '12', celular: one },
        { codigo: '13', celular: two },
        { codigo: '0013', celular: three },
        { codigo: '120', celular: three },
      ]),
    ).toEqual([
      { line: 1, skipped: 'no_consent', warnings: ['code_zeros'] },
      { line: 2, skipped: null, warnings: ['code_zeros'] },
      { line: 3, skipped: null, warnings: [] },
      { line: 4, skipped: 'duplicate_phone', warnings: [] },
    ]);
  });

  test('a refusal also applies to a duplicate of the customer whose code lacks the leading zeros', async () => {
    const duplicates = [
      { code: '0012', name: 'Ana', mobile: `+55${one}` },
      { code: '12', name: 'Ana', mobile: `+55${one}` },
    ];
    for (const customer of duplicates) await operator('POST', '/api/customers', customer);
    const rows = await sql<{ id: number }[]>`select id from customers where code = '0012'`;
    await operator('POST', `/api/customers/${rows[0]?.id ?? 0}/consents`, { consent: 'refused' });
    expect(await check([{ codigo: '12', celular: one }])).toMatchObject([{ skipped: 'no_consent' }]);
  });
});

test('a customer import updates the customer whose code differs only by leading zeros, including a refusal', async () => {
  expect(await importCustomers(`0012;Ana;${one};;;;;;;`)).toMatchObject({ inserted: 1 });
  expect(await importCustomers(`12;Ana;${one};;;;;;não;`, `000012;Ana;${one};;;;;;;`)).toMatchObject({
    inserted: 0,
  });
  expect(await importCustomers(`12;Rui;${two};;;;;;;`)).toMatchObject({ inserted: 1 });
  expect(await sql`select code, consent from customers order by id`).toEqual([
    { code: '0012', consent: 'refused' },
    { code: '12', consent: 'not_stated' },
  ]);
});
