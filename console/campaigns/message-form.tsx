import type { CampaignDraft } from '../../domain/campaign.ts';
import { maxTemplateLength } from '../../domain/template.ts';
import { type Campaign, campaignUrl, useMayEdit } from './blocks.tsx';
import { BlockEnd, BlockForm } from './frame.tsx';
import type { Entry } from '../kit/choices.ts';
import { CheckField, EntryField, TextAreaField, TextField } from '../kit/fields.tsx';
import type { FormState } from '../kit/form.tsx';
import { campaigns as campaignWords } from './words.ts';
import { common } from '../kit/words.ts';
import { problemWords } from '../kit/problems.ts';
import { LivePart } from '../kit/live-part.tsx';
import { Preview, type Previewed, type Tested, TestResult } from './message-preview.tsx';
import { Card } from '../kit/parts.tsx';
import { useView, useWords } from '../kit/view.tsx';

const block = 'message';

/** Fields beside the message: they are not saved. */
const aside = { 'data-aside': '' };

/** A sample contact for the preview: with a long name, and a value of each extra field's type. */
export const sampleOf = ({ mailing }: CampaignDraft): Readonly<Record<string, string>> => ({
  'sample.name': 'Maria da Conceição',
  'sample.code': '12345',
  ...Object.fromEntries(mailing.extraFields.map(({ name, type }) => [`sample.extra.${name}`, values[type]])),
});
const values = {
  text: 'exemplo',
  number: '1.234,56',
  money: '1.234,56',
  date: '31/12/2026',
  boolean: 'sim',
} as const;

export function MessagePage({
  campaign,
  state,
  providers,
  previewed,
  tested,
}: {
  campaign: Campaign;
  state: FormState;
  providers: readonly Entry[];
  previewed: Previewed;
  /** The result of the latest test send. */
  tested?: Tested | undefined;
}) {
  const t = useWords(campaignWords);
  const words = useWords(common);
  const { locale, format } = useView();
  const mayChange = useMayEdit(campaign);
  const { id, definition } = campaign;
  const { extraFields } = definition.mailing;
  const tags = [
    ...(locale === 'en' ? ['name', 'code'] : ['nome', 'codigo']),
    ...extraFields.map(({ name }) => name),
  ];
  return (
    <BlockForm campaign={campaign} block={block} state={state} once class="with-aside">
      <div>
        <Card title={t.blocks.message}>
          <TextAreaField
            name="message.template"
            rows={4}
            required
            data={{ 'data-count': String(maxTemplateLength) }}
          />
          {campaign.warnings.map((warning) => (
            <p key={warning.message} class="alert alert-warning">
              {problemWords(format, warning)}
            </p>
          ))}
          {mayChange && (
            <div class="mb-3">
              <div class="tags">
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
              <p class="form-hint">{t.placeholdersHelp}</p>
            </div>
          )}
          <CheckField name="message.removeAccents" />
          <div class="row">
            <EntryField
              name="message.providerId"
              entries={providers}
              empty={words.choose}
              class="col-sm-6 mb-3"
            />
            <TextField name="message.maxSegments" type="number" class="col-sm-6 mb-3" />
          </div>
          <TextField name="message.answers" />
        </Card>
        <BlockEnd />
      </div>
      <aside>
        <Card title={t.preview}>
          <LivePart from={`${campaignUrl(id)}/preview`}>
            <Preview previewed={previewed} />
          </LivePart>
          <details class="mt-3" open={extraFields.length === 0}>
            <summary>{t.sample}</summary>
            <TextField
              name="sample.name"
              label={t.fields['mailing.webservice.fieldMap.name']}
              class="my-2"
              data={aside}
            />
            <TextField
              name="sample.code"
              label={t.fields['mailing.webservice.fieldMap.code']}
              class="mb-2"
              data={aside}
            />
            {extraFields.map(({ name }) => (
              <TextField key={name} name={`sample.extra.${name}`} label={name} class="mb-2" data={aside} />
            ))}
          </details>
        </Card>
        {mayChange && (
          <Card title={t.testSend}>
            <p class="text-secondary">{t.testSendHelp}</p>
            <TextField name="phone" label={t.testSendPhone} type="tel" autocomplete="tel" data={aside} />
            <button
              class="btn"
              formAction={`${campaignUrl(id)}/test-send`}
              hx-post={`${campaignUrl(id)}/test-send`}
              hx-include="closest form"
              hx-target="#test-result"
              hx-swap="innerHTML"
              hx-disable="this"
              data-submit=""
            >
              {t.testSend}
            </button>
            <div id="test-result" class="mt-3" aria-live="polite" data-failed={words.partFailed}>
              {tested && <TestResult tested={tested} />}
            </div>
          </Card>
        )}
      </aside>
    </BlockForm>
  );
}
