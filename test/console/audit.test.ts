import { expect, test } from 'vitest';
import { createCatalog, createReadyCampaign, documentOf } from '../kit/api.ts';
import { createConsole, textOf } from '../kit/console.ts';

const ui = await createConsole();
const { sql, as } = ui;
const catalog = await createCatalog(ui);
const maria = await ui.signIn('admin');
await sql`update users set name = 'Maria' where id = ${maria.id}`;
const reader = await ui.signIn('operator');
await sql`update users set locale = 'en' where id = ${reader.id}`;

/** Calls the API with the session of Maria. */
const act = (method: 'PUT' | 'POST' | 'DELETE' | 'PATCH', url: string, payload?: object) =>
  ui.app.inject({
    method,
    url,
    headers: { cookie: maria.cookie, 'sec-fetch-site': 'same-origin' },
    ...(payload === undefined ? {} : { payload }),
  });
const log = async (query = '', user = maria) =>
  textOf(await user.get(`/settings/audit${query}`)).replaceAll(/\s+/g, ' ');

test('a campaign change is shown as a sentence with the old and new texts and setting names', async () => {
  const region = async (name: string) =>
    (await as('admin')('POST', '/api/settings/regions', { name })).json<{ id: number }>().id;
  const [south, north] = [await region('Sul'), await region('Norte')];
  const document = documentOf(catalog, {
    name: 'Cobrança',
    message: { template: 'Olá {nome}' },
    mailing: { regionId: south },
  });
  const id = await createReadyCampaign(ui, document);
  const { version, definition } = (await as('viewer')('GET', `/api/campaigns/${id}`)).json<{
    version: number;
    definition: { message: object; mailing: object };
  }>();
  const changed = {
    ...definition,
    ignoreConsent: true,
    message: { ...definition.message, template: 'Bom dia {nome}' },
    mailing: { ...definition.mailing, regionId: north },
  };
  const answer = await act('PUT', `/api/campaigns/${id}`, { version, ...changed });
  expect([answer.statusCode, answer.body]).toEqual([200, expect.any(String)]);
  const page = await log(`?subjectKind=campaign&subjectId=${id}`);
  expect(page).toContain('Maria alterou a campanha “Cobrança”');
  expect(page).toMatch(/: de “Olá \{nome\}” para “Bom dia \{nome\}”/);
  expect(page).toContain('Região: de “Sul” para “Norte”');
  expect(page).toContain('Desconsiderar consentimento: de não para sim');
  expect(await log(`?subjectKind=campaign&subjectId=${id}`, reader)).toMatch(
    /Maria changed the campaign “Cobrança” .* Region: from “Sul” to “Norte”/,
  );
});

test('a deleted entry keeps its name in the log', async () => {
  const { id } = (await act('POST', '/api/settings/departments', { name: 'Fiscal' })).json<{ id: number }>();
  await act('PUT', `/api/settings/departments/${id}`, { name: 'Contábil', archived: true });
  expect((await act('DELETE', `/api/settings/departments/${id}`)).statusCode).toBe(204);
  const page = await log('?subjectKind=department');
  expect(page).toContain('Maria criou o setor “Fiscal”');
  expect(page).toContain('Nome: de “Fiscal” para “Contábil”');
  expect(page).toContain('Arquivado: de não para sim');
  expect(page).toContain('Maria excluiu o setor “Contábil”');
});

test('the log is filtered by user and day, paged and downloaded', async () => {
  const other = await log(`?actor=user:${reader.id}`);
  expect(other).toContain('Nada registrado');
  expect(await log(`?actor=user:${maria.id}`)).toContain('Maria criou o setor “Fiscal”');
  await sql`
    insert into audit_log (at, actor, actor_name, action, subject_kind, subject_id)
    select '2026-03-10T01:30:00Z', 'system', 'system', 'run.workflow_lost', 'run', n from generate_series(1, 60) as n`;
  // In São Paulo this is still the evening before.
  const first = await maria.get('/settings/audit?day=2026-03-09');
  expect(textOf(first)).toContain('O sistema encontrou a execução 60 sem o seu workflow');
  expect(textOf(first)).not.toContain('Maria criou');
  const next = /href="(\/settings\/audit\?[^"]*before=\d+)"/.exec(first.body)?.[1] ?? '';
  const second = textOf(await maria.get(next.replaceAll('&amp;', '&')));
  expect(second).toContain('a execução 1 sem');
  expect(second).not.toContain('a execução 60 sem');
  expect(await log('?day=2026-03-10')).toContain('Nada registrado');

  const file = (await maria.get('/api/audit.csv?subjectKind=department')).body.split('\r\n');
  expect(file[0]).toBe('\ufeffQuando;Quem;O quê;Tipo;Número;O que mudou');
  expect(file[1]).toContain(';Maria;Maria excluiu o setor “Contábil”;Setor;');
  const codes = (await as('operator')('GET', '/api/audit.csv?subjectKind=department')).body.split('\r\n');
  expect(codes[1]).toContain(';department.delete;department;');
});

test('the log contains no phone and no name of a contact', async () => {
  const { id } = (await act('POST', '/api/customers', { name: 'Zulmira', mobile: '11970000060' })).json<{
    id: number;
  }>();
  await act('PUT', `/api/customers/${id}`, { name: 'Zulmira Alves', mobile: '11970000061' });
  const page = await log('?subjectKind=customer');
  expect(page).toContain(`Maria alterou o cliente ${id}`);
  const rows = await sql<{ all: string }[]>`select audit_log::text as all from audit_log`;
  expect(rows.filter(({ all }) => /Zulmira|97000006/.test(all))).toEqual([]);
});

test('a settings change is shown with the labels of its fields and values', async () => {
  const change = async (url: string, payload: object) => {
    const answer = await act('PUT', url, payload);
    expect([url, answer.statusCode, answer.body]).toEqual([url, 200, expect.any(String)]);
  };
  const { id: resolutionId } = (
    await act('POST', '/api/settings/resolutions', { name: 'Sem retorno' })
  ).json<{
    id: number;
  }>();
  await change('/api/settings/ticket-automation', {
    finishAfterDays: 7,
    finishResolutionId: resolutionId,
  });
  await change('/api/settings/automatic-texts', { help: 'Ligue para nós.' });
  await change('/api/settings/reply-words', { optOut: ['SAIR'] });
  await change('/api/privacy/settings', { consentRequired: true });
  await change('/api/settings/alerts', { agent: ['holds'] });
  await change('/api/settings/email', {
    host: 'smtp.example.com',
    from: 'a@example.com',
    password: 'secret',
  });
  await change('/api/settings/alert-webhook', {
    url: 'https://example.com/hooks/key-in-the-path',
    secret: 'x'.repeat(40),
    kinds: ['budget'],
  });
  await change('/api/settings/ticket-posting', {
    url: 'https://example.com/tickets/key-in-the-path',
    secret: 'x'.repeat(40),
    events: ['opened'],
  });
  const page = await log();
  for (const words of [
    'Maria alterou a movimentação automática de atendimentos',
    'Com a solução: de vazio para “Sem retorno”',
    'Maria alterou os textos automáticos',
    'de vazio para “Ligue para nós.”',
    'Maria alterou as palavras de resposta',
    'Exigir consentimento prévio: de não para sim',
    'Maria alterou os avisos por perfil',
    'Atendente: de Descadastros prováveis a decidir',
    'para Descadastros prováveis a decidir',
    'Maria alterou o servidor de e-mail',
    'Servidor: de vazio para “smtp.example.com”',
    'Criptografia: de vazio para STARTTLS',
    'Idioma dos textos: de vazio para Português',
    'Maria alterou o webhook de avisos',
    'O que enviar: de vazio para Orçamento do mês perto do fim ou esgotado',
    'Maria alterou o envio de atendimentos',
    'O que é enviado: de vazio para Aberto',
    'Credenciais',
  ]) {
    expect(page).toContain(words);
  }
  for (const code of [
    'starttls',
    'pt-BR',
    'de vazio para vazio',
    'finishAfterDays',
    'consentRequired',
    'key-in-the-path',
    'holds',
    'secret',
    'budget',
    'opened',
    'fromName',
  ]) {
    expect(page).not.toContain(code);
  }
});
