import { createHash } from 'node:crypto';
import { connect as connectSocket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { readUpload } from '../../api/http/uploads.ts';
import { Readable } from 'node:stream';
import { createApi, createCatalog, csvOf, documentOf, errorOf } from '../kit/api.ts';
import { eventually } from '../kit/until.ts';

const api = await createApi({ uploadLimitBytes: 512 * 1024 });
const { as, sql, app } = api;
const catalog = await createCatalog(api);
const operator = as('operator');
await app.listen({ host: '127.0.0.1', port: 0 });
const { port } = app.server.address() as AddressInfo;

const header = 'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem';

async function createCampaign(changes: object = {}): Promise<number> {
  const answer = await operator('POST', '/api/campaigns', documentOf(catalog, changes));
  return answer.json<{ id: number }>().id;
}
const upload = (id: number, body: string | Buffer, type = 'text/csv') =>
  operator('PUT', `/api/campaigns/${id}/mailing/file`, body, { 'content-type': type });
const chunksOf = async (id: number): Promise<number> => {
  const rows =
    await sql`select from mailing_file_chunks join mailing_files on id = file_id where campaign_id = ${id}`;
  return rows.count;
};

describe('the layout', () => {
  test('has the extra fields of the campaign and can be uploaded unchanged', async () => {
    const id = await createCampaign({
      mailing: { source: 'csv', extraFields: [{ name: 'valor_divida', type: 'number', required: true }] },
    });
    const layout = await as('viewer')('GET', `/api/campaigns/${id}/mailing/layout`);
    expect(layout.headers['content-disposition']).toBe(`attachment; filename="layout-${id}.csv"`);
    expect(layout.body.split('\r\n')[0]).toBe(`\ufeff${header};valor_divida`);
    expect((await upload(id, layout.rawPayload)).json()).toMatchObject({ file: { lines: 2 }, sendable: 2 });
  });
});

describe('the lines that a run would skip', () => {
  test('can be downloaded with their problems, corrected and uploaded again', async () => {
    const id = await createCampaign({
      mailing: { source: 'csv', extraFields: [{ name: 'divida', type: 'number', required: false }] },
    });
    const csv = [
      'nome,codigo,celular,telefone,telefone2,data_nascimento,divida,mensagem',
      'Ana,1,11900000001,,,,10,',
      'João,2,+55 11 3000-0001,,,,-5,"Oi, ""João"""',
      '=1+1,3,12,,,,,',
      'Léa,4,11900000004,,,99/99/2020,,',
      'Rui,5,11900000005,,,,,,too,many',
      'Eva,6,11900000006,,,,dez,',
      '"Ivo" x,7,11900000007,,,,,',
      'Ana,8,11900000001,,,,,',
    ].join('\n');
    expect((await upload(id, csv)).json()).toMatchObject({
      sendable: 4,
      skipped: { not_a_mobile: 1, phone_invalid: 1, line_invalid: 1, duplicate_phone: 1 },
      file: { lines: 8, badLines: 1 },
      warnings: { lines: 3 },
    });
    const bad = await as('viewer')('GET', `/api/campaigns/${id}/mailing/bad-lines.csv`);
    expect(bad.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="campaign-${id}-bad-lines.csv"`,
    });
    const lines = bad.body.trimEnd().split('\r\n');
    expect(lines).toEqual([
      `\ufeff${header};divida;problema`,
      '2;João;\'+55 11 3000-0001;;;;"Oi, ""João""";-5;Line 3: None of the phones is a mobile number.',
      "3;'=1+1;12;;;;;;Line 4: None of the phones can be read.",
      `4;Léa;11900000004;;;'99/99/2020;;;"Line 5: ""data_nascimento"" is not a birth date: write dd/mm/yyyy or yyyy-mm-dd. It is sent anyway."`,
      '5;Rui;11900000005;;;;;;Line 6: The line has 10 columns, and the header has 8. Beyond the last column: too | many',
      '6;Eva;11900000006;;;;;dez;"Line 7: ""divida"" is not a number: write 1234,56 or 1.234,56 or 1234.56. It is sent anyway."',
      '7;Ivo x;11900000007;;;;;;"Line 8: A quote ("") is misplaced or not closed. Write a quote inside quotes twice. It is sent anyway."',
      '8;Ana;11900000001;;;;;;Line 9: An earlier contact has the same phone.',
    ]);
    const only = await as('viewer')(
      'GET',
      `/api/campaigns/${id}/mailing/bad-lines.csv?warnings=without`,
      undefined,
      {
        'accept-language': 'pt-BR',
      },
    );
    expect(only.body).toContain('Linha 3: Nenhum dos telefones é um celular.');
    expect(only.body).not.toContain('Eva');
    // Corrected lines become sendable; the others keep their problem.
    const corrected = bad.body
      .replace('55 11 3000-0001', '11 90000-0002')
      .replace('99/99/2020', '09/09/2020')
      .replace('dez', '10');
    expect((await upload(id, corrected)).json()).toMatchObject({
      sendable: 6,
      skipped: { phone_invalid: 1 },
      file: { lines: 7, badLines: 0 },
      warnings: { lines: 0 },
    });
  });

  test('are empty for a valid file, and are rejected after the extra fields change', async () => {
    const id = await createCampaign();
    expect((await as('viewer')('GET', `/api/campaigns/${id}/mailing/bad-lines.csv`)).statusCode).toBe(404);
    await upload(id, csvOf(3));
    const none = await as('viewer')('GET', `/api/campaigns/${id}/mailing/bad-lines.csv`);
    expect(none.body).toBe(`\ufeff${header};problema\r\n`);
    const { definition, version } = (await as('viewer')('GET', `/api/campaigns/${id}`)).json<{
      definition: { mailing: object };
      version: number;
    }>();
    const extraFields = [{ name: 'divida', type: 'number', required: false }];
    await operator('PUT', `/api/campaigns/${id}`, {
      ...definition,
      mailing: { ...definition.mailing, extraFields },
      version,
    });
    const changed = await as('viewer')('GET', `/api/campaigns/${id}/mailing/bad-lines.csv`);
    expect([changed.statusCode, errorOf(changed).code]).toEqual([422, 'mailing_refused']);
  });
});

describe('a file', () => {
  test('is stored unchanged, and the response shows the result of each line', async () => {
    const id = await createCampaign();
    const wholeLine = (line: number, code: string, message: string) => ({
      line,
      code,
      params: {},
      column: null,
      value: null,
      message,
    });
    const birthDate = {
      code: 'value_invalid',
      params: { column: 'data_nascimento', expected: 'birth_date' },
      message: '"data_nascimento" is not a birth date: write dd/mm/yyyy or yyyy-mm-dd.',
    };
    const csv = [
      header,
      '1;Maria;(11) 90000-0001;;;;',
      '2;João;11 3000-0001;;;;',
      '3;Ana;;;;;',
      '4;Rui;5,5119E+12;;;;',
      '5;Eva;11900000001;;;;',
      '6;Ivo;11900000002;;;99/99/2020;',
      '7;Léa',
    ].join('\r\n');
    expect((await upload(id, csv)).json()).toEqual({
      file: {
        name: null,
        id: expect.any(Number) as number,
        bytes: Buffer.byteLength(csv),
        sha256: createHash('sha256').update(csv).digest('hex'),
        lines: 7,
        badLines: 0,
        uploadedBy: expect.stringMatching(/^token:\d+$/) as string,
        uploadedAt: expect.any(String) as string,
      },
      sendable: 2,
      cost: { segments: 2, millionths: 0, unpriced: 2, currency: 'BRL' },
      skipped: { not_a_mobile: 1, phone_missing: 2, phone_invalid: 1, duplicate_phone: 1 },
      problems: [
        wholeLine(3, 'not_a_mobile', 'None of the phones is a mobile number.'),
        wholeLine(4, 'phone_missing', 'It has no phone.'),
        {
          ...wholeLine(
            5,
            'phone_invalid',
            'None of the phones can be read. The spreadsheet has cut off its digits: format the column as text, then enter the number again.',
          ),
          params: { hint: 'spreadsheet_number' },
        },
        wholeLine(6, 'duplicate_phone', 'An earlier contact has the same phone.'),
        wholeLine(8, 'phone_missing', 'It has no phone.'),
      ],
      warnings: {
        lines: 1,
        of: [{ ...birthDate, lines: 1 }],
        first: [{ ...birthDate, line: 7, column: 'data_nascimento', value: '99/99/2020' }],
      },
    });
    const content = await as('viewer')('GET', `/api/campaigns/${id}/mailing/file/content`);
    expect(content.body).toBe(csv);
    expect((await as('viewer')('GET', `/api/campaigns/${id}/mailing/file`)).json()).toMatchObject({
      lines: 7,
    });
  });

  test('can be uploaded as a form, as browsers do', async () => {
    const id = await createCampaign();
    const form = new FormData();
    form.append('file', new Blob([csvOf(5)], { type: 'application/vnd.ms-excel' }), 'contatos.csv');
    const answer = await fetch(`http://127.0.0.1:${port}/api/campaigns/${id}/mailing/file`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${api.tokens.operator}` },
      body: form,
    });
    expect([answer.status, await answer.json()]).toMatchObject([200, { sendable: 5 }]);
  });

  test('replaces the previous file, which is deleted if no run used it', async () => {
    const id = await createCampaign();
    await upload(id, csvOf(2));
    await upload(id, csvOf(3));
    expect((await sql`select from mailing_files where campaign_id = ${id}`).count).toBe(1);
    expect((await operator('GET', `/api/campaigns/${id}`)).json()).toMatchObject({
      mailingFile: { lines: 3 },
    });
  });

  test('shows the first twenty problems and counts all', async () => {
    const id = await createCampaign();
    const answer = await upload(id, `${header}\n${'x;y;;;;;\n'.repeat(1000)}`);
    expect(answer.json<{ problems: [] }>().problems).toHaveLength(20);
    expect(answer.json()).toMatchObject({ skipped: { phone_missing: 1000 } });
  });
});

describe('an invalid file', () => {
  test.each([
    ['an .xlsx named .csv', Buffer.from('PK\x03\x04\x14\x00\x06\x00', 'latin1'), { code: 'spreadsheet' }],
    ['a file with another header', 'nome;fone\nMaria;11900000001', { code: 'column_missing', line: 1 }],
    ['an empty file', '', { code: 'empty' }],
    ['a file with only a header', header, { code: 'no_lines' }],
    [
      'a file with binary bytes',
      Buffer.from([...Buffer.from(`${header}\n1;a`), 0, 1, 2]),
      { code: 'binary' },
    ],
    [
      'a quote that is never closed in the header',
      `"${header}\n1;Maria;119;;;;`,
      { code: 'quote_not_closed', line: 1 },
    ],
  ])('is rejected: %s', async (_, body, { code, ...rest }: { code: string; line?: number }) => {
    const id = await createCampaign();
    await upload(id, csvOf(2));
    const answer = await upload(id, body);
    expect(answer.statusCode).toBe(422);
    expect(errorOf(answer)).toMatchObject({
      code: 'mailing_refused',
      refusal: code,
      ...rest,
      problems: [{ field: 'mailing.file', code }],
      message: expect.stringMatching(/Nothing was stored\.$/) as string,
    });
    expect((await operator('GET', `/api/campaigns/${id}/mailing/file`)).json()).toMatchObject({ lines: 2 });
    expect(await chunksOf(id)).toBe(1);
  });

  test('is rejected in the language of the request', async () => {
    const id = await createCampaign();
    const answer = await operator('PUT', `/api/campaigns/${id}/mailing/file`, 'nome;fone\n', {
      'content-type': 'text/csv',
      'accept-language': 'pt-BR',
    });
    expect(errorOf(answer)).toMatchObject({
      message: 'O arquivo não pode ser usado. Nada foi salvo.',
      problems: [{ message: expect.stringMatching(/^O cabeçalho da linha 1 não é o do layout\./) as string }],
    });
  });

  test('is rejected when it is a form without a file or of an unsupported type', async () => {
    const id = await createCampaign();
    const empty = await upload(id, '--x--\r\n', 'multipart/form-data; boundary=x');
    expect([empty.statusCode, errorOf(empty).problems]).toMatchObject([
      422,
      [{ field: 'file', code: 'missing' }],
    ]);
    const withoutBoundary = await upload(id, '--x--\r\n', 'multipart/form-data');
    expect([withoutBoundary.statusCode, errorOf(withoutBoundary).code]).toEqual([400, 'form_broken']);
    const image = await upload(id, 'GIF89a', 'image/gif');
    expect([image.statusCode, errorOf(image).code]).toEqual([415, 'unsupported_type']);
  });
});

describe('an upload', () => {
  const bigBody = csvOf(20_000);

  test('that is too large is rejected with or without a content length, and leaves nothing', async () => {
    expect(bigBody.length).toBeGreaterThan(512 * 1024);
    const id = await createCampaign();
    const put = async (body: string | ReadableStream, duplex?: 'half') => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/campaigns/${id}/mailing/file`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${api.tokens.operator}`, 'content-type': 'text/csv' },
        body,
        ...(duplex ? { duplex } : {}),
      });
      return [answer.status, (await answer.json()) as unknown];
    };
    const tooLarge = [413, { error: { code: 'too_large', params: { limitBytes: 512 * 1024 } } }];
    expect(await put(bigBody)).toMatchObject(tooLarge);
    const pieces = Readable.from([bigBody.slice(0, 300_000), bigBody.slice(300_000)]);
    expect(await put(Readable.toWeb(pieces) as ReadableStream, 'half')).toMatchObject(tooLarge);
    expect(await chunksOf(id)).toBe(0);
  });

  test('that is aborted leaves nothing', async () => {
    const id = await createCampaign();
    const socket = connectSocket(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `PUT /api/campaigns/${id}/mailing/file HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\n` +
        `authorization: Bearer ${api.tokens.operator}\r\ncontent-length: 100000\r\n\r\n${csvOf(10)}`,
    );
    const files = () => sql`select from mailing_files where campaign_id = ${id}`;
    await eventually(async () => expect((await files()).count).toBe(1));
    socket.destroy();
    await eventually(async () => expect((await files()).count).toBe(0));
  });

  test.each([
    ['is idle for too long', { idleMs: 20, totalMs: 60_000 }],
    ['takes too long in total', { idleMs: 60_000, totalMs: 20 }],
  ])('that %s is ended', async (_, limits) => {
    async function* slow() {
      yield Buffer.from(header);
      await new Promise(() => undefined);
    }
    const reading = (async () => {
      for await (const piece of readUpload(Readable.from(slow()), { bytes: 1000, ...limits }))
        expect(piece).toBeDefined();
    })();
    await expect(reading).rejects.toMatchObject({ code: 'upload_too_slow' });
  });
});

test('saving a campaign reports extra fields that its file lacks and columns that it does not declare', async () => {
  const id = await createCampaign();
  await upload(id, csvOf(2));
  const document = async () => (await operator('GET', `/api/campaigns/${id}`)).json<CampaignDocument>();
  interface CampaignDocument {
    version: number;
    definition: { mailing: object };
    problems: { field: string; code: string; message: string }[];
  }
  const save = async (extraFields: object[]) => {
    const { version, definition } = await document();
    const mailing = { ...definition.mailing, extraFields };
    return operator('PUT', `/api/campaigns/${id}`, { ...definition, mailing, version });
  };
  const fileProblems = async () =>
    (await document()).problems
      .filter(({ code }) => /in_file|columns/.test(code))
      .map(({ field, code }) => [field, code]);
  expect(await fileProblems()).toEqual([]);
  expect((await save([{ name: 'saldo', type: 'text', required: false }])).statusCode).toBe(200);
  expect(await fileProblems()).toEqual([['mailing.extraFields.0.name', 'extra_field_not_in_file']]);
  const [header = '', ...lines] = csvOf(2).split('\n');
  await upload(id, [`${header.trim()};saldo`, ...lines.map((line) => `${line.trim()};1`)].join('\n'));
  expect(await fileProblems()).toEqual([]);
  // A change that would make the next run fail is rejected while the campaign is enabled.
  const enabled = await operator('POST', `/api/campaigns/${id}/enable`, {});
  expect([enabled.statusCode, enabled.body]).toEqual([200, expect.anything()]);
  const refused = await save([]);
  expect([refused.statusCode, errorOf(refused).problems]).toMatchObject([
    422,
    [{ field: 'mailing.file', code: 'file_columns_not_declared', params: { columns: ['saldo'] } }],
  ]);
});
