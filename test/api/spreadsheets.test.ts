import { parse } from 'csv-parse/sync';
import { beforeAll, describe, expect, test } from 'vitest';
import { createApi, createCatalog, documentOf } from '../kit/api.ts';
import { hasLibreOffice, saveWithLibreOffice, type SpreadsheetSettings } from '../kit/libreoffice.ts';

/** Exported files are imported again, unchanged or saved by a real spreadsheet. */
const api = await createApi();
const { as } = api;
const admin = as('admin');
const operator = as('operator');
const catalog = await createCatalog(api);
const inPortuguese = { 'accept-language': 'pt-BR' };

const opened: readonly SpreadsheetSettings[] = [
  { opened: ';', saved: ';', language: 'pt-BR', detectsSpecialNumbers: true },
  { opened: ';', saved: ',', language: 'pt-BR', detectsSpecialNumbers: false },
  { opened: ';', saved: ',', language: 'en-US', detectsSpecialNumbers: true },
];
type Saved = (file: Buffer) => Buffer | Promise<Buffer>;
const ways: [string, Saved][] = [
  ['unchanged', (file) => file],
  ...(hasLibreOffice ? opened : []).map((settings): [string, Saved] => [
    `saved by LibreOffice in ${settings.language}, with ${settings.saved}${settings.detectsSpecialNumbers ? ', detecting special numbers' : ''}`,
    (file) => saveWithLibreOffice(file, settings),
  ]),
];

/** Texts that spreadsheets can read as a number, a date or a formula. */
const ambiguousTexts = [
  ...[
    '0012',
    '-77',
    '+5',
    '+55',
    '@loja',
    '=1+1',
    '="x"',
    '1E5',
    '1e-3',
    '1.50',
    '1,5',
    '1.234',
    '1,234',
    '-1.5',
  ],
  ...[
    '10/12',
    '1-2',
    '1/2',
    '25/12/1980',
    '1980-12-25',
    '12.10.20',
    'jan/26',
    'dez-25',
    '1 mar',
    'Mar 10',
    'abr',
  ],
  ...[
    'TRUE',
    'falso',
    'Verdadeiro',
    '123456789012',
    '12345678901234567890',
    '00',
    '0',
    '12%',
    '12,5 %',
    'R$ 10',
  ],
  ...[
    '$5',
    '€ 5',
    '1:30',
    '10:20:30',
    '.5',
    ',5',
    '5.',
    '(12)',
    '(1.234)',
    '12-',
    '- 5',
    '1 234',
    '1 1/2',
    "'0012",
  ],
  ...["''x", '"0012"', '0x1F', '1E', 'E5', '1_000', '½', '10h', '24:00', '31/02', '1980', '#1', '\\', '1;2'],
  ...['1,2', 'sep=;', '[12]', '{12}', '1d', '12 de maio', 'março', 'sáb', '1º', '10 000', '5E+20', '1.0'],
];

describe('an export of customers', () => {
  const settingOf = async (kind: string, name: string): Promise<number> =>
    (await admin('POST', `/api/settings/${kind}`, { name })).json<{ id: number }>().id;
  const customers = () =>
    api.sql`select code, name, mobile, phone, phone2, birth_date::text, region_id, customer_type_id, consent, consent_at
      from customers order by id`;
  let count = 0;

  beforeAll(async () => {
    const regionId = await settingOf('regions', '001');
    const customerTypeId = await settingOf('customer-types', '10/12');
    const people = [
      ...ambiguousTexts.map((code) => ({ code, name: code })),
      { code: 'aspas', name: 'Ana "Aninha"; Luz, "Rui"' },
      { name: "D'Ávila", mobile: '+5511900000012', phone: '+551130000077', phone2: '+12125550100' },
      { name: 'Zoë 🎉 ção', mobile: '+351912345678', birthDate: '2001-02-03' },
      { code: 'types', birthDate: '1980-12-25', regionId, customerTypeId },
    ];
    for (const [index, person] of people.entries()) {
      const created = await operator('POST', '/api/customers', person);
      expect(created.statusCode, JSON.stringify(person)).toBe(201);
      if (index % 10 > 1) continue;
      const { id } = created.json<{ id: number }>();
      const consent = { consent: index % 10 === 0 ? 'granted' : 'refused' };
      expect((await operator('POST', `/api/customers/${id}/consents`, consent)).statusCode).toBe(201);
    }
    count = people.length;
  });

  test.each(ways)('imported %s does not change the customers', async (_, saved) => {
    const before = await customers();
    const exported = await as('viewer')(
      'GET',
      '/api/customers.csv?format=localized',
      undefined,
      inPortuguese,
    );
    const imported = await operator('POST', '/api/customers/import', await saved(exported.rawPayload), {
      'content-type': 'text/csv',
    });
    expect(imported.json()).toMatchObject({
      lines: count,
      unchanged: count,
      badLines: 0,
      warnings: { lines: 0, first: [] },
    });
    expect(await customers()).toEqual(before);
  });
});

describe('a file of bad lines', () => {
  const extraFields = [
    { name: 'plano', type: 'text', required: false },
    { name: 'valor', type: 'money', required: false },
    { name: 'vence', type: 'date', required: false },
  ];
  const header = 'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem;plano;valor;vence';
  const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`;

  test.each(ways)('uploaded %s has the same values', async (_, saved) => {
    const created = await operator(
      'POST',
      '/api/campaigns',
      documentOf(catalog, { mailing: { source: 'csv', extraFields } }),
    );
    const { id } = created.json<{ id: number }>();
    const upload = (body: string | Buffer) =>
      operator('PUT', `/api/campaigns/${id}/mailing/file`, body, { 'content-type': 'text/csv' });
    const badLines = async () => {
      const file = await as('viewer')('GET', `/api/campaigns/${id}/mailing/bad-lines.csv`);
      const rows: string[][] = parse(file.body.replace('\ufeff', ''), { delimiter: ';' });
      return { file: file.rawPayload, rows: rows.map((cells) => cells.slice(0, -1)) };
    };
    const lines = [
      ...ambiguousTexts.map((value) => [value, value, '', '', '', '', '', value, '', '']),
      ...ambiguousTexts.map((value) => ['x', '', '1130000001', value, value, value, '', '', value, value]),
      ['m', 'Rui', '123', '', '', '', 'Oi, "Rui";\nseu código\n\né 0012', '', 'R$ 1.234,56', '31/12/2026'],
      ['n', 'Eva', '123', '', '', '', '-77', '=1+1', '(1.234,56)', '2026-12-31'],
    ];
    const uploaded = await upload(
      [header, ...lines.map((cells) => cells.map(quoted).join(';'))].join('\r\n'),
    );
    expect(uploaded.json()).toMatchObject({ file: { lines: lines.length }, sendable: 0 });
    const { file, rows } = await badLines();
    expect(rows).toHaveLength(lines.length + 1);
    const again = await upload(await saved(file));
    expect(again.json()).toMatchObject({ file: { lines: lines.length } });
    expect((await badLines()).rows).toEqual(rows);
  });
});
