import type { FastifyPluginAsync } from 'fastify';
import { uploadView } from '../../api/campaigns/mailings.ts';
import { addPart } from '../kit/routes.ts';
import { addUpload, forwardedUpload } from '../kit/uploads.ts';
import { getCampaign, openedForm } from './blocks.tsx';
import { FileBlock } from './file-block.tsx';
import { budgetShown, mailingPage } from './mailing.tsx';

const maxBytes = 20 * 1024 * 1024;

/** The CSV file of a campaign. */
export const campaignFile: FastifyPluginAsync = async (app) => {
  await addUpload(app, '/campaigns/:id/file', 'operator', {
    maxBytes,
    send: ({ api, id }, file) => api.upload(`/api/campaigns/${id}/mailing/file?source=csv`, file, uploadView),
    next: async ({ api, view, id }, reply, sent) => {
      const campaign = await getCampaign(api, id);
      const state = openedForm(campaign, {
        block: 'mailing',
        lacking: false,
        // The card of the file is on the page only if the contacts come from a file.
        more: { 'mailing.source': 'csv', downloads: 'on', ...budgetShown(campaign, view.format) },
      });
      return reply.page(await mailingPage(api, campaign, state, { sent }), sent.refused?.status ?? 200);
    },
  });

  addPart(
    app,
    '/campaigns/:id/file-result',
    'operator',
    async ({ api, id, form }) => (
      <FileBlock campaign={await getCampaign(api, id)} sent={forwardedUpload(form, uploadView)} />
    ),
    { method: 'POST' },
  );
};
