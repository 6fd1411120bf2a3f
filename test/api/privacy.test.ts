import { describe, expect, test } from 'vitest';
import { claimLines } from '../../db/messages/claims.ts';
import { optOutPhone } from '../../db/customers/opt-outs.ts';
import { box, createApi, createCatalog, createRun, errorOf } from '../kit/api.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { skipOptedOut, sendBlockOf } from '../../db/customers/opt-outs.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';

const api = await createApi();
const { as, sql } = api;
const catalog = await createCatalog(api);
const admin = as('admin');
const hash = await createPhoneHashing({ sql, box })();

const [mine, landline, shared, unrelated] = [
  '+5511900000001',
  '+551130000001',
  '+5511900000003',
  '+5511900000004',
] as const;

async function createCustomer(changes: object): Promise<number> {
  return (await admin('POST', '/api/customers', changes)).json<{ id: number }>().id;
}
/** The columns of the whole database that contain one of the values, as table.column. */
async function tracesOf(values: readonly string[]): Promise<string[]> {
  const columns = await sql<{ table: string; column: string }[]>`
    select c.relname as table, a.attname as column from pg_class as c join pg_attribute as a on a.attrelid = c.oid
    where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped`;
  const traces: string[] = [];
  for (const { table, column } of columns) {
    const rows = await sql`
      select from ${sql(table)} where ${sql(column)}::text like any(${values.map((value) => `%${value}%`)}::text[]) limit 1`;
    if (rows.count > 0) traces.push(`${table}.${column}`);
  }
  return traces.toSorted();
}

describe('a customer or recipient', () => {
  test('is exported and erased everywhere, while relatives stay and opt-outs remain in force', async () => {
    const id = await createCustomer({
      code: 'code-of-maria',
      name: 'Maria Aparecida',
      mobile: mine,
      phone: landline,
      phone2: shared,
    });
    const relative = await createCustomer({ code: 'rel', mobile: shared });
    await admin('POST', `/api/customers/${id}/consents`, {
      consent: 'granted',
      note: 'Maria Aparecida signed',
    });
    const { runId, messageIds } = await createRun(api, catalog, { phones: [mine, shared, unrelated] });
    const [first, second] = messageIds;
    await sql`
      update messages set customer_id = ${id}, name = 'Maria Aparecida', code = 'code-of-maria',
        extra = '{"rua": "Maria Aparecida"}'
      where id = ${first ?? 0}`;
    await sql`update messages set customer_id = ${relative} where id = ${second ?? 0}`;
    await sql`
      insert into inbound_events (provider_id, event_key, kind, message_id, payload) values
        (${catalog.providerId}, 'a', 'receipt', ${first ?? 0}, '{"To": "+5511900000001"}'),
        (${catalog.providerId}, 'b', 'message', null, '{"from": "11900000001", "Body": "Maria Aparecida here"}'),
        (${catalog.providerId}, 'c', 'message', null, '{"from": "11900000004"}')`;
    await sql`
      insert into inbound_messages (provider_id, provider_message_id, phone, recipient, text, handled_at)
      values (${catalog.providerId}, 'x', ${mine}, '123', 'It is me, Maria Aparecida', now())`;
    for (const phone of [mine, landline, shared])
      await optOutPhone(sql, { phone, source: 'admin', note: 'Maria Aparecida' });
    expect(await expectCountsToMatchRows(sql, runId)).toEqual({ queued: 1, 'skipped: opted_out': 2 });

    expect((await as('operator')('POST', '/api/privacy/export', { customerId: id })).statusCode).toBe(403);
    const exported = await admin('POST', '/api/privacy/export', { customerId: id });
    expect(exported.json()).toMatchObject({
      customer: { name: 'Maria Aparecida', birthDate: null },
      consents: [{ consent: 'granted' }],
      optOuts: [{ phone: mine }, { phone: landline }, { phone: shared }],
      messages: [{ id: first, text: 'Ola Maria 1' }],
      providerEvents: [{ payload: { To: mine } }, { payload: { from: '11900000001' } }],
      replies: [{ text: 'It is me, Maria Aparecida' }],
      tickets: [],
    });

    expect((await as('operator')('POST', '/api/privacy/look-up', { customerId: id })).statusCode).toBe(403);
    expect((await admin('POST', '/api/privacy/look-up', { customerId: id })).json()).toEqual({
      customer: { id, name: 'Maria Aparecida' },
      phones: [mine, landline, shared],
      codes: ['code-of-maria'],
      messages: 1,
      queued: 0,
      replies: 1,
      tickets: 0,
      optOuts: 3,
    });
    const erased = await admin('POST', '/api/privacy/erase', { customerId: id });
    expect(erased.json()).toEqual({
      messages: 1,
      replies: 1,
      tickets: 0,
      providerEvents: 2,
      mailingFiles: [],
    });
    const values = ['Maria Aparecida', 'code-of-maria', '900000001', '30000001'];
    expect(await tracesOf(values)).toEqual(['opt_out_events.note']);
    expect(await sql`select phone from opt_out_events where note = 'Maria Aparecida'`).toEqual([
      { phone: shared },
    ]);

    for (const phone of [mine, landline, shared])
      expect(await sendBlockOf(sql, hash, phone)).toBe('opted_out');
    expect(await sql`select phone from messages where run_id = ${runId} and line > 2 order by line`).toEqual([
      { phone: shared },
      { phone: unrelated },
    ]);
    expect((await as('viewer')('GET', `/api/customers/${id}`)).statusCode).toBe(404);
    expect((await as('viewer')('GET', `/api/customers/${relative}`)).statusCode).toBe(200);
    const audited =
      await sql`select action, subject_id, details from audit_log where action like 'person.%' order by id`;
    expect(audited).toEqual([
      { action: 'person.export', subjectId: id, details: {} },
      { action: 'person.erase', subjectId: id, details: { messages: 1, replies: 1, tickets: 0 } },
    ]);
    const found = await as('viewer')('GET', '/api/opt-outs?phone=11900000001');
    expect(found.json()).toMatchObject({ optOuts: [{ phone: null, source: 'admin' }] });
    const testSend = await admin(
      'POST',
      `/api/campaigns/${(await createRun(api, catalog)).campaignId}/test-send`,
      { phone: mine },
    );
    expect(errorOf(testSend).code).toBe('opted_out');
  });

  test('who refused consent gets no message after erasure, unless the campaign ignores consent', async () => {
    const phone = '+5511955555550';
    const made = await admin('POST', '/api/customers', { mobile: phone, name: 'Vera' });
    const { id } = made.json<{ id: number }>();
    await admin('POST', `/api/customers/${id}/consents`, { consent: 'refused', note: 'on the phone' });
    expect((await admin('POST', '/api/privacy/erase', { customerId: id })).statusCode).toBe(200);
    expect(await sql`select phone from opt_outs where state = 'refused'`).toEqual([{ phone: null }]);
    expect((await as('viewer')('GET', `/api/opt-outs?phone=${phone.slice(1)}`)).json()).toEqual({
      optOuts: [],
    });

    const read = async (changes: object, customerId: number | null = null) => {
      const { runId } = await createRun(api, catalog, { phones: [phone], changes });
      await sql`update messages set customer_id = ${customerId} where run_id = ${runId}`;
      await skipOptedOut(sql, hash, runId);
      return expectCountsToMatchRows(sql, runId);
    };
    expect(await read({})).toEqual({ 'skipped: no_consent': 1 });
    expect(await read({ ignoreConsent: true })).toEqual({ queued: 1 });
    // The number now belongs to another customer, who grants consent.
    const next = await admin('POST', '/api/customers', { mobile: phone, name: 'Ivo' });
    const other = next.json<{ id: number }>().id;
    expect(await read({}, other)).toEqual({ 'skipped: no_consent': 1 });
    await admin('POST', `/api/customers/${other}/consents`, { consent: 'granted', note: 'signed' });
    expect(await read({}, other)).toEqual({ queued: 1 });
    // An opt-out overrides a refusal.
    await admin('POST', '/api/opt-outs', { phone, note: 'called' });
    expect((await admin('POST', '/api/privacy/erase', { customerId: other })).statusCode).toBe(200);
    expect(await sendBlockOf(sql, hash, phone)).toBe('opted_out');
    expect(await read({ ignoreConsent: true })).toEqual({ 'skipped: opted_out': 1 });
  });

  test('who is not a customer is erased by phone, and queued messages are cancelled', async () => {
    const phone = '+5511955555555';
    const { runId } = await createRun(api, catalog, { phones: [phone, '+5511955555556'] });
    expect((await admin('POST', '/api/privacy/erase', { phone: '(11) 95555-5555' })).json()).toMatchObject({
      messages: 1,
    });
    expect(await tracesOf([phone])).toEqual([]);
    expect(await expectCountsToMatchRows(sql, runId)).toEqual({ queued: 1, 'cancelled: erased': 1 });

    await createCustomer({ code: 'z', mobile: '11966666666' });
    const answer = await admin('POST', '/api/privacy/erase', { phone: '11966666666' });
    expect(errorOf(answer).problems).toMatchObject([{ field: 'phone', code: 'is_customer' }]);
  });

  test('cannot be erased while a message to them is being sent', async () => {
    const phone = '+5511977777777';
    const { runId } = await createRun(api, catalog, { phones: [phone] });
    const { id } = await claimLines(sql, { runId, sender: 's#1', from: 1, lines: 10 });
    const claimed = await admin('POST', '/api/privacy/erase', { phone });
    expect([claimed.statusCode, errorOf(claimed).code]).toEqual([503, 'busy']);

    await sql`delete from claims where id = ${id}`;
    await sql`update messages set status = 'sending' where run_id = ${runId}`;
    expect(errorOf(await admin('POST', '/api/privacy/erase', { phone })).code).toBe('busy');
  });
});

describe('the settings', () => {
  test('are off by default, only an admin can change them, and each change is audited', async () => {
    const before = await as('viewer')('GET', '/api/privacy/settings');
    expect(before.json()).toEqual({
      consentRequired: false,
      messageDays: null,
      replyDays: null,
      ticketDays: null,
      ticketPostDays: null,
      inboundEventDays: null,
      mailingFileDays: null,
      auditDays: null,
    });
    expect((await as('operator')('PUT', '/api/privacy/settings', {})).statusCode).toBe(403);
    const wrong = await admin('PUT', '/api/privacy/settings', { messageDays: 0, days: 1 });
    expect(
      errorOf(wrong)
        .problems?.map(({ field }) => field)
        .toSorted(),
    ).toEqual(['days', 'messageDays']);
    await admin('PUT', '/api/privacy/settings', { consentRequired: true, messageDays: 90 });
    expect((await as('viewer')('GET', '/api/privacy/settings')).json()).toMatchObject({ messageDays: 90 });
    expect(await sql`select changes from audit_log where action = 'privacy.update'`).toEqual([
      { changes: { consentRequired: [false, true], messageDays: [null, 90] } },
    ]);
  });
});
