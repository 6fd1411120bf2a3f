import { describe, expect, test } from 'vitest';
import { createApi, errorOf } from '../kit/api.ts';

const api = await createApi({ uploadLimitBytes: 256 * 1024 });
const { as, sql } = api;
const operator = as('operator');
const inPortuguese = { 'accept-language': 'pt-BR' };
const header =
  'codigo;nome;celular;telefone;telefone2;data_nascimento;regiao;tipo_cliente;consentimento;data_consentimento';

const upload = (body: string | Buffer, type = 'text/csv') =>
  operator('POST', '/api/customers/import', body, { 'content-type': type });
const importLines = async (...lines: string[]) =>
  (await upload([header, ...lines].join('\r\n'))).json<object>();
const customers = () =>
  sql`select code, name, mobile, phone, birth_date::text, consent from customers where erased_at is null order by id`;

describe('a customer file', () => {
  test('adds and updates customers, reports bad lines, and keeps values whose cells are empty', async () => {
    await as('admin')('POST', '/api/settings/regions', { name: 'São Paulo' });
    expect(
      await importLines(
        '1;Maria;(11) 90000-0001;;;25/12/1980;sao paulo;;sim;31/01/2026',
        '2;João;;11 3000-0002;;;;;NÃO;',
        '3;Ana;123;;;;;;;',
        ';Rui;;;;;;;;',
        '4;Eva;;;;;Marte;;;',
        '5;Ivo;;;;;;;talvez;',
        '6;Léa;;;;;;;sim;01/01/2999',
      ),
    ).toEqual({
      lines: 7,
      inserted: 6,
      updated: 0,
      unchanged: 0,
      badLines: 1,
      problems: [expect.objectContaining({ line: 5, code: 'nobody_named', column: 'codigo' })],
      warnings: {
        lines: 4,
        of: expect.any(Array) as unknown[],
        first: [
          {
            line: 4,
            code: 'value_invalid',
            params: { column: 'celular', expected: 'phone' },
            column: 'celular',
            value: '123',
            message: '"celular" is not a phone number.',
          },
          expect.objectContaining({ line: 6, column: 'regiao', value: 'Marte' }),
          expect.objectContaining({ line: 7, column: 'consentimento', value: 'talvez' }),
          expect.objectContaining({ line: 8, column: 'data_consentimento' }),
        ],
      },
    });
    await sql`delete from customers where code in ('3', '4', '5')`;
    await sql`delete from consents where customer_id = (select id from customers where code = '6')`;
    await sql`delete from customers where code = '6'`;
    expect(
      await importLines('1;;;11 3000-0001;;;;;;', ';João B;;1130000002;;;;;;', '2;;;;;;;;não;'),
    ).toMatchObject({
      inserted: 0,
      updated: 2,
      unchanged: 1,
      badLines: 0,
    });
    expect(await customers()).toEqual([
      {
        code: '1',
        name: 'Maria',
        mobile: '+5511900000001',
        phone: '+551130000001',
        birthDate: '1980-12-25',
        consent: 'granted',
      },
      {
        code: '2',
        name: 'João B',
        mobile: null,
        phone: '+551130000002',
        birthDate: null,
        consent: 'refused',
      },
    ]);
    expect(await sql`select consent, source, at from consents order by id`).toMatchObject([
      { consent: 'granted', source: 'import', at: new Date('2026-01-31T00:00:00Z') },
      { consent: 'refused', source: 'import' },
    ]);
  });

  test('is exported in the layout of the import, without formulas', async () => {
    await operator('POST', '/api/customers', { code: '=1+1', name: '@Zoe', mobile: '+14155550123' });
    const exported = await as('viewer')(
      'GET',
      '/api/customers.csv?format=localized',
      undefined,
      inPortuguese,
    );
    const lines = exported.body.split('\r\n');
    expect(lines[0]).toBe(`\ufeff${header}`);
    expect(lines).toContain("'=1+1;'@Zoe;'+1 415 555 0123;;;;;;;");
    expect(lines).toContain("1;Maria;(11) 90000-0001;(11) 3000-0001;;'25/12/1980;São Paulo;;sim;'31/01/2026");
  });

  test('records a refusal even when other cells of its line are invalid', async () => {
    await importLines(...Array.from({ length: 8 }, (_, i) => `r${i};Nome ${i};119000009${i}0;;;;;;sim;`));
    expect(
      await importLines(
        'r0;;;;;25/13/1980;;;não;',
        'r1;;abc;;;;;;nao;',
        'r2;;;;;;Marte;;N;',
        'r3;;;;;;;Lunático;Não;',
        'r4;;;;;;;;recusado;99/99/9999',
        `r5;${'x'.repeat(200)};;;;;;;NÃO;`,
        ';;(11) 90000-0960;;;zzz;;;não;',
        'r7;"Rui;;;;;;;não;',
      ),
    ).toMatchObject({ badLines: 0, warnings: { lines: 8 } });
    expect(
      await sql`select count(*)::int as n from customers where code ~ '^r[0-7]$' and consent = 'refused'`,
    ).toEqual([{ n: 8 }]);
  });

  test('accepts a refusal in many wordings, and a consent only in unambiguous ones', async () => {
    const words = [
      ...[
        'Não quer receber',
        'não autoriza SMS',
        'RECUSOU em 10/10',
        'Negada',
        'revogado',
        'Opt out',
        'unsubscribed',
      ],
      ...['descadastrou-se', 'no', 'bloqueado', 'nunca', 'Não!', 'não (por telefone)'],
    ];
    const others = [
      'não informado',
      'Não consta',
      'sem informação',
      'pendente',
      'sim, mas não por SMS',
      'talvez',
      'nova',
    ];
    const lines = [...words, ...others].map((word, i) => `w${i};;;;;;;;${word};`);
    await importLines(...lines.map((_, i) => `w${i};Nome;119000008${String(i).padStart(2, '0')};;;;;;sim;`));
    expect(await importLines(...lines)).toMatchObject({ badLines: 0, warnings: { lines: 3 } });
    const refused = await sql<{ code: string }[]>`
      select code from customers where code ~ '^w' and consent = 'refused' order by id`;
    expect(refused.map(({ code }) => code)).toEqual(words.map((_, i) => `w${i}`));
  });

  test('can be Windows-1252 with commas or a form upload, and the downloaded layout imports as it is', async () => {
    const latin = Buffer.from(
      [header.replaceAll(';', ','), '9,Conceição,,11 30000009,,,,,,'].join('\n'),
      'latin1',
    );
    expect((await upload(latin)).json()).toMatchObject({ inserted: 1 });
    expect(await sql`select name from customers where code = '9'`).toEqual([{ name: 'Conceição' }]);

    const layout = await as('viewer')('GET', '/api/customers/layout');
    const form = Buffer.concat([
      Buffer.from(
        '--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\ncontent-type: text/csv\r\n\r\n',
      ),
      layout.rawPayload,
      Buffer.from('\r\n--x--\r\n'),
    ]);
    expect((await upload(form, 'multipart/form-data; boundary=x')).json()).toMatchObject({
      lines: 2,
      badLines: 0,
    });
  });

  test('that is invalid changes nothing', async () => {
    const before = await customers();
    const mailing = await upload('codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem\n1;;;;;;');
    expect(errorOf(mailing).refusal).toBe('column_missing');
    expect((await upload(`${header}\n${'x'.repeat(300_000)}`)).statusCode).toBe(413);
    expect(
      (await as('viewer')('POST', '/api/customers/import', header, { 'content-type': 'text/csv' }))
        .statusCode,
    ).toBe(403);
    expect(await customers()).toEqual(before);
  });

  test('with many lines is imported in portions', async () => {
    const lines = Array.from(
      { length: 2_500 },
      (_, i) => `bulk ${i};Nome ${i};119${String(i).padStart(8, '0')};;;;;;;`,
    );
    expect(await importLines(...lines)).toMatchObject({
      lines: 2_500,
      badLines: 0,
      inserted: 2_500,
      updated: 0,
    });
  });
});
