import { maxHeld } from '../activities/sender.ts';
import { callbackPath } from '../domain/provider.ts';
import { type Catalog, createCampaign, readCatalog, startWebservice, type Webservice } from './campaigns.ts';
import { type Line, planLines } from './contacts.ts';
import { acknowledgedSids, type GatewayState } from './gateway.ts';
import { missingWorkflows, readRows } from './observe.ts';
import { type Evidence, type Finding, judge, unknownAtMost } from './oracle.ts';
import { createCustomers, type Customers } from './customers.ts';
import type { Plan, PlannedCampaign, Round } from './plan.ts';
import { type PlayedRound, playRound } from './round.ts';
import { type ChaosSystem, maxInFlight, startChaosSystem } from './system.ts';

export interface ChaosOptions {
  plan: Plan;
  folder: string;
  temporal: 'dev' | 'server';
  /** Prints the actions and findings, line by line. */
  print: (line: string) => void;
  signal: AbortSignal;
}

export interface ChaosResult {
  /** There are no findings. */
  passed: boolean;
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
  acceptedByGateway: number;
  sentTwice: number;
  unknown: number;
  /** The guaranteed maximum for these faults. */
  unknownAtMost: number;
  /** How many of the unknown ones the gateway has accepted. */
  unknownAccepted: number;
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
/** After this many unexpected ends of processes the run is aborted. */
const mostEnds = 50;

/** Executes a plan on a separate system, and checks the result against the gateway's ledger. */
export async function runChaos({
  plan,
  folder,
  temporal,
  print,
  signal,
}: ChaosOptions): Promise<ChaosResult> {
  const startedAt = Date.now();
  const since = (): string => ((Date.now() - startedAt) / 1000).toFixed(1).padStart(7);
  const log = (line: string): void => print(`${since()} s  ${line}`);
  const ended: string[] = [];
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  log('Starting PostgreSQL, Temporal, the gateway, the API and two workers.');
  const system = await startChaosSystem({
    ...{ plan, folder, temporal, log },
    onEnd(name, how) {
      ended.push(`${name} at ${since().trim()} s: ${how}`);
      log(`${name} ended unexpectedly: ${how}`);
      if (name === 'gateway')
        failed.abort(new Error(`The gateway has ended (${how}), so the independent record is incomplete.`));
      if (ended.length > mostEnds)
        failed.abort(new Error(`Processes ended unexpectedly ${ended.length} times.`));
    },
  });
  const webservice = await startWebservice();
  const totals = createTotals(plan, system);
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
        totals,
        round,
      });
      totals.played.push(
        await playRound({
          ...{ system, round, lines, campaignIds, log, signal: either },
          customers: totals.customers,
        }),
      );
      const state = await system.gateway.state();
      const evidence = await collectEvidence(plan, system, totals, state);
      last = { evidence, state };
      // Judges all rounds so far, because a later fault can break what was correct after an earlier round.
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
        `Round ${round.number}: ${lines.length} lines, ${own.length === 0 ? 'all guarantees hold' : 'findings'}.`,
      );
      for (const { kind, count, examples } of own) {
        log(`  ${kind} (${count})`);
        for (const example of examples) log(`    ${example}`);
      }
    }
  } finally {
    await totals.customers.close();
    await webservice.close();
    await system.stop();
  }
  if (last === null) throw new Error('The plan has no round.');
  return {
    ...{ passed: findings.length === 0, seed: plan.seed, temporal, rounds: plan.rounds.length, findings },
    ...countDisruptions(plan),
    ...summarize(last.evidence, last.state),
    longestSilenceSeconds: Math.max(...totals.played.map((one) => one.longestSilenceMs)) / 1000,
    seconds: Math.round((Date.now() - startedAt) / 1000),
  };
}

/** The totals of all rounds so far. */
interface Totals {
  campaigns: PlannedCampaign[];
  campaignIds: number[];
  lines: Line[];
  played: PlayedRound[];
  customers: Customers;
}

function createTotals(plan: Plan, { gateway, publicUrl, providerIds }: ChaosSystem): Totals {
  const limited = new Set(
    plan.rounds.flatMap(({ campaigns }) => campaigns.filter((one) => one.limited).map(({ key }) => key)),
  );
  const customers = createCustomers({
    account: gateway.account,
    webhookOf: (key) =>
      publicUrl + callbackPath(providerIds[limited.has(key) ? 'limited' : 'unlimited'], 'inbound'),
  });
  return { campaigns: [], campaignIds: [], lines: [], played: [], customers };
}

/** Creates the campaigns of the round. Their mailings include all contacts that have opted out so far. */
async function prepareRound({
  plan,
  system,
  catalog,
  webservice,
  totals,
  round,
}: {
  plan: Plan;
  system: ChaosSystem;
  catalog: Catalog;
  webservice: Webservice;
  totals: Totals;
  round: Round;
}): Promise<{ lines: Line[]; campaignIds: Map<string, number> }> {
  const optedOut = totals.customers.replies
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
  totals.campaigns.push(...round.campaigns);
  totals.campaignIds.push(...campaignIds.values());
  totals.lines.push(...lines);
  return { lines, campaignIds };
}

async function collectEvidence(
  plan: Plan,
  system: ChaosSystem,
  { campaigns, campaignIds, lines, played, customers }: Totals,
  { answers }: GatewayState,
): Promise<Evidence> {
  return {
    ...{ campaigns, lines, replies: customers.replies },
    disruptions: played.flatMap(({ disruptions }) => disruptions),
    stops: played.flatMap(({ stops }) => stops),
    ledger: await system.gateway.accepted(null),
    acknowledged: await acknowledgedSids(system.ledgerFile),
    rows: await readRows(
      system.databaseUrl,
      campaigns.map(({ key }) => key),
    ),
    lostAnswers: lossy.reduce((sum, fault) => sum + (answers[fault] ?? 0), 0),
    sendersPerRun: plan.sendersPerRun,
    limits: { microBatch: maxHeld(maxInFlight) },
    missingWorkflows: await missingWorkflows(system.temporalAddress, campaignIds),
  };
}

function summarize(
  evidence: Evidence,
  { receipts }: GatewayState,
): Omit<
  ChaosResult,
  | 'passed'
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
  const accepted = new Set(ledger.map(({ code }) => code));
  const unknown = rows.messages.filter(({ status }) => status === 'unknown');
  const byStatus: Record<string, number> = {};
  for (const { status } of rows.messages) byStatus[status] = (byStatus[status] ?? 0) + 1;
  return {
    ...{ lines: lines.length, byStatus, acceptedByGateway: ledger.length, answersLost: lostAnswers },
    sentTwice: ledger.length - accepted.size,
    unknown: unknown.length,
    unknownAtMost: unknownAtMost(evidence),
    unknownAccepted: unknown.filter(({ code }) => accepted.has(code)).length,
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
