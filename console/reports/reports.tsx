import type { FastifyPluginAsync } from 'fastify';
import type { ComponentChildren } from 'preact';
import { z } from 'zod';
import { countedCampaignsView, reasonsView, reportView } from '../../api/reports/reports.ts';
import type { Figures } from '../../api/reports/view.ts';
import { messageReasonWords, messageStatusWords } from '../../domain/problems/states.ts';
import { type Breakdown, breakdowns, periodPresets } from '../../domain/report.ts';
import { type Api, urlOf } from '../kit/api.ts';
import { providersOf, settingsOfCustomers } from '../kit/choices.ts';
import { labeled, type Option } from '../kit/fields.tsx';
import { Filters } from '../kit/filters.tsx';
import { Icon } from '../kit/icons.tsx';
import { Page } from '../kit/layout.tsx';
import { Card, Empty, Table } from '../kit/parts.tsx';
import { addPage } from '../kit/routes.ts';
import { common } from '../kit/words.ts';
import { useFormat, useView, useWords } from '../kit/view.tsx';
import { Headlines, OutcomeBars, type Report, useFigureColumns } from './figures.tsx';
import { reportWords } from './words.ts';

const path = '/reports';
/** Rows of the table; the file has all. */
const rowsShown = 50;

const breakdownChoices = [...breakdowns, 'reason'] as const;

const id = z
  .string()
  .regex(/^\d{1,15}$/)
  .optional()
  .catch(undefined);
const filter = z.object({
  period: z
    .enum([...periodPresets, 'own'])
    .optional()
    .catch(undefined),
  from: z.iso.date().optional().catch(undefined),
  to: z.iso.date().optional().catch(undefined),
  by: z.enum(breakdownChoices).optional().catch(undefined),
  campaignId: id,
  regionId: id,
  customerTypeId: id,
  providerId: id,
});
type Filter = z.output<typeof filter>;

type Choices = Awaited<ReturnType<typeof choicesOf>>;
type Reasons = z.output<typeof reasonsView>['reasons'];

/** Reports: what was sent in a period, what became of it, what it cost. */
export const reports: FastifyPluginAsync = async (app) => {
  addPage(app, path, 'viewer', async ({ api, query: asked }) => {
    const { by = 'campaign', period, from, to, ...scope } = filter.parse(asked);
    // The dates that the form submits beside a preset do not count; those of a link without a preset do.
    const isOwn = period === 'own' || (period === undefined && (from !== undefined || to !== undefined));
    const preset = period === undefined || period === 'own' ? 'last_30' : period;
    const query = { ...(isOwn ? { from, to } : { period: preset }), ...scope };
    const shown: Filter = { ...scope, by, ...(isOwn ? { period: 'own', from, to } : { period: preset }) };
    const [report, reasons, options] = await Promise.all([
      api.get('/api/reports', reportView, {
        ...query,
        by: by === 'reason' ? 'campaign' : by,
        limit: rowsShown,
      }),
      by === 'reason' ? api.get('/api/reports/reasons', reasonsView, query) : null,
      choicesOf(api),
    ]);
    return (
      <ReportPage
        report={report}
        reasons={reasons?.reasons ?? null}
        filter={shown}
        choices={options}
        file={
          by === 'reason'
            ? urlOf('/api/reports/reasons.csv', query)
            : urlOf('/api/reports.csv', { ...query, by })
        }
      />
    );
  });
};

async function choicesOf(api: Api) {
  const [settings, providers, { campaigns }] = await Promise.all([
    settingsOfCustomers(api),
    providersOf(api),
    api.get('/api/reports/campaigns', countedCampaignsView),
  ]);
  return { ...settings, providers, campaigns };
}

function ReportPage({
  report,
  reasons,
  filter,
  choices,
  file,
}: {
  report: Report;
  reasons: Reasons | null;
  filter: Filter;
  choices: Choices;
  /** The same rows as a CSV file. */
  file: string;
}) {
  const t = useWords(reportWords);
  const words = useWords(common);
  const format = useFormat();
  const { period, before, total, previous, chart } = report;
  const days = (of: { from: string; to: string }): string =>
    t.days(format.calendarDate(of.from), format.calendarDate(of.to));
  const isEmpty = total.lines + total.replies + total.tickets === 0;
  const keyWords = useKeyWords();
  return (
    <Page
      title={t.title}
      section="reports"
      chart
      actions={
        <>
          <button type="button" class="btn" data-print="" hidden>
            {t.print}
          </button>
          <a class="btn" href={file} download>
            <Icon name="download" /> {words.download}
          </a>
        </>
      }
    >
      <ReportFilters filter={filter} choices={choices} period={period} />
      <p class="report-period">
        <strong>{days(period)}</strong>
        <Narrowed filter={filter} choices={choices} />. {t.comparedTo(days(before))}
      </p>
      {isEmpty ? (
        <div class="card mb-3">
          <Empty icon="reports" title={t.empty} text={t.emptyText} />
        </div>
      ) : (
        <>
          <Headlines total={total} previous={previous} />
          <Card title={t.chart[chart.step]}>
            <OutcomeBars
              label={t.chart[chart.step]}
              bars={chart.bars.map(({ key, figures }) => ({
                label: keyWords(chart.step, key, true),
                long: keyWords(chart.step, key),
                figures,
              }))}
              help={t.chartHelp}
            />
          </Card>
          <h2 class="h3 section-title">{t.table}</h2>
          {reasons !== null ? (
            <ReasonTable reasons={reasons} />
          ) : (
            <FigureTable
              report={report}
              filter={filter}
              by={filter.by === 'reason' ? 'campaign' : (filter.by ?? 'campaign')}
            />
          )}
        </>
      )}
      <Notes report={report} />
    </Page>
  );
}

/** The words for a row's day, month or hour. */
function useKeyWords() {
  const format = useFormat();
  const { locale } = useView();
  return (step: 'hour' | 'day' | 'month', key: string, short = false): string => {
    if (step === 'hour') return short ? key : `${key.padStart(2, '0')}:00–${key.padStart(2, '0')}:59`;
    if (step === 'day') return short ? format.calendarDate(key).slice(0, 5) : format.calendarDate(key);
    const month = new Intl.DateTimeFormat(locale, {
      timeZone: 'UTC',
      month: short ? 'short' : 'long',
      year: short ? '2-digit' : 'numeric',
    });
    return month.format(new Date(`${key}T00:00Z`));
  };
}

/** What a report can be narrowed to. */
function useNarrowing({ campaigns, regions, customerTypes, providers }: Choices) {
  const { by } = useWords(reportWords);
  const optionsOf = (list: readonly { id: number; name: string }[]): Option[] =>
    list.map(({ id, name }) => ({ value: String(id), label: name }));
  return [
    { name: 'campaignId', label: by.campaign, options: optionsOf(campaigns) },
    { name: 'regionId', label: by.region, options: optionsOf(regions) },
    { name: 'customerTypeId', label: by.customerType, options: optionsOf(customerTypes) },
    { name: 'providerId', label: by.provider, options: optionsOf(providers) },
  ] as const;
}

/** The chosen filters in words, also on paper. */
function Narrowed({ filter, choices }: { filter: Filter; choices: Choices }) {
  const t = useWords(reportWords);
  const chosen = useNarrowing(choices).flatMap(({ name, label, options }) => {
    const option = options.find(({ value }) => value === filter[name]);
    return option ? [`${label.toLowerCase()} ${option.label}`] : [];
  });
  return chosen.length === 0 ? null : (
    <>
      . {t.filteredBy} {chosen.join(', ')}
    </>
  );
}

function ReportFilters({
  filter,
  choices,
  period,
}: {
  filter: Filter;
  choices: Choices;
  period: Report['period'];
}) {
  const t = useWords(reportWords);
  const breakdownLabels = { ...t.by, reason: t.reason };
  return (
    <Filters
      action={path}
      query={{ ...filter, from: period.from, to: period.to }}
      filters={[
        {
          name: 'period',
          label: t.period,
          required: true,
          options: labeled([...periodPresets, 'own'], { ...t.presets, own: t.ownDates }),
        },
        { name: 'from', label: t.from, type: 'date', when: 'period=own' },
        { name: 'to', label: t.to, type: 'date', when: 'period=own' },
        ...useNarrowing(choices),
        {
          name: 'by',
          label: t.breakdown,
          required: true,
          options: labeled(breakdownChoices, breakdownLabels),
        },
      ]}
      button={t.show}
    />
  );
}

interface TableRow {
  id: string;
  label: ComponentChildren;
  figures: Figures;
}

/** A row for each part, and their total, which is that of the whole report. */
function FigureTable({ report, filter, by }: { report: Report; filter: Filter; by: Breakdown }) {
  const t = useWords(reportWords);
  const format = useFormat();
  const columns = useFigureColumns<TableRow>(report.total);
  const keyWords = useKeyWords();
  const nameOf = ({ key, name }: Report['rows'][number]): ComponentChildren => {
    if (by === 'day' || by === 'month' || by === 'hour') return keyWords(by, key ?? '');
    if (key === null) return t.none[by];
    // On to the days of this one.
    const href = urlOf(path, { ...filter, [`${by}Id`]: key, by: by === 'campaign' ? 'day' : 'campaign' });
    const shown = (
      <span class="clamped" title={name ?? ''}>
        {name}
      </span>
    );
    return filter[`${by}Id`] === undefined ? <a href={href}>{shown}</a> : shown;
  };
  const rows: TableRow[] = report.rows.map((row) => ({
    id: row.key ?? 'none',
    label: nameOf(row),
    figures: row.figures,
  }));
  if (report.others)
    rows.push({
      id: 'others',
      label: t.others(format.number(report.others.count)),
      figures: report.others.figures,
    });
  rows.push({ id: 'total', label: <strong>{t.total}</strong>, figures: report.total });
  return (
    <div class="dense">
      <Table
        caption={`${t.table}: ${t.by[by]}`}
        rows={rows}
        columns={[{ heading: t.by[by], cell: ({ label }) => label }, ...columns]}
        empty={null}
      />
    </div>
  );
}

function ReasonTable({ reasons }: { reasons: Reasons }) {
  const t = useWords(reportWords);
  const { locale, format } = useView();
  const total = reasons.reduce((all, { messages }) => all + messages, 0);
  if (total === 0) return <p class="text-secondary">{t.noReasons}</p>;
  const reasonWords: Readonly<Record<string, string>> = messageReasonWords[locale];
  const rows = [
    ...reasons.map(({ status, reason, messages }) => ({
      id: `${status} ${reason}`,
      reason: <>{reasonWords[reason] ?? reason}</>,
      status: messageStatusWords[locale][status],
      messages,
    })),
    { id: 'total', reason: <strong>{t.total}</strong>, status: '', messages: total },
  ];
  return (
    <Table
      caption={`${t.table}: ${t.reason}`}
      rows={rows}
      columns={[
        { heading: t.reason, cell: ({ reason }) => reason },
        { heading: t.status, cell: ({ status }) => status },
        { heading: t.messages, numeric: true, cell: ({ messages }) => format.number(messages) },
        { heading: t.share, numeric: true, cell: ({ messages }) => format.percent(messages / total) },
      ]}
      empty={null}
    />
  );
}

function Notes({ report: { timezone, countedAt, sandboxesLeftOut } }: { report: Report }) {
  const t = useWords(reportWords);
  const format = useFormat();
  return (
    <details class="report-notes" open>
      <summary>{t.notes}</summary>
      <p>
        {countedAt === null ? t.notCounted : t.counted(format.dateTime(countedAt))}{' '}
        {t.inZone(format.zone(timezone))}
      </p>
      <p>{t.adds}</p>
      <p>
        {t.leftOut} {sandboxesLeftOut && t.sandboxes} {t.costs}
      </p>
    </details>
  );
}
