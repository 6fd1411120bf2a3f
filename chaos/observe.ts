import { Client, Connection, ScheduleNotFoundError, WorkflowNotFoundError } from '@temporalio/client';
import { connect, type Database } from '../db/core/client.ts';
import {
  campaignWorkflowId,
  housekeepingScheduleId,
  lookUpsScheduleId,
  reportsScheduleId,
  taskQueue,
} from '../domain/ids.ts';
import type { Rows } from './oracle.ts';

/** Reads the rows of these campaigns without the code under test. */
export async function readRows(databaseUrl: string, campaigns: readonly string[]): Promise<Rows> {
  return withDatabase(databaseUrl, (sql) =>
    // One snapshot: late receipts may still move messages.
    sql.begin('isolation level repeatable read read only', async (tx): Promise<Rows> => {
      const names = [...campaigns];
      const runs = await tx<Rows['runs'][number][]>`
        select r.id, c.name as campaign, r.status, r.step, r.reason ->> 'code' as reason
        from runs as r join campaigns as c on c.id = r.campaign_id where c.name = any(${names}::text[]) order by r.id`;
      const ids = runs.map(({ id }) => id);
      const messages = await tx<Rows['messages'][number][]>`
        select m.id, m.run_id, c.name as campaign, m.code, m.line, m.status, m.reason, m.sending_at, m.ended_at
        from messages as m join runs as r on r.id = m.run_id join campaigns as c on c.id = r.campaign_id
        where m.run_id = any(${ids}::bigint[]) order by m.id`;
      const counts = await tx<Rows['counts'][number][]>`
        select run_id, status, reason, messages from run_counts where run_id = any(${ids}::bigint[])`;
      const [{ claims }] = await tx<[{ claims: number }]>`
        select count(*)::int as claims from claims where run_id = any(${ids}::bigint[])`;
      const inbound = await tx<Rows['inbound'][number][]>`
        select i.provider_message_id as sid, m.code, i.handled_at is not null as handled, i.effect
        from inbound_messages as i left join messages as m on m.id = i.message_id`;
      const tickets = await tx<Rows['tickets'][number][]>`
        select m.code, t.cause,
          case when t.cause = 'send' then t.resolution_id
            = (r.settings #>> '{campaign,ticketPolicy,resolutionOnSuccessId}')::bigint end as succeeded,
          array(select i.provider_message_id from ticket_events as e join inbound_messages as i on i.id = e.inbound_message_id
            where e.ticket_id = t.id order by e.id) as reply_sids
        from tickets as t join messages as m on m.id = t.message_id join runs as r on r.id = t.run_id
        where t.run_id = any(${ids}::bigint[])`;
      const optedOut = await tx<
        { phone: string }[]
      >`select phone from opt_outs where phone is not null and state = 'opted_out'`;
      return {
        runs,
        messages,
        counts,
        claims,
        inbound,
        tickets,
        optedOut: new Set(optedOut.map(({ phone }) => phone)),
      };
    }),
  );
}

export interface RunState {
  campaign: string;
  id: number;
  status: string;
  step: string;
  /** It no longer changes by itself. */
  over: boolean;
}

/** The runs of these campaigns; null while the database is unavailable. */
export async function readRuns(
  databaseUrl: string,
  campaigns: readonly string[],
): Promise<RunState[] | null> {
  return withDatabase(
    databaseUrl,
    (sql) => sql<RunState[]>`
      select c.name as campaign, r.id, r.status, r.step, r.status not in ('running', 'paused', 'cancelling') as over
      from runs as r join campaigns as c on c.id = r.campaign_id where c.name = any(${[...campaigns]}::text[])`,
  ).catch(() => null);
}

/** The number of unhandled replies; null while the database is unavailable. */
export async function countUnhandled(databaseUrl: string): Promise<number | null> {
  return withDatabase(databaseUrl, async (sql) => {
    const [{ n }] = await sql<[{ n: number }]>`
      select count(*)::int as n from inbound_messages where handled_at is null`;
    return n;
  }).catch(() => null);
}

/** Opens a connection for one query, so that none is open when a fault hits the database. */
async function withDatabase<T>(databaseUrl: string, query: (sql: Database) => Promise<T>): Promise<T> {
  const sql = connect(databaseUrl, { max: 1, application: 'torpedo-chaos' });
  try {
    return await query(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** The campaigns' workflows that should be running and are not, and the missing schedules of the deployment. */
export async function missingWorkflows(address: string, campaignIds: readonly number[]): Promise<string[]> {
  const connection = await Connection.connect({ address });
  try {
    const { workflow, schedule } = new Client({ connection });
    const missing: string[] = [];
    const check = async (id: string, state: Promise<string>): Promise<void> => {
      const found = await state.catch((error: unknown) => {
        if (error instanceof WorkflowNotFoundError || error instanceof ScheduleNotFoundError)
          return 'missing';
        throw error;
      });
      if (found !== 'RUNNING') missing.push(`${id} is ${found}`);
    };
    for (const id of campaignIds.map(campaignWorkflowId)) {
      await check(
        id,
        workflow
          .getHandle(id)
          .describe()
          .then(({ status }) => status.name),
      );
    }
    for (const idOf of [housekeepingScheduleId, lookUpsScheduleId, reportsScheduleId]) {
      const id = idOf(taskQueue);
      await check(
        id,
        schedule
          .getHandle(id)
          .describe()
          .then(({ state }) => (state.paused ? 'paused' : 'RUNNING')),
      );
    }
    return missing;
  } finally {
    await connection.close();
  }
}
