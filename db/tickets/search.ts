import {
  mostTicketsCounted,
  type TicketStatus,
  ticketStatuses,
  type TicketView,
  unfinishedStatuses,
} from '../../domain/ticket.ts';
import type { Database, Sql } from '../core/client.ts';
import { ticketColumns, ticketNames, type TicketRow } from './tickets.ts';

export interface TicketFilter {
  /** `mine` is `open` with a `userId`. */
  view?: Exclude<TicketView, 'mine'> | undefined;
  status?: TicketStatus | undefined;
  campaignId?: number | undefined;
  runId?: number | undefined;
  customerId?: number | undefined;
  /** E.164 */
  phone?: readonly string[] | undefined;
  departmentId?: number | undefined;
  assigneeId?: number | undefined;
  userId?: number | undefined;
  categoryId?: number | undefined;
  subcategoryId?: number | undefined;
  /** Prefixes of words in the name or the code, in any order; case and accents do not matter. */
  text?: string | undefined;
}

interface TicketPage {
  /** The last id of the page before. */
  before?: number | undefined;
  limit: number;
}

/** Those that wait longest come first: when the customer wrote, or when the first answer was due. */
const queueOrders = { unanswered: 'customer_wrote_at', overdue: 'answer_due_at' } as const;
type Queue = keyof typeof queueOrders;
const isQueue = (view: TicketFilter['view']): view is Queue => view !== undefined && view in queueOrders;

/**
 * A page of tickets, newest first; of a queue, those that wait longest first. Planned at each call: the right plan for a
 * frequent word or a large campaign scans millions of rows for a rare one.
 */
export async function searchTickets(
  sql: Database,
  { text, ...filter }: TicketFilter,
  page: TicketPage,
): Promise<TicketRow[]> {
  return sql.begin(async (tx): Promise<TicketRow[]> => {
    await tx`set local plan_cache_mode = force_custom_plan`;
    const words = text === undefined ? null : await wordsQuery(tx, text);
    // A text without a word, such as "?!", matches no name.
    if (text !== undefined && words === null) return [];
    const search = words === null ? null : { words, few: await fewTicketsWith(tx, words) };
    const { view, ...others } = filter;
    return [
      ...(isQueue(view)
        ? await tx<TicketRow[]>`${ticketQueue(tx, view, others, search, await queuePage(tx, view, page))}`
        : await tx<TicketRow[]>`${ticketSearch(tx, filter, search, page)}`),
    ];
  });
}

/** The prefixes of the words in a text as a tsquery; null when it has no word. */
async function wordsQuery(sql: Sql, text: string): Promise<string | null> {
  const [row] = await sql<[{ query: string | null }]>`
    select string_agg(quote_literal(word) || ':*', ' & ') as query from unnest(search_words(${text})) as word`;
  return row.query;
}

/** Reading this many takes negligible time. */
const few = 500;

/**
 * The tickets with these words; null when there are many. Queried first, because PostgreSQL cannot estimate how many
 * rows match a prefix that it has not seen, and then scans all tickets when none match.
 */
export async function fewTicketsWith(tx: Sql, words: string): Promise<number[] | null> {
  await tx`set local enable_seqscan = off`;
  const rows = await tx<{ id: number }[]>`
    select id from tickets where search @@ ${words}::tsquery limit ${few + 1}`;
  await tx`set local enable_seqscan = on`;
  return rows.length > few ? null : rows.map(({ id }) => id);
}

/** Columns with an index of their own together with status and id, most selective first. */
const leading = ['userId', 'runId', 'campaignId', 'assigneeId', 'departmentId', 'categoryId'] as const;

/** The words as a tsquery, and the tickets that contain them if they are few; null: no search for words. */
type Search = { words: string; few: number[] | null } | null;

function conditionsOf(
  sql: Sql,
  { phone, ...equal }: Omit<TicketFilter, 'text' | 'view'>,
  search: Search,
  lead?: (typeof leading)[number],
) {
  const conditions = [
    ...Object.entries<string | number | undefined>(equal).flatMap(([column, value]) => {
      if (value === undefined) return [];
      return column === lead
        ? [sql`and ${sql(column)} = any(${[Number(value)]}::bigint[])`]
        : [sql`and ${sql(column)} = ${value}`];
    }),
    phone === undefined ? sql`` : sql`and phone = any(${[...phone]}::text[])`,
    search === null || search.few !== null ? sql`` : sql`and search @@ ${search.words}::tsquery`,
  ];
  return conditions.reduce((all, one) => sql`${all} ${one}`, sql``);
}

// `offset` is an optimization fence: these are read first, whatever the other filters.
const sourceOf = (sql: Sql, search: Search, phone: TicketFilter['phone']) =>
  search?.few
    ? sql`(select * from tickets where id = any(${search.few}::bigint[]) offset 0) as few`
    : phone
      ? sql`(select * from tickets where phone = any(${[...phone]}::text[]) offset 0) as few`
      : sql`tickets`;

/**
 * The search as one statement, exported for the test of its plan.
 *
 * Reads each status separately, so that indexes on (filter column, status, id) return the newest first with or without
 * a status filter. The order names the leading column of the index, and `any` hides from PostgreSQL that it is
 * constant. Otherwise it takes another index, expecting to fill a page soon, and scans a million tickets when none
 * match (test/system/tickets.plans.test.ts).
 */
export function ticketSearch(
  sql: Sql,
  filter: Omit<TicketFilter, 'text'>,
  search: Search,
  { before, limit }: TicketPage,
) {
  const { status, view, ...equal } = filter;
  const lead = leading.find((column) => equal[column] !== undefined);
  const where = sql`${conditionsOf(sql, equal, search, lead)} ${before === undefined ? sql`` : sql`and id < ${before}`}`;
  const first = lead === undefined ? sql`` : sql`${sql(lead)} desc,`;
  const source = sourceOf(sql, search, filter.phone);
  const statuses = status ? [status] : view === 'open' ? unfinishedStatuses : ticketStatuses;
  const pages = statuses
    .map(
      (one) => sql`(
        select * from ${source} where status = any(${[one]}::text[]) ${where}
        order by ${first} status desc, id desc limit ${limit})`,
    )
    .reduce((all, one) => sql`${all} union all ${one}`);
  return sql`
    select ${ticketColumns(sql)} from (select * from (${pages}) as page order by id desc limit ${limit}) as t ${ticketNames(sql)}
    order by t.id desc`;
}

/** The key of the last ticket of the page before; as text, because a `Date` has no microseconds. */
async function queuePage(sql: Sql, queue: Queue, { before, limit }: TicketPage): Promise<QueuePage> {
  if (before === undefined) return { after: null, limit };
  const [last] = await sql<{ at: string | null }[]>`
    select ${sql(queueOrders[queue])}::text as at from tickets where id = ${before}`;
  return { after: !last || last.at === null ? null : { at: last.at, id: before }, limit };
}
interface QueuePage {
  after: { at: string; id: number } | null;
  limit: number;
}

/** A page of a queue as one statement, exported for the test of its plan. Its partial index has the same order. */
export function ticketQueue(
  sql: Sql,
  queue: Queue,
  filter: Omit<TicketFilter, 'text' | 'view'>,
  search: Search,
  { after, limit }: QueuePage,
) {
  const order = sql(queueOrders[queue]);
  return sql`
    select ${ticketColumns(sql)} from (
      select * from ${sourceOf(sql, search, filter.phone)} where ${queueCondition(sql, queue)} ${conditionsOf(sql, filter, search)}
        ${after === null ? sql`` : sql`and (${order}, id) > (${after.at}::text::timestamptz, ${after.id})`}
      order by ${order}, id limit ${limit}
    ) as t ${ticketNames(sql)} order by t.${order}, t.id`;
}

const queueCondition = (sql: Sql, queue: Queue) =>
  queue === 'unanswered'
    ? sql`unanswered`
    : sql`unanswered and first_answered_at is null and answer_due_at < now()`;

/** The tickets in each view, at most `mostTicketsCounted` each. `userId`: of `mine`; null for a token. */
export async function countTickets(sql: Sql, userId: number | null): Promise<Record<TicketView, number>> {
  const unfinished = (condition: ReturnType<typeof conditionsOf>, first: ReturnType<typeof conditionsOf>) =>
    unfinishedStatuses
      .map(
        (status) => sql`(
          select from tickets where status = any(${[status]}::text[]) ${condition}
          order by ${first} status desc, id desc limit ${mostTicketsCounted})`,
      )
      .reduce((all, one) => sql`${all} union all ${one}`);
  const count = (rows: ReturnType<typeof conditionsOf>) =>
    sql`(select count(*)::int from (select from (${rows}) as found limit ${mostTicketsCounted}) as counted)`;
  const queued = (queue: Queue) => sql`
    select from tickets where ${queueCondition(sql, queue)} order by ${sql(queueOrders[queue])}, id limit ${mostTicketsCounted}`;
  const [counts] = await sql<[Record<TicketView, number>]>`
    select ${userId === null ? sql`0` : count(unfinished(sql`and user_id = any(${[userId]}::bigint[])`, sql`user_id desc,`))} as mine,
      ${count(queued('unanswered'))} as unanswered, ${count(queued('overdue'))} as overdue,
      ${count(unfinished(sql``, sql``))} as open`;
  return counts;
}
