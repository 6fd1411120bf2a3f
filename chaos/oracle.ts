import type { Line } from './contacts.ts';
import type { AcceptedMessage } from './gateway.ts';
import type { SentReply } from './customers.ts';
import type { Disruption, PlannedCampaign } from './plan.ts';

/**
 * The observations of the rounds so far, when nothing is pending any more. The rows are checked against the gateway's
 * ledger and the plan.
 */
export interface Evidence {
  campaigns: readonly PlannedCampaign[];
  lines: readonly Line[];
  /** The messages that the gateway accepted. */
  ledger: readonly AcceptedMessage[];
  /** Sids of the messages whose final receipt was answered with a 2xx. */
  acknowledged: ReadonlySet<string>;
  replies: readonly SentReply[];
  rows: Rows;
  /** The confirmed pauses and cancellations of users. */
  stops: readonly Stop[];
  /** The number of sends with a gateway fault that hides the outcome from the client. */
  lostAnswers: number;
  disruptions: readonly PastDisruption[];
  sendersPerRun: number;
  /** The maximum number of messages without a stored outcome that a sender holds. */
  limits: { microBatch: number };
  /** Workflows that should be running and are not. */
  missingWorkflows: readonly string[];
}

/** A fault, with its start and end. */
export interface PastDisruption {
  disruption: Disruption;
  from: Date;
  to: Date;
}

export interface Stop {
  campaign: string;
  kind: 'pause' | 'cancel';
  /** When the API confirmed it. */
  from: Date;
  /** Null: permanently. */
  until: Date | null;
}

export interface Rows {
  runs: readonly { id: number; campaign: string; status: string; step: string; reason: string | null }[];
  messages: readonly {
    id: number;
    runId: number;
    campaign: string;
    code: string | null;
    line: number;
    status: string;
    reason: string | null;
    /** When it was claimed or sent, and when its outcome was written. */
    sendingAt: Date | null;
    endedAt: Date | null;
  }[];
  /** The stored counts. */
  counts: readonly { runId: number; status: string; reason: string; messages: number }[];
  /** The number of messages that senders claim. */
  claims: number;
  inbound: readonly { sid: string; code: string | null; handled: boolean; effect: string | null }[];
  tickets: readonly {
    code: string | null;
    cause: string;
    succeeded: boolean | null;
    replySids: readonly string[];
  }[];
  optedOut: ReadonlySet<string>;
}

export const findingKinds = {
  sent_twice: 'A contact received a message twice.',
  not_accepted: 'A message counts as sent, but the gateway never accepted it.',
  accepted_not_recorded: 'The gateway accepted a message, but its row has it as not sent.',
  sent_wrongly: 'The gateway accepted a message that should have been skipped.',
  opt_out_ignored: 'A phone received a message after its opt-out was accepted.',
  line_missing: 'A line of the mailing has no row.',
  line_doubled: 'A line of the mailing has more than one row.',
  line_not_final: 'A message of an ended run has no final status.',
  line_wrong_status: 'A line has a final status that its mailing does not explain.',
  counts_differ: 'The stored counts of a run differ from its rows.',
  run_missing: 'An occurrence of a campaign has no run, or more than one.',
  run_stuck: 'A run has not ended.',
  claim_left: 'A sender still claims messages of ended runs.',
  receipt_lost: 'A receipt was answered with a 2xx, but its message does not have that status.',
  unknown_unexplained: 'More messages are unknown than answers can be lost.',
  reply_lost: 'A reply was answered with a 2xx, but not handled.',
  reply_twice: 'A reply was handled more than once.',
  ticket_missing: 'A message or reply has no ticket.',
  ticket_doubled: 'A message or reply has more than one ticket.',
  ticket_wrong: 'The resolution of a ticket differs from the outcome of its message.',
  opt_out_lost: 'An opt-out was answered with a 2xx, but the phone is not opted out.',
  sent_while_stopped: 'A message left after a confirmed pause or cancellation.',
  workflow_missing: 'A workflow that should be running is not.',
  process_ended: 'A process ended unexpectedly.',
} as const;
export type FindingKind = keyof typeof findingKinds;

export interface Finding {
  kind: FindingKind;
  count: number;
  /** One text for each case; a result shows only the first ones. */
  examples: string[];
}

/** A message that arrives at the gateway within this time after a stop was sent before it. */
const stopSlackMs = 3_000;
/** The longest time from the end of a fault until the lost outcomes are written: timeouts, a retry, a slow machine. */
const takeoverMs = 120_000;
/** A resumed worker continues with its tasks until it is notified that another worker has them. */
const resumeMs = 15_000;
const mayHaveLeft = new Set(['sent', 'delivered', 'undelivered', 'unknown']);
const countsAsSent = new Set(['sent', 'delivered', 'undelivered']);
const finalStatuses = new Set([...mayHaveLeft, 'failed', 'skipped', 'cancelled']);
/** Repeats `ticketOutcomes` of domain/ticket.ts, because the oracle checks the documented behavior, not the code. */
const handedOver = new Set([...mayHaveLeft, 'failed']);
const skipReasons = {
  duplicate: ['duplicate_phone'],
  unreadable: ['phone_missing', 'phone_invalid', 'not_a_mobile'],
  opted_out: ['opted_out'],
};

/** Every guarantee that the evidence contradicts; empty: all of them hold. */
export function judge(evidence: Evidence): Finding[] {
  const found = new Map<FindingKind, string[]>();
  const add = (kind: FindingKind, example: string): void => {
    found.set(kind, [...(found.get(kind) ?? []), example]);
  };
  judgeRuns(evidence, add);
  judgeLines(evidence, add);
  judgeUnknown(evidence, add);
  judgeStops(evidence, add);
  judgeReplies(evidence, add);
  judgeTickets(evidence, add);
  for (const workflow of evidence.missingWorkflows) add('workflow_missing', workflow);
  return [...found].map(([kind, all]) => ({
    kind,
    count: all.length,
    examples: all,
  }));
}

type Add = (kind: FindingKind, example: string) => void;

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

function judgeRuns({ campaigns, rows }: Evidence, add: Add): void {
  const runs = groupBy(rows.runs, ({ campaign }) => campaign);
  const messages = groupBy(rows.messages, ({ runId }) => runId);
  const counts = groupBy(rows.counts, ({ runId }) => runId);
  for (const { key, user } of campaigns) {
    const own = runs.get(key) ?? [];
    if (own.length !== 1) add('run_missing', `${key} has ${own.length} runs`);
    const expectedStatuses = user?.kind === 'cancel' ? ['cancelled', 'finished'] : ['finished'];
    for (const { id, status, step, reason } of own) {
      const text = `run ${id} of ${key} is ${status} at ${step}${reason === null ? '' : ` (${reason})`}`;
      if (!expectedStatuses.includes(status)) add('run_stuck', text);
      const stored = new Map(
        (counts.get(id) ?? [])
          .filter((count) => count.messages !== 0)
          .map((count) => [`${count.status} ${count.reason}`.trim(), count.messages]),
      );
      // Messages that are being sent count as queued.
      const counted = groupBy(messages.get(id) ?? [], (message) =>
        `${message.status === 'sending' ? 'queued' : message.status} ${message.reason ?? ''}`.trim(),
      );
      for (const name of new Set([...stored.keys(), ...counted.keys()])) {
        const [inCounts, inRows] = [stored.get(name) ?? 0, counted.get(name)?.length ?? 0];
        if (inCounts !== inRows)
          add('counts_differ', `run ${id} of ${key}: ${inCounts} ${name} by its counts, ${inRows} rows`);
      }
    }
  }
  if (rows.claims > 0) add('claim_left', `${rows.claims} claims`);
}

function judgeLines({ lines, ledger, rows, acknowledged, campaigns }: Evidence, add: Add): void {
  const accepted = groupBy(ledger, ({ code }) => code);
  const messages = groupBy(rows.messages, ({ code }) => code);
  const cancels = new Set(campaigns.filter(({ user }) => user?.kind === 'cancel').map(({ key }) => key));
  for (const { code, expected, campaign } of lines) {
    const [entry, ...more] = accepted.get(code) ?? [];
    if (more.length > 0)
      add('sent_twice', `${code}: ${[entry, ...more].map((one) => one?.at.toISOString()).join(', ')}`);
    const [row, ...others] = messages.get(code) ?? [];
    if (others.length > 0)
      add('line_doubled', `${code}: rows ${[row, ...others].map((one) => one?.id).join(', ')}`);
    if (!row) {
      // A run that is cancelled before it reads its mailing has no messages.
      if (!cancels.has(campaign) || entry) add('line_missing', code);
      continue;
    }
    const text = `${code} is ${row.status}${row.reason === null ? '' : `: ${row.reason}`} (message ${row.id})`;
    if (!finalStatuses.has(row.status)) {
      add('line_not_final', text);
      continue;
    }
    if (expected !== 'sent') {
      if (entry) add(expected === 'opted_out' ? 'opt_out_ignored' : 'sent_wrongly', text);
      if (!isExplained(expected, row, cancels.has(campaign))) add('line_wrong_status', text);
      continue;
    }
    if (entry && !mayHaveLeft.has(row.status)) add('accepted_not_recorded', text);
    if (!entry && countsAsSent.has(row.status)) add('not_accepted', text);
    // Skipped although it is valid.
    if (!entry && row.status === 'skipped') add('line_wrong_status', text);
    if (!entry && row.status === 'cancelled' && !cancels.has(campaign)) add('line_wrong_status', text);
    if (entry && acknowledged.has(entry.sid) && row.status !== entry.status)
      add('receipt_lost', `${text}, but its receipt is ${entry.status}`);
  }
}

function isExplained(
  expected: Exclude<Line['expected'], 'sent'>,
  { status, reason }: { status: string; reason: string | null },
  cancelled: boolean,
): boolean {
  // `unknown`: the client may have got no answer to its request.
  if (expected === 'refused')
    return ['failed', 'unknown', ...(cancelled ? ['cancelled'] : [])].includes(status);
  return status === 'skipped' && reason !== null && skipReasons[expected].includes(reason);
}

/**
 * A message may be unknown if the gateway lost its answer, if its connection was cut, or if its sender was killed,
 * frozen or disconnected. Then its outcome was written soon after that fault, and its sending started before the end of
 * the fault or while the worker resumed.
 */
function judgeUnknown({ rows, disruptions, lostAnswers }: Evidence, add: Add): void {
  const unexplained = { no_answer: [] as string[], sender_died: [] as string[] };
  for (const { status, reason, code, sendingAt, endedAt } of rows.messages) {
    if (status !== 'unknown') continue;
    if (reason !== 'no_answer' && reason !== 'sender_died') {
      add('unknown_unexplained', `${code ?? ''} with the reason ${reason ?? 'null'}`);
      continue;
    }
    const explained = disruptions.some(
      ({ disruption, from, to }) =>
        mayLose(disruption, reason) &&
        endedAt !== null &&
        endedAt >= from &&
        endedAt.getTime() <= to.getTime() + takeoverMs &&
        (sendingAt === null || sendingAt.getTime() <= to.getTime() + resumeMs),
    );
    if (!explained) unexplained[reason].push(`${code ?? ''} ended at ${endedAt?.toISOString() ?? ''}`);
  }
  for (const example of unexplained.sender_died) add('unknown_unexplained', `${example}: sender_died`);
  if (unexplained.no_answer.length > lostAnswers) {
    for (const example of unexplained.no_answer)
      add('unknown_unexplained', `${example}: no_answer, of which the gateway lost ${lostAnswers}`);
  }
}

/** The requests of a resumed worker have timed out. A worker without heartbeats is replaced, whatever is unavailable. */
function mayLose(disruption: Disruption, reason: 'no_answer' | 'sender_died'): boolean {
  const place = disruption.kind === 'cut' ? disruption.link : disruption.target;
  if (reason === 'no_answer') return place.startsWith('worker');
  return place !== 'api' && place !== 'api/postgres' && place !== 'provider/api';
}

/** The guaranteed maximum of unknown messages: for each fault, the messages that the senders of its round's runs hold. */
export function unknownAtMost({
  campaigns,
  disruptions,
  sendersPerRun,
  limits,
  lostAnswers,
}: Pick<Evidence, 'campaigns' | 'disruptions' | 'sendersPerRun' | 'limits' | 'lostAnswers'>): number {
  const contacts = campaigns.reduce((sum, campaign) => sum + campaign.contacts, 0);
  const held = disruptions
    .filter(({ disruption }) => mayLose(disruption, 'sender_died'))
    .flatMap(({ disruption }) => campaigns.filter(({ round }) => round === disruption.round))
    .reduce((sum, campaign) => sum + Math.min(campaign.contacts, sendersPerRun * limits.microBatch), 0);
  return Math.min(contacts, lostAnswers + held);
}

function judgeStops({ stops, ledger }: Evidence, add: Add): void {
  const byCampaign = groupBy(ledger, ({ code }) => code?.slice(0, code.lastIndexOf('-')));
  for (const { campaign, kind, from, until } of stops) {
    for (const { code, at } of byCampaign.get(campaign) ?? []) {
      const late = at.getTime() - from.getTime();
      if (late <= stopSlackMs || (until !== null && at >= until)) continue;
      add(
        'sent_while_stopped',
        `${code ?? ''} left ${(late / 1000).toFixed(1)} s after the ${kind} was confirmed`,
      );
    }
  }
}

function judgeReplies({ replies, rows }: Evidence, add: Add): void {
  const inbound = groupBy(rows.inbound, ({ sid }) => sid);
  const ticketsOf = groupBy(
    rows.tickets.flatMap(({ replySids }) => replySids),
    (sid) => sid,
  );
  for (const { sid, line, acknowledgedAt, optsOut } of replies) {
    const [row, ...more] = inbound.get(sid) ?? [];
    if (more.length > 0 || (ticketsOf.get(sid)?.length ?? 0) > 1) add('reply_twice', `${line.code} (${sid})`);
    if (acknowledgedAt === null) continue;
    if (!row?.handled)
      add('reply_lost', `the reply to ${line.code} (${sid}) is ${row ? 'not handled' : 'not stored'}`);
    else if (row.code !== line.code)
      add('reply_lost', `the reply to ${line.code} (${sid}) answers ${row.code ?? 'no message'}`);
    if (optsOut && !rows.optedOut.has(line.phone)) add('opt_out_lost', `${line.code} (${sid})`);
  }
}

function judgeTickets({ campaigns, lines, replies, rows }: Evidence, add: Add): void {
  const tickets = groupBy(rows.tickets, ({ code }) => code);
  const messages = new Map(rows.messages.map((message) => [message.code, message]));
  const policies = new Map(campaigns.map(({ key, ticketPolicy }) => [key, ticketPolicy]));
  const answered = new Map(
    replies.filter(({ acknowledgedAt }) => acknowledgedAt !== null).map((reply) => [reply.line.code, reply]),
  );
  for (const { code, campaign } of lines) {
    const own = tickets.get(code) ?? [];
    const message = messages.get(code);
    const policy = policies.get(campaign);
    const reply = answered.get(code);
    const due =
      policy === 'on_send'
        ? message !== undefined && handedOver.has(message.status)
        : policy === 'on_reply' && reply !== undefined && !reply.optsOut;
    if (own.length > 1) add('ticket_doubled', `${code} has ${own.length}`);
    const [ticket] = own;
    if (!ticket) {
      if (due) add('ticket_missing', `${code} (${policy ?? ''}, ${message?.status ?? 'no row'})`);
      continue;
    }
    if (reply && !reply.optsOut && !ticket.replySids.includes(reply.sid))
      add('ticket_missing', `${code}: its ticket lacks the reply ${reply.sid}`);
    if (message && ticket.succeeded !== null && ticket.succeeded !== isSuccess(message.status))
      add(
        'ticket_wrong',
        `${code} is ${message.status}, but its ticket has ${ticket.succeeded ? 'success' : 'failure'}`,
      );
  }
}

const isSuccess = (status: string): boolean => status === 'sent' || status === 'delivered';
