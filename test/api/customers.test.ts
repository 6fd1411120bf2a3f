import { describe, expect, test } from 'vitest';
import { claimLines, recordOutcomes } from '../../db/messages/claims.ts';
import { customersNamed, customersPage } from '../../db/customers/customers.ts';
import { optOutPhone } from '../../db/customers/opt-outs.ts';
import { createApi, createCatalog, createRun, errorOf } from '../kit/api.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { outcomeWith } from '../kit/sending.ts';

const api = await createApi();
const { as, sql } = api;
const catalog = await createCatalog(api);
const operator = as('operator');
const viewer = as('viewer');

let lastCode = 0;
async function createCustomer(changes: object = {}): Promise<number> {
  const answer = await operator('POST', '/api/customers', { code: `c${++lastCode}`, ...changes });
  if (answer.statusCode !== 201) throw new Error(answer.body);
  return answer.json<{ id: number }>().id;
}
const found = async (query: string): Promise<number[]> => {
  const answer = await viewer('GET', `/api/customers?${query}`);
  return answer.json<{ customers: { id: number }[] }>().customers.map(({ id }) => id);
};
const auditOf = (id: number) =>
  sql`select action, details from audit_log where subject_kind = 'customer' and subject_id = ${id} order by id`;

describe('a customer', () => {
  test('has phones in E.164, including landlines, and starts without consent', async () => {
    const answer = await operator('POST', '/api/customers', {
      code: ' 77 ',
      name: 'João\tSilva',
      mobile: '(11) 90000-0001',
      phone: '11 3000-0001',
      phone2: '',
      birthDate: '1980-12-25',
    });
    expect(answer.statusCode).toBe(201);
    const customer = answer.json<{ id: number }>();
    expect(answer.headers.location).toBe(`/api/customers/${customer.id}`);
    expect(customer).toMatchObject({
      code: '77',
      name: 'João Silva',
      mobile: '+5511900000001',
      phone: '+551130000001',
      phone2: null,
      birthDate: '1980-12-25',
      consent: 'not_stated',
      consentAt: null,
      optedOut: false,
    });
    expect(await auditOf(customer.id)).toEqual([{ action: 'customer.create', details: {} }]);
  });

  test('is rejected with all problems at once', async () => {
    const answer = await operator('POST', '/api/customers', {
      mobile: '123',
      birthDate: '1980-13-01',
      age: 3,
    });
    expect(answer.statusCode).toBe(422);
    expect(
      errorOf(answer)
        .problems?.map(({ field }) => field)
        .toSorted(),
    ).toEqual(['age', 'birthDate', 'mobile']);
    for (const birthDate of ['0000-01-01', '1899-12-31', '2200-01-01']) {
      const refused = await operator('POST', '/api/customers', { code: 'x', birthDate });
      expect(errorOf(refused).problems?.map(({ field }) => field)).toEqual(['birthDate']);
    }
    const withoutCode = await operator('POST', '/api/customers', { name: 'Ana' });
    expect(errorOf(withoutCode).problems).toMatchObject([{ field: 'code', code: 'missing' }]);
    const region = await operator('POST', '/api/customers', { code: 'x', regionId: 999 });
    expect(errorOf(region).problems?.[0]).toMatchObject({ field: 'regionId', code: 'unknown' });
  });

  test('has a unique code', async () => {
    await createCustomer({ code: 'same' });
    const answer = await operator('POST', '/api/customers', { code: 'same' });
    expect([answer.statusCode, errorOf(answer).problems]).toMatchObject([
      409,
      [{ field: 'code', code: 'taken' }],
    ]);
  });

  test('is replaced by an update except for the consent, and the audit log contains only the changed fields', async () => {
    const id = await createCustomer({ name: 'Rui', mobile: '11900000002' });
    await operator('POST', `/api/customers/${id}/consents`, { consent: 'granted' });
    const answer = await operator('PUT', `/api/customers/${id}`, { code: `c${lastCode}`, name: 'Rui Lima' });
    expect(answer.json()).toMatchObject({ name: 'Rui Lima', mobile: null, consent: 'granted' });
    expect((await auditOf(id)).at(-1)).toEqual({
      action: 'customer.update',
      details: { fields: ['name', 'mobile'] },
    });
  });

  test('can be deleted by an admin while it is unused, and its code can be reused', async () => {
    const id = await createCustomer({ code: 'gone' });
    expect((await operator('DELETE', `/api/customers/${id}`)).statusCode).toBe(403);
    expect((await as('admin')('DELETE', `/api/customers/${id}`)).statusCode).toBe(204);
    expect((await viewer('GET', `/api/customers/${id}`)).statusCode).toBe(404);
    await createCustomer({ code: 'gone' });

    const { messageIds } = await createRun(api, catalog);
    const used = await createCustomer();
    await sql`update messages set customer_id = ${used} where id = any(${messageIds}::bigint[])`;
    const answer = await as('admin')('DELETE', `/api/customers/${used}`);
    expect([answer.statusCode, errorOf(answer)]).toMatchObject([
      409,
      { code: 'customer_in_use', params: { usedBy: ['messages'] } },
    ]);
    const written = await viewer('GET', `/api/customers/${used}/messages`);
    expect(written.json<{ messages: unknown[] }>().messages).toMatchObject([{ id: messageIds[0] }]);
  });
});

describe('a search', () => {
  test('finds customers by code, by words of the name without accents, and by any phone', async () => {
    const id = await createCustomer({ code: 'A-1', name: 'Érica Conceição', phone2: '1130000009' });
    expect(await found('code=A-1')).toEqual([id]);
    expect(await found('name=erica%20CONC')).toEqual([id]);
    expect(await found('name=conc%20%C3%A9RI')).toEqual([id]);
    expect(await found('name=rica')).toEqual([]);
    expect(await found('name=%3F')).toEqual([]);
    expect(await found('phone=11%203000-0009')).toEqual([id]);
    expect(await found('phone=3000-0009')).toEqual([id]);
    expect(errorOf(await viewer('GET', '/api/customers?phone=12')).code).toBe('invalid_parameters');
  });

  test('returns every customer once, page by page, sorted by name', async () => {
    for (const name of ['Zeca', 'zilda', 'Zé', 'Zilda', 'Zu']) await createCustomer({ name });
    const names: string[] = [];
    for (let after = ''; ;) {
      const answer = await viewer('GET', `/api/customers?name=z&limit=2${after}`);
      const { customers } = answer.json<{ customers: { id: number; name: string }[] }>();
      names.push(...customers.map(({ name }) => name));
      const last = customers.at(-1);
      if (customers.length < 2 || !last) break;
      after = `&after=${last.id}`;
    }
    expect(names).toEqual(['Zé', 'Zeca', 'zilda', 'Zilda', 'Zu']);
  });

  test('for a very frequent name lists names that start with it first, and reports that there are more', async () => {
    await sql`
      insert into customers (code, name)
      select 'many ' || n, case when n <= 60 then 'Souza ' || n else 'Lia Souza ' || n end from generate_series(1, 1100) as n`;
    const names: string[] = [];
    for (let after = ''; ;) {
      const answer = await viewer('GET', `/api/customers?name=souza&limit=200${after}`);
      const page = answer.json<{ customers: { id: number; name: string }[]; more: boolean }>();
      expect(page.more).toBe(true);
      names.push(...page.customers.map(({ name }) => name));
      const last = page.customers.at(-1);
      if (page.customers.length < 200 || !last) break;
      after = `&after=${last.id}`;
    }
    expect(names.slice(0, 60).every((name) => name.startsWith('Souza '))).toBe(true);
    expect(names.slice(60).every((name) => name.startsWith('Lia '))).toBe(true);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(900);
    const narrow = await viewer('GET', '/api/customers?name=souza%20lia%20100');
    const found = narrow.json<{ customers: { name: string }[]; more: boolean }>();
    expect([found.more, found.customers[0]?.name]).toEqual([false, 'Lia Souza 100']);
  });

  test('reads no more than its page of a large table', async () => {
    await sql`
      insert into customers (code, name, mobile)
      select 'bulk ' || n, case when n % 2 = 0 then 'Maria ' else 'Jose ' end || n, '+55219' || lpad(n::text, 8, '0')
      from generate_series(1, 30000) as n`;
    await sql`analyze customers`;
    const searches = {
      all: [{}, undefined],
      code: [{ code: 'bulk 7' }, undefined],
      phone: [{ phone: ['+5521900000007'] }, undefined],
      page: [{}, 500],
    } as const;
    const begins = { name: 'mar', does: true };
    const byName = {
      ...searches,
      name: [{}, undefined, { begins }],
      second: [{}, 500, { begins }],
      few: [{}, undefined, { ids: (await customersNamed(sql, 'jose')).ids.slice(0, 20) }],
    } as const;
    for (const [name, [filter, after, ofName = {}]] of Object.entries(byName)) {
      const rows = await sql<{ 'QUERY PLAN': string }[]>`
        explain (analyze, buffers, costs off, timing off, summary off)
        select id from customers as c ${customersPage(sql, filter, ofName, { after, limit: 50 })}`;
      const plan = rows.map((row) => Object.values(row).join('')).join('\n');
      expect(plan, name).not.toContain('Seq Scan');
      const buffers = /Buffers: shared hit=(\d+)/.exec(plan)?.[1];
      expect(Number(buffers), `${name}\n${plan}`).toBeLessThan(200);
    }
  });
});

describe('consent', () => {
  test('is recorded with source and date, the latest date applies, and the history includes opt-outs', async () => {
    const id = await createCustomer({ mobile: '11911111111' });
    const state = (body: object) => operator('POST', `/api/customers/${id}/consents`, body);
    expect(
      (await state({ consent: 'refused', at: '2026-03-01T12:00:00Z', note: 'by mail' })).statusCode,
    ).toBe(201);
    await state({ consent: 'granted', at: '2026-02-01T12:00:00Z' });
    await optOutPhone(sql, { phone: '+5511911111111', source: 'reply' });

    const customer = await viewer('GET', `/api/customers/${id}`);
    expect(customer.json()).toMatchObject({
      consent: 'refused',
      consentSource: 'api',
      consentAt: '2026-03-01T12:00:00.000Z',
      optedOut: true,
    });
    const history = await viewer('GET', `/api/customers/${id}/consents`);
    expect(history.json()).toMatchObject({
      consents: [{ consent: 'granted' }, { consent: 'refused', note: 'by mail' }],
      optOuts: [{ kind: 'opt_out', source: 'reply', phone: '+5511911111111' }],
    });
    for (const at of ['2999-01-01T00:00:00Z', '1969-12-31T23:59:59Z', '0000-01-01T00:00:00Z']) {
      expect(errorOf(await state({ consent: 'granted', at })).problems).toMatchObject([{ field: 'at' }]);
    }
  });

  test('refused during a run immediately skips the queued messages', async () => {
    const id = await createCustomer({ mobile: '11922222222' });
    const { runId } = await createRun(api, catalog, { phones: ['+5511922222222', '+5511922222223'] });
    await sql`update messages set customer_id = ${id} where run_id = ${runId} and phone = '+5511922222222'`;
    await operator('POST', `/api/customers/${id}/consents`, { consent: 'refused' });
    expect(await expectCountsToMatchRows(sql, runId)).toEqual({ queued: 1, 'skipped: no_consent': 1 });
  });

  test('refused after a sender has claimed the message does not hide that it was sent', async () => {
    const id = await createCustomer({ mobile: '11922222224' });
    const { runId } = await createRun(api, catalog, { phones: ['+5511922222224'] });
    await sql`update messages set customer_id = ${id} where run_id = ${runId}`;
    const claim = await claimLines(sql, { runId, sender: 's#1', from: 1, lines: 10 });
    await operator('POST', `/api/customers/${id}/consents`, { consent: 'refused' });
    await recordOutcomes(sql, {
      runId,
      sender: 's#1',
      outcomes: claim.messages.map((message) => outcomeWith(message.id, { providerMessageId: 'SM1' })),
      endedClaims: claim.id === null ? [] : [claim.id],
    });
    expect(await expectCountsToMatchRows(sql, runId)).toEqual({ sent: 1 });
  });
});

describe('opt-outs', () => {
  test('are added and removed by an admin with a reason, in the history but without the phone in the audit log', async () => {
    const admin = as('admin');
    const body = { phone: '(11) 93333-3333', note: 'called us' };
    expect((await operator('POST', '/api/opt-outs', body)).statusCode).toBe(403);
    const { runId } = await createRun(api, catalog, { phones: ['+5511933333333'] });
    const added = await admin('POST', '/api/opt-outs', body);
    expect(added.statusCode).toBe(201);
    const optOut = added.json<{ id: number }>();
    expect(optOut).toMatchObject({ phone: '+5511933333333', source: 'admin' });
    expect(await expectCountsToMatchRows(sql, runId)).toEqual({ 'skipped: opted_out': 1 });
    expect(errorOf(await admin('POST', '/api/opt-outs', body)).code).toBe('already_opted_out');

    const listed = await viewer('GET', '/api/opt-outs?phone=11933333333');
    expect(listed.json()).toMatchObject({ optOuts: [{ id: optOut.id }] });
    const without = await admin('POST', `/api/opt-outs/${optOut.id}/remove`, { note: ' ' });
    expect(without.statusCode).toBe(422);
    const history = await viewer('GET', `/api/opt-outs/${optOut.id}/history`);
    expect(history.json()).toMatchObject({ events: [{ kind: 'opt_out', note: 'called us' }] });
    const removed = await admin('POST', `/api/opt-outs/${optOut.id}/remove`, { note: 'asked by mail' });
    expect(removed.statusCode).toBe(204);
    expect((await viewer('GET', '/api/opt-outs?phone=11933333333')).json()).toEqual({ optOuts: [] });

    const entries =
      await sql`select action, details from audit_log where subject_kind = 'opt_out' order by id`;
    expect(entries).toEqual([
      { action: 'opt_out.create', details: {} },
      { action: 'opt_out.remove', details: {} },
    ]);
  });
});
