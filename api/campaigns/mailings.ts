import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  type CampaignRow,
  getCampaign,
  lockCampaign,
  setMailingFile,
  updateCampaign,
} from '../../db/campaigns/campaigns.ts';
import type { Database, Sql } from '../../db/core/client.ts';
import {
  createMailingFile,
  deleteUnfinishedFile,
  deleteUnusedMailingFiles,
  finishMailingFile,
  getMailingFile,
  readMailingFile,
  storeMailingFile,
} from '../../db/campaigns/mailings.ts';
import { profileOf } from '../../db/providers/providers.ts';
import { isoDate } from '../../domain/dates.ts';
import { lineRulesOf } from '../../domain/line.ts';
import { cost } from '../../domain/price.ts';
import { skipReasons } from '../../domain/message.ts';
import { MailingRefused, readCsv } from '../../mailing/csv.ts';
import { csvLayoutExample } from '../../mailing/layout.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { mailingFileOf, mailingFileView } from './view.ts';
import { csvStyleOf, sendCsv } from '../http/csv.ts';
import { ApiError, formatOf, isForeignKeyViolation, notFound, orNotFound } from '../http/errors.ts';
import {
  checkLines,
  keptProblem,
  lineProblemView,
  type MailingCheck,
  viewWarnings,
  warningsView,
} from './mailing-check.ts';
import { estimate, type MoneySettings } from '../money/costs-of-runs.ts';
import { idParams } from '../http/parameters.ts';
import { csvTypes, readUpload, tooLarge, uploadedFile } from '../http/uploads.ts';

/** All uploads are parsed on the one thread of the process; each takes up to 20 MB for the phones of a million lines. */
const uploadsAtOnce = 8;
const idleMs = 30_000;
const totalMs = 30 * 60_000;

export const uploadView = z.object({
  file: mailingFileView,
  /** Lines that a run would send now, before opt-outs. */
  sendable: z.int(),
  /** Their segments, and what these cost today. Zero segments: the campaign has no text yet. */
  cost,
  /** Lines that the run will leave out, by reason. */
  skipped: z.partialRecord(z.enum(skipReasons), z.int()),
  /** The first lines that the run will leave out. */
  problems: z.array(lineProblemView),
  /** Values that could not be read, whether their lines are sent or not. */
  warnings: warningsView.extend({ first: z.array(lineProblemView) }),
});

type ExtraFields = CampaignRow['definition']['mailing']['extraFields'];

interface Stored {
  check: MailingCheck;
  bytes: number;
  sha256: Buffer;
}

interface Attaching {
  campaignId: number;
  fileId: number;
  /** The settings by which the lines were checked. */
  extraFields: ExtraFields;
  /** Also the campaign's source from now on. */
  source: 'csv' | undefined;
}

interface MailingsDeps {
  sql: Database;
  uploadLimitBytes: number;
  clock: () => Date;
  money: MoneySettings;
}

/** The CSV file that a campaign's contacts come from. */
export const mailings: FastifyPluginAsyncZod<MailingsDeps> = async (
  app,
  { sql, uploadLimitBytes, clock, money },
) => {
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
        summary: 'Download the layout of the mailing, a CSV file to fill in',
        description:
          'This is the only accepted layout. It has the extra fields of the campaign and two example lines.',
        produces: ['text/csv'],
        params: idParams,
        querystring: z.strictObject({ delimiter: z.enum([';', ',']).default(';') }),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { delimiter } = request.query;
      const { definition } = await need(sql, id);
      const name = { en: `layout-${id}`, 'pt-BR': `layout-${id}` };
      const layout = csvLayoutExample(definition.mailing.extraFields, delimiter);
      return sendCsv(reply, name, layout, csvStyleOf(request));
    },
  );

  app.get(
    '/:id/mailing/file',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'Get the current file', params: idParams, response: { 200: mailingFileView } },
    },
    async ({ params: { id } }) => mailingFileOf(await needFile(id)),
  );

  app.get(
    '/:id/mailing/file/content',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Download the current file as it was uploaded',
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
        summary: 'Upload or replace the file',
        description:
          'Send the file as the body (`text/csv`) or in a form (`multipart/form-data`). The file is checked during the upload and stored completely or not at all. The error `mailing_refused` shows what was expected, what was found, and in which line. The file applies from the next run on.',
        consumes: ['text/csv', 'multipart/form-data'],
        params: idParams,
        querystring: z.strictObject({
          /** The name of the file, if it is sent as the body. */
          name: z.string().max(500).optional(),
          /** Also makes the file the source of contacts, unless the campaign is enabled. */
          source: z.literal('csv').optional(),
        }),
        response: { 200: uploadView },
      },
    },
    async (request) => {
      const declared = Number(request.headers['content-length'] ?? 0);
      // A form adds its own lines; the exact limit is enforced while reading.
      if (declared > uploadLimitBytes + 64 * 1024) throw tooLarge(uploadLimitBytes);
      if (uploads >= uploadsAtOnce) throw new ApiError('busy', { params: { with: 'uploads' } });
      uploads++;
      try {
        return await receive(request, request.params.id, request.query);
      } catch (error) {
        throw error instanceof MailingRefused ? mailingRefused(error) : error;
      } finally {
        uploads--;
      }
    },
  );

  async function receive(
    request: FastifyRequest,
    campaignId: number,
    { name, source }: { name?: string | undefined; source?: 'csv' | undefined },
  ): Promise<z.infer<typeof uploadView>> {
    const { definition, archivedAt } = await need(sql, campaignId);
    if (archivedAt !== null) throw new ApiError('campaign_archived');
    const { stream, fileName } = await uploadedFile(request);
    const { extraFields } = definition.mailing;
    let fileId: number | null = null;
    try {
      const names = extraFields.map(({ name }) => name);
      fileId = await createMailingFile(
        sql,
        campaignId,
        actorId(actorOf(request)),
        names,
        nameOf(fileName ?? name),
      );
      const stored = await store(fileId, stream, definition);
      const file = await attach(request, { campaignId, fileId, extraFields, source, ...stored });
      const { sendable, skipped, problems, warnings, firstWarnings, countries } = stored.check;
      const format = formatOf(request);
      const { providerId } = definition.message;
      return {
        file,
        sendable,
        cost: await estimate(sql, { segments: countries, providerId, at: clock() }, money),
        skipped,
        problems: problems.map(({ line, problem }) => keptProblem(line, problem, format)),
        warnings: {
          ...viewWarnings(warnings, format),
          first: firstWarnings.map(({ line, warning }) => keptProblem(line, warning, format)),
        },
      };
    } catch (error) {
      if (fileId !== null) await dropUnfinished(request, fileId);
      // Deleted during the upload.
      throw isForeignKeyViolation(error) ? notFound('campaign', campaignId) : error;
    }
  }

  /** Writes the bytes as they arrive, each chunk in its own statement, and checks the lines. */
  async function store(
    fileId: number,
    stream: Readable,
    definition: CampaignRow['definition'],
  ): Promise<Stored> {
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
    const { extraFields } = definition.mailing;
    const stored = storeMailingFile(sql, fileId, measured(upload));
    const check = await checkLines(sql, readCsv(stored, { extraFields, today: isoDate(clock()) }), {
      rules: lineRulesOf(definition, await profileOf(sql, definition.message.providerId)),
      ignoreConsent: definition.ignoreConsent,
    });
    return { check, bytes, sha256: hash.digest() };
  }

  /** Assigns the stored file to the campaign, if the extra fields are still the same. */
  async function attach(
    request: FastifyRequest,
    { campaignId, fileId, extraFields, source, check, bytes, sha256 }: Stored & Attaching,
  ): Promise<z.infer<typeof mailingFileView>> {
    const { lines } = check;
    const file = await sql.begin(async (tx) => {
      const now = orNotFound(await lockCampaign(tx, campaignId), 'campaign', campaignId);
      if (now.archivedAt !== null) throw new ApiError('campaign_archived');
      if (JSON.stringify(now.definition.mailing.extraFields) !== JSON.stringify(extraFields)) {
        throw new ApiError('extra_fields_changed');
      }
      const badLines = check.skipped.line_invalid ?? 0;
      if (!(await finishMailingFile(tx, { id: fileId, bytes, sha256, lines, badLines })))
        throw new ApiError('upload_too_slow');
      await setMailingFile(tx, campaignId, fileId);
      const subject = { kind: 'campaign' as const, id: campaignId };
      await audit(tx, request, 'campaign.mailing', subject, { fileId, lines, bytes });
      if (source !== undefined && !now.enabled && now.definition.mailing.source !== source) {
        const { mailing } = now.definition;
        const definition = { ...now.definition, mailing: { ...mailing, source } };
        const after = await updateCampaign(tx, { id: campaignId, version: now.version, definition });
        const version = after?.version ?? now.version;
        await audit(tx, request, 'campaign.update', subject, { changed: ['mailing.source'], version });
      }
      const row = await getMailingFile(tx, fileId);
      if (!row) throw new ApiError('no_mailing_file', { params: { campaignId } });
      return mailingFileOf(row);
    });
    // A large file takes a while to delete, and opening a run waits for the campaign. Later uploads delete the rest.
    await deleteUnusedMailingFiles(sql, campaignId).catch((error: unknown) =>
      request.log.warn({ err: error }, 'former mailing files could not be deleted'),
    );
    return file;
  }

  /** Files that cannot be deleted now are deleted by housekeeping. */
  async function dropUnfinished(request: FastifyRequest, fileId: number): Promise<void> {
    await deleteUnfinishedFile(sql, fileId).catch((error: unknown) =>
      request.log.warn({ err: error, fileId }, 'the file of an interrupted upload could not be deleted'),
    );
  }

  async function needFile(campaignId: number) {
    const { mailingFileId } = await need(sql, campaignId);
    const file = mailingFileId === null ? null : await getMailingFile(sql, mailingFileId);
    if (!file) throw new ApiError('no_mailing_file', { params: { campaignId } });
    return file;
  }
};

async function need(sql: Sql, id: number): Promise<CampaignRow> {
  return orNotFound(await getCampaign(sql, id), 'campaign', id);
}

/** The name of the file without folders and unprintable characters; null if it was not given. */
function nameOf(given: string | undefined): string | null {
  const name =
    (given ?? '').split(/[/\\]/).at(-1)?.replaceAll(/\p{C}/gu, '').trim().slice(0, longestFileName) ?? '';
  return name === '' ? null : name;
}
const longestFileName = 200;

export function mailingRefused({ fault, line, expected, found }: MailingRefused): ApiError {
  return new ApiError('mailing_refused', {
    problems: [{ field: 'mailing.file', ...fault }],
    details: { refusal: fault.code, line, expected, found },
  });
}
