import { setTimeout as sleep } from 'node:timers/promises';
import { enableCampaign } from './campaigns.ts';
import type { Line } from './contacts.ts';
import { countUnhandled, readRuns, type RunState } from './observe.ts';
import type { PastDisruption, Stop } from './oracle.ts';
import type { Customers } from './customers.ts';
import {
  type Disruption,
  describeDisruption,
  describeMark,
  type PlannedCampaign,
  type Round,
} from './plan.ts';
import type { ChaosSystem } from './system.ts';

const pollMs = 100;
/** If there is no progress for this long and no fault is active, the next fault occurs early. */
const stalledMs = 10_000;
/** The time that runs have to end after the last fault. */
const endingMs = 300_000;
/** The time that receipts and replies have after the last run. */
const pendingLimitMs = 90_000;
/** The share of the contacts that the gateway has accepted when a round counts as sent. */
const nearlyAll = 0.93;

export interface RoundOptions {
  system: ChaosSystem;
  customers: Customers;
  round: Round;
  lines: readonly Line[];
  campaignIds: ReadonlyMap<string, number>;
  log: (message: string) => void;
  signal: AbortSignal;
}

/** The faults and user actions of a round. */
export interface PlayedRound {
  stops: Stop[];
  disruptions: PastDisruption[];
  /** The longest interval between accepted messages, from the first to the last. */
  longestSilenceMs: number;
}

/** Enables the round's campaigns, injects the faults, and waits until nothing is pending, or times out. */
export async function playRound(options: RoundOptions): Promise<PlayedRound> {
  const { system, customers, round, lines, campaignIds, log, signal } = options;
  const byCode = new Map(lines.map((line) => [line.code, line]));
  const toAccept = lines.filter(({ expected }) => expected === 'sent').length;
  const acceptedOf = new Map<string, number>();
  let accepted = 0;
  let last: string | null = (await system.gateway.accepted(null)).at(-1)?.sid ?? null;
  let lastAcceptedAt = Date.now();
  let longestSilenceMs = 0;
  const poll = async (): Promise<void> => {
    for (const one of await system.gateway.accepted(last)) {
      last = one.sid;
      const line = one.code === null ? undefined : byCode.get(one.code);
      if (!line) continue;
      if (accepted > 0) longestSilenceMs = Math.max(longestSilenceMs, one.at.getTime() - lastAcceptedAt);
      lastAcceptedAt = one.at.getTime();
      accepted++;
      acceptedOf.set(line.campaign, (acceptedOf.get(line.campaign) ?? 0) + 1);
      customers.receive(one, line);
    }
  };
  const polling = { on: true };
  const polled = (async () => {
    while (polling.on) {
      await poll();
      await sleep(pollMs);
    }
  })();
  // Awaited at the end, where its errors are thrown.
  polled.catch(() => undefined);

  try {
    for (const [key, id] of campaignIds) {
      await enableCampaign(system.api, id);
      log(`Enabled ${key}.`);
    }
    const stops: Stop[] = [];
    const acting = round.campaigns.map((campaign) =>
      actAsUser(system, campaign, {
        share: () => (acceptedOf.get(campaign.key) ?? 0) / campaign.contacts,
        ...{ stops, log, signal },
      }),
    );
    for (const action of acting) action.catch(() => undefined);
    const disruptions = await disrupt(options, {
      share: () => accepted / toAccept,
      quietMs: () => Date.now() - lastAcceptedAt,
    });
    await Promise.all(acting);
    await waitUntilOver(options);
    await Promise.race([customers.done(), sleep(pendingLimitMs, undefined, { ref: false })]);
    await waitForPending(system, poll);
    return { stops, disruptions, longestSilenceMs };
  } finally {
    polling.on = false;
    await polled;
  }
}

async function disrupt(
  { system, round, log, signal }: RoundOptions,
  { share, quietMs }: { share: () => number; quietMs: () => number },
): Promise<PastDisruption[]> {
  const past: PastDisruption[] = [];
  const active = new Set<Promise<void>>();
  const isDue = (disruption: Disruption): boolean => {
    if (disruption.at === 'start') return true;
    return share() >= (disruption.at === 'end' ? nearlyAll : disruption.at);
  };
  let quietSince = Date.now();
  for (const disruption of round.disruptions) {
    while (!isDue(disruption)) {
      signal.throwIfAborted();
      // No progress is expected during a fault.
      if (active.size > 0) quietSince = Date.now();
      if (Math.min(quietMs(), Date.now() - quietSince) > stalledMs) break;
      await sleep(pollMs / 2);
    }
    log(
      `${describeDisruption(disruption)} (${Math.round(share() * 100)} % accepted; planned ${describeMark(disruption.at)})`,
    );
    const one: PastDisruption = { disruption, from: new Date(), to: new Date() };
    past.push(one);
    const hit = system.hit(disruption).then(() => {
      one.to = new Date();
    });
    active.add(hit);
    void hit.finally(() => active.delete(hit)).catch(() => undefined);
    if (!disruption.overlaps) await Promise.all(active);
    quietSince = Date.now();
  }
  await Promise.all(active);
  return past;
}

/** Pauses or cancels the campaign's run at its mark, like a user: repeats the request until the API confirms it. */
async function actAsUser(
  { api, databaseUrl }: ChaosSystem,
  { key, user }: PlannedCampaign,
  {
    share,
    stops,
    log,
    signal,
  }: { share: () => number; stops: Stop[]; log: (message: string) => void; signal: AbortSignal },
): Promise<void> {
  if (user === null) return;
  let run: RunState | undefined;
  for (;;) {
    signal.throwIfAborted();
    run = (await readRuns(databaseUrl, [key]))?.[0];
    if (run && (run.over || share() >= user.at)) break;
    await sleep(pollMs);
  }
  if (run.over) return;
  const { status } = await api.call('POST', `/api/runs/${run.id}/${user.kind}`, {});
  const confirmedAt = new Date();
  log(`${user.kind} ${key}: ${status}`);
  if (status >= 300) return;
  const stop: Stop = { campaign: key, kind: user.kind, from: confirmedAt, until: null };
  stops.push(stop);
  if (user.kind === 'cancel') return;
  await sleep(user.pauseMs);
  stop.until = new Date();
  const resumed = await api.call('POST', `/api/runs/${run.id}/resume`, {});
  log(`resume ${key}: ${resumed.status}`);
}

/** Waits until every campaign of the round has an ended run, or until the time limit. */
async function waitUntilOver({ system, round, log, signal }: RoundOptions): Promise<void> {
  const keys = round.campaigns.map(({ key }) => key);
  const giveUpAt = Date.now() + endingMs;
  for (;;) {
    signal.throwIfAborted();
    const runs = await readRuns(system.databaseUrl, keys);
    if (runs && keys.every((key) => runs.some(({ campaign, over }) => campaign === key && over))) return;
    if (Date.now() > giveUpAt) {
      log(
        `After ${endingMs / 1000} s: ${(runs ?? []).map((run) => `${run.campaign} ${run.status}`).join(', ')}`,
      );
      return;
    }
    await sleep(pollMs * 5);
  }
}

/** Waits until no receipt or reply is pending, or until the time limit. */
async function waitForPending(
  { gateway, databaseUrl }: ChaosSystem,
  poll: () => Promise<void>,
): Promise<void> {
  const giveUpAt = Date.now() + pendingLimitMs;
  while (Date.now() < giveUpAt) {
    await poll();
    const { receipts } = await gateway.state();
    if (receipts.pending === 0 && (await countUnhandled(databaseUrl)) === 0) return;
    await sleep(pollMs * 5);
  }
}
