import type { ComponentChildren } from 'preact';

/** The colors of a chart's parts in both themes: Tabler's names. */
export type ChartColor = 'green' | 'blue' | 'yellow' | 'red' | 'primary';

export interface Series {
  label: string;
  color: ChartColor;
  /** One for each column. */
  values: readonly number[];
}

/** The legend: for every reader, with or without the chart. */
const Legend = ({ series }: { series: readonly Pick<Series, 'label' | 'color'>[] }) => (
  <ul class="legend">
    {series.map(({ label, color }) => (
      <li key={label}>
        <span class={`legend-mark bg-${color}`} aria-hidden="true" />
        {label}
      </li>
    ))}
  </ul>
);

/**
 * Stacked bars drawn by charts.js; the table beside the chart contains the same data. `captions` describes the column under
 * the pointer.
 */
export function Bars({
  label,
  labels,
  series,
  captions,
  children,
}: {
  label: string;
  labels: readonly string[];
  series: readonly Series[];
  captions: readonly string[];
  /** The text below the chart while the pointer is elsewhere. */
  children: ComponentChildren;
}) {
  return (
    <>
      <Legend series={series} />
      <div
        class="chart"
        role="img"
        aria-label={label}
        hidden
        data-bars={JSON.stringify({ labels, series, captions })}
      />
      <p class="form-hint">{children}</p>
    </>
  );
}

/** A line over time: how many messages left in each second, and how many failed. */
export function Rates({
  label,
  sent,
  failed,
  timeZone,
  samples,
  children,
}: {
  label: string;
  sent: string;
  failed: string;
  timeZone: string;
  /** Milliseconds since 1970, messages, failures: both since the beginning, oldest first. */
  samples: readonly (readonly [at: number, messages: number, failed: number])[];
  children: ComponentChildren;
}) {
  return (
    <>
      <Legend
        series={[
          { label: sent, color: 'primary' },
          { label: failed, color: 'red' },
        ]}
      />
      <div
        class="chart"
        role="img"
        aria-label={label}
        hidden
        data-samples={JSON.stringify(samples.map(([at, ...counts]) => [at / 1000, ...counts]))}
        data-time-zone={timeZone}
        data-sent-words={sent.toLowerCase()}
        data-failed-words={failed.toLowerCase()}
      />
      <p class="form-hint">{children}</p>
    </>
  );
}
