import { describe, expect, test } from 'vitest';
import { createCatalog, createReadyCampaign, csvOf, documentOf } from '../kit/api.ts';
import { createConsole, textOf } from '../kit/console.ts';
import { createGateway } from '../kit/gateway.ts';

/** Campaign forms over HTTP, without scripts. */
const gateway = await createGateway();
const ui = await createConsole({ sandboxUrl: gateway.url });
const catalog = await createCatalog(ui);
const operator = await ui.signIn('operator');
const other = await ui.signIn('operator');

const schedule = {
  description: '',
  'schedule.recurrence.every': 'day',
  'schedule.recurrence.interval': '1',
  'schedule.startsAt': '2030-01-01T09:00',
  'schedule.timezone': 'America/Sao_Paulo',
};
let campaigns = 0;
const newName = (): string => `Campanha ${++campaigns}`;
const draft = async (): Promise<string> => {
  const made = await operator.post('/campaigns/new', { ...schedule, name: newName() });
  return String(made.headers.location).replace(/\/message$/, '');
};
const seenIn = (body: string): string => /name="seen" value="([^"]+)"/.exec(body)?.[1] ?? '';
const seen = async (page: string): Promise<string> => seenIn((await operator.get(page)).body);
const definitionOf = async (url: string) =>
  (await ui.as('viewer')('GET', `/api${url}`)).json<{ definition: Record<string, object> }>().definition;

describe('a new campaign', () => {
  test('is saved with its schedule alone and continues to the message', async () => {
    const answer = await operator.post('/campaigns/new', { ...schedule, name: 'Só o agendamento' });
    expect(answer.headers.location).toMatch(/^\/campaigns\/\d+\/message$/);
  });

  test('is created once when its form is sent twice, and again when the form was changed', async () => {
    const form = { ...schedule, name: newName(), once: 'x' };
    const [first, second] = await Promise.all([
      operator.post('/campaigns/new', form),
      operator.post('/campaigns/new', form),
    ]);
    expect(second.headers.location).toBe(first.headers.location);
    const changed = await operator.post('/campaigns/new', { ...form, name: newName() });
    expect(changed.statusCode).toBe(303);
    expect(changed.headers.location).not.toBe(first.headers.location);
  });

  test('with invalid fields is shown again with the typed values and each problem beside its field', async () => {
    const answer = await operator.post('/campaigns/new', {
      ...schedule,
      name: '',
      'schedule.endsAt': '2029-01-01T09:00',
    });
    expect(answer.statusCode).toBe(422);
    expect(answer.body).toMatch(/name="name"[^>]*aria-invalid="true"/);
    expect(answer.body).toMatch(/name="schedule.endsAt"[^>]*aria-invalid="true"/);
    expect(textOf(answer)).toContain('O fim deve ser depois do início.');
  });

  test('shows its next occurrences, their time zone and the holidays that it skips', async () => {
    const form = {
      ...schedule,
      'schedule.startsAt': '2030-12-23T09:00',
      'schedule.holidayCalendarId': String(catalog.calendarId),
    };
    const text = textOf(await operator.post('/campaigns/occurrences', form));
    expect(text.match(/\d\d\/\d\d\/\d{4}, 09:00/g)).toHaveLength(6);
    expect(text).toContain('Brasília (GMT-3)');
    expect(text).toMatch(/Feriados em que não executa 25\/12\/2030 Natal/);
    expect(text).not.toContain('25/12/2030, 09:00');
  });
});

describe('a block', () => {
  test('that another user changed meanwhile is refused once and keeps the typed values', async () => {
    const url = await draft();
    const page = `${url}/message`;
    const before = await seen(page);
    const text = (words: string) => ({ 'message.template': words, 'message.maxSegments': '1' });
    expect((await other.post(page, { ...text('Deles'), seen: before })).statusCode).toBe(303);
    const refused = await operator.post(page, { ...text('Meu'), seen: before });
    expect(refused.statusCode).toBe(409);
    expect(textOf(refused)).toContain('Esta parte foi alterada depois que você a abriu.');
    expect(refused.body).toContain('>Meu</textarea>');
    expect((await operator.post(page, { ...text('Meu'), seen: seenIn(refused.body) })).statusCode).toBe(303);
    expect((await definitionOf(url)).message).toMatchObject({ template: 'Meu' });
  });

  test('can be submitted twice, and saved after another block was changed', async () => {
    const url = await draft();
    const form = { 'message.template': 'Oi {nome}', seen: await seen(`${url}/message`) };
    const ticket = { 'ticketPolicy.when': 'never', seen: await seen(`${url}/ticket`) };
    for (const answer of [
      await operator.post(`${url}/message`, form),
      await operator.post(`${url}/message`, form),
    ])
      expect(answer.headers.location).toBe(`${url}/mailing`);
    expect((await operator.post(`${url}/ticket`, ticket)).headers.location).toBe(url);
  });

  test('warns about an opt-out word that its message offers, until the word is declared as an answer', async () => {
    const url = await draft();
    const page = `${url}/message`;
    const save = async (answers: string) =>
      operator.post(page, {
        'message.template': 'Responda CONFIRMAR ou CANCELAR',
        'message.answers': answers,
        seen: await seen(page),
      });
    const warning = 'descadastram quem as escreve: CANCELAR';
    const saved = await save('');
    expect(saved.statusCode).toBe(303);
    expect(decodeURIComponent(String(saved.headers['set-cookie']))).toContain(warning);
    expect(textOf(await operator.get(page))).toContain(warning);
    expect(textOf(await operator.get(url))).toContain(warning);
    const declared = await save('confirmar, Cancelar');
    expect(decodeURIComponent(String(declared.headers['set-cookie']))).not.toContain(warning);
    const shown = await operator.get(page);
    expect(textOf(shown)).not.toContain(warning);
    expect(textOf(await operator.get(url))).not.toContain(warning);
    expect(shown.body).toContain('value="confirmar, Cancelar"');
    expect((await definitionOf(url)).message).toMatchObject({ answers: ['confirmar', 'Cancelar'] });
  });

  test('accepts a message with an unknown tag, and the preview lists the known tags', async () => {
    const url = await draft();
    const answer = await operator.post(`${url}/message`, {
      'message.template': 'Oi {nomee}',
      seen: await seen(`${url}/message`),
    });
    // The tag may become an extra field: the next block asks for it.
    expect(answer.statusCode).toBe(303);
    expect(textOf(await operator.get(`${url}/mailing`))).toContain(
      'A mensagem usa {nomee}, que ainda não é um campo extra.',
    );
    const preview = await operator.post(`${url}/preview`, { 'message.template': 'Oi {nomee}' });
    expect(textOf(preview)).toContain(
      '{nomee} não é uma tag. As tags são {codigo}, {nome} e {primeiro_nome}.',
    );
    expect(textOf(preview)).toContain('declare a tag em Dados do mailing');
  });

  test('for tickets keeps only the fields of its policy', async () => {
    const url = await draft();
    const form = { 'ticketPolicy.when': 'on_reply', 'ticketPolicy.status': 'open' };
    await operator.post(`${url}/ticket`, { ...form, seen: await seen(`${url}/ticket`) });
    const { ticketPolicy } = await definitionOf(url);
    expect(Object.keys(ticketPolicy ?? {})).not.toContain('resolutionOnSuccessId');
  });
});

describe('enabling', () => {
  test('lists every missing field with a link, and each page shows the problem beside its field', async () => {
    const url = await draft();
    const refused = await operator.post(`${url}/enable`);
    expect(refused.headers.location).toBe(`${url}?lacking=1`);
    const page = await operator.get(`${url}?lacking=1`);
    for (const field of [
      'message.template',
      'message.providerId',
      'mailing.source',
      'mailing.sendingHoursId',
    ])
      expect(page.body).toContain(`/${field.split('.')[0] ?? ''}?lacking=1#f-${field}"`);
    const message = await operator.get(`${url}/message?lacking=1`);
    expect(message.body).toMatch(/name="message.template"[^>]*aria-invalid="true"/);
    expect(textOf(message)).toContain('Escreva a mensagem.');
    // Saving continues to the next missing field.
    const saved = await operator.post(`${url}/message`, {
      'message.template': 'Oi',
      'message.providerId': String(catalog.providerId),
      lacking: '1',
      seen: seenIn(message.body),
    });
    expect(saved.headers.location).toBe(`${url}/mailing?lacking=1#f-mailing.source`);
  });

  test('a complete campaign succeeds, and disabling asks for confirmation', async () => {
    const url = `/campaigns/${await createReadyCampaign(ui, documentOf(catalog))}`;
    expect((await operator.post(`${url}/enable`)).headers.location).toBe(url);
    expect(textOf(await operator.get(url))).toContain('Executar agora');
    expect(textOf(await operator.get(`${url}/disable`))).toContain('não executa mais até ser habilitada');
    await operator.post(`${url}/disable`);
    expect(textOf(await operator.get(url))).toContain('Desabilitada');
  });
});

describe('the message', () => {
  const fields = (template: string, changes: Record<string, string> = {}) => ({
    'message.template': template,
    'message.maxSegments': '1',
    'message.providerId': String(catalog.providerId),
    'sample.name': 'João',
    'sample.code': '7',
    ...changes,
  });

  test('is previewed as a contact receives it, with the effect of removing accents', async () => {
    const url = await draft();
    const template = 'Olá {nome}, '.padEnd(80, 'x');
    const removed = await operator.post(
      `${url}/preview`,
      fields(template, { 'message.removeAccents': 'on' }),
    );
    expect(textOf(removed)).toContain('Ola Joao,');
    expect(textOf(removed)).toContain('Com á ã a mensagem custaria 2 segmentos em UCS-2.');
    const kept = textOf(await operator.post(`${url}/preview`, fields(template)));
    expect(kept).toContain('Fora do alfabeto GSM-7: á ã');
    expect(kept).toContain('Com “Remover acentos” a mensagem custaria 1 segmento em GSM-7.');
    expect(kept).toContain('Longa demais');
  });

  test('is test-sent as typed and shows the answer of the provider; an invalid phone is reported at its field', async () => {
    const url = await draft();
    const scripted = { 'hx-request': 'true' };
    const sent = await operator.post(
      `${url}/test-send`,
      fields('Teste para {nome}', { phone: '(11) 98888-7777' }),
      scripted,
    );
    expect(textOf(sent)).toContain('O provedor aceitou a mensagem.');
    expect(textOf(sent)).toContain('Teste para João');
    const refused = await operator.post(`${url}/test-send`, fields('Oi', { phone: '123' }));
    expect(refused.statusCode).toBe(422);
    expect(refused.body).toMatch(/name="phone"[^>]*aria-invalid="true"/);
    expect(refused.body).toContain('>Oi</textarea>');
  });
});

describe('the CSV file', () => {
  const upload = async (url: string, content: string | Buffer) => {
    const boundary = 'torpedo-boundary';
    const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="m.csv"\r\ncontent-type: text/csv\r\n\r\n`;
    return ui.app.inject({
      method: 'POST',
      url: `${url}/file`,
      payload: Buffer.concat([
        Buffer.from(head),
        Buffer.from(content),
        Buffer.from(`\r\n--${boundary}--\r\n`),
      ]),
      headers: {
        cookie: operator.cookie,
        'sec-fetch-site': 'same-origin',
        'content-type': `multipart/form-data; boundary=${boundary}`,
      },
    });
  };

  test('is uploaded without scripts and shows counts and the first bad lines', async () => {
    const url = await draft();
    const answer = await upload(url, `${csvOf(3)}\n4;Rui;1133334444;;;;\n5;Eva;11900000000;;;;`);
    const text = textOf(answer);
    expect(text).toContain('3 de 5 linhas podem receber a mensagem.');
    expect(text).toContain('Nenhum dos telefones é um celular.');
    expect(text).toContain('Um contato anterior tem o mesmo telefone.');
    expect(answer.body).toContain('/mailing/bad-lines.csv"');
  });

  test('that is not a mailing is refused with the expected and the found format', async () => {
    const url = await draft();
    const spreadsheet = await upload(url, Buffer.from([0x50, 0x4b, 0x03, 0x04, 0, 0, 0, 0]));
    expect(spreadsheet.statusCode).toBe(422);
    expect(textOf(spreadsheet)).toContain('O arquivo é uma planilha do Excel (xlsx)');
    const header = await upload(url, 'nome;celular\nEva;11900000001');
    expect(textOf(header)).toContain('O cabeçalho da linha 1 não é o do layout. Faltam: codigo');
  });

  test('that a script uploads to the API shows its problem as a sentence, also after a broken connection', async () => {
    const url = await draft();
    const problem = { field: 'mailing.file', code: 'empty', params: {}, message: 'The file is empty.' };
    const body = {
      error: { code: 'mailing_refused', params: {}, message: '', problems: [problem], requestId: 'x' },
    };
    const refused = await operator.post(`${url}/file-result`, {
      status: '422',
      answer: JSON.stringify(body),
    });
    expect(textOf(refused)).toContain('O arquivo está vazio.');
    const broken = await operator.post(`${url}/file-result`, { status: '0', answer: '' });
    expect(textOf(broken)).toContain('O envio do arquivo foi interrompido.');
  });
});

describe('the mailing', () => {
  const createEntry = async (path: string, definition: object): Promise<number> => {
    const body = { name: `${path} ${newName()}`, definition };
    return (await ui.as('admin')('POST', `/api/settings/${path}`, body)).json<{ id: number }>().id;
  };

  test('preselects the usual sending hours of the user, otherwise the first', async () => {
    const user = await ui.signIn('operator');
    const first = await user.get(`${await draft()}/mailing`);
    expect(first.body).toMatch(new RegExp(`<option value="${catalog.hoursId}" selected`));
    const window = { days: ['monday'], from: '08:00', to: '12:00' };
    const hours = String(
      await createEntry('sending-hours', { timezone: 'America/Sao_Paulo', windows: [window] }),
    );
    const me = { name: 'Ana', locale: 'pt-BR', timezone: 'America/Sao_Paulo', sendingHoursId: hours };
    expect((await user.post('/profile', me)).headers.location).toBe('/profile');
    const selected = new RegExp(`<option value="${hours}" selected`);
    expect((await user.get('/profile')).body).toMatch(selected);
    expect((await user.get(`${await draft()}/mailing`)).body).toMatch(selected);
    // Another user is not affected.
    expect((await operator.get(`${await draft()}/mailing`)).body).not.toMatch(selected);
    // Archived hours are no longer offered.
    await ui.as('admin')('PUT', `/api/settings/sending-hours/${hours}`, {
      name: newName(),
      definition: { timezone: 'America/Sao_Paulo', windows: [window] },
      archived: true,
    });
    const again = await user.get(`${await draft()}/mailing`);
    expect(again.body).toMatch(new RegExp(`<option value="${catalog.hoursId}" selected`));
  });

  test('copies the extra fields of the ticket subcategory, in addition to the declared ones', async () => {
    const fields = [
      { name: 'valor', type: 'number', required: true },
      { name: 'vencimento', type: 'date', required: false },
    ];
    const categoryId = await createEntry('categories', {});
    const extraFieldGroupId = await createEntry('extra-field-groups', { fields });
    const subcategoryId = await createEntry('subcategories', { categoryId, extraFieldGroupId });
    const url = await draft();
    await operator.post(`${url}/ticket`, {
      'ticketPolicy.when': 'on_reply',
      'ticketPolicy.categoryId': String(categoryId),
      'ticketPolicy.subcategoryId': String(subcategoryId),
      seen: await seen(`${url}/ticket`),
    });
    const page = await operator.get(`${url}/mailing`);
    expect(textOf(page)).toContain('usa o Grupo de Campos Extras');
    const answer = await operator.post(`${url}/mailing`, {
      'mailing.extraFields.0.name': 'loja',
      'mailing.extraFields.0.type': 'text',
      stay: 'group',
      seen: seenIn(page.body),
    });
    expect(answer.headers.location).toBe(`${url}/mailing`);
    expect((await definitionOf(url)).mailing).toMatchObject({
      extraFields: [{ name: 'loja', type: 'text', required: false }, ...fields],
    });
  });

  test('is read-only for a viewer', async () => {
    const viewer = await ui.signIn('viewer');
    const page = await viewer.get(`${await draft()}/mailing`);
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain('<fieldset disabled');
    expect(textOf(page)).not.toContain('Salvar e continuar');
    expect(textOf(page)).not.toContain('Testar URL');
  });
});

describe('the list', () => {
  test('is filtered by part of the name, ignoring accents, and by state', async () => {
    await operator.post('/campaigns/new', { ...schedule, name: 'Cobrança de março' });
    const found = textOf(await operator.get('/campaigns?name=COBRANCA'));
    expect(found).toContain('Cobrança de março');
    expect(found).not.toContain('Campanha 1');
    expect(found).toContain('Rascunho');
    expect(textOf(await operator.get('/campaigns?name=nada+disso'))).toContain(
      'Nada encontrado com este filtro',
    );
    expect(textOf(await operator.get('/campaigns?state=enabled'))).not.toContain('Cobrança de março');
  });

  test('duplicates a campaign under a free name', async () => {
    const id = await createReadyCampaign(ui, documentOf(catalog, { name: 'Modelo' }));
    for (const name of ['Modelo (cópia)', 'Modelo (cópia 2)']) {
      const copy = await operator.post(`/campaigns/${id}/duplicate`);
      expect(copy.headers.location).toMatch(/\/schedule$/);
      expect((await operator.get(String(copy.headers.location))).body).toContain(name);
    }
  });
});
