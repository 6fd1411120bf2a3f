import type { PendingQuery, Row } from 'postgres';
import { type AlertKind, alertKindNames } from '../../domain/alert.ts';
import { isNearBudget, isUsedUp, monthOf } from '../../domain/budget.ts';
import { dayIn } from '../../domain/calendar.ts';
import { runWorkflowId, workflowKindOf } from '../../domain/ids.ts';
import type { AlertFacts } from '../../domain/problems/alerts.ts';
import { doubtsAllowed } from '../../domain/provider-trouble.ts';
import type { RunStep, RunTrigger } from '../../domain/run.ts';
import { enabledCampaignNames } from '../campaigns/campaigns.ts';
import type { Database, Sql } from '../core/client.ts';
import { readRetries, retriesBesidesRuns } from '../core/retries.ts';
import { budgetsIn } from '../money/costs.ts';
import { countHolds } from '../replies/holds.ts';
import { countUnread } from '../replies/inbound.ts';
import { countTicketPosts } from '../tickets/posts.ts';

/** Something that requires a user now. */
export interface Condition<K extends AlertKind = AlertKind> {
  /** Identifies it within its kind: the id of a run or provider; empty for the whole deployment. */
  subject: string;
  facts: AlertFacts<K>;
  /** A user has caused it: it is counted and listed, but not reported. */
  quiet?: boolean;
}

/** A failure that lasts this long may need a user, as on the home page. */
const longRetryMs = 2 * 60_000;
const mostRetries = 1_000;
const mostTickets = 100;

interface At {
  sql: Sql;
  now: Date;
  /** The deployment's zone, in which months begin. */
  timezone: string;
}

type Conditions<K extends AlertKind, Input> = {
  readonly [Kind in K]: (at: Input) => Promise<Condition<Kind>[]>;
};

/**
 * The conditions of each kind, which the home page also shows. They read indexed rows and stored counts, never messages,
 * because they run every few seconds. These depend only on rows.
 */
const rowConditions = {
  run_approval: async ({ sql }) =>
    (
      await liveRuns<{ id: number; campaign: string; messages: number }>(
        sql,
        sql`${runNamed(sql)}, coalesce((preflight ->> 'toSend')::int, 0) as messages`,
        sql`status in ('running', 'paused') and ${waitsForApproval(sql)}`,
      )
    ).map(({ id: run, campaign, messages }) => ({
      subject: String(run),
      facts: { run, campaign, messages },
    })),
  run_paused: async ({ sql }) =>
    (
      await liveRuns<RunInTrouble>(
        sql,
        runInTrouble(sql),
        sql`status = 'paused' and not (${waitsForApproval(sql)})`,
      )
    ).map((run) => ({ ...ofRun(run), quiet: run.code === 'by_user' })),
  run_failed: async ({ sql }) =>
    (await liveRuns<RunInTrouble>(sql, runInTrouble(sql), sql`status = 'failed'`)).map(ofRun),
  run_not_executed: async ({ sql }) => {
    // The newest run of each campaign: a later one that did its work ends the condition.
    const runs = await sql<RunInTrouble[]>`
      select newest.id, newest.campaign, newest.step,
        case when newest.status = 'finished' and newest.code is null then 'reached_nobody' else newest.code end as code
      from campaigns cross join lateral (
        select ${runInTrouble(sql)}, status, finished_at, seen_at from runs
        where campaign_id = campaigns.id and trigger <> 'dry_run'
        order by occurrence desc limit 1
      ) as newest
      where enabled and newest.finished_at > now() - interval '1 day' and newest.seen_at is null
        and (newest.status in ('missed', 'skipped')
          or newest.status = 'finished' and newest.code = 'no_contacts'
          or newest.status = 'finished'
            and exists (select from run_counts where run_id = newest.id and run_counts.status = 'failed' and messages > 0)
            and not exists (
              select from run_counts
              where run_id = newest.id and run_counts.status in ('sent', 'delivered', 'undelivered', 'unknown') and messages > 0))`;
    return runs.map((run) => ({ ...ofRun(run), quiet: run.code === 'campaign_disabled' }));
  },
  provider_trouble: async ({ sql }) => {
    const rows = await sql<{ id: number; name: string; runs: number; doubts: number }[]>`
      with refused as materialized (
        select provider_id, count(*)::int as runs from runs
        where status in ('running', 'paused', 'cancelling', 'failed')
          and status = 'paused' and reason ->> 'code' = 'provider_account'
        group by provider_id
      )
      select p.id, p.name, coalesce(refused.runs, 0) as runs, coalesce(r.doubts, 0) as doubts
      from providers as p
        left join refused on refused.provider_id = p.id left join provider_rates as r on r.provider_id = p.id
      where p.archived_at is null and (refused.runs > 0 or r.doubts >= ${doubtsAllowed})`;
    return rows.map(({ id, name, runs }) => ({
      subject: String(id),
      facts: { provider: name, state: runs > 0 ? ('account' as const) : ('doubt' as const), runs },
    }));
  },
  unread_calls: async ({ sql }) =>
    (await countUnread(sql)).map(({ providerId, providerName, count }) => ({
      subject: String(providerId),
      facts: { provider: providerName, calls: count },
    })),
  holds: async ({ sql }) => {
    const { count } = await countHolds(sql);
    return count === 0 ? [] : [{ subject: '', facts: { phones: count } }];
  },
  ticket_overdue: async ({ sql }) => {
    // The others follow as these are answered.
    const rows = await sql<{ id: number }[]>`
      select id from tickets
      where unanswered and first_answered_at is null and answer_due_at < now()
      order by answer_due_at, id limit ${mostTickets}`;
    return rows.map(({ id }) => ({ subject: String(id), facts: { ticket: id } }));
  },
} satisfies Conditions<
  | 'run_approval'
  | 'run_paused'
  | 'run_failed'
  | 'run_not_executed'
  | 'provider_trouble'
  | 'unread_calls'
  | 'holds'
  | 'ticket_overdue',
  { sql: Sql }
>;

/** These also depend on how long something has lasted, or on the month. */
const conditions: Conditions<AlertKind, At> = {
  ...rowConditions,
  run_retrying: async ({ sql, now }) => {
    const runs = await liveRuns<{
      id: number;
      campaign: string;
      campaignId: number;
      occurrence: Date;
      trigger: RunTrigger;
    }>(sql, sql`${runNamed(sql)}, campaign_id, occurrence, trigger`, sql`status = 'running'`);
    const retries = await readRetries(sql, runs.map(runWorkflowId));
    return runs
      .filter((run) => {
        const since = retries.get(runWorkflowId(run))?.since;
        return since !== undefined && now.getTime() - since.getTime() > longRetryMs;
      })
      .map(({ id: run, campaign }) => ({ subject: String(run), facts: { run, campaign } }));
  },
  budget: async ({ sql, now, timezone }) => {
    const budgets = await budgetsIn(sql, { month: monthOf(dayIn(now, timezone)), campaignIds: 'all' });
    return budgets.filter(isNearBudget).map((one) => ({
      subject: `${one.campaignId ?? 'all'} ${isUsedUp(one) ? 'used up' : 'nearly'}`,
      facts: {
        campaign: one.campaignName,
        percent: Math.floor((one.spent / one.budget) * 100),
        usedUp: isUsedUp(one),
      },
    }));
  },
  ticket_posts: async ({ sql, now }) => {
    const { failed } = await countTicketPosts(sql);
    const failing = (await longRetries(sql, now)).some(({ kind }) => kind === 'ticket_posts');
    return [
      ...(failing ? [{ subject: 'failing', facts: { failing, failed } }] : []),
      ...(failed > 0 ? [{ subject: 'failed', facts: { failing: false, failed } }] : []),
    ];
  },
  retrying: async ({ sql, now }) => {
    const found = new Map<string, Condition<'retrying'>>();
    const retries = await longRetries(sql, now);
    const names = await enabledCampaignNames(
      sql,
      retries.flatMap((one) => ('campaignId' in one ? one.campaignId : [])),
    );
    for (const one of retries) {
      switch (one.kind) {
        case 'campaign': {
          const campaign = names.get(one.campaignId);
          // The workflow of a disabled campaign has nothing left to do.
          if (campaign === undefined) break;
          found.set(`campaign ${one.campaignId}`, {
            subject: `campaign ${one.campaignId}`,
            facts: { what: 'campaign', campaign },
          });
          break;
        }
        case 'reply':
        case 'answer':
        case 'look_ups':
        case 'reports':
        case 'housekeeping':
          found.set(one.kind, { subject: one.kind, facts: { what: one.kind, campaign: null } });
          break;
        case 'ticket_posts':
        case 'alerts':
          break;
      }
    }
    return [...found.values()];
  },
};

export interface FoundConditions {
  /** The database's time before the first condition was read. */
  asOf: Date;
  found: readonly (Condition & { kind: AlertKind })[];
}

/** All conditions that require a user now. */
export async function presentConditions(at: At): Promise<FoundConditions> {
  const [{ asOf }] = await at.sql<[{ asOf: Date }]>`select now() as as_of`;
  const found = [];
  for (const kind of alertKindNames) {
    for (const condition of await conditions[kind](at)) found.push({ kind, ...condition });
  }
  return { asOf, found };
}

/**
 * Ends the alerts whose condition a user has just ended: the next check would do it some seconds later. To be called
 * after the transaction of the change: a check during it still finds the condition, and would open the alert again.
 */
export async function endPastAlerts(
  sql: Database,
  ...kinds: readonly (keyof typeof rowConditions)[]
): Promise<void> {
  for (const kind of kinds) {
    const subjects = (await rowConditions[kind]({ sql })).map(({ subject }) => subject);
    await sql`
      update alerts set ended_at = now()
      where ended_at is null and kind = ${kind} and subject <> all(${subjects}::text[])`;
  }
}

/** The runs that are live or have failed: they are few, and have their own index. */
const liveRuns = <T extends object>(
  sql: Sql,
  columns: PendingQuery<Row[]>,
  which: PendingQuery<Row[]>,
) => sql<T[]>`
  select ${columns} from runs
  where status in ('running', 'paused', 'cancelling', 'failed') and ${which} order by id`;

// An approved run leaves the step with its next one.
const waitsForApproval = (sql: Sql) => sql`step = 'approval' and approved_at is null`;

const runNamed = (sql: Sql) => sql`id, settings -> 'campaign' ->> 'name' as campaign`;
const runInTrouble = (sql: Sql) => sql`${runNamed(sql)}, step, reason ->> 'code' as code`;

interface RunInTrouble {
  id: number;
  campaign: string;
  step: RunStep;
  code: string | null;
}

const ofRun = ({ id: run, campaign, step, code }: RunInTrouble) => ({
  subject: String(run),
  facts: { run, campaign, step, code: code ?? '' },
});

/** The workflows besides runs in which something has been retried for long. */
async function longRetries(sql: Sql, now: Date) {
  const retries = await retriesBesidesRuns(sql, mostRetries);
  return retries
    .filter(([, { since }]) => now.getTime() - since.getTime() > longRetryMs)
    .flatMap(([workflowId]) => workflowKindOf(workflowId) ?? []);
}
