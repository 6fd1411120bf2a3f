import type { FastifyPluginAsyncZod, ZodTypeProvider } from '@fastify/type-provider-zod';
import type { z } from 'zod';
import { uploadView } from '../api/mailings.ts';
import { errorBody } from '../api/errors.ts';
import { idParams } from '../api/parameters.ts';
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
import { optionsOf, settingsOf } from './choices.ts';
import {
  CheckField,
  ChoiceField,
  fieldId,
  Form,
  type FormState,
  newForm,
  type Option,
  SelectField,
  Submit,
  TextField,
} from './form.tsx';
import type { FormValues } from './form-data.ts';
import { campaigns as campaignWords } from './i18n/campaigns.ts';
import { common } from './i18n/common.ts';
import { failureWords, problemWords } from './i18n/problems.ts';
import { runs as runWords } from './i18n/runs.ts';
import { Icon } from './icons.tsx';
import { Card, Time } from './parts.tsx';
import { formOf, submit } from './replies.tsx';
import { consoleOf } from './request.ts';
import { Rows } from './rows.tsx';
import { useFormat, useMay, useView, useWords } from './view.tsx';
import { webserviceOf, WebserviceFields } from './campaign-webservice.tsx';

type Upload = z.output<typeof uploadView>;

/** Without scripts a file passes through this process's memory; with them it goes to the API as a stream. */
const maxPlainUploadBytes = 20 * 1024 * 1024;

/** The mailing block: where the contacts come from, when they may be written to, what guards against a mistake. */
export const campaignMailing: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/campaigns/:id/mailing',
    { config: { access: 'viewer' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const campaign = await getCampaign(api, request.params.id);
      return reply.page(await mailingPage(api, campaign, stateOf(campaign), {}));
    },
  );

  app.post(
    '/campaigns/:id/mailing',
    { config: { access: 'operator' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const { id } = request.params;
      return submit(
        request,
        reply,
        async (form) => {
          await saveCampaign(api, id, form, ({ mailing }) => ({
            mailing: { ...mailing, ...mailingOf(form) },
            safeguards: safeguardsOf(form),
          }));
          const stay = form.has('stay');
          return { to: stay ? campaignUrl(id, 'mailing') : nextUrl(id, 'mailing'), notice: 'saved' };
        },
        async (state) => mailingPage(api, await getCampaign(api, id), state, {}),
      );
    },
  );

  // Without scripts the file itself; with them the API's answer to it, to be shown in words.
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
        const { api } = consoleOf(request);
        const { id } = request.params;
        const payload = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const type = request.headers['content-type'] ?? '';
        const file = `/api/campaigns/${id}/mailing/file`;
        const sent = await api.upload(file, { payload, type }, uploadView).then(
          (upload): Sent => ({ upload }),
          (error: unknown): Sent => {
            if (!(error instanceof ApiFailure) || [401, 404].includes(error.status)) throw error;
            return { refused: error };
          },
        );
        const campaign = await getCampaign(api, id);
        const page = await mailingPage(api, campaign, stateOf(campaign), sent);
        return reply.page(page, sent.refused?.status ?? 200);
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

/** The API's answer to an upload, as the browser passes it on; nothing of it is stored. */
function sentOf(form: FormValues): Sent {
  let answer: unknown = null;
  try {
    answer = JSON.parse(form.text('answer'));
  } catch {
    // The connection broke: there is no answer.
  }
  const upload = uploadView.safeParse(answer);
  if (upload.success) return { upload: upload.data };
  const error = errorBody.safeParse(answer);
  const broken = { code: 'upload_broken', message: 'The upload broke off.', requestId: '' };
  return { refused: new ApiFailure(Number(form.text('status')), error.success ? error.data.error : broken) };
}

const stateOf = ({ definition, version }: Campaign): FormState => newForm({ ...definition, version });

/** What the form says of the mailing; the web service's part only where it is chosen. */
function mailingOf(form: FormValues) {
  const extraFields = form
    .rows('mailing.extraFields')
    .map((index) => `mailing.extraFields.${index}`)
    .filter((path) => form.text(`${path}.name`).trim() !== '')
    .map((path) => ({
      name: form.text(`${path}.name`).trim(),
      type: form.text(`${path}.type`),
      required: form.checked(`${path}.required`),
    }));
  return {
    source: form.optional('mailing.source'),
    webservice: webserviceOf(form),
    sendingHoursId: form.number('mailing.sendingHoursId'),
    regionId: form.number('mailing.regionId'),
    customerTypeId: form.number('mailing.customerTypeId'),
    runDespitePending: form.checked('mailing.runDespitePending'),
    expiresAfterHours: form.number('mailing.expiresAfterHours'),
    extraFields,
  };
}

const safeguardsOf = (form: FormValues) => ({
  approval: form.checked('safeguards.approval'),
  canarySize: form.number('safeguards.canarySize'),
  canaryMinutes: form.number('safeguards.canaryMinutes') ?? 5,
  stopAtPercent: form.number('safeguards.stopAtPercent'),
});

/** What came of a file that was just sent. */
interface Sent {
  upload?: Upload;
  refused?: ApiFailure;
}

interface Choices {
  hours: readonly Option[];
  regions: readonly Option[];
  customerTypes: readonly Option[];
}

async function mailingPage(api: Api, campaign: Campaign, state: FormState, sent: Sent) {
  const [hours, regions, customerTypes] = await Promise.all([
    settingsOf(api, 'sendingHours'),
    settingsOf(api, 'regions'),
    settingsOf(api, 'customerTypes'),
  ]);
  const { values } = state;
  const choices = {
    hours: optionsOf(hours, values.text('mailing.sendingHoursId')),
    regions: optionsOf(regions, values.text('mailing.regionId')),
    customerTypes: optionsOf(customerTypes, values.text('mailing.customerTypeId')),
  };
  return <MailingPage campaign={campaign} state={state} choices={choices} sent={sent} />;
}

function MailingPage({
  campaign,
  state,
  choices,
  sent,
}: {
  campaign: Campaign;
  state: FormState;
  choices: Choices;
  sent: Sent;
}) {
  const t = useWords(campaignWords);
  const words = useWords(common);
  const mayChange = useMay('operator');
  const { id } = campaign;
  return (
    <CampaignFrame campaign={campaign} block="mailing">
      <div class="columns wide-aside">
        <div>
          <Form
            action={campaignUrl(id, 'mailing')}
            state={state}
            labels={t.fields}
            helps={t.helps}
            readOnly={!mayChange}
            summaryHref={fieldUrl(id)}
          >
            <input type="hidden" name="version" value={state.values.text('version')} />
            <Card title={t.blocks.mailing}>
              <ChoiceField
                name="mailing.source"
                radio
                required
                options={[
                  { value: 'csv', label: t.sources.csv },
                  { value: 'webservice', label: t.sources.webservice },
                ]}
              />
              <SelectField
                name="mailing.sendingHoursId"
                options={choices.hours}
                empty={words.choose}
                required
              />
              <CheckField name="mailing.runDespitePending" />
              <TextField name="mailing.expiresAfterHours" type="number" min={1} max={720} />
            </Card>
            <div data-when="mailing.source=webservice">
              <WebserviceFields campaign={campaign} />
            </div>
            <Card title={t.fields['mailing.extraFields']}>
              <p class="form-hint" id={fieldId('mailing.extraFields')}>
                {t.helps['mailing.extraFields']}
              </p>
              <Rows name="mailing.extraFields" label={t.fields['mailing.extraFields']}>
                {(path) => (
                  <>
                    <TextField name={`${path}.name`} class="" />
                    <SelectField
                      name={`${path}.type`}
                      class=""
                      options={(['text', 'number', 'date', 'boolean'] as const).map((type) => ({
                        value: type,
                        label: t.types[type],
                      }))}
                    />
                    <CheckField name={`${path}.required`} class="edit-row-check" />
                  </>
                )}
              </Rows>
            </Card>
            <Card title={t.classification}>
              <div class="row">
                <SelectField
                  name="mailing.regionId"
                  options={choices.regions}
                  empty={words.notChosen}
                  class="col-sm-6 mb-3"
                />
                <SelectField
                  name="mailing.customerTypeId"
                  options={choices.customerTypes}
                  empty={words.notChosen}
                  class="col-sm-6 mb-3"
                />
              </div>
            </Card>
            <Card title={t.safeguards}>
              <CheckField name="safeguards.approval" />
              <div class="row">
                <TextField name="safeguards.canarySize" type="number" min={1} class="col-sm-6 mb-3" />
                <TextField name="safeguards.canaryMinutes" type="number" min={0} class="col-sm-6 mb-3" />
                <TextField
                  name="safeguards.stopAtPercent"
                  type="number"
                  min={1}
                  max={100}
                  class="col-sm-6 mb-3"
                />
              </div>
            </Card>
            {mayChange && (
              <div class="buttons mb-3">
                <Submit>{words.saveAndContinue}</Submit>
                <Submit kind="plain" name="stay" value="1">
                  {words.save}
                </Submit>
              </div>
            )}
          </Form>
        </div>
        <aside>
          <div id="file-block">
            <FileBlock campaign={campaign} sent={sent} />
          </div>
        </aside>
      </div>
    </CampaignFrame>
  );
}

function FileBlock({ campaign, sent }: { campaign: Campaign; sent: Sent }) {
  return (
    <>
      {sent.refused && <UploadRefused refused={sent.refused} />}
      {sent.upload && <UploadResult upload={sent.upload} />}
      <FileCard campaign={campaign} />
    </>
  );
}

/** The CSV file: a form of its own, so that a long upload and the block's fields do not wait for one another. */
function FileCard({ campaign }: { campaign: Campaign }) {
  const t = useWords(campaignWords);
  const format = useFormat();
  const mayChange = useMay('operator');
  const { id, mailingFile, definition } = campaign;
  if (definition.mailing.source === 'webservice') return null;
  const file = `/api/campaigns/${id}/mailing`;
  return (
    <section class="card mb-3" id={fieldId('mailing.file')}>
      <div class="card-header">
        <h2 class="card-title">{t.csv.title}</h2>
        <div class="card-actions">
          <a class="btn btn-sm" href={`${file}/layout`} download>
            <Icon name="download" /> {t.csv.layout}
          </a>
        </div>
      </div>
      <div class="card-body">
        {mailingFile ? (
          <p>
            <strong>{t.csv.facts(format.number(mailingFile.lines), format.bytes(mailingFile.bytes))}</strong>
            {', '}
            {t.csv.uploadedAt} <Time at={mailingFile.uploadedAt} />{' '}
            <a href={`${file}/file/content`} download>
              {t.csv.content}
            </a>
          </p>
        ) : (
          <p class="text-secondary">{t.csv.none}</p>
        )}
        {mayChange && (
          <form
            method="post"
            action={`${campaignUrl(id)}/file`}
            encType="multipart/form-data"
            data-upload={`${file}/file`}
            data-uploading={t.csv.uploading}
            data-checking={t.csv.checking}
          >
            <label class="form-label" for="file">
              {t.fields['mailing.file']}
            </label>
            <input
              class="form-control mb-2"
              type="file"
              id="file"
              name="file"
              accept=".csv,text/csv,text/plain"
              required
            />
            <p class="form-hint">{t.csv.layoutHelp}</p>
            <div class="upload-progress" hidden>
              <p role="status" />
              <progress class="progress mb-2" max={100} aria-label={t.csv.uploading} />
            </div>
            <Submit kind="plain">{mailingFile ? t.csv.replace : t.csv.upload}</Submit>
          </form>
        )}
      </div>
    </section>
  );
}

/** What was expected, what was found, and where: the file is mended outside of here. */
function UploadRefused({ refused }: { refused: ApiFailure }) {
  const t = useWords(campaignWords);
  const { locale, format } = useView();
  const { line, expected, found } = refused.details;
  return (
    <div class="alert alert-danger" role="alert" tabIndex={-1} data-focus="">
      <p class="alert-title">{t.csv.refused}</p>
      <p class="mb-1">
        {typeof line === 'number' ? `${t.csv.line} ${format.number(line)}: ` : ''}
        {refused.problems.length > 0
          ? refused.problems.map((problem) => problemWords(locale, problem)).join(' ')
          : failureWords(locale, refused)}
      </p>
      {typeof expected === 'string' && (
        <p class="mb-1">
          {t.csv.expected}: <code>{expected}</code>
        </p>
      )}
      {typeof found === 'string' && (
        <p class="mb-0">
          {t.csv.found}: <code>{found}</code>
        </p>
      )}
    </div>
  );
}

function UploadResult({ upload }: { upload: Upload }) {
  const t = useWords(campaignWords);
  const run = useWords(runWords);
  const { format, locale } = useView();
  const { sendable, file, skipped, problems } = upload;
  const reasons = Object.entries(skipped);
  return (
    <div class="card mb-3" role="status" tabIndex={-1} data-focus="">
      <div class="card-body">
        <p class="mb-2">
          <strong>{t.csv.result(format.number(sendable), format.number(file.lines))}</strong> {t.csv.counts}
        </p>
        {reasons.length > 0 && (
          <>
            <p class="mb-1">{t.csv.leftOut}</p>
            <ul>
              {reasons.map(([reason, count]) => (
                <li key={reason}>
                  {run.reason[reason] ?? reason}: {format.number(count)}
                </li>
              ))}
            </ul>
            <details>
              <summary>{t.csv.first}</summary>
              <table class="table table-sm mt-2">
                <thead>
                  <tr>
                    <th scope="col" class="numeric">
                      {t.csv.line}
                    </th>
                    <th scope="col">{t.csv.problem}</th>
                  </tr>
                </thead>
                <tbody>
                  {problems.map(({ line, code, column, message }) => (
                    <tr key={line}>
                      <td class="numeric">{format.number(line)}</td>
                      <td>
                        {column === null ? '' : `${column}: `}
                        {run.reason[code] ?? problemWords(locale, { field: '', code, message })}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </details>
          </>
        )}
      </div>
    </div>
  );
}
