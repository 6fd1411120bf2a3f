import type { z } from 'zod';
import type { reportView } from '../../api/reports/reports.ts';
import type { Figures } from '../../api/reports/view.ts';
import { isPriced } from '../../domain/price.ts';
import { Bars, type Series } from '../kit/charts.tsx';
import type { Column } from '../kit/parts.tsx';
import { useFormat, useWords } from '../kit/view.tsx';
import { reportWords } from './words.ts';
import { sumOf } from '../runs/parts.tsx';
import type { MessageStatus } from '../../domain/message.ts';

export type Report = z.output<typeof reportView>;

/** The amount, or why there is none. */
export function useCostWords() {
  const t = useWords(reportWords);
  const format = useFormat();
  return ({ cost, segments }: Pick<Figures, 'cost' | 'segments'>): string => {
    if (cost.segments === 0) return segments === 0 ? format.money(0, cost.currency) : t.notCountedYet;
    return isPriced(cost) ? format.money(cost.millionths, cost.currency) : t.noPrice;
  };
}

/** The headline figures, each against the period before, in words. */
export function Headlines({ total, previous }: Pick<Report, 'total' | 'previous'>) {
  const t = useWords(reportWords);
  const format = useFormat();
  const costWords = useCostWords();
  const share = (part: number, whole: number, words: (percent: string) => string): string =>
    whole === 0 ? '' : words(format.percent(part / whole));
  const counts = (
    name: 'toSend' | 'accepted' | 'delivered' | 'unknown' | 'replies' | 'optOuts' | 'tickets' | 'segments',
  ) => ({
    label: t.figures[name],
    value: format.number(total[name]),
    change: useChange(total[name], previous[name], format.number(previous[name])),
  });
  const failed = total.failed + total.undelivered;
  const failedBefore = previous.failed + previous.undelivered;
  const duration = (seconds: number | null): string =>
    seconds === null ? '—' : format.duration(seconds * 1000);
  const priced = isPriced(total.cost) && isPriced(previous.cost);
  const figures = [
    counts('toSend'),
    { ...counts('accepted'), note: share(total.accepted, total.toSend, t.ofToSend) },
    { ...counts('delivered'), note: share(total.delivered, total.accepted, t.ofAccepted) },
    {
      label: t.series.failed,
      value: format.number(failed),
      change: useChange(failed, failedBefore, format.number(failedBefore)),
      note: share(failed, total.toSend, t.ofToSend),
    },
    { ...counts('unknown'), note: share(total.unknown, total.toSend, t.ofToSend) },
    { ...counts('replies'), note: share(total.replies, total.accepted, t.ofAccepted) },
    { ...counts('optOuts'), note: share(total.optOuts, total.accepted, t.ofAccepted) },
    counts('tickets'),
    {
      label: t.figures.firstAnswer,
      value: duration(total.firstAnswerSeconds),
      change:
        total.firstAnswerSeconds === null || previous.firstAnswerSeconds === null
          ? t.before(duration(previous.firstAnswerSeconds))
          : useChange(
              total.firstAnswerSeconds,
              previous.firstAnswerSeconds,
              duration(previous.firstAnswerSeconds),
              { more: t.longer, less: t.shorter },
            ),
    },
    counts('segments'),
    {
      label: t.figures.cost,
      value: costWords(total),
      change: priced
        ? useChange(total.cost.millionths, previous.cost.millionths, costWords(previous))
        : t.before(costWords(previous)),
      note:
        isPriced(total.cost) && total.cost.unpriced > 0
          ? t.partlyPriced(format.number(total.cost.unpriced))
          : '',
    },
  ];
  return (
    <dl class="figures">
      {figures.map(({ label, value, change, ...more }) => (
        <div key={label} class="card figure">
          <dt class="figure-label">{label}</dt>
          <dd class="figure-value mb-0">
            {value}
            {'note' in more && more.note !== '' && <small>{more.note}</small>}
            <small>{change}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** The change in words: `12% more than before (1,100)`. */
function useChange(
  now: number,
  before: number,
  beforeWords: string,
  words?: {
    more: (percent: string, before: string) => string;
    less: (percent: string, before: string) => string;
  },
): string {
  const t = useWords(reportWords);
  const format = useFormat();
  const { more, less } = words ?? t;
  if (now === before) return t.same(beforeWords);
  if (before === 0) return t.before(beforeWords);
  const percent = format.number(Math.abs(now - before) / before, {
    style: 'percent',
    maximumFractionDigits: now > before && now < 10 * before ? 1 : 0,
  });
  return now > before ? more(percent, beforeWords) : less(percent, beforeWords);
}

/** The parts of a bar, from the bottom; only tables show messages that were left out or not yet sent. */
export const drawn = [
  ['delivered', 'green', ['delivered']],
  ['sent', 'blue', ['sent']],
  ['unknown', 'yellow', ['unknown']],
  ['failed', 'red', ['failed', 'undelivered']],
] as const satisfies readonly (readonly [string, Series['color'], readonly MessageStatus[]])[];

/** What became of messages: a stacked bar for each of `bars`. */
export function OutcomeBars({
  label,
  bars,
  help,
}: {
  label: string;
  bars: readonly { label: string; long: string; figures: Readonly<Partial<Record<MessageStatus, number>>> }[];
  help: string;
}) {
  const t = useWords(reportWords);
  const format = useFormat();
  return (
    <Bars
      label={label}
      labels={bars.map((bar) => bar.label)}
      series={drawn.map(([name, color, statuses]) => ({
        label: t.series[name],
        color,
        values: bars.map(({ figures }) => sumOf(figures, ...statuses)),
      }))}
      captions={bars.map(
        ({ long, figures }) =>
          `${long}: ${drawn
            .map(
              ([name, , statuses]) =>
                `${t.series[name].toLowerCase()} ${format.number(sumOf(figures, ...statuses))}`,
            )
            .join(', ')}`,
      )}
    >
      {help}
    </Bars>
  );
}

/**
 * The columns of a table of figures, after those that name its rows. What is zero in all rows is left out: the
 * others still add up.
 */
export function useFigureColumns<T extends { figures: Figures }>(total: Figures): Column<T>[] {
  const t = useWords(reportWords);
  const format = useFormat();
  const costWords = useCostWords();
  const count = (name: Exclude<keyof Figures, 'firstAnswerSeconds' | 'cost'>, wide = false): Column<T> => ({
    heading: t.figures[name],
    numeric: true,
    wide,
    cell: ({ figures }) => format.number(figures[name]),
  });
  const ifAny = (name: Parameters<typeof count>[0], wide = false): Column<T> => ({
    ...count(name, wide),
    shown: total[name] !== 0,
  });
  return [
    count('toSend'),
    count('accepted'),
    {
      heading: t.figures.delivered,
      numeric: true,
      cell: ({ figures: { delivered, accepted } }) => (
        <>
          {format.number(delivered)}
          {accepted > 0 && <small class="share"> {format.percent(delivered / accepted)}</small>}
        </>
      ),
    },
    ifAny('undelivered'),
    ifAny('sent', true),
    count('failed'),
    ifAny('unknown'),
    ifAny('queued', true),
    ifAny('cancelled', true),
    count('skipped', true),
    count('replies'),
    ifAny('optOuts'),
    ifAny('tickets'),
    {
      heading: t.figures.firstAnswer,
      numeric: true,
      shown: total.firstAnswerSeconds !== null,
      cell: ({ figures: { firstAnswerSeconds: seconds } }) =>
        seconds === null ? '—' : format.duration(seconds * 1000),
    },
    count('segments'),
    { heading: t.figures.cost, numeric: true, cell: ({ figures }) => costWords(figures) },
  ];
}
