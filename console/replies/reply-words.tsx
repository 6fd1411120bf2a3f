import type { FastifyPluginAsync } from 'fastify';
import { defaultReplyWords, replyWords as replyWordsShape } from '../../domain/reply.ts';
import { SaveOrCancel } from '../kit/buttons.tsx';
import { addDocument, type DocumentForm } from '../kit/document.tsx';
import { TextAreaField, TextField } from '../kit/fields.tsx';
import { fieldId, Form } from '../kit/form.tsx';
import { common } from '../kit/words.ts';
import { replyWordTexts } from './words-reply-words.ts';
import { SettingsPage } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import { useWords } from '../kit/view.tsx';

export const replyWordsPath = '/settings/reply-words';
const lists = ['optOut', 'optIn', 'help'] as const;

/** The keywords by which customers opt out, opt in and ask for help. */
export const replyWords: FastifyPluginAsync = async (app) => {
  addDocument(app, {
    path: replyWordsPath,
    api: '/api/settings/reply-words',
    schema: replyWordsShape,
    page: (_, form) => <ReplyWordsPage form={form} />,
  });
};

function ReplyWordsPage({ form }: { form: DocumentForm }) {
  const t = useWords(replyWordTexts);
  const words = useWords(common);
  return (
    <SettingsPage
      title={t.page.title}
      actions={
        <a class="btn" href="/opt-outs">
          {words.nav.optOuts}
        </a>
      }
    >
      <Card>
        <p>{t.intro}</p>
        <Form
          {...form}
          // The problem of a word is shown at its list.
          words={{
            fields: {
              ...t.fields,
              ...Object.fromEntries(lists.map((list) => [`${list}.*`, t.fields[list]])),
            },
          }}
          summaryHref={(name) => `#${fieldId(name.replace(/\..*/, ''))}`}
        >
          <div class="row">
            {lists.map((list) => (
              <TextAreaField
                key={list}
                name={list}
                rows={14}
                class="col-md-4 mb-3"
                help={`${t.helps[list]} ${t.onePerLine} ${t.standard(defaultReplyWords[list].join(', '))}`}
              />
            ))}
          </div>
          <TextField name="holdDays" type="number" class="short mb-3" help={t.helps.holdDays} />
          <p class="form-hint">{t.effect}</p>
          <SaveOrCancel back="/settings" />
        </Form>
      </Card>
    </SettingsPage>
  );
}
