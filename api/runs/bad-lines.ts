import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { getCampaign } from '../../db/campaigns/campaigns.ts';
import type { Database } from '../../db/core/client.ts';
import { keptFileOfRun, readMailingFile } from '../../db/campaigns/mailings.ts';
import { listLinesToCorrect, type MessageRow } from '../../db/messages/messages.ts';
import { getRun, type RunRow } from '../../db/runs/runs.ts';
import { profileOf } from '../../db/providers/providers.ts';
import type { ExtraField } from '../../domain/contact.ts';
import { isoDate } from '../../domain/dates.ts';
import type { Format } from '../../domain/format.ts';
import { lineRulesOf } from '../../domain/line.ts';
import { type SkipReason, skipReasons } from '../../domain/message.ts';
import { atLine, beyondLastColumn, sentAnyway } from '../../domain/problems/mailings.ts';
import { wordsOf } from '../../domain/problems/sentence.ts';
import { unwrap } from '../../domain/text.ts';
import { MailingRefused, readWritten, type WrittenRecord } from '../../mailing/csv.ts';
import { layoutColumns, problemColumn } from '../../mailing/layout.ts';
import { csvRoute, csvStyleOf, keptLines, keptPhone, rowPages, sendCsv } from '../http/csv.ts';
import { ApiError, formatOf, orNotFound } from '../http/errors.ts';
import { type Judging, keptWords, linesOf } from '../campaigns/mailing-check.ts';
import { mailingRefused } from '../campaigns/mailings.ts';
import { idParams } from '../http/parameters.ts';

const layoutNote =
  'The file has the layout of the mailing, with the original values, so that you can correct the lines and upload it again. The column `problema` describes what is wrong; an upload ignores it. The file also contains lines that are sent although a value could not be read: `warnings=without` excludes them, and `warnings=only` returns only them. Values that a spreadsheet would change start with an apostrophe, which an upload removes.';
const warningsParam = z.enum(['with', 'without', 'only']).default('with');

/** Lines with problems, for users who correct and upload them again. */
export const badLines: FastifyPluginAsyncZod<{ sql: Database; clock: () => Date }> = async (
  app,
  { sql, clock },
) => {
  app.get(
    '/campaigns/:id/mailing/bad-lines.csv',
    csvRoute({
      access: 'viewer',
      tags: ['mailing'],
      summary: 'Download the bad lines of the current file as a CSV file',
      description: `Returns the lines that a run would skip or use only in part. ${layoutNote} Opt-outs are not checked.`,
      params: idParams,
      querystring: z.strictObject({ warnings: warningsParam }),
    }),
    async (request, reply) => {
      const { id } = request.params;
      const campaign = orNotFound(await getCampaign(sql, id), 'campaign', id);
      const { mailingFileId, definition } = campaign;
      if (mailingFileId === null) {
        throw new ApiError('no_mailing_file', { params: { campaignId: id } });
      }
      const { extraFields } = definition.mailing;
      const options = { extraFields, today: isoDate(clock()) };
      // The extra fields may have changed since the upload. An error is reported now, not in the middle of the download.
      await readWritten(readMailingFile(sql, mailingFileId), options)
        .next()
        .catch((error: unknown) => {
          throw error instanceof MailingRefused ? mailingRefused(error) : error;
        });
      const judging = {
        rules: lineRulesOf(definition, await profileOf(sql, definition.message.providerId)),
        ignoreConsent: definition.ignoreConsent,
      };
      const written = readWritten(readMailingFile(sql, mailingFileId), options);
      return sendCsv(
        reply,
        { en: `campaign-${id}-bad-lines`, 'pt-BR': `campanha-${id}-linhas-com-problema` },
        badLinesOfFile(written, judging, request.query.warnings, formatOf(request)),
        csvStyleOf(request),
      );
    },
  );

  app.get(
    '/runs/:id/bad-lines.csv',
    csvRoute({
      access: 'viewer',
      tags: ['runs'],
      summary: 'Download the bad lines of a run as a CSV file',
      description: `Returns the lines that the run has skipped or used only in part. ${layoutNote} If the mailing came from a web service, or its file has been deleted, the lines contain the stored fields of each contact.`,
      params: idParams,
      querystring: z.strictObject({ reason: z.enum(skipReasons).optional(), warnings: warningsParam }),
    }),
    async (request, reply) => {
      const { id } = request.params;
      const { reason, warnings } = request.query;
      const run = orNotFound(await getRun(sql, id), 'run', id);
      const which = { reason, warnings: reason === undefined ? warnings : 'without' } as const;
      const name = { en: `run-${id}-bad-lines`, 'pt-BR': `execucao-${id}-linhas-com-problema` };
      const file = badLinesOfRun(run, which, formatOf(request));
      return sendCsv(reply, name, file, csvStyleOf(request));
    },
  );

  async function* badLinesOfFile(
    written: AsyncIterable<WrittenRecord[]>,
    judging: Judging,
    warnings: z.infer<typeof warningsParam>,
    format: Format,
  ): AsyncGenerator<string> {
    yield headerOf(judging.rules.extraFields);
    for await (const lines of linesOf(sql, written, ({ record }) => record, judging)) {
      const rows = lines.flatMap(({ source, problem, warnings: ofLine }) => {
        const isWanted = problem === null ? warnings !== 'without' && ofLine.length > 0 : warnings !== 'only';
        return isWanted ? [rowOf(source, wordsOfLine(problem, ofLine, format), format)] : [];
      });
      if (rows.length > 0) yield keptLines(rows);
    }
  }

  async function* badLinesOfRun(run: RunRow, which: Which, format: Format): AsyncGenerator<string> {
    const { extraFields } = run.settings.campaign.mailing;
    yield headerOf(extraFields);
    const wanted = linesToCorrect(run.id, which);
    const fileId = await keptFileOfRun(sql, run.id, 'upload');
    if (fileId === null) {
      for await (const message of wanted) yield keptLines([keptRow(message, extraFields, format)]);
      return;
    }
    // Both are sorted by line.
    let next = await wanted.next();
    if (next.done) return;
    const options = { extraFields, today: isoDate(clock()) };
    for await (const batch of readWritten(readMailingFile(sql, fileId), options)) {
      const rows: string[][] = [];
      for (const written of batch) {
        if (next.done) break;
        if (next.value.line !== written.record.line) continue;
        rows.push(rowOf(written, problemOf(next.value, format), format));
        next = await wanted.next();
      }
      if (rows.length > 0) yield keptLines(rows);
      if (next.done) return;
    }
  }

  async function* linesToCorrect(runId: number, which: Which): AsyncGenerator<MessageRow, undefined> {
    const pages = rowPages<MessageRow>((last, limit) =>
      listLinesToCorrect(sql, { runId, ...which }, { after: last?.line ?? 0, limit }),
    );
    for await (const rows of pages) yield* rows;
    return undefined;
  }
};

interface Which {
  reason: SkipReason | undefined;
  warnings: z.infer<typeof warningsParam>;
}

const headerOf = (extraFields: readonly ExtraField[]): string =>
  '\ufeff' + keptLines([[...layoutColumns(extraFields), problemColumn]]);

function rowOf({ record, values, beyond }: WrittenRecord, problem: string, format: Format): string[] {
  const more = beyond.length === 0 ? '' : ` ${wordsOf(beyondLastColumn, { values: beyond }, format)}`;
  return [...values.map(keptCell), wordsOf(atLine, { line: record.line, problem: problem + more }, format)];
}

/** Why a line is skipped, and its values that could not be read. */
const wordsOfLine = (
  problem: { code: string; params: object } | null,
  warnings: readonly { code: string; params: object }[],
  format: Format,
): string =>
  [
    ...(problem === null ? [] : [keptWords(problem, format)]),
    ...warnings.map((warning) => keptWords(warning, format)),
    ...(problem === null ? [wordsOf(sentAnyway, {}, format)] : []),
  ].join(' ');

const problemOf = ({ status, reason, fault, warnings }: MessageRow, format: Format): string => {
  const known = skipReasons.find((one) => one === reason);
  const ofReason = status !== 'skipped' || known === undefined ? null : { code: known, params: {} };
  return wordsOfLine(ofReason && (fault ?? ofReason), warnings ?? [], format);
};

/** The contact's values as stored with the message. */
function keptRow(message: MessageRow, extraFields: readonly ExtraField[], format: Format): string[] {
  const { code, name, phone, extra, line } = message;
  const contact = [code, name, extra?.celular ?? keptPhone(phone), extra?.telefone, extra?.telefone2, '', ''];
  const values = [...contact, ...extraFields.map((field) => extra?.[field.name])];
  const problem = problemOf(message, format);
  return [...values.map((value) => keptCell(value ?? '')), wordsOf(atLine, { line, problem }, format)];
}

/** The original value, without the guard that an earlier file of bad lines had added. */
const keptCell = (value: string): string => unwrap(value);
