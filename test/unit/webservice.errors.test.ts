import { afterAll, describe, expect, test } from 'vitest';
import { bytes, createWebserviceReader, json, startWebservice } from '../kit/webservice.ts';

/** Errors that services report with the status 200. */
const service = await startWebservice(json([]));
afterAll(() => service.close());

const { records, refusal } = createWebserviceReader(service);
const countRecords = async (recordsPath: string | null = null) => (await records({ recordsPath })).length;
const contact = { codigo: 1, nome: 'Ana', celular: '11987654321' };

describe('an answer that reports an error and has no contacts', () => {
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
  ])('fails with its own error text: %j', async (body, text) => {
    service.answer(json(body));
    expect(await refusal()).toMatchObject({
      code: 'service_error',
      message: `127.0.0.1 reports an error: “${text}”.`,
    });
  });

  test('fails with the name of the attribute when it has no error text', async () => {
    service.answer(json({ retorno: { success: false } }));
    expect(await refusal()).toMatchObject({
      code: 'service_error',
      message: 'The answer of 127.0.0.1 reports an error at “retorno.success”, without a message.',
    });
  });

  test('fails with the message beside an empty list when that message is about an error', async () => {
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
      expect(await countRecords(), mensagem).toBe(0);
    }
  });

  test('fails with its message when it has nothing else', async () => {
    service.answer(json({ mensagem: 'Nenhum registro encontrado' }));
    expect(await refusal()).toMatchObject({
      code: 'service_error',
      message: 'The answer of 127.0.0.1 has no list of contacts; it contains: “Nenhum registro encontrado”.',
    });
  });

  test('fails also as JSON lines', async () => {
    service.answer(bytes('{"error": "quota exceeded"}', { 'content-type': 'application/x-ndjson' }));
    expect(await refusal()).toMatchObject({ code: 'service_error' });
  });
});

test('an answer with contacts and an error fails, because it may be incomplete', async () => {
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

test('attributes that only resemble an error do not fail an answer with contacts', async () => {
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
    expect(await countRecords(), JSON.stringify(beside)).toBe(1);
  }
});

test('a record with attributes that are named like those of an error is a contact', async () => {
  for (const one of [
    { ...contact, erro: 'cadastro incompleto', mensagem: 'Oi' },
    { codigo: 5, mensagem: 'Oi', status: 'ativo' },
    { id: 3, error: null, message: 'Oi' },
  ]) {
    service.answer(json([one]));
    expect(await countRecords(), JSON.stringify(one)).toBe(1);
  }
});

test('lists of errors, notices and columns are not contacts unless the campaign sets their path', async () => {
  const columns = [{ name: 'codigo', type: 'int' }];
  for (const body of [
    { columns, rows: [contact] },
    { campos: columns, avisos: [{ mensagem: 'x' }], linhas: [contact] },
    { filtros: [{ campo: 'uf', valor: 'SP' }], sort: [{ by: 'nome' }], dados: [contact] },
  ]) {
    service.answer(json(body));
    expect(await countRecords(), JSON.stringify(body)).toBe(1);
  }
  service.answer(json({ columns }));
  expect(await refusal()).toMatchObject({ code: 'no_records' });
  service.answer(json({ columns, rows: [['1', 'Ana']] }));
  expect(await refusal()).toMatchObject({ code: 'not_records' });
  service.answer(json({ mensagens: [contact] }));
  expect(await countRecords('mensagens')).toBe(1);
});

test('an error text is shortened, and its phones, document numbers, mail addresses and keys are removed', async () => {
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
