import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { idParams } from '../../api/http/parameters.ts';
import { webservicePreviewView } from '../../api/campaigns/webservice.ts';
import { paging } from '../../domain/paging.ts';
import { type Api, ApiFailure, withFields } from '../kit/api.ts';
import { hasAttribute } from '../../domain/campaign.ts';
import { getCampaign } from './blocks.tsx';
import { contactFieldNames } from './contact-fields.ts';
import { mailingOf, mailingPage } from './mailing.tsx';
import { withPaging } from './paging-fields.tsx';
import type { FormState } from '../kit/form.tsx';
import type { FormValues } from '../kit/form-data.ts';
import { formOf } from '../kit/responses.tsx';
import { consoleOf, isPart } from '../kit/request.ts';
import { AddressResult, type TestedAddress } from './webservice-result.tsx';

/** Testing the address of a campaign's contacts ("Testar URL"), with the form's values, saved or not. */
export const campaignWebservice: FastifyPluginAsyncZod = async (app) => {
  const operator = { config: { access: 'operator' }, schema: { params: idParams } } as const;

  app.post('/campaigns/:id/test-url', operator, async (request, reply) => {
    const { api } = consoleOf(request);
    const { id } = request.params;
    const form = acceptedIn(formOf(request));
    const tested = await attempt(async () => {
      const preview = await api.send(
        'POST',
        '/api/webservice/preview',
        bodyOf(id, form),
        webservicePreviewView,
      );
      return { preview, lacking: lackingIn(form, preview.attributes) };
    });
    const downloads = tested.preview !== undefined && form.checked('downloads');
    if (isPart(request))
      return reply.fragment(<AddressResult campaignId={id} tested={tested} downloads={downloads} />);
    return pageOf(api, id, form, tested).then((page) => reply.page(page, tested.refused?.status ?? 200));
  });

  app.post('/campaigns/:id/answer', operator, async (request, reply) => {
    const { api } = consoleOf(request);
    const { id } = request.params;
    const form = formOf(request);
    try {
      const answer = await api.download('/api/webservice/answer', bodyOf(id, form));
      return await reply
        .type(answer.type)
        .header('content-disposition', `attachment; filename="campaign-${id}-answer.json"`)
        .send(answer.content);
    } catch (error) {
      const refused = refusalOf(error);
      return reply.page(await pageOf(api, id, form, { refused }), refused.status);
    }
  });
};

/** The web service and the extra fields of the form; the rest as saved. */
function bodyOf(campaignId: number, form: FormValues): object {
  const { webservice, extraFields } = mailingOf(form);
  return { campaignId, webservice, extraFields };
}

/** The entries of the form's field map that no tested record has. */
const lackingIn = (form: FormValues, attributes: readonly string[]) =>
  contactFieldNames.flatMap((field) => {
    const path = form.text(`mailing.webservice.fieldMap.${field}`).trim();
    return attributes.length === 0 || path === '' || hasAttribute(attributes, path) ? [] : [{ field, path }];
  });

/** The form with the proposed paging, if its button was used. */
function acceptedIn(form: FormValues): FormValues {
  const proposed = form.optional('paging');
  if (proposed === null) return form;
  const parsed = acceptedPaging.safeParse(proposed);
  return parsed.success ? withPaging(form.with({ paging: null }), parsed.data) : form;
}
const acceptedPaging = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue('not JSON');
      return z.NEVER;
    }
  })
  .pipe(paging);

async function attempt(work: () => Promise<TestedAddress>): Promise<TestedAddress> {
  try {
    return await work();
  } catch (error) {
    return { refused: refusalOf(error) };
  }
}

/** The errors that the page shows, with the form's names of fields; all others are thrown again. */
function refusalOf(error: unknown): ApiFailure {
  if (!(error instanceof ApiFailure) || [401, 403, 404].includes(error.status)) throw error;
  return withFields(error, (field) => field.replace(/^(?=(webservice|extraFields)\b)/, 'mailing.'));
}

async function pageOf(api: Api, id: number, form: FormValues, tested: TestedAddress) {
  // The address was not tested because fields are wrong: they show their problems, too.
  const problems = tested.refused?.code === 'invalid_fields' ? tested.refused.problems : [];
  const state: FormState = { values: form, problems, typed: true };
  return mailingPage(api, await getCampaign(api, id), state, { tested });
}
