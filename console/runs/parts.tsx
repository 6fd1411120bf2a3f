import type { z } from 'zod';
import type { runSummaryView } from '../../api/runs/view.ts';
import type { MessageStatus } from '../../domain/message.ts';
import type { RunStatus, RunTrigger } from '../../domain/run.ts';
import type { waitingCodes } from '../../domain/problems/runs.ts';
import { runStates } from './words-states.ts';
import { runs as runWords } from './words.ts';
import { type Column, State, Time, type Tone } from '../kit/parts.tsx';
import { useFormat, useWords } from '../kit/view.tsx';
import { CostCell } from '../money/cost.tsx';
import { moneyWords } from '../money/words.ts';

export type RunSummary = z.output<typeof runSummaryView>;

const tones: Readonly<Record<RunStatus, Tone>> = {
  running: 'busy',
  paused: 'warn',
  cancelling: 'warn',
  finished: 'good',
  skipped: 'neutral',
  missed: 'bad',
  cancelled: 'neutral',
  failed: 'bad',
};

/** What a run shows as its state. A run that is shown elsewhere than in a list of runs may lack the details. */
interface Shown {
  status: RunStatus;
  trigger?: RunTrigger;
  /** What it waits for. */
  waiting?: { code: (typeof waitingCodes)[number] } | null;
  /** Something in it failed and is retried, so that it does not progress. */
  retrying?: object | null;
}

/** A live run that waits says for what: it is not "running" for hours. */
export function RunState({ run }: { run: Shown }) {
  const t = useWords(runWords);
  const states = useWords(runStates);
  const { status, trigger, waiting, retrying } = run;
  if (status === 'running' && retrying) return <State tone="warn">{states.retrying}</State>;
  if (status === 'running' && waiting) {
    return (
      <State tone={waiting.code === 'approval' ? 'warn' : 'neutral'}>{states.waiting[waiting.code]}</State>
    );
  }
  if (trigger === 'dry_run' && (status === 'running' || status === 'finished')) {
    const words = status === 'running' ? states.dryRunning : states.dryRunFinished;
    return <State tone={tones[status]}>{words}</State>;
  }
  return <State tone={tones[status]}>{t.status[status]}</State>;
}

const isLive = (status: RunStatus): boolean => status === 'running' || status === 'paused';

export const mayBeApproved = ({ waiting }: Pick<RunSummary, 'waiting'>): boolean =>
  waiting?.code === 'approval';
export const mayBeCancelled = ({ status }: { status: RunStatus }): boolean =>
  isLive(status) || status === 'failed';

type Counts = Readonly<Partial<Record<MessageStatus, number>>>;
export const sumOf = (counts: Counts, ...statuses: readonly MessageStatus[]): number =>
  statuses.reduce((sum, status) => sum + (counts[status] ?? 0), 0);

/** Messages handed to the provider, whatever their outcome. */
export const leftOf = (counts: Counts): number =>
  sumOf(counts, 'sent', 'delivered', 'undelivered', 'unknown');
export const failedOf = (counts: Counts): number => sumOf(counts, 'failed', 'undelivered');
export const linesOf = (counts: Counts): number => Object.values(counts).reduce((sum, one) => sum + one, 0);

/** The columns of a table of runs; the table of one campaign is narrower. */
export function useRunColumns({ withCampaign = true } = {}): Column<RunSummary>[] {
  const t = useWords(runWords);
  const money = useWords(moneyWords).cost;
  const format = useFormat();
  return [
    {
      heading: t.occurrence,
      cell: ({ id, occurrence }) => (
        <a href={`/runs/${id}`}>
          <Time at={occurrence} />
        </a>
      ),
    },
    {
      heading: t.campaign,
      shown: withCampaign,
      cell: ({ campaignId, campaignName }) => <a href={`/campaigns/${campaignId}`}>{campaignName}</a>,
    },
    { heading: t.state, cell: (run) => <RunState run={run} /> },
    { heading: t.how, wide: true, cell: ({ trigger }) => t.trigger[trigger] },
    { heading: t.lines, numeric: true, wide: true, cell: ({ counts }) => format.number(linesOf(counts)) },
    { heading: t.sent, numeric: true, cell: ({ counts }) => format.number(leftOf(counts)) },
    {
      heading: t.failed,
      numeric: true,
      wide: true,
      cell: ({ counts }) => format.number(failedOf(counts)),
    },
    // The last runs of a campaign follow with their costs.
    {
      heading: money.cost,
      shown: withCampaign,
      numeric: true,
      wide: true,
      cell: ({ cost }) => <CostCell cost={cost} />,
    },
  ];
}
