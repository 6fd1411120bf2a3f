import type { FastifyPluginAsync } from 'fastify';
import { automaticTexts } from '../../domain/automatic-texts.ts';
import { maxTemplateLength } from '../../domain/template.ts';
import { Save } from '../kit/buttons.tsx';
import { type Entry, settingsOf } from '../kit/choices.ts';
import { addDocument } from '../kit/document.tsx';
import { FieldGroup, EntryField, TextAreaField, TextField } from '../kit/fields.tsx';
import { fieldId, Form, type FormState, newForm } from '../kit/form.tsx';
import { SettingsPage } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import { Rows } from '../kit/rows.tsx';
import { useMay, useWords } from '../kit/view.tsx';
import { replyWordsPath } from './reply-words.tsx';
import { automaticTextWords } from './words-automatic-texts.ts';

const path = '/settings/automatic-texts';
const address = '/api/settings/automatic-texts';

interface Targets {
  departments: readonly Entry[];
  subcategories: readonly Entry[];
}

/** Texts that are sent by themselves. */
export const automaticTextsPage: FastifyPluginAsync = async (app) => {
  addDocument(app, {
    path,
    api: address,
    schema: automaticTexts,
    page: async ({ api }, rejected) => {
      const texts = await api.get(address, automaticTexts);
      const targets = {
        departments: await settingsOf(api, 'departments'),
        subcategories: await settingsOf(api, 'subcategories'),
      };
      return <AutomaticTextsPage state={rejected ?? newForm(texts)} targets={targets} />;
    },
  });
};

function AutomaticTextsPage({ state, targets }: { state: FormState; targets: Targets }) {
  const t = useWords(automaticTextWords);
  return (
    <SettingsPage
      title={t.page.title}
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
          readOnly={!useMay('admin')}
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
          <Save />
        </Form>
      </Card>
    </SettingsPage>
  );
}

function KeywordFields({ row, targets: { departments, subcategories } }: { row: string; targets: Targets }) {
  const t = useWords(automaticTextWords);
  return (
    <>
      <TextField name={`${row}.words`} class="medium-field" placeholder={t.wordsExample} />
      <EntryField
        name={`${row}.departmentId`}
        class="medium-field"
        entries={departments}
        empty={t.asInCampaign}
      />
      <EntryField
        name={`${row}.subcategoryId`}
        class="medium-field"
        entries={subcategories}
        empty={t.asInCampaign}
      />
      <TextAreaField name={`${row}.text`} class="long-field" rows={2} maxLength={maxTemplateLength} />
    </>
  );
}
