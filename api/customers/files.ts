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
import { foldName, type LineProblem } from '../../domain/contact.ts';
import { readCustomerLine } from '../../domain/customer-file.ts';
import type { Consent } from '../../domain/customer.ts';
import { MailingRefused, readCsv } from '../../mailing/csv.ts';
import {
  customerColumns,
  customerExtraFields,
  customerFields,
  customerLayoutExample,
} from '../../mailing/customer-layout.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { csvHeader, csvLines, rowPages, sendCsv } from '../http/csv.ts';
import { customerFilter } from './customers.ts';
import { ApiError, isForeignKeyViolation } from '../http/errors.ts';
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
  problems: z.array(
    z.object({ line: z.int(), code: z.string(), column: z.string().nullable(), message: z.string() }),
  ),
});

interface CustomerFilesDeps {
  sql: Database;
  /** Each portion of a file waits for runs that register customers. */
  longSql: Database;
  uploadLimitBytes: number;
  clock: () => Date;
}

type Problems = z.infer<typeof customerImportView>['problems'];

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
          'In the layout of the import. For Excel as it is set up in Brazil: semicolons, UTF-8 with a byte order mark; phones stand without their + (foreign ones with 00), and what a spreadsheet would take for a formula has an apostrophe before it.',
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
          'The file itself as the body (`text/csv`), or as the file of a form. Matched by code, else by phone; an empty cell never erases. Lines that are wrong are left out and told, all others are taken once the file has been read to its end; a file that is none (`mailing_refused`) changes nothing. One file at a time, else `busy`. An import that breaks while the lines are taken, a thousand at a time, can be repeated. `consentimento`: sim, não, não informado, or empty for nothing new.',
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
        const { portions, problems, ...counts } = await store(request, importId);
        const outcomes = await take(request, { importId, portions, counts });
        return { ...counts, ...outcomes, problems };
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
  ): Promise<{ portions: number; lines: number; badLines: number; problems: Problems }> {
    const stream = await uploadedFile(request);
    const settings = {
      regions: await idsByName('regions'),
      customerTypes: await idsByName('customerTypes'),
    };
    const today = clock().toISOString().slice(0, 10);
    const writer = createPortionWriter(sql, importId);
    const problems: Problems = [];
    let lines = 0;
    let badLines = 0;
    const leaveOut = (line: number, problem: LineProblem): void => {
      badLines++;
      if (problems.length < problemsShown) problems.push({ line, ...problem });
    };
    const bytes = readUpload(stream, { bytes: uploadLimitBytes, idleMs, totalMs });
    const options = { extraFields: customerExtraFields, fields: customerFields };
    for await (const records of readCsv(bytes, options)) {
      lines += records.length;
      const good = records.flatMap((record) => {
        const read = record.ok ? readCustomerLine(record.contact, settings, today) : record;
        if (read.ok) return [read.customer];
        leaveOut(record.line, read.problem);
        return [];
      });
      await writer.add(good);
    }
    return { portions: await writer.flush(), lines, badLines, problems };
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
    yield csvHeader(customerColumns());
    const pages = rowPages<CustomerRow>((last, limit) =>
      listCustomers(sql, where, { after: last?.id, limit }),
    );
    for await (const rows of pages) yield csvLines(rows.map(cellsOf));
  }
};

const consentWords: Record<Consent, string> = { granted: 'sim', refused: 'não', not_stated: '' };

/** In the order of `customerColumns`. */
const cellsOf = (row: CustomerRow): string[] => [
  row.code ?? '',
  row.name,
  fileNumber(row.mobile),
  fileNumber(row.phone),
  fileNumber(row.phone2),
  row.birthDate ?? '',
  row.regionName ?? '',
  row.customerTypeName ?? '',
  consentWords[row.consent],
  row.consentAt?.toISOString().slice(0, 10) ?? '',
];

/** So that the import reads it again as the same number. */
const fileNumber = (phone: string | null): string => phone?.replace(/^\+(?!55)/, '00').replace('+', '') ?? '';

function importError(error: unknown): unknown {
  if (error instanceof MailingRefused) return refused(error);
  if (error instanceof ImportLost || isForeignKeyViolation(error)) return new ApiError('import_broken');
  return error;
}

function refused({ code, message, line, expected, found }: MailingRefused): ApiError {
  return new ApiError('mailing_refused', {
    message: `${message} No customer was changed.`,
    problems: [{ field: 'file', code, message }],
    details: { refusal: code, line, expected, found },
  });
}
