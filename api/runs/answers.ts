import { Readable } from 'node:stream';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { Database } from '../../db/core/client.ts';
import { keptFileOfRun, readMailingFile } from '../../db/campaigns/mailings.ts';
import { runStatus } from '../../db/runs/runs.ts';
import { ApiError, notFound } from '../http/errors.ts';
import { idParams } from '../http/parameters.ts';

/** The answers that runs fetched from web services, unchanged. */
export const runAnswers: FastifyPluginAsyncZod<{ sql: Database }> = async (app, { sql }) => {
  app.get(
    '/:id/answer',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['runs'],
        summary: 'Download the answer that a run fetched from its web service',
        description:
          'Returns the original answer, decompressed, with a line break between pages. If the fetch failed, returns the part that was received. Answers are stored for `RAW_ANSWER_DAYS`.',
        produces: ['application/json'],
        params: idParams,
      },
    },
    async ({ params: { id } }, reply) => {
      if ((await runStatus(sql, id)) === null) throw notFound('run', id);
      const fileId = await keptFileOfRun(sql, id, 'webservice');
      if (fileId === null) {
        throw new ApiError('no_answer_kept', { params: { runId: id } });
      }
      return reply
        .type('application/json')
        .header('content-disposition', `attachment; filename="run-${id}-answer.json"`)
        .send(Readable.from(readMailingFile(sql, fileId)));
    },
  );
};
