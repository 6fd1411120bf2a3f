import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import { judgeLines } from '../../db/customers/lines.ts';
import type { LineWarning } from '../../domain/contact.ts';
import type { Format } from '../../domain/format.ts';
import { createLineReader, type LineRules, type ReadLine, type SkipFault } from '../../domain/line.ts';
import type { SkipReason } from '../../domain/message.ts';
import { countryOf, type SegmentsByCountry } from '../../domain/price.ts';
import { problemWords, readFault } from '../../domain/problems/catalog.ts';
import { createWarningCounts, type WarningCounts } from '../../domain/warnings.ts';
import { createPhonesSeen } from '../../mailing/phones-seen.ts';
import type { MailingRecord, MailingRecords } from '../../mailing/record.ts';

/** One problem of a line: why it is skipped, or a value that could not be read. */
export const lineProblemView = z.object({
  line: z.int(),
  code: z.string(),
  params: z.record(z.string(), z.unknown()),
  /** The column; null if the line as a whole is wrong. */
  column: z.string().nullable(),
  /** The original value, shortened; null for the line as a whole. */
  value: z.string().nullable(),
  /** The same in the language of the request. */
  message: z.string(),
});

/** Warnings by type. */
export const warningsView = z.object({
  /** Lines with at least one warning. */
  lines: z.int(),
  of: z.array(
    z.object({
      code: z.string(),
      params: z.record(z.string(), z.unknown()),
      message: z.string(),
      lines: z.int(),
    }),
  ),
});

export const viewWarnings = (counts: WarningCounts | null, format: Format): z.infer<typeof warningsView> => ({
  lines: counts?.lines ?? 0,
  of: (counts?.of ?? []).map((one) => ({ ...one, message: keptWords(one, format) })),
});

/** The text of a stored problem; its code if the catalog no longer contains it. */
export function keptWords({ code, params }: { code: string; params: object }, format: Format): string {
  const fault = readFault(code, params);
  return fault === null ? code : problemWords(fault, format);
}

/** A problem of a line, new or stored. */
export function keptProblem(
  line: number,
  fault: { code: string; params: object; value?: string },
  format: Format,
): z.infer<typeof lineProblemView> {
  const { code, params, value = null } = fault;
  const column = 'column' in params && typeof params.column === 'string' ? params.column : null;
  return { line, code, params: { ...params }, column, value, message: keptWords(fault, format) };
}

export interface MailingCheck {
  lines: number;
  sendable: number;
  /** Of the sendable lines; empty while the campaign has no text. */
  countries: SegmentsByCountry;
  skipped: Partial<Record<SkipReason, number>>;
  /** The first `shown` of the skipped lines. */
  problems: { line: number; problem: SkipFault }[];
  warnings: WarningCounts;
  /** The first `shown`. */
  firstWarnings: { line: number; warning: LineWarning }[];
}

const shown = 20;

export interface Judging {
  rules: LineRules;
  ignoreConsent: boolean;
}

/** What a run would do with each line, with the record of the line. Only the run itself checks opt-outs. */
export function linesOf<Source>(
  sql: Database,
  batches: AsyncIterable<Source[]>,
  recordOf: (source: Source) => MailingRecord,
  { rules, ignoreConsent }: Judging,
): AsyncGenerator<(ReadLine & { source: Source })[]> {
  const readLine = createLineReader(rules);
  const read = async function* () {
    for await (const batch of batches)
      yield batch.map((source) => Object.assign(readLine(recordOf(source)), { source }));
  };
  return judgeLines(sql, read(), { ignoreConsent, register: null, phones: createPhonesSeen() });
}

/** Counts what a run would do with the lines of a mailing, and keeps the first problems. */
export async function checkLines(
  sql: Database,
  batches: MailingRecords,
  judging: Judging,
): Promise<MailingCheck> {
  const check: Omit<MailingCheck, 'warnings'> = {
    lines: 0,
    sendable: 0,
    countries: [],
    skipped: {},
    problems: [],
    firstWarnings: [],
  };
  const warned = createWarningCounts();
  const countries = new Map<string, number>();
  for await (const lines of linesOf(sql, batches, (record) => record, judging)) {
    for (const { line, reason, problem, warnings, phone, segments } of lines) {
      check.lines++;
      if (warnings.length > 0) {
        warned.add(warnings);
        for (const warning of warnings)
          if (check.firstWarnings.length < shown) check.firstWarnings.push({ line, warning });
      }
      if (reason === null || problem === null) {
        check.sendable++;
        const country = phone === null ? '' : countryOf(phone);
        if (segments > 0) countries.set(country, (countries.get(country) ?? 0) + segments);
        continue;
      }
      check.skipped[reason] = (check.skipped[reason] ?? 0) + 1;
      if (check.problems.length < shown) check.problems.push({ line, problem });
    }
  }
  return {
    ...check,
    countries: [...countries].map(([country, segments]) => ({ country, segments })),
    warnings: warned.counts(),
  };
}
