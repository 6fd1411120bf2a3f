import type { z } from 'zod';
import type { faults } from '../sandbox/faults.ts';
import { createRandom, type Random } from './random.ts';

/** The processes of the system under test. The gateway is none of them: its ledger is the witness. */
export const targets = ['worker-1', 'worker-2', 'api', 'postgres', 'temporal'] as const;
export type Target = (typeof targets)[number];

/** Connections that go through a proxy: who opens them, and to whom. */
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
 * When a blow falls, by the progress of its round: once its campaigns are enabled and before they are due; when the
 * gateway has taken this share of what it is to take; or when it has taken all.
 */
export type Mark = 'start' | number | 'end';

interface Timed {
  round: number;
  at: Mark;
  /** From its beginning to its end: the process goes on, is started again, the link is whole again. */
  ms: number;
  /** The next blow may fall while this one lasts. */
  overlaps: boolean;
}

/** SIGSTOP, and SIGCONT `ms` later. */
export interface Freeze extends Timed {
  kind: 'freeze';
  target: Target;
}

/** `kill`: SIGKILL. `stop`: the orderly stop of a deploy. Started again after `ms`. */
export interface Kill extends Timed {
  kind: 'kill' | 'stop';
  target: Target;
}

/**
 * `reset`: all connections are reset, and new ones for `ms`. `half_open`: nothing passes and nobody is told; what was
 * sent meanwhile never arrives. `delay`: each piece arrives `delayMs` later.
 */
export interface Cut extends Timed {
  kind: 'cut';
  link: Link;
  how: 'reset' | 'half_open' | 'delay';
  delayMs: number;
}

export type Blow = Freeze | Kill | Cut;

/** What a user does to a run that sends, at a share of its own progress. */
export interface UserAction {
  kind: 'pause' | 'cancel';
  at: number;
  /** A paused run goes on after this time. */
  pauseMs: number;
}

export interface PlannedCampaign {
  /** Names the campaign and, with the line's number, each contact: `r1a-17`. */
  key: string;
  round: number;
  source: 'csv' | 'webservice';
  ticketPolicy: 'never' | 'on_reply' | 'on_send';
  /** Contacts of its mailing that can be written to, or are refused by the gateway. */
  contacts: number;
  /** Sent through the provider that has a rate limit. */
  limited: boolean;
  /** After the round has begun. */
  dueAfterMs: number;
  user: UserAction | null;
}

export interface Round {
  number: number;
  campaigns: PlannedCampaign[];
  blows: Blow[];
}

export interface Plan {
  seed: number;
  sendersPerRun: number;
  /** Segments a second of the provider that has a limit. */
  ratePerSecond: number;
  faults: z.input<typeof faults>;
  rounds: Round[];
}

export interface PlanOptions {
  seed: number;
  blows: number;
  /** Of each round. */
  contacts: number;
  /** The longest that a process is frozen or a link is cut. */
  longestMs: number;
}

const blowsPerRound = 10;
/** A worker that is silent for longer is given up: its activities' heartbeat time-out. */
const heartbeatTimeoutMs = 10_000;
const shortestMs = 300;
/** Below it a run sends its messages one by one (SINGLE_SEND_UP_TO). */
const smallRun = 40;
const leastRate = 5;

/**
 * What a chaos run does, from its seed alone: the same options give the same plan. Half of the blows are freezes; of
 * the rest, two thirds end a process and one third cuts a link. Each target is hit as often as every other.
 */
export function makePlan({ seed, blows, contacts, longestMs }: PlanOptions): Plan {
  const random = createRandom(seed);
  const roundCount = Math.max(1, Math.ceil(blows / blowsPerRound));
  const faults = planFaults(random);
  const sendersPerRun = random.between(1, 2);
  const perRound = spread(planBlows(random, blows, longestMs), roundCount);
  const rounds = perRound.map((hits, index) => planRound(random, index + 1, hits, contacts));
  // The runs with a limit last for about as long as the blows of their round.
  const seconds = rounds.reduce((sum, round) => sum + lastingMs(round.blows), 0) / 1000;
  const limited = rounds
    .flatMap(({ campaigns }) => campaigns)
    .reduce((sum, campaign) => sum + (campaign.limited ? campaign.contacts : 0), 0);
  const ratePerSecond = Math.max(leastRate, Math.round(limited / Math.max(1, seconds)));
  return { seed, sendersPerRun, ratePerSecond, faults, rounds };
}

/** How long these blows last, one after the other where they don't overlap. */
const lastingMs = (blows: readonly Blow[]): number =>
  blows.reduce((sum, { ms, overlaps }) => sum + (overlaps ? 0 : ms), 0);

type Hit =
  | Pick<Freeze, 'kind' | 'target' | 'ms'>
  | Pick<Kill, 'kind' | 'target' | 'ms'>
  | Pick<Cut, 'kind' | 'link' | 'how' | 'delayMs' | 'ms'>;

function planBlows(random: Random, count: number, longestMs: number): Hit[] {
  const freezes = Math.floor(count / 2);
  const cuts = Math.floor((count - freezes) / 3);
  const kills = count - freezes - cuts;
  /** Half of the freezes are shorter than anybody notices, half long enough to be given up. */
  const lasting = (long: boolean): number =>
    long
      ? random.between(Math.min(heartbeatTimeoutMs * 1.2, longestMs), longestMs)
      : random.between(shortestMs, Math.min(3_000, longestMs));
  const frozen = random.deal(targets, freezes).map((target, index): Hit => {
    return { kind: 'freeze', target, ms: lasting(index % 2 === 0) };
  });
  const killed = random.deal(targets, kills).map((target, index): Hit => {
    // An orderly stop of every third.
    const kind = index % 3 === 2 ? 'stop' : 'kill';
    return { kind, target, ms: random.next() < 0.2 ? lasting(true) : random.between(0, 2_000) };
  });
  const hows = random.deal<Cut['how']>(['half_open', 'reset', 'delay'], cuts);
  const cut = random.deal(links, cuts).map((link, index): Hit => {
    const how = hows[index] ?? 'reset';
    const ms = how === 'reset' ? random.between(0, 2_000) : lasting(how === 'half_open');
    return { kind: 'cut', link, how, delayMs: how === 'delay' ? random.between(50, 1_500) : 0, ms };
  });
  return random.shuffle([...frozen, ...killed, ...cut]);
}

function planRound(random: Random, number: number, hits: readonly Hit[], contacts: number): Round {
  const marks = planMarks(random, hits.length);
  const blows = hits.map((hit, index): Blow => ({
    ...hit,
    round: number,
    at: marks[index] ?? 'end',
    overlaps: random.next() < 0.4,
  }));
  return { number, campaigns: planCampaigns(random, number, contacts, lastingMs(blows)), blows };
}

/** One before the runs are due and one after the last message, where there are enough; the others while they send. */
function planMarks(random: Random, count: number): Mark[] {
  const edges: Mark[] = count < 4 ? [] : ['start', 'end'];
  const between = Array.from({ length: count - edges.length }, () => random.between(2, 92) / 100).toSorted(
    (a, b) => a - b,
  );
  return edges.length === 0 ? between : ['start', ...between, 'end'];
}

/**
 * Sources, ticket policies and limits change places from round to round, so that each meets each. Some are due while
 * blows fall; one is paused or cancelled by a user.
 */
function planCampaigns(random: Random, round: number, contacts: number, blowsMs: number): PlannedCampaign[] {
  const small = Math.min(smallRun, Math.ceil(contacts / 10));
  const stopped = Math.ceil(contacts / 5);
  const large = contacts - small - stopped;
  const early = Math.floor(large / 4);
  const late = Math.floor(large / 4);
  const odd = round % 2 === 1;
  return [
    {
      ...{ key: `r${round}a`, round },
      source: odd ? 'csv' : 'webservice',
      ticketPolicy: 'on_reply',
      contacts: early,
      limited: false,
      dueAfterMs: 0,
      user: null,
    },
    {
      ...{ key: `r${round}b`, round },
      source: odd ? 'webservice' : 'csv',
      ticketPolicy: random.pick(['on_send', 'on_reply']),
      contacts: large - early - late,
      limited: true,
      dueAfterMs: 0,
      user: null,
    },
    {
      ...{ key: `r${round}c`, round },
      source: odd ? 'csv' : 'webservice',
      ticketPolicy: 'on_send',
      contacts: late,
      limited: false,
      dueAfterMs: Math.floor((random.between(20, 60) / 100) * blowsMs),
      user: null,
    },
    {
      ...{ key: `r${round}d`, round },
      source: 'csv',
      ticketPolicy: random.pick(['on_send', 'on_reply', 'never']),
      contacts: small,
      limited: odd,
      dueAfterMs: Math.floor((random.between(0, 80) / 100) * blowsMs),
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
        kind: odd ? 'cancel' : 'pause',
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

/** The gateway takes nothing for phones that end so. */
export const refusedEnding = '77';

/** Into `parts` parts of the same size, give or take one, in their order. */
function spread<T>(items: readonly T[], parts: number): T[][] {
  return Array.from({ length: parts }, (_, part) =>
    items.slice(Math.floor((part * items.length) / parts), Math.floor(((part + 1) * items.length) / parts)),
  );
}

/** A blow in words: `freeze worker-1 for 12.3 s`. */
export function describeBlow(blow: Blow): string {
  const seconds = `${(blow.ms / 1000).toFixed(1)} s`;
  switch (blow.kind) {
    case 'freeze':
      return `freeze ${blow.target} for ${seconds}`;
    case 'kill':
      return `kill ${blow.target}, start it after ${seconds}`;
    case 'stop':
      return `stop ${blow.target}, start it after ${seconds}`;
    case 'cut':
      return blow.how === 'delay'
        ? `delay ${blow.link} by ${blow.delayMs} ms for ${seconds}`
        : `${blow.how === 'reset' ? 'reset' : 'half-open'} ${blow.link} for ${seconds}`;
  }
}

/** When a blow falls, in words. */
export const describeMark = (at: Mark): string =>
  typeof at === 'number'
    ? `at ${Math.round(at * 100)} %`
    : at === 'start'
      ? 'before they are due'
      : 'after the last message';
