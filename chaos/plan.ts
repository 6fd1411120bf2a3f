import type { z } from 'zod';
import type { faults } from '../sandbox/faults.ts';
import { createRandom, type Random } from './random.ts';

/** The processes of the system under test. The gateway is not one of them, because its ledger is the independent record. */
export const targets = ['worker-1', 'worker-2', 'api', 'postgres', 'temporal'] as const;
export type Target = (typeof targets)[number];

/** The connections that pass through a proxy, as client/server. */
export const links = [
  'worker-1/provider',
  'worker-2/provider',
  'worker-1/postgres',
  'worker-2/postgres',
  'worker-1/temporal',
  'worker-2/temporal',
  'api/postgres',
  'provider/api',
] as const;
export type Link = (typeof links)[number];

/**
 * When a fault occurs, by the progress of its round: after its campaigns are enabled and before they are due; when the
 * gateway has accepted this share of the expected messages; or when it has accepted all.
 */
export type Mark = 'start' | number | 'end';

interface Timed {
  round: number;
  at: Mark;
  /** The duration of the fault, after which the process continues or restarts, or the link is repaired. */
  ms: number;
  /** The next fault may occur during this one. */
  overlaps: boolean;
}

/** SIGSTOP, and SIGCONT `ms` later. */
export interface Freeze extends Timed {
  kind: 'freeze';
  target: Target;
}

/** `kill`: SIGKILL. `stop`: the orderly stop of a deploy. The process is restarted after `ms`. */
export interface Kill extends Timed {
  kind: 'kill' | 'stop';
  target: Target;
}

/**
 * `reset`: open connections are reset, and new ones for `ms`. `half_open`: nothing passes and neither side is notified;
 * data sent meanwhile never arrives. `delay`: each chunk arrives `delayMs` later.
 */
export interface Cut extends Timed {
  kind: 'cut';
  link: Link;
  how: 'reset' | 'half_open' | 'delay';
  delayMs: number;
}

export type Disruption = Freeze | Kill | Cut;

/** A user's action on a sending run, at a share of the run's progress. */
export interface UserAction {
  kind: 'pause' | 'cancel';
  at: number;
  /** A paused run is resumed after this time. */
  pauseMs: number;
}

export interface PlannedCampaign {
  /** The name of the campaign, and with the line number of each contact: `r1a-17`. */
  key: string;
  round: number;
  source: 'csv' | 'webservice';
  ticketPolicy: 'never' | 'on_reply' | 'on_send';
  /** The contacts of its mailing that are valid or that the gateway refuses. */
  contacts: number;
  /** Whether it sends through the provider that has a rate limit. */
  limited: boolean;
  /** Counted from the start of the round. */
  dueAfterMs: number;
  user: UserAction | null;
}

export interface Round {
  number: number;
  campaigns: PlannedCampaign[];
  disruptions: Disruption[];
}

export interface Plan {
  seed: number;
  sendersPerRun: number;
  /** Segments per second of the provider that has a limit. */
  ratePerSecond: number;
  faults: z.input<typeof faults>;
  rounds: Round[];
}

export interface PlanOptions {
  seed: number;
  disruptions: number;
  /** Contacts of each round. */
  contacts: number;
  /** The longest freeze of a process or cut of a link. */
  longestMs: number;
}

const disruptionsPerRound = 10;
/** The heartbeat timeout of activities, after which a worker is considered dead. */
const heartbeatTimeoutMs = 10_000;
const shortestMs = 300;
/** Below this number a run sends its messages one by one (SINGLE_SEND_UP_TO). */
const smallRun = 40;
const leastRate = 5;

/**
 * The actions of a chaos run, derived only from its seed: the same options give the same plan. Half of the faults are
 * freezes; of the rest, two thirds end a process and one third cuts a link. Each target is hit equally often.
 */
export function makePlan({ seed, disruptions, contacts, longestMs }: PlanOptions): Plan {
  const random = createRandom(seed);
  const roundCount = Math.max(1, Math.ceil(disruptions / disruptionsPerRound));
  const faults = planFaults(random);
  const sendersPerRun = random.between(1, 2);
  const perRound = spread(planDisruptions(random, disruptions, longestMs), roundCount);
  const rounds = perRound.map((hits, index) => planRound(random, index + 1, hits, contacts));
  // The runs with a rate limit last about as long as the faults of their rounds.
  const seconds = rounds.reduce((sum, round) => sum + totalMs(round.disruptions), 0) / 1000;
  const limited = rounds
    .flatMap(({ campaigns }) => campaigns)
    .reduce((sum, campaign) => sum + (campaign.limited ? campaign.contacts : 0), 0);
  const ratePerSecond = Math.max(leastRate, Math.round(limited / Math.max(1, seconds)));
  return { seed, sendersPerRun, ratePerSecond, faults, rounds };
}

/** The duration of these faults, one after the other unless they overlap. */
const totalMs = (disruptions: readonly Disruption[]): number =>
  disruptions.reduce((sum, { ms, overlaps }) => sum + (overlaps ? 0 : ms), 0);

type Hit =
  | Pick<Freeze, 'kind' | 'target' | 'ms'>
  | Pick<Kill, 'kind' | 'target' | 'ms'>
  | Pick<Cut, 'kind' | 'link' | 'how' | 'delayMs' | 'ms'>;

function planDisruptions(random: Random, count: number, longestMs: number): Hit[] {
  const freezes = Math.floor(count / 2);
  const cuts = Math.floor((count - freezes) / 3);
  const kills = count - freezes - cuts;
  /** Half of the freezes are too short to be noticed; the others are long enough that the worker is considered dead. */
  const duration = (long: boolean): number =>
    long
      ? random.between(Math.min(heartbeatTimeoutMs * 1.2, longestMs), longestMs)
      : random.between(shortestMs, Math.min(3_000, longestMs));
  const frozen = random.deal(targets, freezes).map((target, index): Hit => {
    return { kind: 'freeze', target, ms: duration(index % 2 === 0) };
  });
  const killed = random.deal(targets, kills).map((target, index): Hit => {
    // Every third is an orderly stop.
    const kind = index % 3 === 2 ? 'stop' : 'kill';
    return { kind, target, ms: random.next() < 0.2 ? duration(true) : random.between(0, 2_000) };
  });
  const cutKinds = random.deal<Cut['how']>(['half_open', 'reset', 'delay'], cuts);
  const cut = random.deal(links, cuts).map((link, index): Hit => {
    const how = cutKinds[index] ?? 'reset';
    const ms = how === 'reset' ? random.between(0, 2_000) : duration(how === 'half_open');
    return { kind: 'cut', link, how, delayMs: how === 'delay' ? random.between(50, 1_500) : 0, ms };
  });
  return random.shuffle([...frozen, ...killed, ...cut]);
}

function planRound(random: Random, number: number, hits: readonly Hit[], contacts: number): Round {
  const marks = planMarks(random, hits.length);
  const disruptions = hits.map((hit, index): Disruption => ({
    ...hit,
    round: number,
    at: marks[index] ?? 'end',
    overlaps: random.next() < 0.4,
  }));
  return { number, campaigns: planCampaigns(random, number, contacts, totalMs(disruptions)), disruptions };
}

/** With four or more faults, one is before the runs are due and one after the last message; the others are in between. */
function planMarks(random: Random, count: number): Mark[] {
  const outer: Mark[] = count < 4 ? [] : ['start', 'end'];
  const between = Array.from({ length: count - outer.length }, () => random.between(2, 92) / 100).toSorted(
    (a, b) => a - b,
  );
  return outer.length === 0 ? between : ['start', ...between, 'end'];
}

/**
 * Sources, ticket policies and limits rotate from round to round, so that all combinations occur. Some campaigns are
 * due during faults; a user pauses or cancels one.
 */
function planCampaigns(
  random: Random,
  round: number,
  contacts: number,
  disruptedMs: number,
): PlannedCampaign[] {
  const small = Math.min(smallRun, Math.ceil(contacts / 10));
  const stopped = Math.ceil(contacts / 5);
  const large = contacts - small - stopped;
  const early = Math.floor(large / 4);
  const late = Math.floor(large / 4);
  const isOdd = round % 2 === 1;
  return [
    {
      ...{ key: `r${round}a`, round },
      source: isOdd ? 'csv' : 'webservice',
      ticketPolicy: 'on_reply',
      contacts: early,
      limited: false,
      dueAfterMs: 0,
      user: null,
    },
    {
      ...{ key: `r${round}b`, round },
      source: isOdd ? 'webservice' : 'csv',
      ticketPolicy: random.pick(['on_send', 'on_reply']),
      contacts: large - early - late,
      limited: true,
      dueAfterMs: 0,
      user: null,
    },
    {
      ...{ key: `r${round}c`, round },
      source: isOdd ? 'csv' : 'webservice',
      ticketPolicy: 'on_send',
      contacts: late,
      limited: false,
      dueAfterMs: Math.floor((random.between(20, 60) / 100) * disruptedMs),
      user: null,
    },
    {
      ...{ key: `r${round}d`, round },
      source: 'csv',
      ticketPolicy: random.pick(['on_send', 'on_reply', 'never']),
      contacts: small,
      limited: isOdd,
      dueAfterMs: Math.floor((random.between(0, 80) / 100) * disruptedMs),
      user: null,
    },
    {
      ...{ key: `r${round}e`, round },
      source: 'csv',
      ticketPolicy: random.pick(['on_reply', 'on_send']),
      contacts: stopped,
      limited: true,
      dueAfterMs: 0,
      user: {
        kind: isOdd ? 'cancel' : 'pause',
        at: random.between(10, 50) / 100,
        pauseMs: random.between(1_000, 5_000),
      },
    },
  ];
}

function planFaults(random: Random): Plan['faults'] {
  const share = (most: number): number => random.between(1, 10) * (most / 10);
  return {
    latencyMs: random.between(100, 900),
    errorRate: {
      http429: share(0.02),
      http503: share(0.01),
      drop_before_accept: share(0.003),
      http500: share(0.003),
      http500_after_accept: share(0.003),
      drop_after_accept: share(0.003),
      hang_after_accept: share(0.001),
    },
    retryAfterSeconds: 1,
    refuse: [{ endsWith: refusedEnding, code: 21614 }],
    undeliveredRate: share(0.05),
    receiptDelayMs: random.between(100, 1_000),
    duplicateReceipts: share(0.3),
    reorderReceipts: share(0.3),
  };
}

/** The gateway accepts nothing for phones with these last digits. */
export const refusedEnding = '77';

/** Splits the items in order into `parts` parts, whose sizes differ by at most one. */
function spread<T>(items: readonly T[], parts: number): T[][] {
  return Array.from({ length: parts }, (_, part) =>
    items.slice(Math.floor((part * items.length) / parts), Math.floor(((part + 1) * items.length) / parts)),
  );
}

/** A fault as text: `freeze worker-1 for 12.3 s`. */
export function describeDisruption(disruption: Disruption): string {
  const seconds = `${(disruption.ms / 1000).toFixed(1)} s`;
  switch (disruption.kind) {
    case 'freeze':
      return `freeze ${disruption.target} for ${seconds}`;
    case 'kill':
      return `kill ${disruption.target}, start it after ${seconds}`;
    case 'stop':
      return `stop ${disruption.target}, start it after ${seconds}`;
    case 'cut':
      return disruption.how === 'delay'
        ? `delay ${disruption.link} by ${disruption.delayMs} ms for ${seconds}`
        : `${disruption.how === 'reset' ? 'reset' : 'half-open'} ${disruption.link} for ${seconds}`;
  }
}

/** The time of a fault as text. */
export const describeMark = (at: Mark): string =>
  typeof at === 'number'
    ? `at ${Math.round(at * 100)} %`
    : at === 'start'
      ? 'before they are due'
      : 'after the last message';
