import { datePlaceholders } from '../../domain/web-address.ts';
import { defaultNames } from '../../domain/webservice.ts';
import { type Campaign, campaignUrl } from './blocks.tsx';
import { contactFieldNames } from './contact-fields.ts';
import { CheckField, FieldGroup, type Option, SelectField, TextField } from '../kit/fields.tsx';
import type { FormValues } from '../kit/form-data.ts';
import { campaigns as campaignWords } from './words.ts';
import { common } from '../kit/words.ts';
import { Card } from '../kit/parts.tsx';
import { Rows } from '../kit/rows.tsx';
import { PagingFields, pagingOf } from './paging-fields.tsx';
import { useMay, useWords } from '../kit/view.tsx';
import { attributesListId, AddressResult, type TestedAddress } from './webservice-result.tsx';

const block = 'mailing.webservice';

/** The web service as its form says it. */
export function webserviceOf(form: FormValues) {
  const params = form
    .rows(`${block}.params`)
    .map((index) => `${block}.params.${index}`)
    .filter((path) => form.text(`${path}.key`).trim() !== '' || form.text(`${path}.value`) !== '')
    .map((path) => ({ key: form.text(`${path}.key`).trim(), value: form.text(`${path}.value`) }));
  return {
    baseUrl: form.optional(`${block}.baseUrl`),
    params,
    integrationId: form.number(`${block}.integrationId`),
    registerCustomers: form.checked(`${block}.registerCustomers`),
    recordsPath: form.optional(`${block}.recordsPath`),
    paging: pagingOf(form),
    fieldMap: Object.fromEntries(
      contactFieldNames.map((field) => [field, form.optional(`${block}.fieldMap.${field}`)]),
    ),
  };
}

/** URL builder, its test, and field map, inside the form of the mailing block. */
export function WebserviceFields({
  campaign,
  integrations,
  tested,
}: {
  campaign: Campaign;
  integrations: readonly Option[];
  tested: TestedAddress | undefined;
}) {
  const t = useWords(campaignWords);
  const words = useWords(common);
  const { webservice } = t;
  return (
    <Card title={webservice.title}>
      <TextField name={`${block}.baseUrl`} type="url" placeholder="https://" required />
      <h3 class="form-label">{webservice.urlBuilder}</h3>
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
      <SelectField name={`${block}.integrationId`} options={integrations} empty={webservice.noIntegration} />
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
      <TestAddress campaign={campaign} tested={tested} failed={words.partFailed} />
    </Card>
  );
}

/** Dates that stand for themselves until the mailing is fetched; put into the value that was typed into last. */
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

/** One fetch with what is typed, saved or not: the first contacts as they would be read, and the answer as a file. */
function TestAddress({
  campaign: { id },
  tested,
  failed,
}: {
  campaign: Campaign;
  tested: TestedAddress | undefined;
  failed: string;
}) {
  const { webservice } = useWords(campaignWords);
  const mayChange = useMay('operator');
  if (!mayChange) return null;
  const action = `${campaignUrl(id)}/test-url`;
  return (
    <>
      <div class="buttons align-items-center">
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
        {tested && <AddressResult campaignId={id} tested={tested} downloads={false} />}
      </div>
    </>
  );
}
