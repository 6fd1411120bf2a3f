import { setTimeout as sleep } from 'node:timers/promises';
import { microBatch } from '../activities/sender.ts';
import { callbackPath } from '../domain/provider.ts';
import { createCampaign, enableCampaign, readCatalogue, startWebservice } from './campaigns.ts';
import { type Line, planLines } from './contacts.ts';
import { acknowledgedSids } from './gateway.ts';
import { countUnhandled, missingWorkflows, readRows, readRuns, type RunState } from './observe.ts';
import { type FallenBlow, type Finding, judge, type Stop, unknownAtMost } from './oracle.ts';
import { createPeople, type People } from './people.ts';
import {
  type Blow,
  describeBlow,
  describeMark,
  type Plan,
  type PlannedCampaign,
  type Round,
} from './plan.ts';
import { type ChaosSystem, startChaosSystem } from './system.ts';

export interface ChaosOptions {
  plan: Plan;
  folder: string;
  temporal: 'dev' | 'server';
  /** What it does and finds, line by line. */
  say: (words: string) => void;
  signal: AbortSignal;
}

export interface ChaosResult {
  /** No promise was broken. */
  kept: boolean;
  seed: number;
  temporal: 'dev' | 'server';
  rounds: number;
  blows: number;
  freezes: number;
  kills: number;
  cuts: number;
  /** Lines of all mailings, and what became of them. */
  lines: number;
  byStatus: Record<string, number>;
  takenByGateway: number;
  writtenTwice: number;
  unknown: number;
  /** By the promise, for these blows. */
  unknownAtMost: number;
  /** Of the unknown, what the gateway has taken. */
  unknownTaken: number;
  /** Sends whose answer the gateway itself lost. */
  answersLost: number;
  receipts: number;
  receiptsRepeated: number;
  replies: number;
  tickets: number;
  /** The longest time without a message taken while a round was sending. */
  longestSilenceSeconds: number;
  findings: (Finding & { round: number })[];
  seconds: number;
}

const lookMs = 100;
/** When nothing moves for so long and no blow lasts, the next one falls before its mark. */
const stalledMs = 10_000;
/** Runs have so long to end after the last blow, and receipts and replies after the last run. */
const endingMs = 300_000;
const settlingMs = 90_000;
/** The share of the contacts that the gateway takes at least, faults and refusals left out. */
const nearlyAll = 0.93;
const lossy = [
  'http500',
  'http500_after_accept',
  'drop_before_accept',
  'drop_after_accept',
  'hang_after_accept',
];

/** Carries out a plan on a system of its own, and judges what came of it by the gateway's ledger. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { plan, folder, temporal, say, signal } = options;
  const began = Date.now();
  const ended: string[] = [];
  const since = (): string => ((Date.now() - began) / 1000).toFixed(1).padStart(7);
  const tell = (words: string): void => say(`${since()} s  ${words}`);
  tell('Starting PostgreSQL, Temporal, the gateway, the API and two workers.');
  const system = await startChaosSystem({
    ...{ plan, folder, temporal, log: tell },
    onEnd(name, how) {
      ended.push(`${name}: ${how}`);
      tell(`${name} ended by itself: ${how}`);
    },
  });
  const webservice = await startWebservice();
  const campaigns = new Map<string, PlannedCampaign>();
  const people = createPeople({
    account: system.gateway.account,
    webhookOf: (key) => {
      const { limited, unlimited } = system.providerIds;
      const providerId = campaigns.get(key)?.limited === true ? limited : unlimited;
      return system.publicUrl + callbackPath(providerId, 'inbound');
    },
  });
  const result: ChaosResult = {
    ...{ kept: true, seed: plan.seed, temporal, rounds: plan.rounds.length },
    ...countBlows(plan),
    ...{
      lines: 0,
      byStatus: {},
      takenByGateway: 0,
      writtenTwice: 0,
      unknown: 0,
      unknownAtMost: 0,
      unknownTaken: 0,
    },
    ...{ answersLost: 0, receipts: 0, receiptsRepeated: 0, replies: 0, tickets: 0, longestSilenceSeconds: 0 },
    ...{ findings: [], seconds: 0 },
  };
  try {
    const catalogue = await readCatalogue(system.api);
    const campaignIds: number[] = [];
    for (const round of plan.rounds) {
      signal.throwIfAborted();
      await system.ready();
      tell(`Round ${round.number} of ${plan.rounds.length}.`);
      const optedOut = people.replies
        .filter(({ optsOut, acknowledgedAt }) => optsOut && acknowledgedAt !== null)
        .map(({ line }) => line.phone);
      const lines: Line[] = [];
      const ids = new Map<string, number>();
      for (const campaign of round.campaigns) {
        const own = planLines(plan, campaign, optedOut);
        campaigns.set(campaign.key, campaign);
        lines.push(...own);
        const webserviceUrl = webservice.serve(campaign.key, own);
        ids.set(
          campaign.key,
          await createCampaign(system, catalogue, campaign, { lines: own, webserviceUrl }),
        );
      }
      campaignIds.push(...ids.values());
      const played = await playRound({ system, people, round, lines, campaignIds: ids, tell, signal });

      const state = await system.gateway.state();
      const answersLost = lossy.reduce((sum, fault) => sum + (state.answers[fault] ?? 0), 0);
      const keys = round.campaigns.map(({ key }) => key);
      const evidence = {
        ...{ campaigns: round.campaigns, blows: played.blows, lines, stops: played.stops },
        ledger: await system.gateway.taken(null),
        acknowledged: await acknowledgedSids(system.ledgerFile),
        replies: people.replies.filter(({ line }) => keys.includes(line.campaign)),
        rows: await readRows(system.databaseUrl, keys),
        lostAnswers: answersLost - result.answersLost,
        sendersPerRun: plan.sendersPerRun,
        limits: { microBatch },
        missingWorkflows: await missingWorkflows(system.temporalAddress, campaignIds),
      };
      const found = judge(evidence);
      if (ended.length > 0)
        found.push({ kind: 'process_ended', count: ended.length, examples: ended.splice(0) });
      const unknown = evidence.rows.messages.filter(({ status }) => status === 'unknown');
      const taken = new Set(evidence.ledger.map(({ code }) => code));
      result.lines += lines.length;
      for (const { status } of evidence.rows.messages)
        result.byStatus[status] = (result.byStatus[status] ?? 0) + 1;
      result.takenByGateway = evidence.ledger.length;
      result.writtenTwice = evidence.ledger.length - taken.size;
      result.unknown += unknown.length;
      result.unknownAtMost += unknownAtMost(evidence);
      result.unknownTaken += unknown.filter(({ code }) => taken.has(code)).length;
      result.answersLost = answersLost;
      result.receipts = state.receipts.done;
      result.receiptsRepeated = state.receipts.repeated;
      result.replies = people.replies.length;
      result.tickets += evidence.rows.tickets.length;
      result.longestSilenceSeconds = Math.max(result.longestSilenceSeconds, played.longestSilenceMs / 1000);
      result.findings.push(...found.map((finding) => ({ ...finding, round: round.number })));
      tell(
        `Round ${round.number}: ${lines.length} lines, ${unknown.length} unknown, ${
          found.length === 0 ? 'all promises kept' : 'broken promises'
        }.`,
      );
      for (const { kind, count, examples } of found) {
        tell(`  ${kind} (${count})`);
        for (const example of examples) tell(`    ${example}`);
      }
    }
  } finally {
    await people.close();
    await webservice.close();
    await system.stop();
  }
  return {
    ...result,
    kept: result.findings.length === 0,
    seconds: Math.round((Date.now() - began) / 1000),
  };
}

interface RoundOptions {
  system: ChaosSystem;
  people: People;
  round: Round;
  lines: readonly Line[];
  campaignIds: ReadonlyMap<string, number>;
  tell: (words: string) => void;
  signal: AbortSignal;
}

/** Enables the round's campaigns, lets the blows fall, and waits until all is quiet, or has had its time. */
async function playRound(
  options: RoundOptions,
): Promise<{ stops: Stop[]; blows: FallenBlow[]; longestSilenceMs: number }> {
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

function countBlows({ rounds }: Plan): Pick<ChaosResult, 'blows' | 'freezes' | 'kills' | 'cuts'> {
  const blows = rounds.flatMap((round) => round.blows);
  const freezes = blows.filter(({ kind }) => kind === 'freeze').length;
  const cuts = blows.filter(({ kind }) => kind === 'cut').length;
  return { blows: blows.length, freezes, kills: blows.length - freezes - cuts, cuts };
}
