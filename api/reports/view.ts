import { z } from 'zod';
import type { FigureRow } from '../../db/reports/report.ts';
import { cost } from '../../domain/price.ts';

/** The figures of one row of a report. Each message counts in exactly one status. */
export const figuresView = z.object({
  /** Lines of the mailings. */
  lines: z.int(),
  /** Lines that were not skipped. */
  toSend: z.int(),
  /** Accepted by the provider: the sum of `sent`, `delivered` and `undelivered`. */
  accepted: z.int(),
  queued: z.int(),
  /** Accepted, without a receipt yet. */
  sent: z.int(),
  delivered: z.int(),
  undelivered: z.int(),
  failed: z.int(),
  unknown: z.int(),
  skipped: z.int(),
  cancelled: z.int(),
  /** Segments that the provider accepted. */
  segments: z.int(),
  /** Segments that the provider may have accepted (`unknown`); not included in `segments` and `cost`. */
  unknownSegments: z.int(),
  cost,
  /** Replies to messages of the runs; in the row without a key, replies to no known message. */
  replies: z.int(),
  /** Of the replies, those that opted the phone out. */
  optOuts: z.int(),
  /** Tickets of the runs, by when they were opened. */
  tickets: z.int(),
  /** Tickets with a first answer. */
  answered: z.int(),
  /** The mean time from the opening to the first answer of answered tickets; null: none was answered. */
  firstAnswerSeconds: z.int().nullable(),
});
export type Figures = z.output<typeof figuresView>;

/** `countedSegments`: the segments that `cost` includes. */
export function viewFigures(row: FigureRow, currency: string, countedSegments = row.segments): Figures {
  const { unknownSegments, unpricedSegments, answerSeconds, cost: millionths, ...figures } = row;
  const accepted = row.sent + row.delivered + row.undelivered;
  const toSend = accepted + row.queued + row.failed + row.unknown + row.cancelled;
  return {
    ...figures,
    lines: toSend + row.skipped,
    toSend,
    accepted,
    unknownSegments,
    cost: { currency, segments: countedSegments, millionths, unpriced: unpricedSegments },
    firstAnswerSeconds: row.answered === 0 ? null : Math.round(answerSeconds / row.answered),
  };
}

/** The sum of several rows. */
export function addFigures(rows: readonly FigureRow[]): FigureRow {
  const sum = { ...zeros };
  for (const row of rows) for (const name of figureNames) sum[name] += row[name];
  return sum;
}

const zeros: FigureRow = {
  queued: 0,
  sent: 0,
  delivered: 0,
  undelivered: 0,
  failed: 0,
  unknown: 0,
  skipped: 0,
  cancelled: 0,
  segments: 0,
  unknownSegments: 0,
  cost: 0,
  unpricedSegments: 0,
  replies: 0,
  optOuts: 0,
  tickets: 0,
  answered: 0,
  answerSeconds: 0,
};
const figureNames = [
  'queued',
  'sent',
  'delivered',
  'undelivered',
  'failed',
  'unknown',
  'skipped',
  'cancelled',
  'segments',
  'unknownSegments',
  'cost',
  'unpricedSegments',
  'replies',
  'optOuts',
  'tickets',
  'answered',
  'answerSeconds',
] as const satisfies readonly (keyof FigureRow)[];
