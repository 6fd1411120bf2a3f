import { type ExtraField, extraTypes } from '../../domain/contact.ts';
import { BlockMarks, type Campaign, campaignUrl, fieldUrlFrom } from './blocks.tsx';
import { CampaignFrame } from './frame.tsx';
import { FileBlock, FileForm, type Sent } from '../kit/file-block.tsx';
import { Submit } from '../kit/buttons.tsx';
import { CheckField, ChoiceField, FieldGroup, type Option, SelectField, TextField } from '../kit/fields.tsx';
import { Form, type FormState } from '../kit/form.tsx';
import { campaigns as campaignWords } from './words.ts';
import { common } from '../kit/words.ts';
import { Card } from '../kit/parts.tsx';
import { Rows } from '../kit/rows.tsx';
import { useMay, useWords } from '../kit/view.tsx';
import { WebserviceFields } from './webservice-fields.tsx';
import type { TestedAddress } from './webservice-result.tsx';

const block = 'mailing';
const formId = 'mailing-form';

interface Choices {
  hours: readonly Option[];
  regions: readonly Option[];
  customerTypes: readonly Option[];
  integrations: readonly Option[];
}

/** The extra fields that the tickets of the campaign's subcategory have. */
export interface ExtraFieldGroup {
  name: string;
  fields: readonly ExtraField[];
}

export function MailingPage({
  campaign,
  state,
  choices,
  group,
  sent,
  tested,
}: {
  campaign: Campaign;
  state: FormState;
  choices: Choices;
  group: ExtraFieldGroup | null;
  sent: Sent;
  tested: TestedAddress | undefined;
}) {
  const t = useWords(campaignWords);
  const words = useWords(common);
  const mayChange = useMay('operator');
  const { id } = campaign;
  return (
    <CampaignFrame campaign={campaign} block={block}>
      <FileForm campaign={campaign} />
      <Form
        action={campaignUrl(id, block)}
        state={state}
        labels={t.fields}
        helps={t.helps}
        readOnly={!mayChange}
        id={formId}
        draft={`campaign ${id} ${block}`}
        class="medium"
        summaryHref={fieldUrlFrom(id, block)}
      >
        <BlockMarks campaign={campaign} block={block} state={state} />
        <Card title={t.blocks.mailing}>
          <ChoiceField
            name="mailing.source"
            radio
            required
            options={[
              { value: 'webservice', label: t.sources.webservice, help: t.sourceHelps.webservice },
              { value: 'csv', label: t.sources.csv, help: t.sourceHelps.csv },
            ]}
          />
        </Card>
        <div data-when="mailing.source=csv">
          <FieldGroup name="mailing.file">
            <div id="file-block">
              <FileBlock campaign={campaign} sent={sent} />
            </div>
          </FieldGroup>
        </div>
        <div data-when="mailing.source=webservice">
          <WebserviceFields campaign={campaign} integrations={choices.integrations} tested={tested} />
        </div>
        <Card title={t.whenTitle}>
          <SelectField name="mailing.sendingHoursId" options={choices.hours} empty={words.choose} required />
          <TextField name="mailing.expiresAfterHours" type="number" min={1} max={720} class="short mb-3" />
          <CheckField name="mailing.runDespitePending" />
        </Card>
        <ExtraFields group={group} />
        <Card title={t.classification}>
          <div class="row">
            <SelectField
              name="mailing.regionId"
              options={choices.regions}
              empty={words.noneOfThem}
              class="col-sm-6 mb-3"
            />
            <SelectField
              name="mailing.customerTypeId"
              options={choices.customerTypes}
              empty={words.notChosen}
              class="col-sm-6 mb-3"
            />
          </div>
          <p class="form-hint mb-0">{t.classificationHelp}</p>
        </Card>
        <Card title={t.safeguards}>
          <p class="text-secondary">{t.safeguardsHelp}</p>
          <CheckField name="safeguards.approval" />
          <div class="row">
            <TextField name="safeguards.canarySize" type="number" min={1} class="col-sm-6 mb-3" />
            <TextField name="safeguards.canaryMinutes" type="number" min={0} class="col-sm-6 mb-3" />
            <TextField
              name="safeguards.stopAtPercent"
              type="number"
              min={1}
              max={100}
              class="col-sm-6 mb-0"
            />
          </div>
        </Card>
        {mayChange && (
          <div class="buttons mb-3">
            <Submit>{words.saveAndContinue}</Submit>
            <Submit kind="plain" name="stay" value="here">
              {words.save}
            </Submit>
          </div>
        )}
      </Form>
    </CampaignFrame>
  );
}

function ExtraFields({ group }: { group: ExtraFieldGroup | null }) {
  const t = useWords(campaignWords);
  const mayChange = useMay('operator');
  const name = 'mailing.extraFields';
  const label = t.fields[name];
  return (
    <Card title={label}>
      <p class="form-hint">{t.helps[name]}</p>
      <FieldGroup name={name}>
        <Rows name={name} label={label}>
          {(path) => (
            <>
              <TextField name={`${path}.name`} class="" />
              <SelectField
                name={`${path}.type`}
                class=""
                options={extraTypes.map((type) => ({
                  value: type,
                  label: t.types[type],
                }))}
              />
              <CheckField name={`${path}.required`} class="edit-row-check" />
            </>
          )}
        </Rows>
      </FieldGroup>
      {group && (
        <div>
          <p class="mb-2">
            {t.group.has(group.name)}{' '}
            {group.fields.map(({ name, type, required }, index) => (
              <span key={name}>
                {index === 0 ? '' : ', '}
                <code>{name}</code> ({t.types[type]}
                {required ? `, ${t.group.required}` : ''})
              </span>
            ))}
          </p>
          {mayChange && (
            <Submit kind="plain" name="stay" value="group">
              {t.group.declare}
            </Submit>
          )}
        </div>
      )}
    </Card>
  );
}
