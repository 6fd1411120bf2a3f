import type { z } from 'zod';
import type { runFiguresView } from '../../api/reports/reports.ts';
import { Card, Table, Time } from '../kit/parts.tsx';
import { urlOf } from '../kit/api.ts';
import { RunState, type RunSummary } from '../runs/parts.tsx';
import { useFormat, useWords } from '../kit/view.tsx';
import { OutcomeBars, useCostWords } from './figures.tsx';
import { reportWords } from './words.ts';

export type RunFigures = z.output<typeof runFiguresView>['runs'][number];

/** The last runs of a campaign side by side; nothing before the first. `present` are its newest ones, with their states. */
export function RecentRuns({
  campaignId,
  runs,
  present,
}: {
  campaignId: number;
  runs: readonly RunFigures[];
  present: readonly RunSummary[];
}) {
  const t = useWords(reportWords);
  const format = useFormat();
  const costWords = useCostWords();
  if (runs.length === 0) return null;
  const share = (part: number, whole: number): string => (whole === 0 ? '—' : format.percent(part / whole));
  const isAny = (name: 'unknown' | 'optOuts' | 'tickets' | 'segments') =>
    runs.some(({ figures }) => figures[name] > 0);
  return (
    <div class="dense mt-3">
      <Card
        title={t.recent}
        actions={
          <a class="btn btn-sm" href={urlOf('/reports', { campaignId, by: 'day' })}>
            {t.toReport}
          </a>
        }
      >
        <OutcomeBars
          label={t.recent}
          bars={runs.toReversed().map(({ occurrence, figures }) => ({
            label: format.date(occurrence).slice(0, 5),
            long: format.dateTime(occurrence),
            figures,
          }))}
          help={t.recentHelp}
        />
      </Card>
      <Table
        caption={t.recent}
        rows={runs}
        columns={[
          {
            heading: t.run,
            cell: ({ id, occurrence }) => (
              <a href={`/runs/${id}`}>
                <Time at={occurrence} />
              </a>
            ),
          },
          {
            heading: t.state,
            wide: true,
            cell: (run) => <RunState run={present.find(({ id }) => id === run.id) ?? run} />,
          },
          {
            heading: t.figures.accepted,
            numeric: true,
            cell: ({ figures }) => format.number(figures.accepted),
          },
          {
            heading: t.rates.delivered,
            numeric: true,
            cell: ({ figures: { delivered, accepted } }) => share(delivered, accepted),
          },
          {
            heading: t.rates.undelivered,
            numeric: true,
            cell: ({ figures: { undelivered, accepted } }) => share(undelivered, accepted),
          },
          {
            heading: t.rates.unknown,
            numeric: true,
            shown: isAny('unknown'),
            cell: ({ figures: { unknown, toSend } }) => share(unknown, toSend),
          },
          {
            heading: t.rates.replies,
            numeric: true,
            cell: ({ figures: { replies, accepted } }) => share(replies, accepted),
          },
          ...(['optOuts', 'tickets', 'segments'] as const).map((name) => ({
            heading: t.figures[name],
            numeric: true,
            shown: isAny(name),
            cell: ({ figures }: RunFigures) => format.number(figures[name]),
          })),
          { heading: t.figures.cost, numeric: true, cell: ({ figures }) => costWords(figures) },
          {
            heading: t.duration,
            numeric: true,
            cell: ({ sendingMs }) => format.duration(sendingMs),
          },
        ]}
        empty={null}
      />
    </div>
  );
}
