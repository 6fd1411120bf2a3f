import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import {
  analyzeCustomers,
  applyPortion,
  beginImport,
  createPortionWriter,
  endImport,
  type ImportedCustomers,
  ImportLost,
  keepImportAlive,
} from '../../db/customers/import.ts';
import { type CustomerFilter, type CustomerRow, listCustomers } from '../../db/customers/customers.ts';
import { listSettings } from '../../db/settings/settings.ts';
import { foldName, type LineFault, type LineWarning } from '../../domain/contact.ts';
import { type CustomerLine, readCustomerLine } from '../../domain/customer-file.ts';
import type { Consent } from '../../domain/customer.ts';
import type { Fault } from '../../domain/problems/coded.ts';
import { createWarningCounts } from '../../domain/warnings.ts';
import { MailingRefused, readCsv } from '../../mailing/csv.ts';
import {
  customerColumns,
  customerExtraFields,
  customerFields,
  customerLayoutExample,
} from '../../mailing/customer-layout.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { lineProblemView, keptProblem, viewWarnings, warningsView } from '../campaigns/mailing-check.ts';
import { keptLines, keptPhone, rowPages, sendCsv } from '../http/csv.ts';
import { customerFilter } from './customers.ts';
import { ApiError, formatOf, isForeignKeyViolation } from '../http/errors.ts';
import { csvTypes, readUpload, tooLarge, uploadedFile } from '../http/uploads.ts';

const idleMs = 30_000;
const totalMs = 30 * 60_000;
const problemsShown = 100;
const aliveMs = 20_000;
/** Fewer new customers than that do not change what the planner knows. */
const manyCustomers = 1_000;

export const customerImportView = z.object({
  lines: z.int(),
  /** Lines that made a customer. */
  inserted: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  /** Lines that were left out. */
  badLines: z.int(),
  /** The first hundred of them. */
  problems: z.array(lineProblemView),
  /** Values that could not be read, of lines that were taken and of others: they change nothing. */
  warnings: warningsView.extend({ first: z.array(lineProblemView) }),
});

interface CustomerFilesDeps {
  sql: Database;
  /** Each portion of a file waits for runs that register customers. */
  longSql: Database;
  uploadLimitBytes: number;
  clock: () => Date;
}

/** Customers as a file: the layout, the import, the export. */
export const customerFiles: FastifyPluginAsyncZod<CustomerFilesDeps> = async (
  app,
  { sql, longSql, uploadLimitBytes, clock },
) => {
  const tags = ['customers'];

  await app.register(multipart, { limits: { files: 1, fields: 10, fileSize: uploadLimitBytes + 1 } });
  app.addContentTypeParser(csvTypes, (_request, payload, done) => done(null, payload));

  app.get(
    '/customers/layout',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The layout of a file of customers: a CSV file to fill in',
        produces: ['text/csv'],
        querystring: z.strictObject({ delimiter: z.enum([';', ',']).default(';') }),
      },
    },
    async ({ query: { delimiter } }, reply) =>
      sendCsv(reply, 'layout-customers.csv', customerLayoutExample(delimiter)),
  );

  app.get(
    '/customers.csv',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The customers of a search as a CSV file',
        description:
          'In the layout of the import. For Excel as it is set up in Brazil: semicolons, UTF-8 with a byte order mark; what a spreadsheet would change has an apostrophe before it, which the import takes away.',
        produces: ['text/csv'],
        querystring: customerFilter,
      },
    },
    async ({ query }, reply) => sendCsv(reply, 'customers.csv', csvOfCustomers(query)),
  );

  app.post(
    '/customers/import',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Add and update customers from a CSV file',
        description:
          'The file itself as the body (`text/csv`), or as the file of a form. Matched by code, else by phone; an empty cell never erases, and neither does one that cannot be read, which is a warning. A line is left out only when neither a code nor a phone says who it is; all others are taken once the file has been read to its end; a file that is none (`mailing_refused`) changes nothing. One file at a time, else `busy`. An import that breaks while the lines are taken, a thousand at a time, can be repeated. `consentimento`: sim, não, não informado, or empty for nothing new.',
        consumes: ['text/csv', 'multipart/form-data'],
        response: { 200: customerImportView },
      },
    },
    async (request) => {
      if (Number(request.headers['content-length'] ?? 0) > uploadLimitBytes + 64 * 1024)
        throw tooLarge(uploadLimitBytes);
      const importId = await beginImport(sql);
      if (importId === null) throw new ApiError('busy', { params: { with: 'customer_import' } });
      const alive = setInterval(() => void keepImportAlive(sql, importId).catch(() => undefined), aliveMs);
      try {
        const { portions, problems, warnings, ...counts } = await store(request, importId);
        const outcomes = await take(request, { importId, portions, counts });
        return { ...counts, ...outcomes, problems, warnings };
      } catch (error) {
        throw importError(error);
      } finally {
        clearInterval(alive);
        await endImport(sql, importId).catch((error: unknown) =>
          request.log.warn({ err: error, importId }, 'the lines of an import are kept'),
        );
      }
    },
  );

  /** Reads the file to its end, and sets its good lines aside. */
  async function store(
    request: FastifyRequest,
    importId: number,
  ): Promise<
    { portions: number; lines: number; badLines: number } & Pick<
      z.infer<typeof customerImportView>,
      'problems' | 'warnings'
    >
  > {
    const stream = await uploadedFile(request);
    const settings = {
      regions: await idsByName('regions'),
      customerTypes: await idsByName('customerTypes'),
    };
    const today = clock().toISOString().slice(0, 10);
    const writer = createPortionWriter(sql, importId);
    const format = formatOf(request);
    const problems: z.infer<typeof lineProblemView>[] = [];
    const first: z.infer<typeof lineProblemView>[] = [];
    const warned = createWarningCounts();
    let lines = 0;
    let badLines = 0;
    const warn = (line: number, warnings: readonly LineWarning[]): void => {
      warned.add(warnings);
      for (const warning of warnings)
        if (first.length < problemsShown) first.push(keptProblem(line, warning, format));
    };
    const leaveOut = (line: number, problem: LineFault | Fault<'nobody_named'>): void => {
      badLines++;
      if (problems.length < problemsShown) problems.push(keptProblem(line, problem, format));
    };
    const bytes = readUpload(stream, { bytes: uploadLimitBytes, idleMs, totalMs });
    const options = { extraFields: customerExtraFields, fields: customerFields, today };
    for await (const records of readCsv(bytes, options)) {
      lines += records.length;
      const good: CustomerLine[] = [];
      for (const record of records) {
        if (!record.ok) {
          leaveOut(record.line, record.problem);
          continue;
        }
        const read = readCustomerLine(record, settings, today);
        warn(record.line, read.warnings);
        if (read.ok) good.push(read.customer);
        else leaveOut(record.line, read.problem);
      }
      await writer.add(good);
    }
    const warnings = { ...viewWarnings(warned.counts(), format), first };
    return { portions: await writer.flush(), lines, badLines, problems, warnings };
  }

  /** Makes customers of the lines that were set aside. What was taken is in the audit log, also when it breaks. */
  async function take(
    request: FastifyRequest,
    { importId, portions, counts }: { importId: number; portions: number; counts: Record<string, number> },
  ): Promise<ImportedCustomers> {
    const by = { actor: actorId(actorOf(request)), now: clock() };
    const outcomes: ImportedCustomers = { inserted: 0, updated: 0, unchanged: 0 };
    let taken = 0;
    try {
      for (; taken < portions; taken++) {
        const { inserted, updated, unchanged } = await applyPortion(longSql, { importId, seq: taken }, by);
        outcomes.inserted += inserted;
        outcomes.updated += updated;
        outcomes.unchanged += unchanged;
      }
    } finally {
      const details = { ...counts, ...outcomes, complete: taken === portions };
      await audit(sql, request, 'customer.import', { kind: 'customer', id: null }, details);
    }
    if (outcomes.inserted > manyCustomers) await analyzeCustomers(longSql);
    return outcomes;
  }

  async function idsByName(kind: 'regions' | 'customerTypes'): Promise<Map<string, number>> {
    const entries = await listSettings(sql, kind);
    return new Map(
      entries.filter(({ archivedAt }) => archivedAt === null).map(({ id, name }) => [foldName(name), id]),
    );
  }

  async function* csvOfCustomers(where: CustomerFilter): AsyncGenerator<string> {
    yield '\ufeff' + keptLines([customerColumns()]);
    const pages = rowPages<CustomerRow>((last, limit) =>
      listCustomers(sql, where, { after: last?.id, limit }),
    );
    for await (const rows of pages) yield keptLines(rows.map(cellsOf));
  }
};

const consentWords: Record<Consent, string> = { granted: 'sim', refused: 'não', not_stated: '' };

/** In the order of `customerColumns`. */
const cellsOf = (row: CustomerRow): string[] => [
  row.code ?? '',
  row.name,
  keptPhone(row.mobile),
  keptPhone(row.phone),
  keptPhone(row.phone2),
  row.birthDate ?? '',
  row.regionName ?? '',
  row.customerTypeName ?? '',
  consentWords[row.consent],
  row.consentAt?.toISOString().slice(0, 10) ?? '',
];

function importError(error: unknown): unknown {
  if (error instanceof MailingRefused) return refused(error);
  if (error instanceof ImportLost || isForeignKeyViolation(error)) return new ApiError('import_broken');
  return error;
}

function refused({ fault, line, expected, found }: MailingRefused): ApiError {
  return new ApiError('mailing_refused', {
    problems: [{ field: 'file', ...fault }],
    details: { refusal: fault.code, line, expected, found },
  });
}
