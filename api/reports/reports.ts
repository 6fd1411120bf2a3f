import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Sql } from '../../db/core/client.ts';
import {
  countedAt,
  countedCampaigns,
  providersLeftOut,
  readReasons,
  readReport,
  type ReasonRow,
  readTotal,
  type ReportRow,
} from '../../db/reports/report.ts';
import { lastRunFigures } from '../../db/reports/runs.ts';
import { lastDays } from '../../domain/calendar.ts';
import { messageStatuses } from '../../domain/message.ts';
import {
  type Breakdown,
  breakdowns,
  chartKeys,
  chartStep,
  type Period,
  periodBefore,
  periodPresets,
  presetPeriod,
} from '../../domain/report.ts';
import type { Format } from '../../domain/format.ts';
import { messageReasonWords, messageStatusWords } from '../../domain/problems/states.ts';
import { runStatuses, runTriggers } from '../../domain/run.ts';
import { reportLabels } from '../../domain/words/reports.ts';
import { type CsvColumn, csvCode, csvQuery, csvRoute, csvSentence, sendRows } from '../http/csv.ts';
import { instant } from '../http/instant.ts';
import { urlId } from '../http/parameters.ts';
import { addFigures, type Figures, figuresView, viewFigures } from './view.ts';

const tags = ['reports'];

const scope = z.strictObject({
  /** A period that ends today, or the last month; by default `last_30`. `from` and `to` override it. */
  period: z.enum(periodPresets).optional(),
  /** The first day; by default 29 days before the last one. */
  from: z.iso.date().optional(),
  /** The last day; by default today. */
  to: z.iso.date().optional(),
  campaignId: urlId.optional(),
  regionId: urlId.optional(),
  customerTypeId: urlId.optional(),
  providerId: urlId.optional(),
});

const periodView = z.object({ from: z.iso.date(), to: z.iso.date() });

const reportRowView = z.object({
  /** An id, a day, the first day of a month, or an hour (0 to 23); null: no campaign, region, customer type or provider. */
  key: z.string().nullable(),
  name: z.string().nullable(),
  figures: figuresView,
});

export const reportView = z.object({
  period: periodView,
  /** The period of `previous`. */
  before: periodView,
  /** The time zone of days and hours: that of the deployment. */
  timezone: z.string(),
  /** The figures include everything until this time; null: nothing has been counted yet. */
  countedAt: instant.nullable(),
  /** Whether sandboxes are left out, because there are other providers. */
  sandboxesLeftOut: z.boolean(),
  total: figuresView,
  previous: figuresView,
  rows: z.array(reportRowView),
  /** The sum of the rows beyond `limit`; null: none. The row without a key is never among them. */
  others: z.object({ count: z.int(), figures: figuresView }).nullable(),
  /** All steps of the period, including empty ones. */
  chart: z.object({
    step: z.enum(['hour', 'day', 'month']),
    bars: z.array(z.object({ key: z.string(), figures: figuresView })),
  }),
});

export const reasonsView = z.object({
  period: periodView,
  reasons: z.array(z.object({ status: z.enum(messageStatuses), reason: z.string(), messages: z.int() })),
});

const campaignsListed = 1_000;
export const countedCampaignsView = z.object({
  campaigns: z.array(z.object({ id: z.int(), name: z.string() })),
});

export const runFiguresView = z.object({
  runs: z.array(
    z.object({
      id: z.int(),
      occurrence: instant,
      trigger: z.enum(runTriggers),
      status: z.enum(runStatuses),
      /** From the first message to the end of the run, or until now. */
      sendingMs: z.int(),
      figures: figuresView,
    }),
  ),
});

interface ReportsDeps {
  sql: Sql;
  /** ISO 4217 */
  currency: string;
  timezone: string;
  clock: () => Date;
}

/** Reports from stored counts; no request reads messages. */
export const reports: FastifyPluginAsyncZod<ReportsDeps> = async (
  app,
  { sql, currency, timezone, clock },
) => {
  /** If `to` is before `from`, they are swapped. */
  const periodOf = ({ period, from, to }: Pick<z.output<typeof scope>, 'period' | 'from' | 'to'>): Period => {
    const [today] = lastDays(clock().getTime(), timezone, 1);
    if (period !== undefined && from === undefined && to === undefined)
      return presetPeriod(period, today?.day ?? '');
    const last = to ?? today?.day ?? '';
    const first = from ?? presetPeriod('last_30', last).from;
    return first <= last ? { from: first, to: last } : { from: last, to: first };
  };
  /** The scope of a query. A requested provider counts even if it is a sandbox. */
  const scopeOf = async ({ period, from, to, ...filter }: z.output<typeof scope>) => ({
    ...filter,
    ...periodOf({ period, from, to }),
    without: filter.providerId === undefined ? await providersLeftOut(sql) : [],
  });

  app.get(
    '/reports',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get the report of a period',
        description:
          'Returns what was sent, the outcomes, the costs and the replies. The figures come from hourly counts. They are corrected within minutes, however late a receipt arrives, and stay when the retention period of the messages ends. A message counts in the hour in which it was last passed to a provider, or, if it never was, in the hour in which its mailing was read. Replies count when they arrive, tickets when they are opened. A reply to no known message belongs to no campaign, region or customer type; it is in a row without a key. Dry runs and test sends never count. Messages through the sandbox count only if it is the only provider or if you request it. `previous` has the figures of the previous period: the same number of whole months, the same days of the previous month, or the same number of days.',
        querystring: scope.extend({
          by: z.enum(breakdowns).default('campaign'),
          limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
        }),
        response: { 200: reportView },
      },
    },
    async (request) => {
      const { by, limit, ...query } = request.query;
      const within = await scopeOf(query);
      const period = { from: within.from, to: within.to };
      const before = periodBefore(period);
      const step = chartStep(period);
      const [rows, steps, previous, at] = await Promise.all([
        readReport(sql, within, by),
        by === step ? null : readReport(sql, within, step),
        readTotal(sql, { ...within, ...before }),
        countedAt(sql),
      ]);
      const figuresAt = new Map((steps ?? rows).map((row) => [row.key, row]));
      // The row without a key is always shown: users look for it, and it is only one.
      const isShown = ({ key }: ReportRow, index: number): boolean => index < limit || key === null;
      const others = rows.filter((row, index) => !isShown(row, index));
      const view = (row: ReportRow) => ({
        key: row.key,
        name: row.name,
        figures: viewFigures(row, currency),
      });
      return {
        period,
        before,
        timezone,
        countedAt: at,
        sandboxesLeftOut: within.without.length > 0,
        total: viewFigures(addFigures(rows), currency),
        previous: viewFigures(previous, currency),
        rows: rows.filter(isShown).map(view),
        others:
          others.length === 0
            ? null
            : { count: others.length, figures: viewFigures(addFigures(others), currency) },
        chart: {
          step,
          bars: chartKeys(period).map((key) => ({
            key,
            figures: viewFigures(figuresAt.get(key) ?? addFigures([]), currency),
          })),
        },
      };
    },
  );

  app.get(
    '/reports/reasons',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary:
          'List the reasons why messages of a period were not sent or not delivered, most frequent first',
        description: 'Uses the same counts, days and parameters as `GET /api/reports`.',
        querystring: scope,
        response: { 200: reasonsView },
      },
    },
    async (request) => {
      const within = await scopeOf(request.query);
      const { from, to } = within;
      return { period: { from, to }, reasons: await readReasons(sql, within) };
    },
  );

  app.get(
    '/reports/reasons.csv',
    csvRoute({
      access: 'viewer',
      tags,
      summary: 'Download the reasons of a period as a CSV file',
      querystring: scope.extend(csvQuery),
    }),
    async (request, reply) => {
      const { format, ...query } = request.query;
      const within = await scopeOf(query);
      const rows = await readReasons(sql, within);
      const days = `${within.from}-${within.to}`;
      return sendRows(request, reply, {
        format,
        name: { en: `reasons-${days}`, 'pt-BR': `motivos-${days}` },
        columns: reasonColumnsIn,
        read: async (last) => (last === undefined ? rows : []),
      });
    },
  );

  app.get(
    '/reports/campaigns',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the first 1,000 campaigns that have figures, by name',
        response: { 200: countedCampaignsView },
      },
    },
    async () => ({ campaigns: await countedCampaigns(sql, campaignsListed) }),
  );

  app.get(
    '/reports/runs',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Compare the last runs of a campaign, newest first',
        description:
          'Includes runs that have read their mailing, except dry runs. Message counts are current; replies, tickets and costs are from the last count. `cost.segments` is less than `segments` until all segments are counted.',
        querystring: z.strictObject({
          campaignId: urlId,
          limit: z.coerce.number().int().min(1).max(50).default(10),
        }),
        response: { 200: runFiguresView },
      },
    },
    async (request) => {
      const { campaignId, limit } = request.query;
      const rows = await lastRunFigures(sql, campaignId, limit);
      return {
        runs: rows.map(({ id, occurrence, trigger, status, sendingMs, countedSegments, ...figures }) => ({
          id,
          occurrence,
          trigger,
          status,
          sendingMs: Math.max(0, Math.round(sendingMs)),
          figures: viewFigures(figures, currency, countedSegments),
        })),
      };
    },
  );

  app.get(
    '/reports.csv',
    csvRoute({
      access: 'viewer',
      tags,
      summary: 'Download the rows of a report as a CSV file',
      querystring: scope.extend({ by: z.enum(breakdowns).default('campaign'), ...csvQuery }),
    }),
    async (request, reply) => {
      const { by, format, ...query } = request.query;
      const within = await scopeOf(query);
      const rows = await readReport(sql, within, by);
      const days = `${within.from}-${within.to}`;
      return sendRows(request, reply, {
        format,
        name: { en: `report-${days}`, 'pt-BR': `relatorio-${days}` },
        columns: (inFormat) => columnsIn(inFormat, by),
        read: async (last) =>
          last === undefined ? rows.map((row) => ({ ...row, figures: viewFigures(row, currency) })) : [],
      });
    },
  );
};

const reasonColumnsIn = ({ locale }: Format): readonly CsvColumn<ReasonRow>[] => {
  const t = reportLabels[locale];
  const words = messageReasonWords[locale];
  return [
    ['reason', t.reason, ({ reason }) => csvSentence(reason, words[reason] ?? reason)],
    ['status', t.status, ({ status }) => csvCode(status, messageStatusWords[locale])],
    ['messages', t.messages, ({ messages }) => messages],
  ];
};

type CsvRow = Pick<ReportRow, 'key' | 'name'> & { figures: Figures };

function columnsIn(format: Format, by: Breakdown): readonly CsvColumn<CsvRow>[] {
  const { figures: t, by: nouns, none } = reportLabels[format.locale];
  const isNamed = by !== 'day' && by !== 'month' && by !== 'hour';
  const first: CsvColumn<CsvRow>[] = isNamed
    ? [
        ['id', null, ({ key }) => key],
        [by, nouns[by], ({ key, name }) => (key === null ? csvSentence('', none[by]) : name)],
      ]
    : [
        [
          by,
          nouns[by],
          ({ key }) => {
            if (key === null) return null;
            return csvSentence(key, by === 'hour' ? `${key.padStart(2, '0')}:00` : format.calendarDate(key));
          },
        ],
      ];
  const numbers = [
    'lines',
    'toSend',
    'accepted',
    'delivered',
    'undelivered',
    'sent',
    'failed',
    'unknown',
    'queued',
    'cancelled',
    'skipped',
    'replies',
    'optOuts',
    'tickets',
    'answered',
    'firstAnswerSeconds',
    'segments',
    'unknownSegments',
  ] as const;
  return [
    ...first,
    ...numbers.map((name): CsvColumn<CsvRow> => [snake(name), t[name], ({ figures }) => figures[name]]),
    ['cost', t.cost, ({ figures }) => figures.cost.millionths / 1_000_000],
    ['currency', t.currency, ({ figures }) => figures.cost.currency],
    ['segments_without_price', t.unpriced, ({ figures }) => figures.cost.unpriced],
  ];
}

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
