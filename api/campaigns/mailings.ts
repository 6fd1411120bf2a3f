import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type CampaignRow, getCampaign, lockCampaign, setMailingFile } from '../../db/campaigns/campaigns.ts';
import type { Database, Sql } from '../../db/core/client.ts';
import {
  createMailingFile,
  deleteUnusedMailingFiles,
  finishMailingFile,
  getMailingFile,
  readMailingFile,
  storeMailingFile,
} from '../../db/campaigns/mailings.ts';
import { skipReasons } from '../../domain/message.ts';
import { MailingRefused, readCsv } from '../../mailing/csv.ts';
import { csvLayoutExample } from '../../mailing/layout.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { mailingFileOf, mailingFileView } from './view.ts';
import { sendCsv } from '../http/csv.ts';
import { ApiError, notFound } from '../http/errors.ts';
import { checkLines } from './mailing-check.ts';
import { idParams } from '../http/parameters.ts';
import { csvTypes, readUpload, tooLarge, uploadedFile } from '../http/uploads.ts';

/** An upload holds a connection of the pool and a transaction. */
const uploadsAtOnce = 2;
const idleMs = 30_000;
const totalMs = 30 * 60_000;

const lineProblem = z.object({
  line: z.int(),
  code: z.string(),
  /** The column; null when the line as a whole is wrong. */
  column: z.string().nullable(),
  message: z.string(),
});

export const uploadView = z.object({
  file: mailingFileView,
  /** Lines with a phone that can be written to. Opt-outs and the length of each text are judged by the run. */
  sendable: z.int(),
  /** Lines that the run will leave out, by reason. */
  skipped: z.partialRecord(z.enum(skipReasons), z.int()),
  /** The first lines that the run will leave out. */
  problems: z.array(lineProblem),
});

interface MailingsDeps {
  sql: Database;
  uploadLimitBytes: number;
}

/** The CSV file that a campaign's contacts come from. */
export const mailings: FastifyPluginAsyncZod<MailingsDeps> = async (app, { sql, uploadLimitBytes }) => {
  const tags = ['mailing'];
  let uploads = 0;

  await app.register(multipart, { limits: { files: 1, fields: 10, fileSize: uploadLimitBytes + 1 } });
  app.addContentTypeParser(csvTypes, (_request, payload, done) => done(null, payload));

  app.get(
    '/:id/mailing/layout',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The layout of the mailing: a CSV file to fill in',
        description:
          'The only layout taken, with the extra fields of this campaign and two lines as an example.',
        produces: ['text/csv'],
        params: idParams,
        querystring: z.strictObject({ delimiter: z.enum([';', ',']).default(';') }),
      },
    },
    async ({ params: { id }, query: { delimiter } }, reply) => {
      const { definition } = await need(sql, id);
      return sendCsv(reply, `layout-${id}.csv`, csvLayoutExample(definition.mailing.extraFields, delimiter));
    },
  );

  app.get(
    '/:id/mailing/file',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'The present file', params: idParams, response: { 200: mailingFileView } },
    },
    async ({ params: { id } }) => mailingFileOf(await needFile(id)),
  );

  app.get(
    '/:id/mailing/file/content',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The present file, as it was uploaded',
        produces: ['text/csv'],
        params: idParams,
      },
    },
    async ({ params: { id } }, reply) => {
      const file = await needFile(id);
      return reply
        .type('text/csv')
        .header('content-disposition', `attachment; filename="campaign-${id}-mailing.csv"`)
        .header('content-length', file.bytes)
        .send(Readable.from(readMailingFile(sql, file.id)));
    },
  );

  app.put(
    '/:id/mailing/file',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Upload the file, or replace it',
        description:
          'The file itself as the body (`text/csv`), or as the file of a form (`multipart/form-data`). It is checked on its way in and kept as a whole or not at all: `mailing_refused` says what was expected, what was found and in which line. Counts from the next run on.',
        consumes: ['text/csv', 'multipart/form-data'],
        params: idParams,
        response: { 200: uploadView },
      },
    },
    async (request) => {
      const declared = Number(request.headers['content-length'] ?? 0);
      // A form's own lines come on top; the exact limit is kept while reading.
      if (declared > uploadLimitBytes + 64 * 1024) throw tooLarge(uploadLimitBytes);
      if (uploads >= uploadsAtOnce)
        throw new ApiError('busy', { message: 'Other files are being uploaded.' });
      uploads++;
      try {
        return await receive(request, request.params.id);
      } catch (error) {
        throw error instanceof MailingRefused
          ? mailingRefused(error, 'Nothing of the file was kept.')
          : error;
      } finally {
        uploads--;
      }
    },
  );

  async function receive(request: FastifyRequest, campaignId: number): Promise<z.infer<typeof uploadView>> {
    const campaign = await need(sql, campaignId);
    const stream = await uploadedFile(request);
    const { extraFields } = campaign.definition.mailing;
    return sql.begin(async (tx) => {
      const fileId = await createMailingFile(tx, campaignId, actorId(actorOf(request)));
      const hash = createHash('sha256');
      let bytes = 0;
      async function* measured(pieces: AsyncIterable<Uint8Array>) {
        for await (const piece of pieces) {
          hash.update(piece);
          bytes += piece.length;
          yield piece;
        }
      }
      const upload = readUpload(stream, { bytes: uploadLimitBytes, idleMs, totalMs });
      const stored = storeMailingFile(tx, fileId, measured(upload));
      const check = await checkLines(readCsv(stored, { extraFields }));
      await finishMailingFile(tx, {
        id: fileId,
        bytes,
        sha256: hash.digest(),
        lines: check.lines,
        badLines: check.skipped.line_invalid ?? 0,
      });

      // Only now, and not during the upload: whoever opens a run waits for this lock.
      const now = await lockCampaign(tx, campaignId);
      if (!now) throw notFound('campaign', campaignId);
      if (JSON.stringify(now.definition.mailing.extraFields) !== JSON.stringify(extraFields)) {
        throw new ApiError('version_conflict', {
          message: 'The extra fields of the campaign were changed during the upload. Upload the file again.',
        });
      }
      await setMailingFile(tx, campaignId, fileId);
      await deleteUnusedMailingFiles(tx, campaignId);
      const { lines, sendable, skipped, problems } = check;
      await audit(
        tx,
        request,
        'campaign.mailing',
        { kind: 'campaign', id: campaignId },
        { fileId, lines, bytes },
      );
      const file = await getMailingFile(tx, fileId);
      if (!file) throw notFound('mailing file', fileId);
      return { file: mailingFileOf(file), sendable, skipped, problems };
    });
  }

  async function needFile(campaignId: number) {
    const { mailingFileId } = await need(sql, campaignId);
    const file = mailingFileId === null ? null : await getMailingFile(sql, mailingFileId);
    if (!file) {
      throw new ApiError('not_found', { message: `Campaign ${campaignId} has no mailing file yet.` });
    }
    return file;
  }
};

async function need(sql: Sql, id: number): Promise<CampaignRow> {
  const row = await getCampaign(sql, id);
  if (!row) throw notFound('campaign', id);
  return row;
}

export function mailingRefused(
  { code, message, line, expected, found }: MailingRefused,
  consequence = '',
): ApiError {
  const problem = { field: 'mailing.file', code, message };
  return new ApiError('mailing_refused', {
    message: `${message} ${consequence}`.trimEnd(),
    problems: [problem],
    details: { refusal: code, line, expected, found },
  });
}
