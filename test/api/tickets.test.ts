import { parse } from 'csv-parse/sync';
import { beforeAll, describe, expect, test } from 'vitest';
import { openReplyTicket } from '../../db/tickets/opening.ts';
import { createApi, createCatalog, createRun, errorOf } from '../kit/api.ts';
import { createTicketCatalog, insertReply, onReply } from '../kit/tickets.ts';

const api = await createApi();
const { as, sql } = api;
const operator = as('operator');
const viewer = as('viewer');
const catalog = await createCatalog(api);
const tickets = await createTicketCatalog(sql);
const other = await createTicketCatalog(sql);

interface Ticket {
  id: number;
  version: number;
  status: string;
  [field: string]: unknown;
}
interface TicketDetail {
  ticket: Ticket;
  history: { kind: string; actor: string; changes: object; reply: { text: string } | null }[];
}

/** A new phone for each ticket: a reply from the phone of an unfinished ticket opens no new one. */
let phones = 0;
const newPhone = (): string => `+55119${String(++phones).padStart(8, '0')}`;

/** Opens a ticket by a reply to a new message. */
async function openTicket({
  changes = {},
  name = 'Maria da Conceição',
  code = 'C-77',
  phone = newPhone(),
  text = 'Sim',
}: {
  changes?: object;
  name?: string;
  code?: string | null;
  phone?: string;
  text?: string;
} = {}): Promise<number> {
  const { messageIds } = await createRun(api, catalog, {
    phones: [phone],
    changes: { ticketPolicy: onReply(tickets), ...changes },
  });
  const [messageId = 0] = messageIds;
  await sql`update messages set name = ${name}, code = ${code} where id = ${messageId}`;
  const inboundMessageId = await insertReply(sql, { messageId, text });
  const answer = await sql.begin((tx) => openReplyTicket(tx, { inboundMessageId }));
  return answer?.ticketId ?? 0;
}
const read = async (id: number): Promise<TicketDetail> =>
  (await viewer('GET', `/api/tickets/${id}`)).json<TicketDetail>();
const change = async (id: number, changes: object) => {
  const { ticket } = await read(id);
  return operator('PATCH', `/api/tickets/${id}`, { version: ticket.version, ...changes });
};
const found = async (query: string): Promise<number[]> => {
  const answer = await viewer('GET', `/api/tickets?${query}`);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<{ tickets: Ticket[] }>().tickets.map(({ id }) => id);
};

describe('a ticket', () => {
  test('is shown with its message, its reply and its history', async () => {
    const id = await openTicket({ text: 'Quero negociar' });
    const detail = await read(id);
    expect(detail).toMatchObject({
      ticket: {
        id,
        status: 'open',
        cause: 'reply',
        name: 'Maria da Conceição',
        version: 1,
        resolutionName: null,
      },
      message: { text: 'Ola Maria 1' },
      history: [{ kind: 'opened', reply: { text: 'Quero negociar' }, postState: null }],
    });
    expect(String(detail.ticket.departmentName)).toMatch(/^Financeiro/);
    expect((await viewer('GET', '/api/tickets/999999')).statusCode).toBe(404);
  });

  test('can be changed, and its history and the audit log show by whom', async () => {
    const id = await openTicket();
    const answer = await change(id, {
      departmentId: other.departmentId,
      status: 'in_progress',
      extra: { valor: '10,00' },
    });
    expect(answer.statusCode).toBe(200);
    const { ticket, history } = answer.json<TicketDetail>();
    expect(ticket).toMatchObject({
      version: 2,
      status: 'in_progress',
      extra: { valor: '10,00' },
      departmentId: other.departmentId,
    });
    expect(history[1]).toMatchObject({
      kind: 'changed',
      actor: expect.stringMatching(/^token:\d+$/) as string,
      actorName: 'operator',
      changes: {
        departmentId: [tickets.departmentId, other.departmentId],
        status: ['open', 'in_progress'],
        extra: [null, null],
      },
    });
    const log = await operator('GET', `/api/audit?subjectKind=ticket&subjectId=${id}`);
    expect(log.json()).toMatchObject({
      entries: [
        {
          action: 'ticket.update',
          details: { changed: expect.arrayContaining(['extra']) as string[], version: 2 },
        },
      ],
    });
    expect(log.body).not.toContain('10,00');
  });

  test('requires a resolution to be finished, and loses it when reopened', async () => {
    const id = await openTicket();
    const refused = await change(id, { status: 'finished' });
    expect([refused.statusCode, errorOf(refused).problems]).toEqual([
      422,
      [
        {
          field: 'resolutionId',
          code: 'missing',
          params: { what: 'resolution' },
          message: 'A ticket is finished with a resolution: choose one.',
        },
      ],
    ]);
    const finished = await change(id, { status: 'finished', resolutionId: tickets.solvedId });
    expect(finished.json<TicketDetail>().ticket).toMatchObject({
      status: 'finished',
      finishedAt: expect.any(String) as string,
    });
    const reopened = await change(id, { status: 'open' });
    expect(reopened.json<TicketDetail>().ticket).toMatchObject({
      status: 'open',
      resolutionId: null,
      finishedAt: null,
    });
  });

  test('rejects an invalid change with all problems at once', async () => {
    const id = await openTicket();
    const unknown = await change(id, { departmentId: 999_999, assigneeId: 999_999 });
    expect(errorOf(unknown).problems?.map(({ field, code }) => [field, code])).toEqual([
      ['departmentId', 'unknown'],
      ['assigneeId', 'unknown'],
    ]);
    const wrong = await change(id, { resolutionId: tickets.solvedId, subcategoryId: other.subcategoryId });
    expect(errorOf(wrong).problems?.map(({ field, code }) => [field, code])).toEqual([
      ['resolutionId', 'resolution_without_finish'],
      ['subcategoryId', 'subcategory_of_another_category'],
    ]);
    expect((await change(id, { phone: '+5511900000002' })).statusCode).toBe(422);
    await sql`update departments set archived_at = now() where id = ${other.departmentId}`;
    const archived = await change(id, { departmentId: other.departmentId });
    await sql`update departments set archived_at = null where id = ${other.departmentId}`;
    expect(errorOf(archived).problems).toMatchObject([{ field: 'departmentId', code: 'archived' }]);
    expect(await read(id)).toMatchObject({ ticket: { version: 1 }, history: [{ kind: 'opened' }] });
  });

  test('allows only the defined status transitions', async () => {
    const id = await openTicket();
    await change(id, { status: 'waiting' });
    const refused = await change(id, { status: 'open' });
    expect(errorOf(refused).problems).toEqual([
      {
        field: 'status',
        code: 'move_not_allowed',
        params: { from: 'waiting', allowed: ['in_progress', 'finished'] },
        message: 'A ticket that is waiting can only move to in progress or finished.',
      },
    ]);
  });

  test('that is changed concurrently keeps the first change and rejects the others', async () => {
    const id = await openTicket();
    const answers = await Promise.all(
      ['um', 'dois', 'três'].map((valor) =>
        operator('PATCH', `/api/tickets/${id}`, { version: 1, extra: { valor } }),
      ),
    );
    expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 409, 409]);
    const conflict = answers.find(({ statusCode }) => statusCode === 409);
    expect(conflict && errorOf(conflict)).toMatchObject({ code: 'version_conflict', params: { version: 2 } });
    expect((await read(id)).history).toHaveLength(2);
  });

  test('that is saved without a difference keeps its version', async () => {
    const id = await openTicket();
    expect((await change(id, { status: 'open', extra: {} })).statusCode).toBe(200);
    expect(await read(id)).toMatchObject({ ticket: { version: 1 } });
  });

  test('cannot be changed by a viewer', async () => {
    const id = await openTicket();
    expect((await viewer('PATCH', `/api/tickets/${id}`, { version: 1, status: 'waiting' })).statusCode).toBe(
      403,
    );
  });

  test('must match the field types of its subcategory', async () => {
    const group = await sql<[{ id: number }]>`
      insert into extra_field_groups (name, definition)
      values ('Tipos', '{"fields": [{"name": "valor", "type": "number", "required": true}]}') returning id`;
    const definition = { categoryId: tickets.categoryId, extraFieldGroupId: group[0].id };
    const made = await as('admin')('POST', '/api/settings/subcategories', { name: 'Tipada', definition });
    const { id: subcategoryId } = made.json<{ id: number }>();
    const id = await openTicket();
    for (const [extra, code] of [
      [{ valor: 'muito' }, 'value_invalid'],
      [{ outro: 'x' }, 'missing'],
    ] as const) {
      const answer = await change(id, { subcategoryId, extra });
      expect(errorOf(answer).problems).toMatchObject([{ field: 'extra.valor', code }]);
    }
    expect((await change(id, { subcategoryId, extra: { valor: '1.234,56' } })).statusCode).toBe(200);
  });
});

describe('the notes of a ticket', () => {
  test('are recorded with their author, and the audit log does not contain their text', async () => {
    const id = await openTicket();
    const answer = await operator('POST', `/api/tickets/${id}/notes`, { text: 'Ligar amanhã' });
    expect(answer.statusCode).toBe(201);
    expect(answer.json<TicketDetail>()).toMatchObject({
      ticket: { version: 1 },
      history: [{ note: null }, { kind: 'note', note: 'Ligar amanhã', actorName: 'operator', changes: {} }],
    });
    const log = await operator('GET', `/api/audit?subjectKind=ticket&subjectId=${id}`);
    expect(log.json()).toMatchObject({ entries: [{ action: 'ticket.note' }] });
    expect(log.body).not.toContain('Ligar');
    const empty = await operator('POST', `/api/tickets/${id}/notes`, { text: '  ' });
    expect(errorOf(empty).problems).toMatchObject([{ field: 'text', code: 'missing' }]);
    expect((await operator('POST', '/api/tickets/999999/notes', { text: 'x' })).statusCode).toBe(404);
  });
});

describe('the first answer', () => {
  test('is due by the target of the subcategory, counted from the first message of the customer', async () => {
    const definition = { categoryId: tickets.categoryId, firstAnswerMinutes: 30 };
    const made = await as('admin')('POST', '/api/settings/subcategories', { name: 'Urgente', definition });
    const { id: subcategoryId } = made.json<{ id: number }>();
    const id = await openTicket({ changes: { ticketPolicy: onReply({ ...tickets, subcategoryId }) } });
    const dueAfter = async (): Promise<number | null> => {
      const { ticket } = await read(id);
      const [due, wrote] = [ticket.answerDueAt, ticket.customerFirstWroteAt].map(String).map(Date.parse);
      return ticket.answerDueAt === null ? null : ((due ?? 0) - (wrote ?? 0)) / 60_000;
    };
    expect(await dueAfter()).toBe(30);
    await change(id, { subcategoryId: tickets.subcategoryId });
    expect(await dueAfter()).toBeNull();
    await change(id, { subcategoryId });
    expect(await dueAfter()).toBe(30);
    expect((await read(id)).ticket).toMatchObject({ unanswered: true, overdue: false });
    await sql`update tickets set answer_due_at = now() - interval '1 minute' where id = ${id}`;
    expect((await read(id)).ticket).toMatchObject({ unanswered: true, overdue: true });
    expect(await found('view=overdue')).toEqual([id]);
    await sql`update tickets set answered_at = now(), first_answered_at = now() where id = ${id}`;
    expect((await read(id)).ticket).toMatchObject({ unanswered: false, overdue: false });
    expect(await found('view=overdue')).toEqual([]);
  });
});

describe('several tickets', () => {
  test('can be assigned together, except those changed meanwhile, which are reported', async () => {
    const ids = [await openTicket(), await openTicket(), await openTicket()];
    const [first = 0, second = 0, third = 0] = ids;
    await change(second, { status: 'waiting' });
    const { users } = (await viewer('GET', '/api/tickets/users')).json<{
      users: { id: number; name: string; available: boolean }[];
    }>();
    expect(users).toContainEqual({ id: api.adminId, name: 'Ana', available: true });
    const maker = users.find(({ name }) => name === 'Maker');
    expect(maker).toMatchObject({ available: false });
    const selected = ids.map((id) => ({ id, version: 1 }));
    const body = {
      tickets: [...selected, { id: 2_000_000_000, version: 1 }],
      change: { userId: api.adminId },
    };
    const answer = await as('agent')('PATCH', '/api/tickets', body);
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      {
        changed: [first, third],
        refused: [
          { id: second, code: 'version_conflict' },
          { id: 2_000_000_000, code: 'not_found' },
        ],
      },
    ]);
    expect(await read(first)).toMatchObject({
      ticket: { userId: api.adminId, userName: 'Ana', version: 2 },
      history: [{ kind: 'opened' }, { kind: 'changed', changes: { userId: [null, api.adminId] } }],
    });
    expect(await found(`userId=${api.adminId}`)).toEqual([third, first]);
    const wrong = await change(first, { userId: maker?.id ?? 0 });
    expect(errorOf(wrong).problems).toMatchObject([{ field: 'userId', code: 'unknown' }]);
  });

  test('can be finished together, but only with a resolution', async () => {
    const [first, second] = [await openTicket(), await openTicket()];
    const selected = [first, second].map((id) => ({ id, version: 1 }));
    const without = await operator('PATCH', '/api/tickets', {
      tickets: selected,
      change: { status: 'finished' },
    });
    expect(without.json()).toEqual({
      changed: [],
      refused: [
        { id: first, code: 'invalid_fields' },
        { id: second, code: 'invalid_fields' },
      ],
    });
    const done = { status: 'finished', resolutionId: tickets.solvedId };
    const answer = await operator('PATCH', '/api/tickets', { tickets: selected, change: done });
    expect(answer.json()).toEqual({ changed: [first, second], refused: [] });
    expect((await viewer('PATCH', '/api/tickets', { tickets: selected, change: done })).statusCode).toBe(403);
  });
});

describe('the views of tickets', () => {
  const countsOf = async () => (await viewer('GET', '/api/tickets/counts')).json<Record<string, number>>();

  test('count and list unanswered tickets, the longest wait first', async () => {
    const before = await countsOf();
    const [late, early] = [await openTicket(), await openTicket()];
    await sql`update tickets set customer_wrote_at = now() - interval '2 days' where id = ${early}`;
    await sql`update tickets set customer_wrote_at = now() - interval '1 day' where id = ${late}`;
    const counts = await countsOf();
    expect(counts).toMatchObject({
      unanswered: (before.unanswered ?? 0) + 2,
      open: (before.open ?? 0) + 2,
      mine: 0,
    });
    expect((await found('view=unanswered&limit=2')).slice(0, 2)).toEqual([early, late]);
    expect((await found(`view=unanswered&limit=1&before=${early}`))[0]).toBe(late);
    await change(early, { status: 'finished', resolutionId: tickets.solvedId });
    expect(await found('view=unanswered')).not.toContain(early);
    expect(await found('view=open')).not.toContain(early);
    // A new reply makes the finished ticket unanswered again, until a user finishes it again.
    await sql`update tickets set finished_at = now() - interval '1 second' where id = ${early}`;
    await sql`update tickets set customer_wrote_at = now() where id = ${early}`;
    expect(await found('view=unanswered')).toContain(early);
    await change(early, { status: 'finished', resolutionId: tickets.solvedId });
    expect(await found('view=unanswered')).not.toContain(early);
  });
});

describe('tickets', () => {
  const ids: Record<'ana' | 'bruno' | 'joao', number> = { ana: 0, bruno: 0, joao: 0 };
  beforeAll(async () => {
    ids.ana = await openTicket({ name: 'Ana Paula Souza', code: 'X-100', phone: '+5511911110001' });
    ids.bruno = await openTicket({ name: 'Bruno Souza', code: 'X-200', phone: '+5511911110002' });
    ids.joao = await openTicket({ name: 'João Conceição', code: null, phone: '+5511911110003' });
    await change(ids.bruno, { status: 'waiting', assigneeId: other.assigneeId });
    await change(ids.joao, {
      status: 'in_progress',
      departmentId: other.departmentId,
      categoryId: other.categoryId,
      subcategoryId: other.subcategoryId,
    });
  });

  test.each([
    ['text=souza', ['bruno', 'ana']],
    ['text=SOUZA%20an', ['ana']],
    ['text=joao', ['joao']],
    ['text=concei%C3%A7%C3%A3o%20jo', ['joao']],
    ['text=x-200', ['bruno']],
    ['text=%3F%21', []],
    ['phone=(11)%2091111-0001', ['ana']],
    ['status=waiting', ['bruno']],
    ['status=waiting&text=ana', []],
  ] as const)('are found by %s', async (query, expected) => {
    const three = Object.values(ids);
    expect(
      (await found(`${query}&limit=200`)).filter((id) => three.includes(id) || query.startsWith('text=%3F')),
    ).toEqual(expected.map((name) => ids[name]));
  });

  test('can be filtered by their related records', async () => {
    const { ticket } = await read(ids.ana);
    expect(await found(`campaignId=${String(ticket.campaignId)}`)).toEqual([ids.ana]);
    expect(await found(`runId=${String(ticket.runId)}`)).toEqual([ids.ana]);
    expect(await found(`assigneeId=${other.assigneeId}`)).toEqual([ids.bruno]);
    expect(await found(`categoryId=${other.categoryId}`)).toEqual([ids.joao]);
    expect(await found(`subcategoryId=${other.subcategoryId}&departmentId=${other.departmentId}`)).toEqual([
      ids.joao,
    ]);
    const [customer] = await sql<
      [{ id: number }]
    >`insert into customers (code) values ('cliente') returning id`;
    await sql`update tickets set customer_id = ${customer.id} where id = ${ids.ana}`;
    expect(await found(`customerId=${customer.id}`)).toEqual([ids.ana]);
    expect((await viewer('GET', '/api/tickets?status=closed&runId=x')).statusCode).toBe(400);
  });

  test('are paginated without repetition, newest first', async () => {
    const all = await found('limit=200');
    const paged: number[] = [];
    for (let before = ''; ;) {
      const page = await found(`limit=3${before}`);
      paged.push(...page);
      if (page.length < 3) break;
      before = `&before=${page.at(-1) ?? 0}`;
    }
    expect(paged).toEqual(all);
    expect(all).toEqual(all.toSorted((a, b) => b - a));
  });

  test('are exported as CSV without formulas', async () => {
    const id = await openTicket({ name: '=cmd|x', code: '@soma', phone: '+5511911110009' });
    await change(id, { extra: { valor: '12,50' } });
    await operator('POST', `/api/tickets/${id}/notes`, { text: '-1+1' });
    await operator('POST', `/api/tickets/${id}/notes`, { text: 'Segunda' });
    const answer = await viewer('GET', '/api/tickets.csv?text=soma');
    expect(answer.headers['content-disposition']).toBe('attachment; filename="tickets.csv"');
    const rows = parse(answer.body, { bom: true, delimiter: ';', columns: true });
    expect(rows).toMatchObject([
      {
        id: String(id),
        name: "'=cmd|x",
        code: "'@soma",
        notes: "'-1+1 | Segunda",
        extra: 'valor: 12,50',
        phone: '+5511911110009',
      },
    ]);
  });
});
