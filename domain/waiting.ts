import { hoursAt } from './hours.ts';
import { canaryUntil } from './safeguards.ts';
import type { RunSettings, RunStatus, RunStep, RunTrigger } from './run.ts';

export const waitingCodes = ['approval', 'resume', 'hours', 'canary'] as const;

/** What a live run waits for. `until`: when that ends by itself, or the run does; null: not before a person acts. */
export interface Waiting {
  code: (typeof waitingCodes)[number];
  until: Date | null;
  words: string;
}

export interface WaitingFacts {
  trigger: RunTrigger;
  status: RunStatus;
  step: RunStep;
  settings: RunSettings;
  canaryLeftAt: Date | null;
  canaryOverAt: Date | null;
  expiresAt: Date | null;
}

/** Null for a run that is at work, or over. */
export function waitingOf(run: WaitingFacts, now: Date): Waiting | null {
  const { status, step, settings, expiresAt } = run;
  if (status !== 'running' && status !== 'paused') return null;
  const orExpires = expiresAt === null ? '' : `, and expires at ${expiresAt.toISOString()}`;
  if (step === 'approval') {
    return { code: 'approval', until: expiresAt, words: `Waits for a person to approve it${orExpires}.` };
  }
  if (status === 'paused') {
    return {
      code: 'resume',
      until: expiresAt,
      words: `Waits for a person to resume or cancel it${orExpires}.`,
    };
  }
  const keepsHours = run.trigger !== 'dry_run' && (step === 'due' || step === 'hours' || step === 'sending');
  if (!keepsHours) return null;
  const hours = hoursAt(settings.hours, now, new Set(settings.holidays));
  if (hours.open) return waitingForCanary(run);
  if (hours.opensAt === null) return null;
  if (expiresAt !== null && expiresAt < hours.opensAt) {
    const words = `Outside the sending hours. They open at ${hours.opensAt.toISOString()}, after its expiry at ${expiresAt.toISOString()}.`;
    return { code: 'hours', until: expiresAt, words };
  }
  return {
    code: 'hours',
    until: hours.opensAt,
    words: `Outside the sending hours. They open at ${hours.opensAt.toISOString()}.`,
  };
}

function waitingForCanary({ settings, canaryLeftAt, canaryOverAt }: WaitingFacts): Waiting | null {
  if (canaryLeftAt === null || canaryOverAt !== null) return null;
  const { canarySize, canaryMinutes } = settings.campaign.safeguards;
  const until = canaryUntil(canaryLeftAt, canaryMinutes);
  const words = `The first ${canarySize} messages have left. The others wait for their receipts and answers until ${until.toISOString()}.`;
  return { code: 'canary', until, words };
}
