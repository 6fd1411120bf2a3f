import { expect, test } from 'vitest';
import { optOutPhone } from '../../db/customers/opt-outs.ts';
import { createCatalog, createRun } from '../kit/api.ts';
import { createConsole } from '../kit/console.ts';

/** CSV downloads of console users and of programs. */
const ui = await createConsole();
const { sql, as } = ui;
const admin = await ui.signIn('admin');
const reader = await ui.signIn('viewer');
await sql`update users set locale = 'en', timezone = 'America/New_York' where id = ${reader.id}`;
const catalog = await createCatalog(ui);
const { runId, messageIds } = await createRun(ui, catalog, {
  phones: ['+5511970000060', null, '+351912345678'],
});
await sql`update messages set status = 'delivered', ended_at = '2026-11-30T17:05:09Z' where id = ${messageIds[0] ?? 0}`;

const rowsOf = (body: string, delimiter: ';' | ','): string[][] =>
  body
    .replace('\ufeff', '')
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(delimiter));

test('a file has the language, the time zone and the delimiter of the user', async () => {
  const portuguese = await admin.get(`/api/runs/${runId}/messages.csv`);
  expect(portuguese.headers['content-disposition']).toBe(
    `attachment; filename="execucao-${runId}-mensagens.csv"`,
  );
  const [header, delivered, skipped, foreign] = rowsOf(portuguese.body, ';');
  expect(header?.slice(0, 6)).toEqual(['Linha', 'Situação', 'Motivo', 'Celular', 'Código', 'Nome']);
  expect(delivered?.slice(1, 4)).toEqual(['Entregue', '', '(11) 97000-0060']);
  expect(delivered?.at(-2)).toBe('30/11/2026 14:05:09');
  expect(skipped?.slice(1, 4)).toEqual(['Deixada de fora', 'Sem telefone', '']);
  expect(foreign?.[3]).toBe("'+351 912 345 678");

  const english = await reader.get(`/api/runs/${runId}/messages.csv`);
  expect(english.headers['content-disposition']).toBe(`attachment; filename="run-${runId}-messages.csv"`);
  const [names, sent] = rowsOf(english.body, ',');
  expect(names?.slice(0, 4)).toEqual(['Line', 'Status', 'Reason', 'Mobile']);
  expect(sent?.[1]).toBe('Delivered');
  expect(sent?.at(-2)).toBe('11/30/2026 12:05:09');
});

test('programs get codes instead of localized words by default', async () => {
  const url = `/api/runs/${runId}/messages.csv`;
  const codes = (await as('viewer')('GET', url)).body;
  expect(rowsOf(codes, ';')[1]?.slice(1, 4)).toEqual(['delivered', '', '+5511970000060']);
  expect(codes).toContain(';2026-11-30T17:05:09.000Z;');
  expect((await reader.get(`${url}?format=codes`)).body).toBe(codes);
  const localized = await as('viewer')('GET', `${url}?format=localized`, undefined, {
    'accept-language': 'pt-BR',
  });
  expect(rowsOf(localized.body, ';')[1]?.[1]).toBe('Entregue');
  expect((await admin.get(`${url}?format=xml`)).statusCode).toBe(400);
});

test('runs and opt-outs can be downloaded as files', async () => {
  const runs = await admin.get('/api/runs.csv');
  expect(runs.headers['content-disposition']).toBe('attachment; filename="execucoes.csv"');
  const [header = [], run = []] = rowsOf(runs.body, ';');
  const cell = (name: string) => run[header.indexOf(name)];
  expect([cell('Execução'), cell('Linhas'), cell('Deixadas de fora')]).toEqual([String(runId), '3', '1']);
  expect(rowsOf((await as('viewer')('GET', '/api/runs.csv')).body, ';')[0]).toContain('skipped');
  expect((await admin.get('/runs')).body).toContain('href="/api/runs.csv"');

  await optOutPhone(sql, { phone: '+5511911110005', source: 'admin' });
  const optOuts = rowsOf((await admin.get('/api/opt-outs.csv?source=admin')).body, ';');
  expect(optOuts[0]).toEqual(['Telefone', 'Origem', 'Celular virtual', 'Desde']);
  expect(optOuts[1]?.slice(0, 3)).toEqual(['(11) 91111-0005', 'Console', 'não']);
  expect((await admin.get('/opt-outs')).body).toContain('href="/api/opt-outs.csv"');
});

test('an exported customer file of any format can be imported without changes', async () => {
  const operator = as('operator');
  await operator('POST', '/api/customers', {
    code: '0012',
    name: 'Zoë',
    mobile: '11970000060',
    birthDate: '1980-12-05',
  });
  await operator('POST', '/api/customers', { code: '13', name: '=1+1', phone: '+351912345678' });
  const { id } = (await operator('GET', '/api/customers?code=0012')).json<{ customers: [{ id: number }] }>()
    .customers[0];
  await operator('POST', `/api/customers/${id}/consents`, { consent: 'refused' });
  const stored = () =>
    sql`select code, name, mobile, phone, birth_date::text, consent, consent_at from customers order by id`;
  const before = await stored();
  const files = [
    await admin.get('/api/customers.csv'),
    await reader.get('/api/customers.csv'),
    await operator('GET', '/api/customers.csv'),
  ];
  expect(files.map(({ body }) => body.slice(1, 12))).toEqual(['codigo;nome', 'code,name,m', 'code;name;m']);
  for (const file of files) {
    const imported = await operator('POST', '/api/customers/import', file.rawPayload, {
      'content-type': 'text/csv',
    });
    expect(imported.json()).toMatchObject({ unchanged: 2, badLines: 0, warnings: { lines: 0 } });
    expect(await stored()).toEqual(before);
  }
});
