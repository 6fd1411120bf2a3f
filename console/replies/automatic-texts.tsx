import type { FastifyPluginAsync } from 'fastify';
import { automaticTexts } from '../../domain/automatic-texts.ts';
import { maxTemplateLength } from '../../domain/template.ts';
import { Save } from '../kit/buttons.tsx';
import { type Entry, settingsOf } from '../kit/choices.ts';
import { addDocument, type DocumentForm } from '../kit/document.tsx';
import { FieldGroup, EntryField, TextAreaField, TextField } from '../kit/fields.tsx';
import { fieldId, Form } from '../kit/form.tsx';
import { SettingsPage } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import { Rows } from '../kit/rows.tsx';
import { useWords } from '../kit/view.tsx';
import { replyWordsPath } from './reply-words.tsx';
import { automaticTextWords } from './words-automatic-texts.ts';

interface Targets {
  departments: readonly Entry[];
  subcategories: readonly Entry[];
}

/** Texts that are sent by themselves. */
export const automaticTextsPage: FastifyPluginAsync = async (app) => {
  addDocument(app, {
    path: '/settings/automatic-texts',
    api: '/api/settings/automatic-texts',
    schema: automaticTexts,
    page: async ({ api }, form) => {
      const targets = {
        departments: await settingsOf(api, 'departments'),
        subcategories: await settingsOf(api, 'subcategories'),
      };
      return <AutomaticTextsPage form={form} targets={targets} />;
    },
  });
};

function AutomaticTextsPage({ form, targets }: { form: DocumentForm; targets: Targets }) {
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
          {...form}
          words={t}
          // The problem of a word is shown at its row.
          summaryHref={(name) => `#${fieldId(name.replace(/\.words\..*/, '.words'))}`}
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
