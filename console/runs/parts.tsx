import type { z } from 'zod';
import type { runSummaryView } from '../../api/runs/view.ts';
import type { MessageStatus } from '../../domain/message.ts';
import type { RunStatus, RunStep, RunTrigger } from '../../domain/run.ts';
import { runs as runWords } from './words.ts';
import { Empty, State, Table, Time, type Tone } from '../kit/parts.tsx';
import { useFormat, useWords } from '../kit/view.tsx';

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

/** `retrying`: something of it failed and is tried again, so that it does not go on. */
export function RunState({ run }: { run: { status: RunStatus; retrying?: object | null } }) {
  const t = useWords(runWords);
  const { status, retrying } = run;
  if (retrying) return <State tone="warn">{t.retryingState(t.status[status])}</State>;
  return <State tone={tones[status]}>{t.status[status]}</State>;
}

const isLive = (status: RunStatus): boolean => status === 'running' || status === 'paused';

/** Whether it waits for a person's approval. A dry run passes that step without. */
export const mayBeApproved = (run: { status: RunStatus; step: RunStep; trigger: RunTrigger }): boolean =>
  run.step === 'approval' && isLive(run.status) && run.trigger !== 'dry_run';
export const mayBeCancelled = ({ status }: { status: RunStatus }): boolean =>
  isLive(status) || status === 'failed';

type Counts = Readonly<Partial<Record<MessageStatus, number>>>;
export const sumOf = (counts: Counts, ...statuses: readonly MessageStatus[]): number =>
  statuses.reduce((sum, status) => sum + (counts[status] ?? 0), 0);

/** What was handed to the provider, whatever became of it. */
export const leftOf = (counts: Counts): number =>
  sumOf(counts, 'sent', 'delivered', 'undelivered', 'unknown');
export const failedOf = (counts: Counts): number => sumOf(counts, 'failed', 'undelivered');
export const linesOf = (counts: Counts): number => Object.values(counts).reduce((sum, one) => sum + one, 0);

export function RunTable({
  runs,
  withCampaign = true,
  filtered = false,
}: {
  runs: readonly RunSummary[];
  withCampaign?: boolean;
  filtered?: boolean;
}) {
  const t = useWords(runWords);
  const format = useFormat();
  return (
    <Table
      caption={t.title}
      rows={runs}
      columns={[
        {
          heading: t.occurrence,
          cell: ({ id, occurrence }) => (
            <a href={`/runs/${id}`}>
              <Time at={occurrence} />
            </a>
          ),
        },
        ...(withCampaign
          ? [
              {
                heading: t.campaign,
                cell: ({ campaignId, campaignName }: RunSummary) => (
                  <a href={`/campaigns/${campaignId}`}>{campaignName}</a>
                ),
              },
            ]
          : []),
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
      ]}
      empty={
        <Empty
          icon="runs"
          title={filtered ? t.nothingFound : t.empty}
          text={filtered ? t.nothingFoundText : t.emptyText}
        />
      }
    />
  );
}
