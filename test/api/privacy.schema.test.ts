import { describe, expect, test } from 'vitest';
import { createImport } from '../../activities/import.ts';
import { createSchedule } from '../../activities/schedule.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { optOutPhone, sendBlockOf } from '../../db/customers/opt-outs.ts';
import { getRun } from '../../db/runs/runs.ts';
import { box, createApi, createCatalog, documentOf, errorOf } from '../kit/api.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { columnsOf, personalColumns } from '../kit/personal-columns.ts';
import { createTicketCatalog } from '../kit/tickets.ts';
import { localWebservice } from '../kit/webservice.ts';

const api = await createApi();
const { as, sql } = api;
const catalog = await createCatalog(api);
const tickets = await createTicketCatalog(sql);
const admin = as('admin');
const hash = await createPhoneHashing({ sql, box })();
const importRun = createImport({
  sql,
  box,
  clock: () => new Date(),
  webservice: localWebservice,
  webserviceRetryMs: 0,
  phoneHash: () => Promise.resolve(hash),
});
const schedule = createSchedule({ sql, clock: () => new Date(), gracePeriodMs: 60_000 });

test('every column of the database is classified as personal or not', async () => {
  const rows = await sql<{ table: string; column: string }[]>`
    select table_name as table, column_name as column from information_schema.columns
    where table_schema = 'public' order by table_name, ordinal_position`;
  const classifiedColumns = Object.entries(columnsOf).flatMap(([table, { personal = {}, not }]) =>
    [...Object.keys(personal), ...Object.values(not).flatMap((columns) => columns.split(' '))].map(
      (column) => `${table}.${column}`,
    ),
  );
  expect(classifiedColumns.toSorted()).toEqual(
    rows.map(({ table, column }) => `${table}.${column}`).toSorted(),
  );
});

/** The columns of the whole database that contain one of the marks. */
async function tracesOf(marks: readonly string[]): Promise<string[]> {
  const columns = await sql<{ table: string; column: string }[]>`
    select table_name as table, column_name as column from information_schema.columns
    where table_schema = 'public'`;
  const traces: string[] = [];
  for (const { table, column } of columns) {
    const rows = await sql`
      select from ${sql(table)} where ${sql(column)}::text ilike any(${marks.map((mark) => `%${mark}%`)}::text[]) limit 1`;
    if (rows.count > 0) traces.push(`${table}.${column}`);
  }
  return traces.toSorted();
}

/** The personal columns that contain data. */
async function filledColumns(): Promise<string[]> {
  const filled: string[] = [];
  for (const { table, column } of personalColumns) {
    const rows = await sql`
      select from ${sql(table)} where ${sql(column)} is not null and ${sql(column)}::text not in ('', '{}') limit 1`;
    if (rows.count > 0) filled.push(`${table}.${column}`);
  }
  return filled.toSorted();
}
const allPersonal = personalColumns.map(({ table, column }) => `${table}.${column}`).toSorted();

const header = 'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem;recado;bairro';
const extraFields = ['recado', 'bairro'].map((name) => ({ name, type: 'text', required: false }));

/** Uploads a mailing and runs its campaign up to the import; returns the message id of each line. */
async function readMailing(lines: readonly string[]): Promise<{ runId: number; messageIds: number[] }> {
  const document = documentOf(catalog, {
    mailing: { source: 'csv', sendingHoursId: catalog.hoursId, extraFields },
  });
  const { id } = (await admin('POST', '/api/campaigns', document)).json<{ id: number }>();
  const csv = [header, ...lines].join('\n');
  const uploaded = await admin('PUT', `/api/campaigns/${id}/mailing/file`, csv, {
    'content-type': 'text/csv',
  });
  expect(uploaded.statusCode).toBe(200);
  await admin('POST', `/api/campaigns/${id}/enable`);
  const { runId } = await schedule.openManualRun({
    campaignId: id,
    occurrence: new Date().toISOString(),
    requestKey: 'x',
  });
  const run = await getRun(sql, runId);
  if (!run) throw new Error('The run is gone.');
  await importRun(run, { attempt: 1, signal: new AbortController().signal });
  const messages = await sql<{ id: number }[]>`select id from messages where run_id = ${runId} order by line`;
  return { runId, messageIds: messages.map(({ id }) => id) };
}

let eventNumber = 0;
const insertEvent = (kind: string, messageId: number | null, payload: Record<string, string>) => sql`
  insert into inbound_events (provider_id, event_key, kind, message_id, payload, unread)
  values (${catalog.providerId}, ${`e${++eventNumber}`}, ${kind}, ${messageId}, ${sql.json(payload)},
    ${kind === 'message' ? sql.json({ code: 'status_unknown', params: { status: payload['text'] ?? '' } }) : null})`;

/** Inserts all rows that can belong to a message: a reply, a posted ticket, an answer, receipts. */
async function insertRelatedRows(messageId: number, phone: string, name: string): Promise<void> {
  await sql`
    update messages set provider_id = ${catalog.providerId}, provider_message_id = 'SM1',
      provider_code = ${`no subscriber ${phone}`}
    where id = ${messageId}`;
  await insertEvent('receipt', messageId, { To: phone });
  await insertEvent('resolved', messageId, { note: `${name} called` });
  await insertEvent('message', null, { from: phone.replace('+55', ''), text: `${name} replies` });
  const [reply] = await sql<[{ id: number; runId: number; campaignId: number }]>`
    insert into inbound_messages (provider_id, provider_message_id, phone, recipient, text, handled_at, effect, message_id,
      run_id, campaign_id)
    select ${catalog.providerId}, ${`r${messageId}`}, ${phone}, '123', ${`${name} replies`}, now(), 'ticket', m.id, run_id,
      campaign_id
    from messages as m join runs on runs.id = run_id where m.id = ${messageId}
    returning id, run_id, campaign_id`;
  const [ticket] = await sql<[{ id: number }]>`
    insert into tickets (cause, campaign_id, run_id, message_id, inbound_message_id, status, department_id, assignee_id,
      category_id, subcategory_id, phone, name, code, extra)
    values ('reply', ${reply.campaignId}, ${reply.runId}, ${messageId}, ${reply.id}, 'open', ${tickets.departmentId},
      ${tickets.assigneeId}, ${tickets.categoryId}, ${tickets.subcategoryId}, ${phone}, ${name}, 'zz-ticket',
      ${sql.json({ bairro: `${name} district` })})
    returning id`;
  await sql`
    insert into answers (kind, ticket_id, actor, provider_id, phone, text, segments, status, provider_code)
    values ('user', ${ticket.id}, 'user:1', ${catalog.providerId}, ${phone}, ${`${name} answered`}, 1, 'failed', ${`no subscriber ${phone}`})`;
  await sql`
    with e as (
      insert into ticket_events (ticket_id, kind, actor, inbound_message_id)
      values (${ticket.id}, 'opened', 'customer', ${reply.id}) returning id
    )
    insert into ticket_posts (event_id, ticket_id, answer) select id, ${ticket.id}, ${`${name} is known here`} from e`;
  await sql`
    insert into ticket_events (ticket_id, kind, actor, actor_name, note)
    values (${ticket.id}, 'note', 'user:1', 'Ana', ${`${name} note`})`;
}
const lookUp = async (keys: object) => (await admin('POST', '/api/privacy/look-up', keys)).json<object>();
const exported = async (keys: object) =>
  (await admin('POST', '/api/privacy/export', keys)).json<Record<string, unknown>>();
const erase = async (keys: object) => (await admin('POST', '/api/privacy/erase', keys)).json<object>();

describe('an erasure clears every personal column, and the export before it contains all data of', () => {
  test('a customer, including lines from before the customer was created', async () => {
    const [mobile, landline, second] = ['+5511900000001', '+551130000002', '+5511900000003'];
    const before = await readMailing([
      ';Zilda Um;11 90000-0001;;;Zilda ontem;Oi Zilda;;Zilda Bairro',
      'zz-code;Zilda Dois;;;;;;;',
      ';Zilda Três;;(11) 3000-0002;;;;;',
      ';Zilda Quatro;;;;;;rec. 011 3000-0002 c/ Zilda;',
      ';Zilda Cinco;;;;;;+55 11 90000-0003;',
    ]);
    const [first = 0] = before.messageIds;
    const region = (await admin('POST', '/api/settings/regions', { name: 'Sul' })).json<{ id: number }>();
    const type = (await admin('POST', '/api/settings/customer-types', { name: 'VIP' })).json<{
      id: number;
    }>();
    const { id: customerId } = (
      await admin('POST', '/api/customers', {
        code: 'zz-code',
        name: 'Zilda Cadastro',
        mobile,
        phone: landline,
        phone2: second,
        birthDate: '1961-02-03',
        regionId: region.id,
        customerTypeId: type.id,
      })
    ).json<{ id: number }>();
    const consent = { consent: 'granted', note: 'Zilda signed' };
    expect((await admin('POST', `/api/customers/${customerId}/consents`, consent)).statusCode).toBe(201);
    const after = await readMailing(['zz-code;Zilda Seis;11 90000-0001;;;;;;', '9;Outra;;;;;;;']);
    await insertRelatedRows(first, mobile, 'Zilda Viva');
    for (const phone of [mobile, landline])
      await optOutPhone(sql, { phone, source: 'admin', actor: 'user:1', note: 'Zilda asked' });
    await sql`update opt_out_events set inbound_message_id = (select max(id) from inbound_messages)`;
    await sql`
      update runs set status = 'failed', reason = ${sql.json({ code: 'mailing_refused', mailingCode: 'column_unknown', params: { line: 1, missing: [], unknown: ['Zilda', '(11) 90000-0001'], repeated: [] } })}
      where id = ${before.runId}`;

    const marks = ['zilda', 'zz-', '90000-?0001', '30000002', '3000-0002', '900000003', '1961-02-03'];
    expect(await filledColumns()).toEqual(allPersonal);
    expect(await lookUp({ customerId })).toMatchObject({ messages: 6, replies: 1, tickets: 1, optOuts: 2 });
    expect(await lookUp({ messageId: first })).toMatchObject({ customer: { id: customerId } });
    expect(errorOf(await admin('POST', '/api/privacy/look-up', { code: 'zz-code' }))).toMatchObject({
      problems: [{ field: 'code', code: 'is_customer', params: { customerIds: [customerId] } }],
    });
    const data = await exported({ customerId });
    for (const key of new Set(personalColumns.map(({ key }) => key)))
      expect([key, data[key]]).not.toEqual([key, []]);
    const text = JSON.stringify(data);
    for (const part of ['Um', 'Dois', 'Três', 'Quatro', 'Cinco', 'Seis', 'Viva called', 'Viva is known here'])
      expect(text).toContain(`Zilda ${part}`);
    for (const part of [
      'Zilda Bairro',
      'Oi Zilda',
      'Zilda signed',
      'Zilda asked',
      'no subscriber',
      'zz-ticket',
    ])
      expect(text).toContain(part);

    expect(await erase({ customerId })).toMatchObject({
      messages: 6,
      replies: 1,
      tickets: 1,
      providerEvents: 3,
    });
    // Only the line of another recipient remains.
    expect(await filledColumns()).toEqual(['messages.code', 'messages.extra', 'messages.name']);
    expect(await tracesOf(marks)).toEqual([]);
    expect(await sql`select from messages where name is not null`).toHaveLength(1);
    for (const phone of [mobile, landline]) expect(await sendBlockOf(sql, hash, phone)).toBe('opted_out');
    await expectCountsToMatchRows(sql, before.runId);
    await expectCountsToMatchRows(sql, after.runId);
    await sql`update messages set code = null, name = null, extra = null`;
  });

  const [landline, mobile] = ['+551130000055', '+5511900000055'];
  test.each([
    ['by a landline in its column', ';Zilda;;1130000055;;;;;', { phone: '(11) 3000-0055' }],
    ['by a number within a text', ';Zilda;;;;;;recado (11) 3000-0055;', { phone: landline }],
    ['by a number in an extra field', ';Zilda;11900000055;;;;;11-3000-0055;', { phone: landline }],
    ['by the mobile number', 'zz-7;Zilda;11900000055;;;;Oi Zilda;;', { phone: mobile }],
    ['by the code of a line with a mobile number', 'zz-7;Zilda;11900000055;;;;;;', { code: ' zz-7 ' }],
    ['by the code of a line without a phone', 'zz-7;;;;;;;;', { code: 'zz-7' }],
    ['by the id of a line with only a name', ';Zilda;;;;;;;Zilda Bairro', 'messageId'],
    ['by the id of a line with a mobile number', ';Zilda;11900000055;;;;;;', 'messageId'],
    ['by the id of a line with an unreadable number', ';Zilda;98888-7777;;;;;;', 'messageId'],
  ] as const)('a recipient who is not a customer, found %s', async (_, line, key) => {
    const { runId, messageIds } = await readMailing([line, 'other;Rui;11 91111-1111;;;;;11 3111-1111;']);
    const [messageId = 0] = messageIds;
    const keys = key === 'messageId' ? { messageId } : key;
    const [{ phone }] = await sql<
      [{ phone: string | null }]
    >`select phone from messages where id = ${messageId}`;
    if (phone !== null) await insertRelatedRows(messageId, phone, 'Zilda');
    expect(await lookUp(keys)).toMatchObject({
      customer: null,
      messages: 1,
      replies: phone === null ? 0 : 1,
    });
    expect(JSON.stringify(await exported(keys))).toMatch(/Zilda|zz-7/);
    expect(await erase(keys)).toMatchObject({ messages: 1, mailingFiles: [{ current: true }] });
    expect(await tracesOf(['zilda', 'zz-', '0000055', '3000-0055', '8888-7777', '88887777'])).toEqual([]);
    expect(await sql`select name from messages where run_id = ${runId} order by line`).toEqual([
      { name: null },
      { name: 'Rui' },
    ]);
    await expectCountsToMatchRows(sql, runId);
    await sql`update messages set name = null, code = null, phone = null, extra = null, extra_phones = null`;
  });
});

test('a code that many messages share cannot identify a recipient', async () => {
  const { runId } = await readMailing(['n/a;Ana;11 92222-2222;;;;;;']);
  await sql`
    insert into messages (run_id, line, status, code) select ${runId}, n, 'skipped', 'n/a' from generate_series(100, 10100) as n`;
  const answer = await admin('POST', '/api/privacy/erase', { code: 'n/a' });
  expect(errorOf(answer).problems).toMatchObject([{ field: 'code', code: 'code_of_many' }]);
  expect(
    (await admin('POST', '/api/privacy/look-up', { code: 'a', phone: '11 92222-2222' })).statusCode,
  ).toBe(422);
  expect((await admin('POST', '/api/privacy/look-up', {})).statusCode).toBe(422);
  expect((await admin('POST', '/api/privacy/look-up', { messageId: 999_999_999 })).statusCode).toBe(404);
});
