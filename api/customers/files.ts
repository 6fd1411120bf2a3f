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
import { type CustomerFilter, type CustomerRow, searchCustomers } from '../../db/customers/customers.ts';
import { listSettings } from '../../db/settings/settings.ts';
import { foldName, type LineFault, type LineWarning } from '../../domain/contact.ts';
import { type CustomerLine, readCustomerLine } from '../../domain/customer-file.ts';
import type { Consent } from '../../domain/customer.ts';
import type { Fault } from '../../domain/problems/coded.ts';
import type { Locale } from '../../domain/user.ts';
import { createWarningCounts } from '../../domain/warnings.ts';
import { MailingRefused, readCsv } from '../../mailing/csv.ts';
import {
  customerAliases,
  customerColumns,
  englishCustomerColumns,
  customerExtraFields,
  customerFields,
  customerLayoutExample,
} from '../../mailing/customer-layout.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { lineProblemView, keptProblem, viewWarnings, warningsView } from '../campaigns/mailing-check.ts';
import {
  csvQuery,
  csvRoute,
  type CsvStyle,
  csvStyleOf,
  keptLines,
  keptPhone,
  rowPages,
  sendCsv,
} from '../http/csv.ts';
import { customerFilter } from './customers.ts';
import { ApiError, formatOf, isForeignKeyViolation } from '../http/errors.ts';
import { csvTypes, readUpload, tooLarge, uploadedFile } from '../http/uploads.ts';

const idleMs = 30_000;
const totalMs = 30 * 60_000;
const problemsShown = 100;
const aliveMs = 20_000;
/** Fewer new customers than this do not change the planner's statistics. */
const manyCustomers = 1_000;

export const customerImportView = z.object({
  lines: z.int(),
  /** Lines that created a customer. */
  inserted: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  /** Skipped lines. */
  badLines: z.int(),
  /** The first hundred of them. */
  problems: z.array(lineProblemView),
  /** Values that could not be read and therefore change nothing, of all lines. */
  warnings: warningsView.extend({ first: z.array(lineProblemView) }),
});

interface CustomerFilesDeps {
  sql: Database;
  /** Each batch of a file may wait for runs that register customers. */
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
        summary: 'Download the layout of a file of customers, a CSV file to fill in',
        produces: ['text/csv'],
        querystring: z.strictObject({ delimiter: z.enum([';', ',']).default(';') }),
      },
    },
    async (request, reply) => {
      const name = { en: 'layout-customers', 'pt-BR': 'layout-clientes' };
      return sendCsv(reply, name, customerLayoutExample(request.query.delimiter), csvStyleOf(request));
    },
  );

  app.get(
    '/customers.csv',
    csvRoute({
      access: 'viewer',
      tags,
      summary: 'Download the customers of a search as a CSV file',
      description:
        'The file has the layout of the import, which accepts both formats. `format=codes` is the default for API tokens: English column names, dates in ISO 8601, phones in E.164, and semicolons as delimiters. `format=localized` is the default for users: the language of the user, and the delimiter that Excel expects in that language. In it, values that a spreadsheet would change start with an apostrophe, which the import removes. Both are UTF-8 with a byte order mark.',
      querystring: customerFilter.extend(csvQuery),
    }),
    async (request, reply) => {
      const { format, ...query } = request.query;
      const style = csvStyleOf(request, format);
      return sendCsv(reply, { en: 'customers', 'pt-BR': 'clientes' }, csvOfCustomers(query, style), style);
    },
  );

  app.post(
    '/customers/import',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Import customers from a CSV file',
        description:
          'Creates and updates customers. Send the file as the body (`text/csv`) or in a form (`multipart/form-data`). Customers are matched by code, otherwise by phone. An empty cell leaves the stored value unchanged, and so does a value that cannot be read, which is reported as a warning. A line with neither a code nor a phone is skipped. The lines are stored after the whole file has been read; an invalid file (`mailing_refused`) changes nothing. Only one import can run at a time; another one returns the error `busy`. If an import is interrupted, you can repeat it. Values of `consentimento`: `sim`, `não`, `não informado`, or empty to leave it unchanged.',
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
          request.log.warn({ err: error, importId }, 'the lines of an import could not be deleted'),
        );
      }
    },
  );

  /** Reads the whole file, and stores its valid lines temporarily. */
  async function store(
    request: FastifyRequest,
    importId: number,
  ): Promise<
    { portions: number; lines: number; badLines: number } & Pick<
      z.infer<typeof customerImportView>,
      'problems' | 'warnings'
    >
  > {
    const { stream } = await uploadedFile(request);
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
    const options = {
      extraFields: customerExtraFields,
      fields: customerFields,
      aliases: customerAliases,
      today,
    };
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

  /** Creates customers from the stored lines. The audit log records those that were created, even if the import fails. */
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

  async function* csvOfCustomers(where: CustomerFilter, style: CsvStyle): AsyncGenerator<string> {
    const inPortuguese = !style.codes && style.format.locale === 'pt-BR';
    yield '\ufeff' + keptLines([inPortuguese ? customerColumns() : englishCustomerColumns()], style);
    const pages = rowPages<CustomerRow>(
      async (last, limit) => (await searchCustomers(sql, where, { after: last?.id, limit })).customers,
    );
    for await (const rows of pages) {
      yield keptLines(
        rows.map((row) => cellsOf(row, style)),
        style,
      );
    }
  }
};

const consentWords: Record<Locale, Record<Consent, string>> = {
  'pt-BR': { granted: 'sim', refused: 'não', not_stated: '' },
  en: { granted: 'yes', refused: 'no', not_stated: '' },
};

/** In the order of `customerColumns`. The import reads ISO dates and those with the day first. */
function cellsOf(row: CustomerRow, { codes, format }: CsvStyle): string[] {
  const { locale } = format;
  const phone = codes ? (e164: string | null) => e164 ?? '' : keptPhone;
  const date = (iso: string | null): string =>
    iso === null ? '' : codes || locale !== 'pt-BR' ? iso : format.calendarDate(iso);
  return [
    row.code ?? '',
    row.name,
    phone(row.mobile),
    phone(row.phone),
    phone(row.phone2),
    date(row.birthDate),
    row.regionName ?? '',
    row.customerTypeName ?? '',
    codes ? (row.consent === 'not_stated' ? '' : row.consent) : consentWords[locale][row.consent],
    date(row.consentAt?.toISOString().slice(0, 10) ?? null),
  ];
}

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
