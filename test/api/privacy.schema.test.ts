import { describe, expect, test } from 'vitest';
import { createImport } from '../../activities/import.ts';
import { createSchedule } from '../../activities/schedule.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { optOutPhone, sendBlockOf } from '../../db/customers/opt-outs.ts';
import { getRun } from '../../db/runs/runs.ts';
import { box, createApi, createCatalog, documentOf, errorOf } from '../kit/api.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { createTicketCatalog } from '../kit/tickets.ts';
import { localWebservice } from '../kit/webservice.ts';

/**
 * Every column of the database: what is erased of a person, or why there is nothing of them in it. A new column fails the
 * first test until somebody has decided. Personal columns have the key of the export that holds them.
 */
const staff = 'of users and programs of the deployment, who are no subject of its mailings';
const settings = 'what admins set up: of no person in particular';
const figures = 'ids, states, codes and instants: what is left when a person is erased';
const columnsOf: Record<string, { personal?: Record<string, string>; not: Record<string, string> }> = {
  alert_settings: { not: { [settings]: 'only_row definition' } },
  alert_webhook: { not: { [settings]: 'id config secrets' } },
  alerts: {
    not: {
      [figures]: 'id kind subject quiet since ended_at',
      'counts, codes and names of settings: never a value of a person': 'facts',
    },
  },
  answers: {
    personal: { phone: 'answers', text: 'answers', provider_code: 'answers' },
    not: {
      [staff]: 'actor actor_name request_key',
      [figures]:
        'id kind keyword ticket_id inbound_message_id provider_id segments status reason attempts perhaps_taken sender provider_message_id created_at sending_at sent_at ended_at cost_day',
    },
  },
  api_tokens: {
    not: { [staff]: 'id name token_hash role created_by created_at expires_at last_used_at revoked_at' },
  },
  assignees: { not: { [settings]: 'id name definition archived_at' } },
  audit_log: {
    not: {
      [staff]: 'actor actor_name',
      [figures]: 'id at action subject_kind subject_id',
      'ids, counts, names and values of settings: never a value of a person': 'subject_name details changes',
    },
  },
  automatic_keywords: { not: { [settings]: 'position words text department_id subcategory_id' } },
  automatic_texts: { not: { [settings]: 'only_row opt_out help' } },
  campaigns: {
    not: {
      [settings]:
        'id definition name provider_id sending_hours_id holiday_calendar_id region_id customer_type_id integration_id department_id assignee_id category_id subcategory_id resolution_id resolution_on_success_id resolution_on_failure_id monthly_budget version enabled enabled_at first_enabled_at archived_at scheduled_through schedule_since previous_schedules next_at mailing_file_id answer_attributes created_at updated_at',
    },
  },
  categories: { not: { [settings]: 'id name definition archived_at' } },
  claims: { not: { [figures]: 'id run_id sender message_ids claimed_at' } },
  company: { not: { [settings]: 'id name logo logo_facts' } },
  consents: {
    personal: {
      consent: 'consents',
      source: 'consents',
      note: 'consents',
      at: 'consents',
      recorded_at: 'consents',
      sandbox: 'consents',
      customer_id: 'consents',
    },
    not: { [figures]: 'id', [staff]: 'actor' },
  },
  customer_import_portions: {
    not: {
      'a file that is being uploaded: gone with its import, at most some minutes later': 'lines',
      [figures]: 'import_id seq',
    },
  },
  customer_imports: { not: { [figures]: 'id only_row alive_at' } },
  customer_types: { not: { [settings]: 'id name definition archived_at' } },
  customers: {
    personal: {
      code: 'customer',
      name: 'customer',
      name_folded: 'customer',
      name_words: 'customer',
      mobile: 'customer',
      phone: 'customer',
      phone2: 'customer',
      birth_date: 'customer',
      region_id: 'customer',
      customer_type_id: 'customer',
      consent_source: 'customer',
      consent_at: 'customer',
    },
    not: {
      'the row stays, emptied, because messages refer to it': 'id created_at updated_at erased_at',
      'not_stated once erased': 'consent',
    },
  },
  departments: { not: { [settings]: 'id name definition archived_at' } },
  deployment: { not: { [settings]: 'only_row home alive_at' } },
  deployment_budget: { not: { [settings]: 'only_row monthly' } },
  deployment_keys: { not: { [settings]: 'name sealed' } },
  email_settings: { not: { [settings]: 'id config secrets' } },
  extra_field_groups: { not: { [settings]: 'id name definition archived_at' } },
  holiday_calendars: { not: { [settings]: 'id name definition archived_at' } },
  inbound_events: {
    personal: { payload: 'providerEvents', unread: 'providerEvents' },
    not: {
      [figures]: 'id provider_id kind message_id received_at',
      'a digest, or an id of the provider': 'event_key',
    },
  },
  inbound_messages: {
    personal: { phone: 'replies', text: 'replies' },
    not: {
      [figures]:
        'id provider_id intent received_at handled_at effect message_id campaign_id run_id customer_id',
      'an id of the provider, by which a repeated reply is known': 'provider_message_id',
      'half a digest: too little to find out by it who wrote what': 'fingerprint',
      'a number or name of ours': 'recipient',
    },
  },
  integrations: { not: { [settings]: 'id name config secrets archived_at' } },
  look_ups: { not: { [figures]: 'message_id run_id provider_id due_at looks result looked_at' } },
  mailing_file_chunks: {
    not: {
      'a file as it was uploaded or fetched: who erases is told which still hold the person': 'bytes',
      [figures]: 'file_id seq',
    },
  },
  mailing_files: {
    not: {
      [figures]: 'id campaign_id origin bytes sha256 lines bad_lines uploaded_at completed_at',
      [staff]: 'uploaded_by',
      [settings]: 'extra_fields name',
      'where the pages of an answer begin, and the host they came from': 'pages',
    },
  },
  messages: {
    personal: {
      code: 'messages',
      name: 'messages',
      phone: 'messages',
      text: 'messages',
      extra: 'messages',
      extra_phones: 'messages',
      warnings: 'messages',
      provider_code: 'messages',
    },
    not: {
      [figures]:
        'id run_id line status reason fault segments customer_id resend_of attempts not_before sender provider_id sending_at sent_at ended_at',
      'an id of the provider, by which its receipts are known': 'provider_message_id',
    },
  },
  notification_alerts: { not: { [figures]: 'notification_id alert_id' } },
  notifications: {
    not: {
      [figures]: 'id purpose channel state attempts problem created_at begun_at ended_at',
      [staff]: 'user_id',
    },
  },
  opt_out_events: {
    personal: {
      phone: 'optOutHistory',
      kind: 'optOutHistory',
      source: 'optOutHistory',
      sandbox: 'optOutHistory',
      note: 'optOutHistory',
      inbound_message_id: 'optOutHistory',
      at: 'optOutHistory',
    },
    not: { [figures]: 'id', [staff]: 'actor' },
  },
  opt_outs: {
    personal: { phone: 'optOuts' },
    not: {
      'what keeps the opt-out of an erased person in force: a keyed hash':
        'id phone_hash state source sandbox at',
      'the reply for which a phone is held: its hold ends with the erasure': 'inbound_message_id',
    },
  },
  prices: { not: { [settings]: 'provider_id prefix first_day millionths' } },
  password_resets: { not: { [staff]: 'token_hash user_id expires_at' } },
  privacy_settings: { not: { [settings]: 'only_row definition' } },
  provider_lanes: { not: { [settings]: 'provider_id worker senders expires_at' } },
  provider_message_ids: {
    not: {
      [figures]: 'provider_id message_id sent_at',
      'an id of the provider': 'provider_message_id',
    },
  },
  provider_rates: {
    not: {
      [settings]:
        'provider_id reserved_until answers_until held_until held_code doubts probes doubted_at doubt_code suspects',
    },
  },
  providers: {
    not: {
      [settings]:
        'id name config secrets segment_profile rate_per_second max_in_flight reference sandbox fallback_id archived_at',
    },
  },
  regions: { not: { [settings]: 'id name definition archived_at' } },
  reply_words: { not: { [settings]: 'only_row definition' } },
  report_days: {
    not: {
      [figures]:
        'day campaign_id region_id customer_type_id provider_id queued sent delivered undelivered failed unknown skipped cancelled segments unknown_segments cost unpriced_segments replies opt_outs tickets answered answer_seconds',
    },
  },
  report_hours: {
    not: {
      [figures]:
        'day hour region_id customer_type_id provider_id queued sent delivered undelivered failed unknown skipped cancelled segments unknown_segments cost unpriced_segments replies opt_outs tickets answered answer_seconds',
    },
  },
  report_months: {
    not: {
      [figures]:
        'day campaign_id region_id customer_type_id provider_id queued sent delivered undelivered failed unknown skipped cancelled segments unknown_segments cost unpriced_segments replies opt_outs tickets answered answer_seconds',
    },
  },
  report_reasons: {
    not: { [figures]: 'day region_id customer_type_id provider_id status reason messages' },
  },
  report_state: {
    not: {
      [figures]: 'only_row replies_through tickets_through opt_outs_through checked_all_at counted_at',
      [settings]: 'timezone prices',
    },
  },
  quick_replies: { not: { [settings]: 'id name definition archived_at' } },
  resolutions: { not: { [settings]: 'id name definition archived_at' } },
  restore_catch_ups: {
    not: { [figures]: 'restore_id provider_id state asked_at problem replies opt_outs known others' },
  },
  restores: {
    not: { [figures]: 'id backup_at recognized_at stopped_runs completed_at', [staff]: 'completed_by' },
  },
  retries: {
    not: {
      [figures]:
        'workflow_id activity_id activity since attempt failed_at next_at trying_since gives_up_at attempts_left',
      'codes and numbers (domain/problems/retries.ts)': 'cause',
    },
  },
  single_costs: { not: { [figures]: 'kind provider_id day country segments millionths unpriced' } },
  run_costs: {
    not: { [figures]: 'run_id provider_id day campaign_id segments millionths unpriced' },
  },
  run_counts: { not: { [figures]: 'run_id status reason messages segments' } },
  run_hours: {
    not: { [figures]: 'run_id day hour provider_id country status reason messages segments' },
  },
  run_responses: {
    not: {
      [figures]: 'run_id day hour provider_id replies opt_outs tickets answered answer_seconds',
    },
  },
  run_rollups: { not: { [figures]: 'run_id fingerprint took_ms counted_at' } },
  run_samples: { not: { [figures]: 'run_id at messages failed' } },
  runs: {
    not: {
      [figures]:
        'id campaign_id occurrence trigger status step region_id customer_type_id sending_hours_id holiday_calendar_id mailing_file_id fetched_at resend_of resend_scope provider_id expires_at started_at mailing_at preflight warnings approved_at beyond_budget_at canary_left_at canary_over_at measured_from sending_at sender_wanted_at moved_attempt_at finished_at seen_at restored_at purged_at',
      [settings]: 'settings',
      [staff]: 'approved_by',
      'names of providers, codes that hold no phone (showableCode)': 'failovers',
      'made by the program that asks for a run': 'request_key',
      'may quote a line that could not be read: cleared when it has the phone, and with the run': 'reason',
    },
  },
  schema_migrations: { not: { [settings]: 'number name checksum applied_at' } },
  send_cursors: { not: { [figures]: 'run_id line' } },
  sender_leases: { not: { [figures]: 'sender run_id expires_at revoked' } },
  sending_hours: { not: { [settings]: 'id name definition archived_at' } },
  sessions: { not: { [staff]: 'id_hash user_id created_at last_seen_at expires_at' } },
  stale_days: { not: { [figures]: 'day' } },
  stale_reply_days: { not: { [figures]: 'day' } },
  stale_responses: { not: { [figures]: 'run_id' } },
  subcategories: {
    not: { [settings]: 'id name definition category_id extra_field_group_id archived_at' },
  },
  test_sends: {
    not: {
      [staff]: 'id campaign_id sent_by sent_at',
      'not to whom: an id of the provider, and codes that hold no phone': 'outcome',
    },
  },
  ticket_events: {
    personal: { note: 'ticketHistory' },
    not: {
      [figures]: 'id ticket_id kind inbound_message_id answer_id at',
      [staff]: 'actor actor_name',
      'states and ids; of free text only that it changed': 'changes',
    },
  },
  ticket_automation: {
    not: { [settings]: 'only_row reopen_on_reply wait_on_answer finish_after_days finish_resolution_id' },
  },
  ticket_posting: { not: { [settings]: 'id config secrets' } },
  ticket_posts: {
    personal: { answer: 'helpdeskAnswers' },
    not: {
      [figures]: 'event_id ticket_id state attempts not_before queued_at answer_status answered_at',
    },
  },
  tickets: {
    personal: {
      phone: 'tickets',
      name: 'tickets',
      code: 'tickets',
      search: 'tickets',
      extra: 'tickets',
    },
    not: {
      [figures]:
        'id cause campaign_id run_id message_id inbound_message_id customer_id status channel department_id assignee_id category_id subcategory_id resolution_id user_id version opened_at updated_at finished_at customer_wrote_at customer_first_wrote_at answered_at first_answered_at answer_due_at unanswered',
    },
  },
  users: {
    not: {
      [staff]:
        'id login name password_hash must_change_password role locale timezone sending_hours_id enabled email alert_choices created_at',
    },
  },
};
const personal = Object.entries(columnsOf).flatMap(([table, { personal = {} }]) =>
  Object.entries(personal).map(([column, key]) => ({ table, column, key })),
);

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

test('Every column of the database is classified: personal, or why not', async () => {
  const rows = await sql<{ table: string; column: string }[]>`
    select table_name as table, column_name as column from information_schema.columns
    where table_schema = 'public' order by table_name, ordinal_position`;
  const classified = Object.entries(columnsOf).flatMap(([table, { personal = {}, not }]) =>
    [...Object.keys(personal), ...Object.values(not).flatMap((columns) => columns.split(' '))].map(
      (column) => `${table}.${column}`,
    ),
  );
  expect(classified.toSorted()).toEqual(rows.map(({ table, column }) => `${table}.${column}`).toSorted());
});

/** Columns of the whole database whose text has one of the marks. */
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

/** The personal columns that hold something. */
async function filledColumns(): Promise<string[]> {
  const filled: string[] = [];
  for (const { table, column } of personal) {
    const rows = await sql`
      select from ${sql(table)} where ${sql(column)} is not null and ${sql(column)}::text not in ('', '{}') limit 1`;
    if (rows.count > 0) filled.push(`${table}.${column}`);
  }
  return filled.toSorted();
}
const allPersonal = personal.map(({ table, column }) => `${table}.${column}`).toSorted();

const header = 'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem;recado;bairro';
const extraFields = ['recado', 'bairro'].map((name) => ({ name, type: 'text', required: false }));

/** Uploads a mailing, runs its campaign and reads it into messages, whose ids are those of the lines. */
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

/** A reply to the message, a ticket of it that was posted, receipts, and whatever else hangs on a message. */
async function live(messageId: number, phone: string, name: string): Promise<void> {
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

describe('Whoever is erased leaves nothing in any personal column, and the export had all of it', () => {
  test('a customer, with the lines of before they were one', async () => {
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
    await live(first, mobile, 'Zilda Viva');
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
    for (const key of new Set(personal.map(({ key }) => key)))
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
    // The line of somebody else is all that is left.
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
    ['by a number among other words', ';Zilda;;;;;;recado (11) 3000-0055;', { phone: landline }],
    ['by a number in an extra field', ';Zilda;11900000055;;;;;11-3000-0055;', { phone: landline }],
    ['by the mobile number', 'zz-7;Zilda;11900000055;;;;Oi Zilda;;', { phone: mobile }],
    ['by the code, beside a mobile number', 'zz-7;Zilda;11900000055;;;;;;', { code: ' zz-7 ' }],
    ['by the code alone', 'zz-7;;;;;;;;', { code: 'zz-7' }],
    ['by the line, which has a name only', ';Zilda;;;;;;;Zilda Bairro', 'messageId'],
    ['by the line, which has a mobile number', ';Zilda;11900000055;;;;;;', 'messageId'],
    ['by the line, with a number that nobody can read', ';Zilda;98888-7777;;;;;;', 'messageId'],
  ] as const)('who is no customer, %s', async (_, line, key) => {
    const { runId, messageIds } = await readMailing([line, 'other;Rui;11 91111-1111;;;;;11 3111-1111;']);
    const [messageId = 0] = messageIds;
    const keys = key === 'messageId' ? { messageId } : key;
    const [{ phone }] = await sql<
      [{ phone: string | null }]
    >`select phone from messages where id = ${messageId}`;
    if (phone !== null) await live(messageId, phone, 'Zilda');
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

test('A code that fills a column is not that of a person', async () => {
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
