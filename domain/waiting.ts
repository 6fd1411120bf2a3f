import { hoursAt, type SendingHours } from './hours.ts';
import type { waitingSentences } from './problems/runs.ts';
import type { Coded } from './problems/sentence.ts';
import { canaryUntil } from './safeguards.ts';
import type { Preflight } from './preflight.ts';
import type { ProviderTrouble } from './provider-trouble.ts';
import type { RunSettings, RunStatus, RunStep, RunTrigger } from './run.ts';

/** What a live run is waiting for. `until`: when the wait, or the run, ends by itself; null: not before a user acts. */
export type Waiting = Coded<typeof waitingSentences> & { readonly until: Date | null };

/** What lists of runs are filtered by: `provider` is a pause or a doubt, `nothing` a run that works. */
export const waitingFilters = ['approval', 'hours', 'canary', 'provider', 'nothing'] as const;
export type WaitingFilter = (typeof waitingFilters)[number];

/** Whether a live run waits for what a filter names. */
export const isWaitingFor = (filter: WaitingFilter, waiting: Waiting | null): boolean => {
  if (filter === 'nothing') return waiting === null;
  if (filter === 'provider') return waiting?.code === 'provider_pause' || waiting?.code === 'provider_doubt';
  return waiting?.code === filter;
};

export interface WaitingFacts {
  trigger: RunTrigger;
  status: RunStatus;
  step: RunStep;
  settings: RunSettings;
  hours: SendingHours;
  holidays: readonly string[];
  approvedAt: Date | null;
  canaryLeftAt: Date | null;
  canaryOverAt: Date | null;
  expiresAt: Date | null;
  preflight: Preflight | null;
}

/** Null for a run that is working or has ended. `trouble`: that of its provider, if known. */
export function waitingOf(
  run: WaitingFacts,
  now: Date,
  trouble: ProviderTrouble | null = null,
): Waiting | null {
  const { status, step, expiresAt } = run;
  if (status !== 'running' && status !== 'paused') return null;
  const expires = expiresAt?.toISOString() ?? null;
  // A run that is approved while it is paused stays at this step until it is resumed.
  if (step === 'approval' && run.approvedAt === null) {
    const params = { expiresAt: expires, overBudget: run.preflight?.overBudget ?? null };
    return { code: 'approval', params, until: expiresAt };
  }
  if (status === 'paused') return { code: 'resume', params: { expiresAt: expires }, until: expiresAt };
  const keepsHours = run.trigger !== 'dry_run' && (step === 'due' || step === 'hours' || step === 'sending');
  if (!keepsHours) return null;
  const hours = hoursAt(run.hours, now, new Set(run.holidays));
  if (hours.open) {
    return waitingForCanary(run) ?? (step === 'sending' && trouble ? waitingForProvider(trouble) : null);
  }
  if (hours.opensAt === null) return null;
  const opensAt = hours.opensAt.toISOString();
  return expiresAt !== null && expiresAt < hours.opensAt
    ? { code: 'hours', params: { opensAt, expiresAt: expiresAt.toISOString() }, until: expiresAt }
    : { code: 'hours', params: { opensAt, expiresAt: null }, until: hours.opensAt };
}

function waitingForCanary({ settings, canaryLeftAt, canaryOverAt }: WaitingFacts): Waiting | null {
  if (canaryLeftAt === null || canaryOverAt !== null) return null;
  const { canarySize, canaryMinutes } = settings.campaign.safeguards;
  const until = canaryUntil(canaryLeftAt, canaryMinutes);
  return { code: 'canary', params: { messages: canarySize, until: until.toISOString() }, until };
}

/** What holds back all messages of a provider. Null: nothing that ends by itself. */
export function waitingForProvider({ pause, doubt }: ProviderTrouble): Waiting | null {
  if (pause !== null) {
    const params = { providerCode: pause.code, until: pause.until.toISOString() };
    return { code: 'provider_pause', params, until: pause.until };
  }
  if (doubt?.nextAt) {
    const params = { providerCode: doubt.code, answers: doubt.answers, nextAt: doubt.nextAt.toISOString() };
    return { code: 'provider_doubt', params, until: doubt.nextAt };
  }
  return null;
}
