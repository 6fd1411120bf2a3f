import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { z } from 'zod';
import { idParams } from '../api/parameters.ts';
import { messagePreview, testSendOutcome } from '../api/test-sends.ts';
import { type Api, ApiFailure } from './api.ts';
import {
  type Campaign,
  CampaignFrame,
  campaignUrl,
  fieldUrl,
  getCampaign,
  nextUrl,
  saveCampaign,
} from './campaign-frame.tsx';
import { optionsOf, providersOf } from './choices.ts';
import {
  CheckField,
  Form,
  type FormState,
  newForm,
  type Option,
  SelectField,
  Submit,
  TextAreaField,
  TextField,
} from './form.tsx';
import type { FormValues } from './form-data.ts';
import { campaigns as campaignWords } from './i18n/campaigns.ts';
import { common } from './i18n/common.ts';
import { problemWords } from './i18n/problems.ts';
import { Card, Facts } from './parts.tsx';
import { formOf, submit } from './replies.tsx';
import { consoleOf } from './request.ts';
import { useMay, useView, useWords } from './view.tsx';

type Preview = z.output<typeof messagePreview>;

/** A contact to try the message with. */
const sample = { sampleName: 'Maria da Conceição', sampleCode: '12345' };

/** The message block: the text, what it costs, and a first SMS to oneself. */
export const campaignMessage: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/campaigns/:id/message',
    { config: { access: 'viewer' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const campaign = await getCampaign(api, request.params.id);
      const state = newForm({ ...campaign.definition, version: campaign.version, ...sample });
      return reply.page(await messagePage(api, campaign, state, newForm(sample)));
    },
  );

  app.post(
    '/campaigns/:id/message',
    { config: { access: 'operator' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const { id } = request.params;
      return submit(
        request,
        reply,
        async (form) => {
          await saveCampaign(api, id, form, () => ({ message: messageOf(form) }));
          return { to: nextUrl(id, 'message'), notice: 'saved' };
        },
        async (state) => messagePage(api, await getCampaign(api, id), state, newForm(sample)),
      );
    },
  );

  app.post(
    '/campaigns/:id/preview',
    { config: { access: 'viewer', fragment: true }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      return reply.fragment(await previewOf(api, request.params.id, formOf(request)));
    },
  );

  app.post(
    '/campaigns/:id/test-send',
    { config: { access: 'operator' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api, view } = consoleOf(request);
      const { id } = request.params;
      return submit(
        request,
        reply,
        async (form) => {
          const values = { name: form.text('sampleName'), code: form.text('sampleCode') };
          const body = { phone: form.text('phone'), values };
          const said = await api.send('POST', `/api/campaigns/${id}/test-send`, body, testSendOutcome);
          const words = campaignWords[view.locale].testDone[said.outcome];
          const detail = said.outcome === 'accepted' ? '' : ` ${said.detail} (${said.code ?? ''})`;
          return { to: campaignUrl(id, 'message'), notice: { words: words + detail } };
        },
        async (state) => {
          const campaign = await getCampaign(api, id);
          const saved = newForm({ ...campaign.definition, version: campaign.version, ...sample });
          return messagePage(api, campaign, saved, state);
        },
      );
    },
  );
};

const messageOf = (form: FormValues) => ({
  template:
    form.text('message.template') === '' ? null : form.text('message.template').replaceAll('\r\n', '\n'),
  removeAccents: form.checked('message.removeAccents'),
  maxSegments: form.number('message.maxSegments') ?? 1,
  providerId: form.number('message.providerId'),
});

/** What the sample would get, or why it can't be told. */
async function previewOf(api: Api, id: number, form: FormValues) {
  const template = form.text('message.template').replaceAll('\r\n', '\n');
  if (template.trim() === '') return <Preview preview={null} problems={[]} />;
  try {
    const preview = await api.send(
      'POST',
      `/api/campaigns/${id}/preview-message`,
      {
        template,
        removeAccents: form.checked('message.removeAccents'),
        sample: { name: form.text('sampleName').slice(0, 120), code: form.text('sampleCode').slice(0, 60) },
      },
      messagePreview,
    );
    return <Preview preview={preview} problems={[]} />;
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 422) {
      return <Preview preview={null} problems={error.problems} />;
    }
    throw error;
  }
}

async function messagePage(api: Api, campaign: Campaign, state: FormState, test: FormState) {
  const providers = optionsOf(await providersOf(api), state.values.text('message.providerId'));
  const preview = await previewOf(api, campaign.id, state.values);
  return (
    <MessagePage campaign={campaign} state={state} test={test} providers={providers} preview={preview} />
  );
}

function MessagePage({
  campaign,
  state,
  test,
  providers,
  preview,
}: {
  campaign: Campaign;
  state: FormState;
  test: FormState;
  providers: readonly Option[];
  preview: Awaited<ReturnType<typeof previewOf>>;
}) {
  const t = useWords(campaignWords);
  const words = useWords(common);
  const { locale } = useView();
  const mayChange = useMay('operator');
  const { id, definition } = campaign;
  const tags = [
    ...(locale === 'en' ? ['name', 'code'] : ['nome', 'codigo']),
    ...definition.mailing.extraFields.map(({ name }) => name),
  ];
  return (
    <CampaignFrame campaign={campaign} block="message">
      <Form
        action={campaignUrl(id, 'message')}
        state={state}
        labels={t.fields}
        helps={t.helps}
        readOnly={!mayChange}
        class="with-aside"
        summaryHref={fieldUrl(id)}
      >
        <div>
          <input type="hidden" name="version" value={state.values.text('version')} />
          <Card title={t.blocks.message}>
            <TextAreaField name="message.template" rows={4} required data={{ 'data-count': '160' }} />
            {mayChange && (
              <div class="mb-3 tags">
                <span class="form-label">{t.placeholders}</span>
                {tags.map((tag) => (
                  <button
                    key={tag}
                    type="button"
                    class="btn btn-sm"
                    data-insert={`{${tag}}`}
                    data-into="message.template"
                    aria-label={t.insert(`{${tag}}`)}
                  >
                    {`{${tag}}`}
                  </button>
                ))}
              </div>
            )}
            <CheckField name="message.removeAccents" />
            <div class="row">
              <SelectField
                name="message.providerId"
                options={providers}
                empty={words.choose}
                required
                class="col-sm-6 mb-3"
              />
              <TextField name="message.maxSegments" type="number" min={1} max={10} class="col-sm-6 mb-3" />
            </div>
          </Card>
          {mayChange && (
            <div class="buttons mb-3">
              <Submit>{words.saveAndContinue}</Submit>
            </div>
          )}
        </div>
        <aside>
          <Card title={t.preview}>
            <div
              aria-live="polite"
              hx-post={`${campaignUrl(id)}/preview`}
              hx-trigger="input from:closest form delay:300ms, change from:closest form delay:100ms"
              hx-include="closest form"
              hx-target="this"
              hx-swap="innerHTML"
              hx-sync="this:replace"
            >
              {preview}
            </div>
            <TextField name="sampleName" label={t.sampleName} class="mt-3 mb-2" />
            <TextField name="sampleCode" label={t.sampleCode} class="" />
          </Card>
        </aside>
      </Form>
      {mayChange && (
        <div class="narrow">
          <Card title={t.testSend}>
            <Form
              action={`${campaignUrl(id)}/test-send`}
              state={test}
              labels={t.fields}
              once
              guarded={false}
              summaryHref={(name) => (name === 'phone' ? '#f-phone' : fieldUrl(id)(name))}
            >
              <p class="text-secondary">{t.testSendHelp}</p>
              <input type="hidden" name="sampleName" value={sample.sampleName} />
              <input type="hidden" name="sampleCode" value={sample.sampleCode} />
              <TextField name="phone" label={t.testSendPhone} type="tel" autocomplete="tel" required />
              <Submit kind="plain">{t.testSend}</Submit>
            </Form>
          </Card>
        </div>
      )}
    </CampaignFrame>
  );
}

function Preview({
  preview,
  problems,
}: {
  preview: Preview | null;
  problems: readonly { field: string; code: string; message: string }[];
}) {
  const t = useWords(campaignWords);
  const { locale, format } = useView();
  if (problems.length > 0) {
    return (
      <ul class="text-danger ps-3 mb-0">
        {problems.map((problem) => (
          <li key={problem.message}>{problemWords(locale, problem)}</li>
        ))}
      </ul>
    );
  }
  if (!preview) return <p class="text-secondary mb-0">{t.previewEmpty}</p>;
  return (
    <>
      <p class="bubble">{preview.text}</p>
      <div class="mt-3">
        <Facts
          facts={[
            [t.characters, format.number(preview.characters)],
            [t.encoding, preview.encoding],
            [
              t.segments,
              `${format.number(preview.segments)} (${t.remaining(format.number(preview.remaining))})`,
            ],
          ]}
        />
      </div>
      {preview.charactersOutside.length > 0 && (
        <p class="alert alert-warning mt-3 mb-0">{t.outside(preview.charactersOutside.join(' '))}</p>
      )}
      {preview.skipped !== null && <p class="alert alert-danger mt-3 mb-0">{t.skipped[preview.skipped]}</p>}
    </>
  );
}
