import type { FastifyPluginAsyncZod, ZodTypeProvider } from '@fastify/type-provider-zod';
import { errorBody } from '../../api/http/errors.ts';
import { uploadView } from '../../api/campaigns/mailings.ts';
import { idParams } from '../../api/http/parameters.ts';
import { ApiFailure } from '../kit/api.ts';
import { getCampaign, openedForm } from './blocks.tsx';
import { budgetShown, mailingPage } from './mailing.tsx';
import { FileBlock, type Sent } from '../kit/file-block.tsx';
import type { FormValues } from '../kit/form-data.ts';
import { formOf } from '../kit/responses.tsx';
import { consoleOf } from '../kit/request.ts';

/** Without scripts a file passes through this process's memory; with them the browser streams it to the API. */
const maxPlainUploadBytes = 20 * 1024 * 1024;

/** The CSV file of a campaign. */
export const campaignFile: FastifyPluginAsyncZod = async (app) => {
  // Without scripts the file itself; with them the API's answer to it, to be rendered.
  await app.register(async (uploads) => {
    uploads.addContentTypeParser(
      'multipart/form-data',
      { parseAs: 'buffer', bodyLimit: maxPlainUploadBytes },
      (_request, body, done) => done(null, body),
    );
    const typed = uploads.withTypeProvider<ZodTypeProvider>();
    typed.post(
      '/campaigns/:id/file',
      { config: { access: 'operator' }, schema: { params: idParams }, bodyLimit: maxPlainUploadBytes },
      async (request, reply) => {
        const { api, view } = consoleOf(request);
        const { id } = request.params;
        const payload = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const type = request.headers['content-type'] ?? '';
        const sent = await api
          .upload(`/api/campaigns/${id}/mailing/file?source=csv`, { payload, type }, uploadView)
          .then(
            (upload): Sent => ({ upload }),
            (error: unknown): Sent => {
              if (!(error instanceof ApiFailure) || [401, 403, 404].includes(error.status)) throw error;
              return { refused: error };
            },
          );
        const campaign = await getCampaign(api, id);
        const state = openedForm(campaign, {
          block: 'mailing',
          lacking: false,
          // The card of the file is on the page only if the contacts come from a file.
          more: { 'mailing.source': 'csv', downloads: 'on', ...budgetShown(campaign, view.format) },
        });
        return reply.page(await mailingPage(api, campaign, state, { sent }), sent.refused?.status ?? 200);
      },
    );
  });

  app.post(
    '/campaigns/:id/file-result',
    { config: { access: 'operator', fragment: true }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const form = formOf(request);
      const campaign = await getCampaign(api, request.params.id);
      return reply.fragment(<FileBlock campaign={campaign} sent={sentOf(form)} />);
    },
  );
};

/** The API's answer to an upload, as the browser forwards it; it is not stored. */
function sentOf(form: FormValues): Sent {
  let answer: unknown = null;
  try {
    answer = JSON.parse(form.text('answer'));
  } catch {
    // The connection broke, or the upload was cancelled: there is no answer.
  }
  const upload = uploadView.safeParse(answer);
  if (upload.success) return { upload: upload.data };
  const error = errorBody.safeParse(answer);
  const broken = { code: 'upload_broken', params: {}, message: 'The upload broke off.', requestId: '' };
  return { refused: new ApiFailure(Number(form.text('status')), error.success ? error.data.error : broken) };
}
