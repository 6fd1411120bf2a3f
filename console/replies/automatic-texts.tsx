import type { FastifyPluginAsync } from 'fastify';
import { automaticTexts } from '../../domain/automatic-texts.ts';
import { maxTemplateLength } from '../../domain/template.ts';
import { Submit } from '../kit/buttons.tsx';
import { optionsOf, settingsOf } from '../kit/choices.ts';
import { FieldGroup, SelectField, TextAreaField, TextField } from '../kit/fields.tsx';
import { fieldId, Form, type FormState, newForm, useValues } from '../kit/form.tsx';
import { Page } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import { type ConsoleRequest, consoleOf } from '../kit/request.ts';
import { submit } from '../kit/responses.tsx';
import { Rows } from '../kit/rows.tsx';
import { readForm } from '../kit/schema-form.ts';
import { common } from '../kit/words.ts';
import { useMay, useWords } from '../kit/view.tsx';
import { replyWordsPath } from './reply-words.tsx';
import { automaticTextWords } from './words-automatic-texts.ts';

const path = '/settings/automatic-texts';
const address = '/api/settings/automatic-texts';

type Entries = Awaited<ReturnType<typeof settingsOf>>;
interface Targets {
  departments: Entries;
  subcategories: Entries;
}

/** Texts that are sent by themselves. */
export const automaticTextsPage: FastifyPluginAsync = async (app) => {
  const pageOf = async ({ api }: ConsoleRequest, state: FormState | null) => {
    const texts = await api.get(address, automaticTexts);
    const targets = {
      departments: await settingsOf(api, 'departments'),
      subcategories: await settingsOf(api, 'subcategories'),
    };
    return <AutomaticTextsPage state={state ?? newForm(texts)} targets={targets} />;
  };

  app.get(path, { config: { access: 'viewer' } }, async (request, reply) =>
    reply.page(await pageOf(consoleOf(request), null)),
  );

  app.post(path, { config: { access: 'admin' } }, async (request, reply) =>
    submit(
      request,
      reply,
      async (form) => {
        await consoleOf(request).api.send('PUT', address, readForm(automaticTexts, form));
        return { to: path, notice: 'saved' };
      },
      (state) => pageOf(consoleOf(request), state),
    ),
  );
};

function AutomaticTextsPage({ state, targets }: { state: FormState; targets: Targets }) {
  const t = useWords(automaticTextWords);
  const words = useWords(common);
  const mayChange = useMay('admin');
  return (
    <Page
      title={t.page.title}
      section="settings"
      trail={[{ href: '/settings', label: words.nav.settings }]}
      actions={
        <a class="btn" href={replyWordsPath}>
          {t.replyWords}
        </a>
      }
    >
      <Card>
        <p>{t.intro}</p>
        <p class="text-secondary">{t.placeholders}</p>
        <Form
          action={path}
          changes={address}
          state={state}
          schema={automaticTexts}
          labels={t.fields}
          helps={t.helps}
          // The problem of a word is shown at its row.
          summaryHref={(name) => `#${fieldId(name.replace(/\.words\..*/, '.words'))}`}
          readOnly={!mayChange}
        >
          <div class="row">
            <TextAreaField name="optOut" class="col-md-6 mb-3" maxLength={maxTemplateLength} />
            <TextAreaField name="help" class="col-md-6 mb-3" maxLength={maxTemplateLength} />
          </div>
          <h2 class="h3">{t.keywords}</h2>
          <p class="text-secondary">{t.keywordsHelp}</p>
          <FieldGroup name="keywords">
            <Rows name="keywords" label={t.keywords}>
              {(row) => <KeywordFields row={row} targets={targets} />}
            </Rows>
          </FieldGroup>
          {mayChange && <Submit>{words.save}</Submit>}
        </Form>
      </Card>
    </Page>
  );
}

function KeywordFields({ row, targets: { departments, subcategories } }: { row: string; targets: Targets }) {
  const t = useWords(automaticTextWords);
  const values = useValues();
  const optionsIn = (entries: Entries, name: string) => optionsOf(entries, values.text(name));
  return (
    <>
      <TextField name={`${row}.words`} class="short-field" placeholder={t.wordsExample} />
      <TextField name={`${row}.text`} class="wide-field" maxLength={maxTemplateLength} />
      <SelectField
        name={`${row}.departmentId`}
        class="medium-field"
        options={optionsIn(departments, `${row}.departmentId`)}
        empty={t.asInCampaign}
      />
      <SelectField
        name={`${row}.subcategoryId`}
        class="medium-field"
        options={optionsIn(subcategories, `${row}.subcategoryId`)}
        empty={t.asInCampaign}
      />
    </>
  );
}
