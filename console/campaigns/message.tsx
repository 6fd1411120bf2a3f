import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { z } from 'zod';
import { idParams } from '../../api/http/parameters.ts';
import { messagePreview, testSendOutcome } from '../../api/campaigns/test-sends.ts';
import { type CampaignDraft, keptDraft } from '../../domain/campaign.ts';
import { type Api, ApiFailure, withFields } from '../kit/api.ts';
import { addBlock, type Campaign, getCampaign, openedForm } from './blocks.tsx';
import { MessagePage, sampleOf } from './message-form.tsx';
import { providersOf } from '../kit/choices.ts';
import type { FormState } from '../kit/form.tsx';
import type { FormValues } from '../kit/form-data.ts';
import { failureWords } from '../kit/problems.ts';
import { Preview, type Previewed, type Tested, TestResult } from './message-preview.tsx';
import { createOnce, formOf } from '../kit/responses.tsx';
import { consoleOf, isPart } from '../kit/request.ts';
import { addPart } from '../kit/routes.ts';
import { readForm } from '../kit/schema-form.ts';

const block = 'message';

/** The message block: the text, its cost, and a test SMS. */
export const campaignMessage: FastifyPluginAsyncZod = async (app) => {
  addBlock(app, block, {
    opened: (_, campaign, lacking) => {
      const { definition } = campaign;
      const more = { ...sampleOf(definition), 'message.answers': definition.message.answers.join(', ') };
      return openedForm(campaign, { block, lacking, more });
    },
    change: ({ form }) => ({ message: readForm(messageBlock, form, 'message') }),
    page: ({ api }, campaign, state) => messagePage(api, campaign, state),
  });

  addPart(
    app,
    '/campaigns/:id/preview',
    'viewer',
    async ({ api, id, form }) => {
      const { definition } = await getCampaign(api, id);
      return <Preview previewed={await previewOf(api, id, definition, form)} />;
    },
    { method: 'POST' },
  );

  const testOnce = createOnce<Tested>();
  app.post(
    '/campaigns/:id/test-send',
    { config: { access: 'operator' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api, view } = consoleOf(request);
      const { id } = request.params;
      const form = formOf(request);
      const campaign = await getCampaign(api, id);
      const test = () => testSend(api, id, campaign.definition, form);
      // A script's request stays on the page, and a second test is intended.
      if (isPart(request)) return reply.fragment(<TestResult tested={await test()} />);
      const tested = await testOnce(request, test);
      const { refused } = tested;
      const state: FormState = {
        values: form,
        problems: refused?.problems ?? [],
        ...(refused && refused.problems.length === 0 ? { failure: failureWords(view.format, refused) } : {}),
      };
      return reply.page(await messagePage(api, campaign, state, tested), refused?.status ?? 200);
    },
  );
};

const { message: messageBlock } = keptDraft.shape;
const textOf = (form: FormValues): string => form.text('message.template');

const sampleIn = (form: FormValues, { mailing }: CampaignDraft) => ({
  name: form.text('sample.name').slice(0, 120),
  code: form.text('sample.code').slice(0, 60),
  extra: Object.fromEntries(
    mailing.extraFields.map(({ name }) => [name, form.text(`sample.extra.${name}`).slice(0, 500)]),
  ),
});

/** The API's name for the text in these requests is `template`; the form's is `message.template`. */
const inForm = (field: string): string =>
  field.replace(/^(template|removeAccents|maxSegments|providerId)$/, 'message.$1');

/** The message for the sample, or why there is none. */
async function previewOf(
  api: Api,
  id: number,
  definition: CampaignDraft,
  form: FormValues,
): Promise<Previewed> {
  if (textOf(form).trim() === '') return { preview: null, problems: [] };
  const sample = sampleIn(form, definition);
  // Problems other than the text are shown when it is saved.
  const { maxSegments, providerId } = readForm(messageBlock, form, 'message');
  const removeAccents = form.checked('message.removeAccents');
  const whole =
    typeof maxSegments === 'number' && maxSegments >= 1 && maxSegments <= 10 ? { maxSegments } : {};
  const body = { template: textOf(form), removeAccents, providerId, ...whole, sample };
  try {
    const preview: z.output<typeof messagePreview> = await api.send(
      'POST',
      `/api/campaigns/${id}/preview-message`,
      body,
      messagePreview,
    );
    const chosen = typeof providerId === 'number' ? providerId : null;
    return { preview, removeAccents, providerId: chosen, problems: [] };
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.status !== 422) throw error;
    return { preview: null, problems: error.problems };
  }
}

async function testSend(api: Api, id: number, definition: CampaignDraft, form: FormValues): Promise<Tested> {
  const { removeAccents, maxSegments, providerId } = readForm(messageBlock, form, 'message');
  const message = { template: textOf(form), removeAccents, maxSegments, providerId };
  const body = { phone: form.text('phone'), ...message, values: sampleIn(form, definition) };
  try {
    return { outcome: await api.send('POST', `/api/campaigns/${id}/test-send`, body, testSendOutcome) };
  } catch (error) {
    if (!(error instanceof ApiFailure) || [401, 403, 404].includes(error.status)) throw error;
    return { refused: withFields(error, inForm) };
  }
}

async function messagePage(api: Api, campaign: Campaign, state: FormState, tested?: Tested) {
  const { id, definition } = campaign;
  const [providers, previewed] = await Promise.all([
    providersOf(api),
    previewOf(api, id, definition, state.values),
  ]);
  return <MessagePage {...{ campaign, state, providers, previewed, tested }} />;
}
