import { afterAll, describe, expect, test } from 'vitest';
import { paging } from '../../domain/paging.ts';
import { fieldMap } from '../../domain/webservice.ts';
import { WebserviceRefused } from '../../mailing/refused.ts';
import { bytes, json, readWebservice, startWebservice, webserviceDeps } from '../kit/webservice.ts';

/** Errors that services report with the status 200. */
const service = await startWebservice(json([]));
afterAll(() => service.close());

async function read(recordsPath: string | null = null): Promise<number> {
  let records = 0;
  const batches = readWebservice(webserviceDeps(), {
    url: new URL(service.url),
    integration: null,
    webservice: { recordsPath, paging: paging.parse({ by: 'links' }), fieldMap: fieldMap.parse({}) },
    extraFields: [],
    today: '2026-11-29',
    signal: new AbortController().signal,
  });
  for await (const batch of batches) records += batch.length;
  return records;
}
async function refusal(): Promise<{ code: string; message: string }> {
  const error: unknown = await read().then(
    (records) => new Error(`It was read: ${records} records.`),
    (error: unknown) => error,
  );
  if (!(error instanceof WebserviceRefused)) throw error;
  return { code: error.code, message: error.message };
}
const contact = { codigo: 1, nome: 'Ana', celular: '11987654321' };

describe('an answer that reports an error, and has no contacts,', () => {
  test.each<[object, string]>([
    [{ success: false, message: 'Token inválido' }, 'Token inválido'],
    [{ success: false, message: 'Token inválido', data: [] }, 'Token inválido'],
    [{ sucesso: false, mensagem: 'Empresa não encontrada', dados: null }, 'Empresa não encontrada'],
    [{ sucesso: 'N', mensagem: 'Período inválido' }, 'Período inválido'],
    [{ ok: false, error: { code: 17, message: 'not allowed' } }, 'not allowed'],
    [{ error: 'invalid_token', error_description: 'The token has expired' }, 'invalid_token'],
    [{ erro: 'Chave sem permissão' }, 'Chave sem permissão'],
    [{ erro: true, msg: 'Chave sem permissão' }, 'Chave sem permissão'],
    [
      { erros: ['Data inicial obrigatória', 'Data final obrigatória'] },
      'Data inicial obrigatória; Data final obrigatória',
    ],
    [
      { errors: [{ status: '401', title: 'Unauthorized', detail: 'Expired key' }] },
      'Unauthorized; Expired key',
    ],
    [
      { data: null, errors: [{ message: 'Cannot query field', locations: [{ line: 1 }] }] },
      'Cannot query field',
    ],
    [{ errors: { periodo: ['é obrigatório'] } }, 'é obrigatório'],
    [
      { faultstring: 'ERROR: Chave de acesso inválida!', faultcode: 'SOAP-ENV:Client-101' },
      'ERROR: Chave de acesso inválida!',
    ],
    [
      { fault: { faultstring: 'Invalid ApiKey', detail: { errorcode: 'oauth.v2.InvalidApiKey' } } },
      'Invalid ApiKey',
    ],
    [{ 'soap:Envelope': { 'soap:Body': { 'soap:Fault': { faultstring: 'Timeout' } } } }, 'Timeout'],
    [
      { retorno: { status: 'Erro', codigo_erro: '1', erros: [{ erro: 'token invalido' }] } },
      'token invalido',
    ],
    [{ resposta: { cabecalho: { mensagemErro: 'Sessão expirada' } } }, 'Sessão expirada'],
    [
      { Message: 'An error has occurred.', ExceptionMessage: 'Object reference not set' },
      'Object reference not set',
    ],
    [{ status: 'error', message: 'Rate limit' }, 'Rate limit'],
    [{ status: false, message: 'Sem acesso' }, 'Sem acesso'],
    [{ statusCode: 401, message: 'Unauthorized' }, 'Unauthorized'],
    [{ statusCode: 400, message: ['desde must be a date'], error: 'Bad Request' }, 'Bad Request'],
    [{ codigo: 404, mensagem: 'Nada aqui', lista: [] }, 'Nada aqui'],
    [
      [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }],
      'Session expired or invalid',
    ],
  ])('fails in its own words: %j', async (body, words) => {
    service.answer(json(body));
    expect(await refusal()).toEqual({
      code: 'service_error',
      message: `127.0.0.1 reports an error: “${words}”.`,
    });
  });

  test('or one without words names the attribute', async () => {
    service.answer(json({ retorno: { success: false } }));
    expect(await refusal()).toEqual({
      code: 'service_error',
      message: 'The answer of 127.0.0.1 reports an error at “retorno.success”, and gives no words for it.',
    });
  });

  test('in a message beside an empty list, says it; another message is none', async () => {
    for (const mensagem of [
      'Token inválido',
      'Acesso negado',
      'Erro ao consultar o banco',
      'Limite excedido',
    ]) {
      service.answer(json({ clientes: [], mensagem }));
      expect(await refusal(), mensagem).toMatchObject({
        code: 'service_error',
        message: expect.stringContaining(mensagem) as string,
      });
    }
    for (const mensagem of ['Nenhum cliente encontrado', 'Consulta sem erros']) {
      service.answer(json({ clientes: [], mensagem }));
      expect(await read(), mensagem).toBe(0);
    }
  });

  test('or only a message, says it', async () => {
    service.answer(json({ mensagem: 'Nenhum registro encontrado' }));
    expect(await refusal()).toEqual({
      code: 'service_error',
      message: 'The answer of 127.0.0.1 has no list of contacts; it says: “Nenhum registro encontrado”.',
    });
  });

  test('fails as a line of lines, too', async () => {
    service.answer(bytes('{"error": "quota exceeded"}', { 'content-type': 'application/x-ndjson' }));
    expect(await refusal()).toMatchObject({ code: 'service_error' });
  });
});

test('an error beside contacts fails the answer: it is not whole', async () => {
  for (const beside of [
    { errors: [{ message: 'partial' }] },
    { success: false },
    { meta: { error: 'timeout after 100 records' } },
    { retorno: { erro: 'limite excedido', lista: [contact] } },
  ]) {
    const body = 'retorno' in beside ? beside : { data: [contact], ...beside };
    service.answer(json(body));
    expect(await refusal(), JSON.stringify(beside)).toMatchObject({ code: 'service_error' });
  }
});

test('what only looks like an error does not keep contacts away', async () => {
  for (const beside of [
    { error: null, errors: [], erro: false, erros: {}, fault: '' },
    { error: { code: 0, message: 'OK' } },
    { erro: { codigo: '0', mensagem: 'Sucesso' } },
    { errorCode: 0, errorMessage: '' },
    { codigo_erro: '00', status: 'OK', statusCode: 200 },
    { success: true, sucesso: 'S', ok: 1, status: 1 },
    { status: 'success', message: 'Clientes encontrados', mensagem: 'ok' },
    { error: 'false', erro: 'Nenhum', errors: 'sem erros' },
    { resumo: { erros: 3, error: 'da importação de ontem' } },
    { erros: 3, warnings: [{ message: 'lento' }], avisos: ['x'] },
    { empresa: { status: false, situacao: 'erro' } },
    { status: 'ativo', type: 'list', result: 'ok', code: 200 },
  ]) {
    service.answer(json({ ...beside, clientes: [contact] }));
    expect(await read(), JSON.stringify(beside)).toBe(1);
  }
});

test('a contact whose attributes are named like those of an error is a contact', async () => {
  for (const one of [
    { ...contact, erro: 'cadastro incompleto', mensagem: 'Oi' },
    { codigo: 5, mensagem: 'Oi', status: 'ativo' },
    { id: 3, error: null, message: 'Oi' },
  ]) {
    service.answer(json([one]));
    expect(await read(), JSON.stringify(one)).toBe(1);
  }
});

test('lists of errors, of notices and of the names of columns are no contacts, unless the campaign says so', async () => {
  const columns = [{ name: 'codigo', type: 'int' }];
  for (const body of [
    { columns, rows: [contact] },
    { campos: columns, avisos: [{ mensagem: 'x' }], linhas: [contact] },
    { filtros: [{ campo: 'uf', valor: 'SP' }], sort: [{ by: 'nome' }], dados: [contact] },
  ]) {
    service.answer(json(body));
    expect(await read(), JSON.stringify(body)).toBe(1);
  }
  service.answer(json({ columns }));
  expect(await refusal()).toMatchObject({ code: 'no_records' });
  service.answer(json({ columns, rows: [['1', 'Ana']] }));
  expect(await refusal()).toMatchObject({ code: 'not_records' });
  service.answer(json({ mensagens: [contact] }));
  expect(await read('mensagens')).toBe(1);
});

test('phones, documents, mail addresses and keys in the words are left out, and long words cut', async () => {
  service.answer(
    json({
      erro: 'Cliente 123.456.789-09 (11 98765-4321, ana@loja.com.br) com a chave sk_live_51Hc9pLkQwErTy sem saldo 10,50',
    }),
  );
  expect((await refusal()).message).toBe(
    '127.0.0.1 reports an error: “Cliente … (…, …) com a chave … sem saldo 10,50”.',
  );
  service.answer(json({ erro: 'muito '.repeat(10_000) }));
  expect((await refusal()).message.length).toBeLessThan(400);
  service.answer(json({ errors: Array.from({ length: 50_000 }, (_, at) => ({ message: `wrong ${at}` })) }));
  expect((await refusal()).message).toBe('127.0.0.1 reports an error: “wrong 0; wrong 1; wrong 2”.');
});
