import type { z } from 'zod';
import { integrationContent, type integrationView } from '../../api/settings/integrations.ts';
import type { EntryUse } from '../../domain/problems/errors.ts';
import { Save, SaveOrCancel } from '../kit/buttons.tsx';
import { EntryActions, EntryListPage, UsesCard } from '../kit/entries.tsx';
import { allOf, CheckField, SelectField, TextAreaField, TextField } from '../kit/fields.tsx';
import { Form, type FormState } from '../kit/form.tsx';
import { integrationWords } from './words-integrations.ts';
import { SettingsPage } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import { Rows } from '../kit/rows.tsx';
import { useMay, useWords } from '../kit/view.tsx';

export const integrationsPath = '/settings/integrations';
export type Integration = z.output<typeof integrationView>;
/** The position of the authentication in the form. */
export const auth = 'config.authentication';

const useParent = () => [{ href: integrationsPath, label: useWords(integrationWords).page.title }];

export function ListPage({ integrations }: { integrations: readonly Integration[] }) {
  const t = useWords(integrationWords);
  return (
    <EntryListPage
      path={integrationsPath}
      title={t.page.title}
      icon="key"
      rows={integrations}
      columns={[
        { heading: t.kind, cell: ({ config }) => t.kinds[config.authentication.kind] },
        { heading: t.fields['config.origins'], cell: ({ config }) => config.origins.join(', '), wide: true },
      ]}
      words={t}
    />
  );
}

function Fields({ stored }: { stored: boolean }) {
  const t = useWords(integrationWords);
  return (
    <>
      <TextField name="name" autofocus={!stored} />
      <SelectField name={`${auth}.kind`} options={allOf(t.kinds)} />
      <div data-when={`${auth}.kind=basic`}>
        <TextField name={`${auth}.user`} />
      </div>
      <div data-when={`${auth}.kind=api_key`}>
        <SelectField name={`${auth}.in`} options={allOf(t.places)} />
        <TextField name={`${auth}.name`} placeholder="X-Api-Key" />
      </div>
      <div data-when={`${auth}.kind=oauth2`}>
        <TextField name={`${auth}.tokenUrl`} type="url" placeholder="https://" />
        <TextField name={`${auth}.clientId`} />
        <TextField name={`${auth}.scope`} />
        <TextField name={`${auth}.audience`} />
        <SelectField name={`${auth}.clientAuthentication`} options={allOf(t.clientAuthentications)} />
      </div>
      <div data-when={`${auth}.kind=basic|bearer|api_key|oauth2`}>
        <TextField
          name="secrets.secret"
          type="password"
          autocomplete="new-password"
          required={!stored}
          help={stored ? t.stored : t.helps['secrets.secret']}
        />
      </div>
      <TextAreaField name="config.origins" rows={3} />
      <h3 class="form-label">{t.headers}</h3>
      <p class="form-hint">
        {t.headersHelp} {stored && t.stored}
      </p>
      <Rows name="config.headers" label={t.headers}>
        {(row) => (
          <>
            <TextField name={`${row}.name`} class="" />
            <TextField name={`${row}.value`} class="edit-row-wide" />
            <CheckField name={`${row}.secret`} class="edit-row-check" />
          </>
        )}
      </Rows>
      {stored && <p class="form-hint">{t.newSecrets}</p>}
    </>
  );
}

export function NewPage({ state }: { state: FormState }) {
  const t = useWords(integrationWords);
  return (
    <SettingsPage title={t.add} below={useParent()}>
      <Card narrow>
        <Form action={integrationsPath} state={state} schema={integrationContent} words={t} once>
          <Fields stored={false} />
          <SaveOrCancel back={integrationsPath} />
        </Form>
      </Card>
    </SettingsPage>
  );
}

export function IntegrationPage({
  integration: { id, name, archivedAt, usedBy },
  state,
}: {
  integration: Integration & { usedBy: readonly EntryUse[] };
  state: FormState;
}) {
  const t = useWords(integrationWords);
  const address = `${integrationsPath}/${id}`;
  return (
    <SettingsPage
      title={name}
      below={useParent()}
      actions={<EntryActions address={address} archivedAt={archivedAt} />}
    >
      <div class="row row-cards">
        <div class="col-lg-7">
          <Card>
            <Form
              action={address}
              changes={`/api/integrations/${id}`}
              state={state}
              schema={integrationContent}
              words={t}
              readOnly={!useMay('admin')}
            >
              <Fields stored />
              <Save />
            </Form>
          </Card>
        </div>
        <div class="col-lg-5">
          <UsesCard title={t.uses} none={t.usedByNone} usedBy={usedBy} />
        </div>
      </div>
    </SettingsPage>
  );
}
