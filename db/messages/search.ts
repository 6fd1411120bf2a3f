import type { Sql } from '../core/client.ts';
import { isOnDay } from '../core/day.ts';
import {
  type FoundMessageRow,
  listMessages,
  type MessageFilter,
  type MessageRow,
  type MessageSearch,
} from './messages.ts';

/**
 * Searches without a phone or a customer. Messages have no index on their status or text (docs/decisions/0005): these
 * read the runs concerned, in line order, and stop after a bounded number of lines with the position to continue from.
 */

/** Lines that one statement looks at for a text, and that one request does. */
const windowLines = 2_000;
const mostWindows = 25;

/**
 * A page of a run's lines in file order, after line `after`, whose text contains the words; case, accents and punctuation
 * do not matter. `next`: the line to continue after; null: there are no more.
 */
export async function listMessagesWithText(
  sql: Sql,
  filter: MessageFilter & { text: string },
  { after, limit }: { after: number; limit: number },
): Promise<{ messages: MessageRow[]; next: number | null }> {
  const [{ last }] = await sql<[{ last: number | null }]>`
    select max(line) as last from messages where run_id = ${filter.runId}`;
  const messages: MessageRow[] = [];
  let line = after;
  for (let read = 0; last !== null && line < last; read++) {
    if (read === mostWindows) return { messages, next: line };
    const until = line + windowLines;
    messages.push(
      ...(await listMessages(sql, filter, { after: line, until, limit: limit - messages.length })),
    );
    const found = messages.at(-1);
    if (found && messages.length === limit) return { messages, next: found.line };
    line = until;
  }
  return { messages, next: null };
}

/** Messages of the runs that match all of these. */
export type RunsSearch = Omit<MessageSearch, 'phone' | 'customerId' | 'customerCode'>;

/** A position in such a search: after this line of this run. */
export interface Place {
  runId: number;
  line: number;
}

/** Runs that one request looks at. */
const mostRuns = 50;

/** A page of the messages, those of the newest run first, each run in file order. `next`: where to continue. */
export async function findMessagesInRuns(
  sql: Sql,
  { campaignId, regionId, customerTypeId, day, ...filter }: RunsSearch,
  { after, limit }: { after?: Place | undefined; limit: number },
): Promise<{ messages: FoundMessageRow[]; next: Place | null }> {
  // Of a day, the index on the time finds the runs; the order by id would read all runs back to it.
  const source = day
    ? sql`(select * from runs where ${isOnDay(sql, 'occurrence', day)} offset 0) as runs`
    : sql`runs`;
  const runs = await sql<(Omit<FoundMessageRow, keyof MessageRow> & { id: number })[]>`
    select id, campaign_id, settings -> 'campaign' ->> 'name' as campaign_name, occurrence from ${source}
    where mailing_at is not null
      ${campaignId === undefined ? sql`` : sql`and campaign_id = ${campaignId}`}
      ${regionId === undefined ? sql`` : sql`and region_id = ${regionId}`}
      ${customerTypeId === undefined ? sql`` : sql`and customer_type_id = ${customerTypeId}`}
      ${after === undefined ? sql`` : sql`and id <= ${after.runId}`}
    order by id desc limit ${mostRuns}`;
  const messages: FoundMessageRow[] = [];
  for (const { id: runId, ...run } of runs) {
    const start = after?.runId === runId ? after.line : 0;
    const found = await ofRun(sql, { runId, ...filter }, { after: start, limit: limit - messages.length });
    messages.push(...found.messages.map((message) => ({ ...message, ...run })));
    if (found.next !== null) return { messages, next: { runId, line: found.next } };
  }
  const last = runs.at(-1);
  const next = last && runs.length === mostRuns ? { runId: last.id - 1, line: 0 } : null;
  return { messages, next };
}

/** A page of a run's lines in file order. `next`: the line to continue after; null: there are no more. */
export async function ofRun(
  sql: Sql,
  { text, ...filter }: MessageFilter & { text?: string | undefined },
  { after, limit }: { after: number; limit: number },
): Promise<{ messages: MessageRow[]; next: number | null }> {
  if (text !== undefined) return listMessagesWithText(sql, { ...filter, text }, { after, limit });
  const messages = await listMessages(sql, filter, { after, limit });
  const last = messages.at(-1);
  return { messages, next: last && messages.length === limit ? last.line : null };
}
