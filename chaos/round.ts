import { setTimeout as sleep } from 'node:timers/promises';
import { enableCampaign } from './campaigns.ts';
import type { Line } from './contacts.ts';
import { countUnhandled, readRuns, type RunState } from './observe.ts';
import type { PastDisruption, Stop } from './oracle.ts';
import type { People } from './people.ts';
import {
  type Disruption,
  describeDisruption,
  describeMark,
  type PlannedCampaign,
  type Round,
} from './plan.ts';
import type { ChaosSystem } from './system.ts';

const lookMs = 100;
/** If there is no progress for this long and no fault is active, the next fault occurs early. */
const stalledMs = 10_000;
/** How long runs have to end after the last fault, and receipts and replies after the last run. */
const endingMs = 300_000;
const pendingLimitMs = 90_000;
/** The minimum share of the contacts that the gateway accepts, without faults and refusals. */
const nearlyAll = 0.93;

export interface RoundOptions {
  system: ChaosSystem;
  people: People;
  round: Round;
  lines: readonly Line[];
  campaignIds: ReadonlyMap<string, number>;
  log: (words: string) => void;
  signal: AbortSignal;
}

/** What happened in a round besides the system's own actions. */
export interface PlayedRound {
  stops: Stop[];
  disruptions: PastDisruption[];
  /** The longest interval between accepted messages, from the first to the last. */
  longestSilenceMs: number;
}

/** Enables the round's campaigns, injects the faults, and waits until nothing is pending, or times out. */
export async function playRound(options: RoundOptions): Promise<PlayedRound> {
  const { system, people, round, lines, campaignIds, log, signal } = options;
  const byCode = new Map(lines.map((line) => [line.code, line]));
  const toTake = lines.filter(({ fate }) => fate === 'written').length;
  const takenOf = new Map<string, number>();
  let taken = 0;
  let last: string | null = (await system.gateway.taken(null)).at(-1)?.sid ?? null;
  let movedAt = Date.now();
  let longestSilenceMs = 0;
  const look = async (): Promise<void> => {
    for (const one of await system.gateway.taken(last)) {
      last = one.sid;
      const line = one.code === null ? undefined : byCode.get(one.code);
      if (!line) continue;
      if (taken > 0) longestSilenceMs = Math.max(longestSilenceMs, one.at.getTime() - movedAt);
      movedAt = one.at.getTime();
      taken++;
      takenOf.set(line.campaign, (takenOf.get(line.campaign) ?? 0) + 1);
      people.read(one, line);
    }
  };
  const watching = { on: true };
  const watched = (async () => {
    while (watching.on) {
      await look();
      await sleep(lookMs);
    }
  })();
  // Awaited at the end; its errors are thrown there, too.
  watched.catch(() => undefined);

  try {
    for (const [key, id] of campaignIds) {
      await enableCampaign(system.api, id);
      log(`Enabled ${key}.`);
    }
    const stops: Stop[] = [];
    const acting = round.campaigns.map((campaign) =>
      actAsUser(system, campaign, {
        share: () => (takenOf.get(campaign.key) ?? 0) / campaign.contacts,
        ...{ stops, log, signal },
      }),
    );
    for (const action of acting) action.catch(() => undefined);
    const disruptions = await disrupt(options, {
      share: () => taken / toTake,
      quietMs: () => Date.now() - movedAt,
    });
    await Promise.all(acting);
    await waitUntilOver(options);
    await Promise.race([people.done(), sleep(pendingLimitMs, undefined, { ref: false })]);
    await waitForPending(system, look);
    return { stops, disruptions, longestSilenceMs };
  } finally {
    watching.on = false;
    await watched;
  }
}

async function disrupt(
  { system, round, log, signal }: RoundOptions,
  { share, quietMs }: { share: () => number; quietMs: () => number },
): Promise<PastDisruption[]> {
  const past: PastDisruption[] = [];
  const lasting = new Set<Promise<void>>();
  const isDue = (disruption: Disruption): boolean => {
    if (disruption.at === 'start') return true;
    return share() >= (disruption.at === 'end' ? nearlyAll : disruption.at);
  };
  let calmSince = Date.now();
  for (const disruption of round.disruptions) {
    while (!isDue(disruption)) {
      signal.throwIfAborted();
      // No progress is expected during a fault.
      if (lasting.size > 0) calmSince = Date.now();
      if (Math.min(quietMs(), Date.now() - calmSince) > stalledMs) break;
      await sleep(lookMs / 2);
    }
    log(
      `${describeDisruption(disruption)} (${Math.round(share() * 100)} % taken; planned ${describeMark(disruption.at)})`,
    );
    const one: PastDisruption = { disruption, from: new Date(), to: new Date() };
    past.push(one);
    const hit = system.hit(disruption).then(() => {
      one.to = new Date();
    });
    lasting.add(hit);
    void hit.finally(() => lasting.delete(hit)).catch(() => undefined);
    if (!disruption.overlaps) await Promise.all(lasting);
    calmSince = Date.now();
  }
  await Promise.all(lasting);
  return past;
}

/** Pauses or cancels the campaign's run at its mark, as a user would: repeats it until the API confirms it. */
async function actAsUser(
  { api, databaseUrl }: ChaosSystem,
  { key, user }: PlannedCampaign,
  {
    share,
    stops,
    log,
    signal,
  }: { share: () => number; stops: Stop[]; log: (words: string) => void; signal: AbortSignal },
): Promise<void> {
  if (user === null) return;
  let run: RunState | undefined;
  for (;;) {
    signal.throwIfAborted();
    run = (await readRuns(databaseUrl, [key]))?.[0];
    if (run && (run.over || share() >= user.at)) break;
    await sleep(lookMs);
  }
  if (run.over) return;
  const { status } = await api.call('POST', `/api/runs/${run.id}/${user.kind}`, {});
  const confirmed = new Date();
  log(`${user.kind} ${key}: ${status}`);
  if (status >= 300) return;
  const stop: Stop = { campaign: key, kind: user.kind, from: confirmed, until: null };
  stops.push(stop);
  if (user.kind === 'cancel') return;
  await sleep(user.pauseMs);
  stop.until = new Date();
  const resumed = await api.call('POST', `/api/runs/${run.id}/resume`, {});
  log(`resume ${key}: ${resumed.status}`);
}

/** Waits until every campaign of the round has a run that has ended; or until the time limit. */
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
    await sleep(lookMs * 5);
  }
}

/** Waits until no receipt or reply is pending; or until the time limit. */
async function waitForPending(
  { gateway, databaseUrl }: ChaosSystem,
  look: () => Promise<void>,
): Promise<void> {
  const giveUpAt = Date.now() + pendingLimitMs;
  while (Date.now() < giveUpAt) {
    await look();
    const { receipts } = await gateway.state();
    if (receipts.pending === 0 && (await countUnhandled(databaseUrl)) === 0) return;
    await sleep(lookMs * 5);
  }
}
