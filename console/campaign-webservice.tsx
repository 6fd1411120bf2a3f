import { contactFieldNames } from './contact-fields.ts';
import type { Campaign } from './campaign-frame.tsx';
import { CheckField, fieldId, TextField } from './form.tsx';
import type { FormValues } from './form-data.ts';
import { campaigns as campaignWords } from './i18n/campaigns.ts';
import { Card } from './parts.tsx';
import { Rows } from './rows.tsx';
import { useWords } from './view.tsx';

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
    fieldMap: Object.fromEntries(
      contactFieldNames.map((field) => [field, form.optional(`${block}.fieldMap.${field}`)]),
    ),
  };
}

/** URL builder and field map, inside the form of the mailing block. */
export function WebserviceFields({ campaign }: { campaign: Campaign }) {
  const t = useWords(campaignWords);
  const { integrationId } = campaign.definition.mailing.webservice;
  return (
    <Card title={t.webservice.title}>
      <TextField name={`${block}.baseUrl`} type="url" placeholder="https://" required />
      <h3 class="form-label" id={fieldId(`${block}.params`)}>
        {t.webservice.urlBuilder}
      </h3>
      <Rows name={`${block}.params`} label={t.fields['mailing.webservice.params']}>
        {(path) => (
          <>
            <TextField name={`${path}.key`} class="" />
            <TextField name={`${path}.value`} class="edit-row-wide" />
          </>
        )}
      </Rows>
      <input type="hidden" name={`${block}.integrationId`} value={integrationId ?? ''} />
      <CheckField name={`${block}.registerCustomers`} />
      <h3 class="form-label">{t.webservice.fieldMap}</h3>
      <p class="form-hint">{t.webservice.fieldMapHelp}</p>
      <div class="row">
        {contactFieldNames.map((field) => (
          <TextField key={field} name={`${block}.fieldMap.${field}`} class="col-sm-6 mb-3" />
        ))}
      </div>
      <TextField name={`${block}.recordsPath`} />
    </Card>
  );
}
