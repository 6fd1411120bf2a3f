import { setTimeout as sleep } from 'node:timers/promises';
import { enableCampaign } from './campaigns.ts';
import type { Line } from './contacts.ts';
import { countUnhandled, readRuns, type RunState } from './observe.ts';
import type { FallenBlow, Stop } from './oracle.ts';
import type { People } from './people.ts';
import { type Blow, describeBlow, describeMark, type PlannedCampaign, type Round } from './plan.ts';
import type { ChaosSystem } from './system.ts';

const lookMs = 100;
/** When nothing moves for so long and no blow lasts, the next one falls before its mark. */
const stalledMs = 10_000;
/** Runs have so long to end after the last blow, and receipts and replies after the last run. */
const endingMs = 300_000;
const settlingMs = 90_000;
/** The share of the contacts that the gateway takes at least, faults and refusals left out. */
const nearlyAll = 0.93;

export interface RoundOptions {
  system: ChaosSystem;
  people: People;
  round: Round;
  lines: readonly Line[];
  campaignIds: ReadonlyMap<string, number>;
  tell: (words: string) => void;
  signal: AbortSignal;
}

/** What happened in a round beside what the system did. */
export interface PlayedRound {
  stops: Stop[];
  blows: FallenBlow[];
  /** The longest time without a message taken, from the first to the last. */
  longestSilenceMs: number;
}

/** Enables the round's campaigns, lets the blows fall, and waits until all is quiet, or has had its time. */
export async function playRound(options: RoundOptions): Promise<PlayedRound> {
  const { system, people, round, lines, campaignIds, tell, signal } = options;
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
  // Awaited at the end; what fails here fails there, too.
  watched.catch(() => undefined);

  try {
    for (const [key, id] of campaignIds) {
      await enableCampaign(system.api, id);
      tell(`Enabled ${key}.`);
    }
    const stops: Stop[] = [];
    const acting = round.campaigns.map((campaign) =>
      actAsUser(system, campaign, {
        share: () => (takenOf.get(campaign.key) ?? 0) / campaign.contacts,
        ...{ stops, tell, signal },
      }),
    );
    for (const action of acting) action.catch(() => undefined);
    const blows = await letBlowsFall(options, {
      share: () => taken / toTake,
      quietMs: () => Date.now() - movedAt,
    });
    await Promise.all(acting);
    await waitUntilOver(options);
    await Promise.race([people.done(), sleep(settlingMs, undefined, { ref: false })]);
    await settle(system, look);
    return { stops, blows, longestSilenceMs };
  } finally {
    watching.on = false;
    await watched;
  }
}

async function letBlowsFall(
  { system, round, tell, signal }: RoundOptions,
  { share, quietMs }: { share: () => number; quietMs: () => number },
): Promise<FallenBlow[]> {
  const fallen: FallenBlow[] = [];
  const lasting = new Set<Promise<void>>();
  const isDue = (blow: Blow): boolean => {
    if (blow.at === 'start') return true;
    return share() >= (blow.at === 'end' ? nearlyAll : blow.at);
  };
  let calmSince = Date.now();
  for (const blow of round.blows) {
    while (!isDue(blow)) {
      signal.throwIfAborted();
      // Nothing is to be expected while a blow lasts.
      if (lasting.size > 0) calmSince = Date.now();
      if (Math.min(quietMs(), Date.now() - calmSince) > stalledMs) break;
      await sleep(lookMs / 2);
    }
    tell(`${describeBlow(blow)} (${Math.round(share() * 100)} % taken; planned ${describeMark(blow.at)})`);
    const one: FallenBlow = { blow, from: new Date(), to: new Date() };
    fallen.push(one);
    const hit = system.hit(blow).then(() => {
      one.to = new Date();
    });
    lasting.add(hit);
    void hit.finally(() => lasting.delete(hit)).catch(() => undefined);
    if (!blow.overlaps) await Promise.all(lasting);
    calmSince = Date.now();
  }
  await Promise.all(lasting);
  return fallen;
}

/** Pauses or cancels the campaign's run at its mark, as a user would: again until the API confirms it. */
async function actAsUser(
  { api, databaseUrl }: ChaosSystem,
  { key, user }: PlannedCampaign,
  {
    share,
    stops,
    tell,
    signal,
  }: { share: () => number; stops: Stop[]; tell: (words: string) => void; signal: AbortSignal },
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
  tell(`${user.kind} ${key}: ${status}`);
  if (status >= 300) return;
  const stop: Stop = { campaign: key, kind: user.kind, from: confirmed, until: null };
  stops.push(stop);
  if (user.kind === 'cancel') return;
  await sleep(user.pauseMs);
  stop.until = new Date();
  const resumed = await api.call('POST', `/api/runs/${run.id}/resume`, {});
  tell(`resume ${key}: ${resumed.status}`);
}

/** Until every campaign of the round has a run that has ended; or too long. */
async function waitUntilOver({ system, round, tell, signal }: RoundOptions): Promise<void> {
  const keys = round.campaigns.map(({ key }) => key);
  const giveUpAt = Date.now() + endingMs;
  for (;;) {
    signal.throwIfAborted();
    const runs = await readRuns(system.databaseUrl, keys);
    if (runs && keys.every((key) => runs.some(({ campaign, over }) => campaign === key && over))) return;
    if (Date.now() > giveUpAt) {
      tell(
        `After ${endingMs / 1000} s: ${(runs ?? []).map((run) => `${run.campaign} ${run.status}`).join(', ')}`,
      );
      return;
    }
    await sleep(lookMs * 5);
  }
}

/** Until no receipt is owed and no reply waits; or too long. */
async function settle({ gateway, databaseUrl }: ChaosSystem, look: () => Promise<void>): Promise<void> {
  const giveUpAt = Date.now() + settlingMs;
  while (Date.now() < giveUpAt) {
    await look();
    const { receipts } = await gateway.state();
    if (receipts.pending === 0 && (await countUnhandled(databaseUrl)) === 0) return;
    await sleep(lookMs * 5);
  }
}
