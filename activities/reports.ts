import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { Database } from '../db/core/client.ts';
import { countAnswers } from '../db/money/single-costs.ts';
import { dayIn } from '../domain/calendar.ts';
import { staleDays, writeDay } from '../db/reports/days.ts';
import {
  countOtherReplies,
  countResponses,
  countRun,
  daysWithOtherReplies,
  endRound,
  noteResponses,
  runsToCount,
  runsWithNewResponses,
  startRound,
} from '../db/reports/roll-up.ts';

export interface ReportsDeps {
  sql: Database;
  clock: () => Date;
  /** The deployment's time zone. */
  timezone: string;
}

/** A round ends after this time; the next one continues. */
const roundMs = 45_000;
const runsAtOnce = 10_000;
const daysAtOnce = 1_000;

/** What a round has done. */
export interface ReportRound {
  /** Runs whose messages were counted, and how many messages these are. */
  runs: number;
  messages: number;
  /** Of these, runs whose messages differ from their kept counts. */
  differing: number;
  /** Runs whose replies and tickets were counted. */
  responses: number;
  days: number;
  /** Nothing is left to count. */
  complete: boolean;
}

/** Keeps the counts that reports show up to date. */
export function createReports({ sql, clock, timezone }: ReportsDeps) {
  return {
    /**
     * Counts the costs of answers, then everything that has changed since the last round, for at most 45 seconds.
     * `rebuild`: counts everything again.
     */
    async updateReports({ rebuild }: { rebuild: boolean }): Promise<ReportRound> {
      const endsAt = Date.now() + roundMs;
      await countAnswers(sql, dayIn(clock(), timezone));
      return countForReports(sql, {
        rebuild,
        timezone,
        goesOn: () => {
          heartbeat();
          cancellationSignal().throwIfAborted();
          return Date.now() < endsAt;
        },
      });
    },
  };
}

/** A round of counting, which ends early when `goesOn` returns false. */
export async function countForReports(
  sql: Database,
  { rebuild, timezone, goesOn }: { rebuild: boolean; timezone: string; goesOn: () => boolean },
): Promise<ReportRound> {
  const done: ReportRound = { runs: 0, messages: 0, differing: 0, responses: 0, days: 0, complete: false };
  const { all, since } = await startRound(sql, { rebuild, timezone });
  await noteResponses(sql, { timezone });
  const runs = await runsToCount(sql, { all, limit: runsAtOnce });
  for (const runId of runs) {
    if (!goesOn()) break;
    const { messages, differs } = await countRun(sql, { runId, timezone });
    done.runs++;
    done.messages += messages;
    if (differs) done.differing++;
  }
  const responses = await runsWithNewResponses(sql, runsAtOnce);
  for (const runId of responses) {
    if (!goesOn()) break;
    await countResponses(sql, { runId, timezone });
    done.responses++;
  }
  const repliesOf = await daysWithOtherReplies(sql, daysAtOnce);
  for (const day of repliesOf) {
    if (!goesOn()) break;
    await countOtherReplies(sql, { day, timezone });
  }
  // At least one, so that a long rebuild shows what it has counted so far.
  let goOn: boolean;
  do {
    const [day] = await staleDays(sql, 1);
    if (day === undefined) break;
    await writeDay(sql, day);
    done.days++;
    goOn = goesOn();
  } while (goOn);
  const comparedAll = all && done.runs === runs.length && runs.length < runsAtOnce;
  done.complete =
    done.runs === runs.length &&
    runs.length < runsAtOnce &&
    done.responses === responses.length &&
    responses.length < runsAtOnce &&
    (await daysWithOtherReplies(sql, 1)).length === 0 &&
    (await staleDays(sql, 1)).length === 0;
  await endRound(sql, { all: comparedAll, since });
  return done;
}
