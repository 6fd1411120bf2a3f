import { expect, test } from 'vitest';
import { seedSettings } from '../../db/settings/seed.ts';
import { openReplyTicket } from '../../db/tickets/opening.ts';
import { createApi, createCatalog, createReadyCampaign, createRun, documentOf, errorOf } from '../kit/api.ts';
import { createTicketCatalog, insertReply, onReply, onSend } from '../kit/tickets.ts';

const api = await createApi();
const { as, sql } = api;
const admin = as('admin');
const catalog = await createCatalog(api);
const tickets = await createTicketCatalog(sql);
const { categoryId, subcategoryId } = tickets;

const make = async (path: string, payload: object): Promise<number> => {
  const answer = await admin('POST', `/api/settings/${path}`, payload);
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json<{ id: number }>().id;
};
/** The problems that prevent enabling a campaign with this document, by field. */
const problemsOf = async (changes: object): Promise<Record<string, string>> => {
  const id = await createReadyCampaign(api, documentOf(catalog, changes));
  const answer = await as('operator')('POST', `/api/campaigns/${id}/enable`);
  if (answer.statusCode === 200 || answer.statusCode === 202) return {};
  expect(errorOf(answer)).toMatchObject({ code: 'incomplete_campaign' });
  return Object.fromEntries(errorOf(answer).problems?.map(({ field, code }) => [field, code]) ?? []);
};

test('an incomplete ticket policy reports all missing fields at once', async () => {
  const common = {
    'ticketPolicy.departmentId': 'missing',
    'ticketPolicy.assigneeId': 'missing',
    'ticketPolicy.categoryId': 'missing',
    'ticketPolicy.subcategoryId': 'missing',
  };
  expect(await problemsOf({ ticketPolicy: { when: 'on_reply' } })).toEqual(common);
  expect(await problemsOf({ ticketPolicy: { when: 'on_send' } })).toEqual({
    ...common,
    'ticketPolicy.resolutionOnSuccessId': 'missing',
    'ticketPolicy.resolutionOnFailureId': 'missing',
  });
});

test('a complete ticket policy has no problems', async () => {
  expect(await problemsOf({ ticketPolicy: onReply(tickets) })).toEqual({});
  expect(await problemsOf({ ticketPolicy: onSend(tickets, { status: 'in_progress' }) })).toEqual({});
  const finished = { status: 'finished', resolutionId: tickets.solvedId };
  expect(await problemsOf({ ticketPolicy: onReply(tickets, finished) })).toEqual({});
});

test('a resolution is required for the status finished, and allowed only with it', async () => {
  const { solvedId } = tickets;
  const field = 'ticketPolicy.resolutionId';
  expect(
    await problemsOf({ ticketPolicy: onReply(tickets, { status: 'open', resolutionId: solvedId }) }),
  ).toEqual({
    [field]: 'resolution_without_finish',
  });
  expect(await problemsOf({ ticketPolicy: onReply(tickets, { status: 'finished' }) })).toEqual({
    [field]: 'missing',
  });
});

test('the subcategory must belong to the category', async () => {
  const other = await make('categories', { name: 'Outra' });
  expect(await problemsOf({ ticketPolicy: onReply({ ...tickets, categoryId: other }) })).toEqual({
    'ticketPolicy.subcategoryId': 'subcategory_of_another_category',
  });
});

test('the mailing must declare the required fields of the extra-field group with the same types', async () => {
  const extraFieldGroupId = await make('extra-field-groups', {
    name: 'Boleto',
    definition: {
      fields: [
        { name: 'valor', type: 'number', required: true },
        { name: 'vencimento', type: 'date', required: true },
        { name: 'contrato', type: 'text', required: true },
        { name: 'obs', type: 'text', required: false },
      ],
    },
  });
  const boleto = await make('subcategories', {
    name: 'Boleto',
    definition: { categoryId, extraFieldGroupId },
  });
  const ticketPolicy = onReply({ ...tickets, subcategoryId: boleto });
  const mailing = { source: 'csv', sendingHoursId: catalog.hoursId };
  const document = (extraFields: object[]) =>
    documentOf(catalog, { ticketPolicy, mailing: { ...mailing, extraFields } });
  const saved = await as('operator')(
    'POST',
    '/api/campaigns',
    document([
      { name: 'valor', type: 'text', required: true },
      { name: 'vencimento', type: 'date', required: false },
      { name: 'obs', type: 'text', required: false },
    ]),
  );
  const { problems } = saved.json<{ problems: { field: string; code: string; message: string }[] }>();
  expect(problems.filter(({ code }) => code.startsWith('extra_field'))).toEqual([
    {
      field: 'mailing.extraFields.0.type',
      code: 'extra_field_type',
      params: { name: 'valor', wanted: 'number', declared: 'text' },
      message: `The subcategory of the tickets needs "valor" as number; here it is text.`,
    },
    {
      field: 'mailing.extraFields.1.required',
      code: 'extra_field_missing',
      params: { name: 'vencimento', wanted: 'date', declared: true },
      message: `The subcategory of the tickets requires the extra field "vencimento" (date): make it required in the mailing.`,
    },
    {
      field: 'mailing.extraFields',
      code: 'extra_field_missing',
      params: { name: 'contrato', wanted: 'text', declared: false },
      message: `The subcategory of the tickets requires the extra field "contrato" (text): declare it in the mailing.`,
    },
  ]);
});

test('a subcategory with an unknown category or group is rejected with a problem for each field', async () => {
  const definition = { categoryId: 999_999, extraFieldGroupId: 999_999 };
  const answer = await admin('POST', '/api/settings/subcategories', { name: 'Perdida', definition });
  expect(answer.statusCode).toBe(422);
  expect(errorOf(answer).problems?.map(({ field, code }) => [field, code])).toEqual([
    ['definition.categoryId', 'unknown'],
    ['definition.extraFieldGroupId', 'unknown'],
  ]);
});

test('a setting in use cannot be deleted, and the error lists its uses', async () => {
  const changes = { name: 'Com atendimento', ticketPolicy: onReply(tickets) };
  const { messageIds, campaignId } = await createRun(api, catalog, { changes });
  const inboundMessageId = await insertReply(sql, { messageId: messageIds[0] ?? 0 });
  await sql.begin((tx) => openReplyTicket(tx, { inboundMessageId }));
  const [subcategory] = await sql<
    { name: string }[]
  >`select name from subcategories where id = ${subcategoryId}`;

  const refusalOf = async (path: string) => {
    const answer = await admin('DELETE', `/api/settings/${path}`);
    expect([answer.statusCode, errorOf(answer).code]).toEqual([409, 'in_use']);
    return errorOf(answer);
  };
  const byCategory = await refusalOf(`categories/${categoryId}`);
  expect(byCategory.params.usedBy).toEqual(
    expect.arrayContaining([
      { kind: 'campaign', id: campaignId, name: 'Com atendimento' },
      { kind: 'subcategory', id: subcategoryId, name: subcategory?.name },
      { kind: 'tickets', count: 1 },
    ]),
  );
  expect(byCategory.message).toContain('“Com atendimento”');
  expect(byCategory.message).toMatch(/1 ticket\. Archive it instead\.$/);
  for (const path of [
    `departments/${tickets.departmentId}`,
    `assignees/${tickets.assigneeId}`,
    `subcategories/${subcategoryId}`,
  ]) {
    expect((await refusalOf(path)).params.usedBy).toEqual(
      expect.arrayContaining([{ kind: 'tickets', count: 1 }]),
    );
  }
});

test('a region that customers use cannot be deleted', async () => {
  const id = await make('regions', { name: 'Sul' });
  await sql`insert into customers (code, region_id) values ('c-1', ${id}), ('c-2', ${id})`;
  const answer = await admin('DELETE', `/api/settings/regions/${id}`);
  expect(errorOf(answer)).toMatchObject({
    code: 'in_use',
    params: { usedBy: [{ kind: 'customers', count: 2 }] },
  });
});

test('a region and a customer type of sent messages can only be archived, and the messages still show their names', async () => {
  const regionId = await make('regions', { name: 'Norte' });
  const customerTypeId = await make('customer-types', { name: 'Empresa' });
  const mailing = { source: 'csv', sendingHoursId: catalog.hoursId, regionId, customerTypeId };
  const { campaignId, messageIds } = await createRun(api, catalog, { changes: { mailing } });
  // The campaign no longer uses them, but its sent messages do.
  await sql`
    update campaigns set definition = definition #- '{mailing,regionId}' #- '{mailing,customerTypeId}'
    where id = ${campaignId}`;
  for (const [path, name] of [
    [`regions/${regionId}`, 'Norte'],
    [`customer-types/${customerTypeId}`, 'Empresa'],
  ] as const) {
    expect((await admin('GET', `/api/settings/${path}/uses`)).json()).toEqual({
      usedBy: [{ kind: 'runs', count: 1 }],
    });
    const answer = await admin('DELETE', `/api/settings/${path}`);
    expect(answer.statusCode).toBe(409);
    expect(errorOf(answer)).toMatchObject({
      code: 'in_use',
      params: { usedBy: [{ kind: 'runs', count: 1 }] },
      message: 'It cannot be deleted, because it is in use: 1 run. Archive it instead.',
    });
    const archived = await admin('PUT', `/api/settings/${path}`, { name, archived: true });
    expect(archived.statusCode).toBe(200);
  }
  expect((await admin('GET', `/api/messages/${messageIds[0]}`)).json()).toMatchObject({
    message: { regionId, regionName: 'Norte', customerTypeId, customerTypeName: 'Empresa' },
  });
});

test('a subcategory in use cannot move to another category', async () => {
  const other = await make('categories', { name: 'Nova' });
  await createReadyCampaign(api, documentOf(catalog, { ticketPolicy: onReply(tickets) }));
  const answer = await admin('PUT', `/api/settings/subcategories/${subcategoryId}`, {
    name: 'Segunda via',
    definition: { categoryId: other },
  });
  expect([answer.statusCode, errorOf(answer).code]).toEqual([409, 'in_use']);
  const same = await admin('PUT', `/api/settings/subcategories/${subcategoryId}`, {
    name: 'Segunda via',
    definition: { categoryId },
  });
  expect(same.statusCode).toBe(200);
});

test('a new deployment has the settings that a first campaign with tickets needs', async () => {
  const fresh = await createApi();
  await seedSettings(fresh.sql, new Date());
  const entries = async (path: string) =>
    (await fresh.as('viewer')('GET', `/api/settings/${path}`)).json<{
      entries: { id: number; name: string; definition: { categoryId?: number } }[];
    }>().entries;
  const categories = await entries('categories');
  expect(categories.map(({ name }) => name)).toContain('Cobrança');
  for (const { definition } of await entries('subcategories')) {
    expect(categories.map(({ id }) => id)).toContain(definition.categoryId);
  }
  for (const path of ['departments', 'assignees', 'resolutions', 'extra-field-groups', 'subcategories']) {
    expect((await entries(path)).length).toBeGreaterThan(0);
  }
});
