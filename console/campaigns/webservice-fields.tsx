import { datePlaceholders } from '../../domain/web-address.ts';
import { defaultNames } from '../../domain/webservice.ts';
import { type Campaign, campaignUrl, useMayEdit } from './blocks.tsx';
import { contactFieldNames } from './contact-fields.ts';
import { CheckField, EntryField, FieldGroup, TextField } from '../kit/fields.tsx';
import type { Entry } from '../kit/choices.ts';
import { campaigns as campaignWords } from './words.ts';
import { common } from '../kit/words.ts';
import { Card } from '../kit/parts.tsx';
import { Rows } from '../kit/rows.tsx';
import { PagingFields } from './paging-fields.tsx';
import { useMay, useWords } from '../kit/view.tsx';
import { attributesListId, AddressResult, type TestedAddress } from './webservice-result.tsx';

const block = 'mailing.webservice';

/** The address with its builder and its test, then the field map; inside the form of the mailing block. */
export function WebserviceFields({
  campaign,
  integrations,
  tested,
}: {
  campaign: Campaign;
  integrations: readonly Entry[];
  tested: TestedAddress | undefined;
}) {
  const t = useWords(campaignWords);
  const words = useWords(common);
  const { webservice } = t;
  return (
    <Card title={webservice.title}>
      <TextField name={`${block}.baseUrl`} type="url" placeholder="https://" required />
      <p class="form-hint long-text" hidden data-address-of={block}>
        {webservice.whole}: <code />
      </p>
      {/* With scripts a dialog; without them a part of the form. */}
      <div id="url-builder" data-dialog={webservice.urlBuilder} data-close={webservice.done}>
        <h3 class="form-label" data-dialog-title="">
          {webservice.urlBuilder}
        </h3>
        <div class="mb-3" hidden data-dialog-only="">
          <label class="form-label" for="url-base">
            {webservice.base}
          </label>
          <input
            class="form-control"
            id="url-base"
            type="url"
            placeholder="https://"
            data-mirror={`${block}.baseUrl`}
          />
          <p class="form-hint">{webservice.paste}</p>
        </div>
        <FieldGroup name={`${block}.params`}>
          <Rows name={`${block}.params`} label={t.fields['mailing.webservice.params']}>
            {(path) => (
              <>
                <TextField name={`${path}.key`} class="" />
                <TextField
                  name={`${path}.value`}
                  class="edit-row-wide"
                  help={null}
                  data={{ 'data-takes': 'date' }}
                />
              </>
            )}
          </Rows>
        </FieldGroup>
        <DatePicker />
        <p class="form-hint long-text" hidden data-address-of={block}>
          {webservice.whole}: <code />
        </p>
      </div>
      <EntryField name={`${block}.integrationId`} entries={integrations} empty={webservice.noIntegration} />
      <TestAddress campaign={campaign} tested={tested} failed={words.partFailed} />
      <CheckField name={`${block}.registerCustomers`} />
      <h3 class="form-label">{webservice.fieldMap}</h3>
      <p class="form-hint">{webservice.fieldMapHelp}</p>
      <div class="row">
        {contactFieldNames.map((field) => (
          <TextField
            key={field}
            name={`${block}.fieldMap.${field}`}
            class="col-sm-6 mb-3"
            list={attributesListId}
            data={{ 'data-takes': 'attribute' }}
            placeholder={defaultNames[field][0]}
            help={
              field === 'customMessage'
                ? webservice.emptyMessage
                : webservice.emptyMeans(defaultNames[field].join(', '))
            }
          />
        ))}
      </div>
      <TextField name={`${block}.recordsPath`} />
      <h3 class="form-label">{webservice.paging.title}</h3>
      <PagingFields />
    </Card>
  );
}

/** Date placeholders, which are replaced when the mailing is fetched; inserted into the value that was edited last. */
function DatePicker() {
  const { webservice } = useWords(campaignWords);
  const t = useWords(campaignWords);
  const mayChange = useMay('operator');
  return (
    <details class="mb-3">
      <summary>{webservice.dates}</summary>
      <ul class="list-unstyled date-placeholders mt-2">
        {datePlaceholders.map((name) => (
          <li key={name}>
            {mayChange ? (
              <button
                type="button"
                class="btn btn-sm"
                data-insert={`{${name}}`}
                data-into="date"
                aria-label={t.insert(`{${name}}`)}
              >
                {`{${name}}`}
              </button>
            ) : (
              <code>{`{${name}}`}</code>
            )}{' '}
            {webservice.datePlaceholders[name]}
          </li>
        ))}
      </ul>
      <p class="form-hint mb-0">{webservice.dateForms}</p>
    </details>
  );
}

/** One request with the form's values, saved or not: shows the first contacts as read, and downloads the answer. */
function TestAddress({
  campaign,
  tested,
  failed,
}: {
  campaign: Campaign;
  tested: TestedAddress | undefined;
  failed: string;
}) {
  const { webservice } = useWords(campaignWords);
  const mayChange = useMayEdit(campaign);
  if (!mayChange) return null;
  const action = `${campaignUrl(campaign.id)}/test-url`;
  return (
    <>
      <div class="buttons align-items-center">
        <button type="button" class="btn" hidden data-opens="url-builder">
          {webservice.urlBuilder}
        </button>
        <button
          class="btn btn-primary"
          formAction={action}
          hx-post={action}
          hx-include="closest form"
          hx-target="#address-result"
          hx-swap="innerHTML"
          hx-disable="this"
          hx-indicator="#address-waits"
          data-submit=""
        >
          {webservice.testUrl}
        </button>
        <CheckField name="downloads" label={webservice.downloads} class="" />
        <span id="address-waits" class="waits text-secondary" role="status">
          {webservice.testing}
        </span>
      </div>
      <p class="form-hint">{webservice.testUrlHelp}</p>
      <div id="address-result" aria-live="polite" data-failed={failed}>
        {tested && <AddressResult campaignId={campaign.id} tested={tested} downloads={false} />}
      </div>
    </>
  );
}
