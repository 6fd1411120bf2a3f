import { undeclaredTags } from '../../domain/campaign.ts';
import type { ExtraField } from '../../domain/contact.ts';
import type { Campaign } from './blocks.tsx';
import { BlockEnd, BlockForm } from './frame.tsx';
import { FileBlock, FileForm, type Sent } from './file-block.tsx';
import { Submit } from '../kit/buttons.tsx';
import type { Api } from '../kit/api.ts';
import { integrationsOf, settingsOf } from '../kit/choices.ts';
import { CheckField, ChoiceField, EntryField, FieldGroup, TextField } from '../kit/fields.tsx';
import { type FormState, ProblemList, useReadOnly } from '../kit/form.tsx';
import { campaigns as campaignWords } from './words.ts';
import { common } from '../kit/words.ts';
import { Card } from '../kit/parts.tsx';
import { Rows } from '../kit/rows.tsx';
import { useMay, useWords } from '../kit/view.tsx';
import { ExtraFieldInputs } from '../settings/definitions.tsx';
import { WebserviceFields } from './webservice-fields.tsx';
import type { TestedAddress } from './webservice-result.tsx';

const block = 'mailing';
const formId = 'mailing-form';

/** The entries that the mailing can refer to. */
export async function mailingChoices(api: Api) {
  const [hours, regions, customerTypes, integrations] = await Promise.all([
    settingsOf(api, 'sendingHours'),
    settingsOf(api, 'regions'),
    settingsOf(api, 'customerTypes'),
    integrationsOf(api),
  ]);
  return { hours, regions, customerTypes, integrations };
}

/** Fields that the records of the last test of the address do not have: not an error, because later ones may. */
function Notices({ campaign: { notices } }: { campaign: Campaign }) {
  const t = useWords(campaignWords);
  if (notices.length === 0) return null;
  return (
    <div class="alert alert-warning" role="status">
      <ProblemList problems={notices} labels={t.fields} />
    </div>
  );
}

/** The extra fields for tickets of the campaign's subcategory. */
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
  choices: Awaited<ReturnType<typeof mailingChoices>>;
  group: ExtraFieldGroup | null;
  sent: Sent;
  tested: TestedAddress | undefined;
}) {
  const t = useWords(campaignWords);
  const words = useWords(common);
  const { regions, customerTypes } = choices;
  const classes = [
    { kind: 'regions', name: 'mailing.regionId', entries: regions, empty: words.noneOfThem },
    {
      kind: 'customer-types',
      name: 'mailing.customerTypeId',
      entries: customerTypes,
      empty: words.notChosen,
    },
  ] as const;
  return (
    <BlockForm
      campaign={campaign}
      block={block}
      state={state}
      id={formId}
      class="medium"
      beside={<FileForm campaign={campaign} />}
    >
      <Notices campaign={campaign} />
      <Card title={t.blocks.mailing}>
        <ChoiceField
          name="mailing.source"
          radio
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
        <EntryField name="mailing.sendingHoursId" entries={choices.hours} empty={words.choose} />
        <TextField name="mailing.expiresAfterHours" type="number" class="short mb-3" />
        <CheckField name="mailing.runDespitePending" />
      </Card>
      <ExtraFields group={group} undeclared={undeclaredTags(campaign.definition)} />
      <Card title={t.classification}>
        <div class="row">
          {classes.map(({ kind, ...field }) => (
            <EntryField key={kind} {...field} class="col-sm-6 mb-3" noneYet={<NoneYet kind={kind} />} />
          ))}
        </div>
        <p class="form-hint mb-0">{t.classificationHelp}</p>
      </Card>
      <Card title={t.safeguards}>
        <p class="text-secondary">{t.safeguardsHelp}</p>
        <CheckField name="safeguards.approval" />
        <div class="row">
          <TextField name="safeguards.canarySize" type="number" class="col-sm-6 mb-3" />
          <TextField name="safeguards.canaryMinutes" type="number" class="col-sm-6 mb-3" />
          <TextField name="safeguards.stopAtPercent" type="number" class="col-sm-6 mb-3" />
          <TextField name="safeguards.monthlyBudget" class="col-sm-6 mb-3" />
        </div>
      </Card>
      <BlockEnd>
        <Submit kind="plain" name="stay" value="here">
          {words.save}
        </Submit>
      </BlockEnd>
    </BlockForm>
  );
}

/** Under a list without entries: where one is created. */
function NoneYet({ kind }: { kind: 'regions' | 'customer-types' }) {
  const t = useWords(campaignWords);
  const mayCreate = useMay('admin');
  const { none, create } = t.noEntries[kind];
  return (
    <>
      {none} {mayCreate && <a href={`/settings/${kind}/new`}>{create}</a>}
    </>
  );
}

function ExtraFields({
  group,
  undeclared,
}: {
  group: ExtraFieldGroup | null;
  /** Tags of the message that are no extra fields yet. */
  undeclared: readonly string[];
}) {
  const words = useWords(common);
  const t = useWords(campaignWords);
  const readOnly = useReadOnly();
  const name = 'mailing.extraFields';
  const label = t.fields[name];
  return (
    <Card title={label}>
      <p class="form-hint">{t.helps[name]}</p>
      <FieldGroup name={name}>
        <Rows name={name} label={label}>
          {(row) => <ExtraFieldInputs row={row} />}
        </Rows>
      </FieldGroup>
      {undeclared.length > 0 && !readOnly && (
        <p>
          <Submit kind="plain" name="stay" value="tags">
            {t.declareTags(undeclared.map((tag) => `{${tag}}`).join(', '))}
          </Submit>
        </p>
      )}
      {group && (
        <div>
          <p class="mb-2">
            {t.group.has(group.name)}{' '}
            {group.fields.map(({ name, type, required }, index) => (
              <span key={name}>
                {index === 0 ? '' : ', '}
                <code>{name}</code> ({words.extraTypes[type]}
                {required ? `, ${t.group.required}` : ''})
              </span>
            ))}
          </p>
          <Submit kind="plain" name="stay" value="group">
            {t.group.declare}
          </Submit>
        </div>
      )}
    </Card>
  );
}
