import { mostHeld } from '../activities/sender.ts';
import { callbackPath } from '../domain/provider.ts';
import { type Catalog, createCampaign, readCatalog, startWebservice, type Webservice } from './campaigns.ts';
import { type Line, planLines } from './contacts.ts';
import { acknowledgedSids, type GatewayState } from './gateway.ts';
import { missingWorkflows, readRows } from './observe.ts';
import { type Evidence, type Finding, judge, unknownAtMost } from './oracle.ts';
import { createPeople, type People } from './people.ts';
import type { Plan, PlannedCampaign, Round } from './plan.ts';
import { type PlayedRound, playRound } from './round.ts';
import { type ChaosSystem, maxInFlight, startChaosSystem } from './system.ts';

export interface ChaosOptions {
  plan: Plan;
  folder: string;
  temporal: 'dev' | 'server';
  /** Receives its actions and findings, line by line. */
  say: (words: string) => void;
  signal: AbortSignal;
}

export interface ChaosResult {
  /** No promise was broken. */
  kept: boolean;
  seed: number;
  temporal: 'dev' | 'server';
  rounds: number;
  disruptions: number;
  freezes: number;
  kills: number;
  cuts: number;
  /** Lines of all mailings, and their outcomes. */
  lines: number;
  byStatus: Record<string, number>;
  takenByGateway: number;
  writtenTwice: number;
  unknown: number;
  /** The maximum by the promise, for these faults. */
  unknownAtMost: number;
  /** How many of the unknown ones the gateway has accepted. */
  unknownTaken: number;
  /** Sends whose answer the gateway itself lost. */
  answersLost: number;
  receipts: number;
  receiptsRepeated: number;
  replies: number;
  tickets: number;
  /** The longest interval between accepted messages while a round was sending. */
  longestSilenceSeconds: number;
  findings: (Finding & { round: number })[];
  seconds: number;
}

/** Faults of the gateway after which the client cannot know whether the message was accepted. */
const lossy = [
  'http500',
  'http500_after_accept',
  'drop_before_accept',
  'drop_after_accept',
  'hang_after_accept',
];
const examplesShown = 5;
/** A system that does not stay up is not worth testing. */
const mostEnds = 50;

/** Executes a plan on a separate system, and checks the result against the gateway's ledger. */
export async function runChaos({ plan, folder, temporal, say, signal }: ChaosOptions): Promise<ChaosResult> {
  const began = Date.now();
  const since = (): string => ((Date.now() - began) / 1000).toFixed(1).padStart(7);
  const log = (words: string): void => say(`${since()} s  ${words}`);
  const ended: string[] = [];
  const broken = new AbortController();
  const either = AbortSignal.any([signal, broken.signal]);
  log('Starting PostgreSQL, Temporal, the gateway, the API and two workers.');
  const system = await startChaosSystem({
    ...{ plan, folder, temporal, log },
    onEnd(name, how) {
      ended.push(`${name} at ${since().trim()} s: ${how}`);
      log(`${name} ended by itself: ${how}`);
      if (name === 'gateway')
        broken.abort(new Error(`The gateway has ended (${how}), and with it the witness.`));
      if (ended.length > mostEnds)
        broken.abort(new Error(`Processes ended by themselves ${ended.length} times.`));
    },
  });
  const webservice = await startWebservice();
  const story = createStory(plan, system);
  const reported = new Set<string>();
  const findings: ChaosResult['findings'] = [];
  let last: { evidence: Evidence; state: GatewayState } | null = null;
  try {
    const catalog = await readCatalog(system.api);
    for (const round of plan.rounds) {
      either.throwIfAborted();
      await system.ready();
      log(`Round ${round.number} of ${plan.rounds.length}.`);
      const { lines, campaignIds } = await prepareRound({
        plan,
        system,
        catalog,
        webservice,
        story,
        round,
      });
      story.played.push(
        await playRound({
          ...{ system, round, lines, campaignIds, log, signal: either },
          people: story.people,
        }),
      );
      const state = await system.gateway.state();
      const evidence = await collectEvidence(plan, system, story, state);
      last = { evidence, state };
      // Of all rounds so far: a later fault may break what was correct at the end of an earlier round.
      const found = new Map(judge(evidence).map(({ kind, examples }) => [kind, examples]));
      if (ended.length > 0) found.set('process_ended', [...ended]);
      for (const [kind, all] of found) {
        const examples = all.filter((example) => !reported.has(`${kind} ${example}`));
        if (examples.length === 0) continue;
        for (const example of examples) reported.add(`${kind} ${example}`);
        findings.push({
          ...{ kind, round: round.number, count: examples.length },
          examples: examples.slice(0, examplesShown),
        });
      }
      const own = findings.filter((finding) => finding.round === round.number);
      log(
        `Round ${round.number}: ${lines.length} lines, ${own.length === 0 ? 'all promises kept' : 'broken'}.`,
      );
      for (const { kind, count, examples } of own) {
        log(`  ${kind} (${count})`);
        for (const example of examples) log(`    ${example}`);
      }
    }
  } finally {
    await story.people.close();
    await webservice.close();
    await system.stop();
  }
  if (last === null) throw new Error('The plan has no round.');
  return {
    ...{ kept: findings.length === 0, seed: plan.seed, temporal, rounds: plan.rounds.length, findings },
    ...countDisruptions(plan),
    ...summarize(last.evidence, last.state),
    longestSilenceSeconds: Math.max(...story.played.map((one) => one.longestSilenceMs)) / 1000,
    seconds: Math.round((Date.now() - began) / 1000),
  };
}

/** The totals of all rounds so far. */
interface Story {
  campaigns: PlannedCampaign[];
  campaignIds: number[];
  lines: Line[];
  played: PlayedRound[];
  people: People;
}

function createStory(plan: Plan, { gateway, publicUrl, providerIds }: ChaosSystem): Story {
  const limited = new Set(
    plan.rounds.flatMap(({ campaigns }) => campaigns.filter((one) => one.limited).map(({ key }) => key)),
  );
  const people = createPeople({
    account: gateway.account,
    webhookOf: (key) =>
      publicUrl + callbackPath(providerIds[limited.has(key) ? 'limited' : 'unlimited'], 'inbound'),
  });
  return { campaigns: [], campaignIds: [], lines: [], played: [], people };
}

/** Creates the round's campaigns; their mailings include all contacts that have opted out so far. */
async function prepareRound({
  plan,
  system,
  catalog,
  webservice,
  story,
  round,
}: {
  plan: Plan;
  system: ChaosSystem;
  catalog: Catalog;
  webservice: Webservice;
  story: Story;
  round: Round;
}): Promise<{ lines: Line[]; campaignIds: Map<string, number> }> {
  const optedOut = story.people.replies
    .filter(({ optsOut, acknowledgedAt }) => optsOut && acknowledgedAt !== null)
    .map(({ line }) => line.phone);
  const lines: Line[] = [];
  const campaignIds = new Map<string, number>();
  for (const campaign of round.campaigns) {
    const own = planLines(plan, campaign, optedOut);
    lines.push(...own);
    const mailing = { lines: own, webserviceUrl: webservice.serve(campaign.key, own) };
    campaignIds.set(campaign.key, await createCampaign(system, catalog, campaign, mailing));
  }
  story.campaigns.push(...round.campaigns);
  story.campaignIds.push(...campaignIds.values());
  story.lines.push(...lines);
  return { lines, campaignIds };
}

async function collectEvidence(
  plan: Plan,
  system: ChaosSystem,
  { campaigns, campaignIds, lines, played, people }: Story,
  { answers }: GatewayState,
): Promise<Evidence> {
  return {
    ...{ campaigns, lines, replies: people.replies },
    disruptions: played.flatMap(({ disruptions }) => disruptions),
    stops: played.flatMap(({ stops }) => stops),
    ledger: await system.gateway.taken(null),
    acknowledged: await acknowledgedSids(system.ledgerFile),
    rows: await readRows(
      system.databaseUrl,
      campaigns.map(({ key }) => key),
    ),
    lostAnswers: lossy.reduce((sum, fault) => sum + (answers[fault] ?? 0), 0),
    sendersPerRun: plan.sendersPerRun,
    limits: { microBatch: mostHeld(maxInFlight) },
    missingWorkflows: await missingWorkflows(system.temporalAddress, campaignIds),
  };
}

function summarize(
  evidence: Evidence,
  { receipts }: GatewayState,
): Omit<
  ChaosResult,
  | 'kept'
  | 'seed'
  | 'temporal'
  | 'rounds'
  | 'disruptions'
  | 'freezes'
  | 'kills'
  | 'cuts'
  | 'findings'
  | 'longestSilenceSeconds'
  | 'seconds'
> {
  const { lines, ledger, rows, lostAnswers, replies } = evidence;
  const taken = new Set(ledger.map(({ code }) => code));
  const unknown = rows.messages.filter(({ status }) => status === 'unknown');
  const byStatus: Record<string, number> = {};
  for (const { status } of rows.messages) byStatus[status] = (byStatus[status] ?? 0) + 1;
  return {
    ...{ lines: lines.length, byStatus, takenByGateway: ledger.length, answersLost: lostAnswers },
    writtenTwice: ledger.length - taken.size,
    unknown: unknown.length,
    unknownAtMost: unknownAtMost(evidence),
    unknownTaken: unknown.filter(({ code }) => taken.has(code)).length,
    ...{ receipts: receipts.done, receiptsRepeated: receipts.repeated },
    ...{ replies: replies.length, tickets: rows.tickets.length },
  };
}

function countDisruptions({ rounds }: Plan): Pick<ChaosResult, 'disruptions' | 'freezes' | 'kills' | 'cuts'> {
  const disruptions = rounds.flatMap((round) => round.disruptions);
  const freezes = disruptions.filter(({ kind }) => kind === 'freeze').length;
  const cuts = disruptions.filter(({ kind }) => kind === 'cut').length;
  return { disruptions: disruptions.length, freezes, kills: disruptions.length - freezes - cuts, cuts };
}
