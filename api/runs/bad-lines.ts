import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { stringify } from 'csv-stringify/sync';
import { z } from 'zod';
import { getCampaign } from '../../db/campaigns/campaigns.ts';
import type { Database } from '../../db/core/client.ts';
import { keptFileOfRun, readMailingFile } from '../../db/campaigns/mailings.ts';
import { listMessages, type MessageRow } from '../../db/messages/messages.ts';
import { getRun, type RunRow } from '../../db/runs/runs.ts';
import type { ExtraField } from '../../domain/contact.ts';
import { type SkipReason, skipReasons } from '../../domain/message.ts';
import { MailingRefused, readWritten, type WrittenRecord } from '../../mailing/csv.ts';
import { layoutColumns, problemColumn } from '../../mailing/layout.ts';
import { csvPhone, rowPages, sendCsv } from '../http/csv.ts';
import { ApiError, notFound } from '../http/errors.ts';
import { createLineCheck, skipWords } from '../campaigns/mailing-check.ts';
import { mailingRefused } from '../campaigns/mailings.ts';
import { idParams } from '../http/parameters.ts';

const layoutNote =
  'In the layout of the mailing, with the values as they were, and what is wrong in the column `problema`, which an upload does not read: mend the lines and upload the file. What a spreadsheet would take for a formula has an apostrophe before it.';

/** Lines that are left out, to be mended and sent again. */
export const badLines: FastifyPluginAsyncZod<{ sql: Database }> = async (app, { sql }) => {
  app.get(
    '/campaigns/:id/mailing/bad-lines.csv',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['mailing'],
        summary: 'The lines of the present file that a run would leave out, as a CSV file',
        description: `${layoutNote} Opt-outs, consent and the length of each text are judged by the run.`,
        produces: ['text/csv'],
        params: idParams,
      },
    },
    async ({ params: { id } }, reply) => {
      const campaign = await getCampaign(sql, id);
      if (!campaign) throw notFound('campaign', id);
      const { mailingFileId, definition } = campaign;
      if (mailingFileId === null) {
        throw new ApiError('no_mailing_file', { params: { campaignId: id } });
      }
      const { extraFields } = definition.mailing;
      // The extra fields may have changed since: better said now than in the middle of a download.
      await readWritten(readMailingFile(sql, mailingFileId), { extraFields })
        .next()
        .catch((error: unknown) => {
          throw error instanceof MailingRefused ? mailingRefused(error) : error;
        });
      return sendCsv(reply, `campaign-${id}-bad-lines.csv`, badLinesOfFile(mailingFileId, extraFields));
    },
  );

  app.get(
    '/runs/:id/bad-lines.csv',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['runs'],
        summary: 'The lines that a run has left out, as a CSV file',
        description: `${layoutNote} Of a mailing from a web service, or whose file is no longer kept, it has what was kept of each contact.`,
        produces: ['text/csv'],
        params: idParams,
        querystring: z.strictObject({ reason: z.enum(skipReasons).optional() }),
      },
    },
    async ({ params: { id }, query: { reason } }, reply) => {
      const run = await getRun(sql, id);
      if (!run) throw notFound('run', id);
      return sendCsv(reply, `run-${id}-bad-lines.csv`, badLinesOfRun(run, reason));
    },
  );

  async function* badLinesOfFile(fileId: number, extraFields: readonly ExtraField[]): AsyncGenerator<string> {
    const lineCheck = createLineCheck();
    yield headerOf(extraFields);
    for await (const batch of readWritten(readMailingFile(sql, fileId), { extraFields })) {
      const rows = batch.flatMap((written) => {
        const leftOut = lineCheck(written.record);
        return leftOut === null ? [] : [rowOf(written, leftOut.message)];
      });
      if (rows.length > 0) yield linesOf(rows);
    }
  }

  async function* badLinesOfRun(run: RunRow, reason: SkipReason | undefined): AsyncGenerator<string> {
    const { extraFields } = run.settings.campaign.mailing;
    yield headerOf(extraFields);
    const skipped = skippedMessages(run.id, reason);
    const fileId = await keptFileOfRun(sql, run.id, 'upload');
    if (fileId === null) {
      for await (const message of skipped) yield linesOf([keptRow(message, extraFields)]);
      return;
    }
    // Both come in the order of their lines.
    let next = await skipped.next();
    if (next.done) return;
    for await (const batch of readWritten(readMailingFile(sql, fileId), { extraFields })) {
      const rows: string[][] = [];
      for (const written of batch) {
        if (next.done) break;
        if (next.value.line !== written.record.line) continue;
        rows.push(rowOf(written, problemOf(next.value)));
        next = await skipped.next();
      }
      if (rows.length > 0) yield linesOf(rows);
      if (next.done) return;
    }
  }

  async function* skippedMessages(
    runId: number,
    reason: SkipReason | undefined,
  ): AsyncGenerator<MessageRow, undefined> {
    const where = { runId, status: 'skipped', reason } as const;
    const pages = rowPages<MessageRow>((last, limit) =>
      listMessages(sql, where, { after: last?.line ?? 0, limit }),
    );
    for await (const rows of pages) yield* rows;
    return undefined;
  }
};

const headerOf = (extraFields: readonly ExtraField[]): string =>
  '\ufeff' + linesOf([[...layoutColumns(extraFields), problemColumn]]);

const rowOf = ({ record, values, beyond }: WrittenRecord, problem: string): string[] => {
  const more = beyond.length === 0 ? '' : ` Beyond the last column: ${beyond.join(' | ')}`;
  return [...values.map(mendable), `Line ${record.line}: ${problem}${more}`];
};

const problemOf = ({ reason, extra }: MessageRow): string => {
  const known = skipReasons.find((one) => one === reason);
  return (reason === 'line_invalid' && extra?.problem) || (known ? skipWords[known] : '');
};

/** What the message itself has kept of its contact. */
function keptRow(message: MessageRow, extraFields: readonly ExtraField[]): string[] {
  const { code, name, phone, extra, line } = message;
  const contact = [code, name, extra?.celular ?? phone, extra?.telefone, extra?.telefone2, '', ''];
  const values = [...contact, ...extraFields.map((field) => extra?.[field.name])];
  return [...values.map((value) => mendable(value ?? '')), `Line ${line}: ${problemOf(message)}`];
}

/** A value that can be uploaded again: a number or phone with its sign is no formula, though it begins like one. */
function mendable(value: string): string {
  if (/^\+[\d\s().-]+$/.test(value)) return csvPhone(value);
  if (/^-\d+(?:[.,]\d+)*$/.test(value)) return value;
  return /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
}

const linesOf = (rows: string[][]): string =>
  stringify(rows, { delimiter: ';', record_delimiter: 'windows' });
