import type { FastifyPluginAsync } from 'fastify';
import { defaultReplyWords, replyWords as replyWordsShape } from '../../domain/reply.ts';
import { SaveOrCancel } from '../kit/buttons.tsx';
import { addDocument } from '../kit/document.tsx';
import { TextAreaField, TextField } from '../kit/fields.tsx';
import { fieldId, Form, type FormState, newForm } from '../kit/form.tsx';
import { common } from '../kit/words.ts';
import { replyWordTexts } from './words-reply-words.ts';
import { SettingsPage } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import { useMay, useWords } from '../kit/view.tsx';

export const replyWordsPath = '/settings/reply-words';
const address = '/api/settings/reply-words';
const lists = ['optOut', 'optIn', 'help'] as const;

/** The keywords by which customers opt out, opt in and ask for help. */
export const replyWords: FastifyPluginAsync = async (app) => {
  addDocument(app, {
    path: replyWordsPath,
    api: address,
    schema: replyWordsShape,
    page: async ({ api }, rejected) => {
      const words = await api.get(address, replyWordsShape);
      return <ReplyWordsPage state={rejected ?? newForm(words)} />;
    },
  });
};

function ReplyWordsPage({ state }: { state: FormState }) {
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
          action={replyWordsPath}
          changes={address}
          state={state}
          schema={replyWordsShape}
          // The problem of a word is shown at its list.
          labels={{ ...t.fields, ...Object.fromEntries(lists.map((list) => [`${list}.*`, t.fields[list]])) }}
          summaryHref={(name) => `#${fieldId(name.replace(/\..*/, ''))}`}
          readOnly={!useMay('admin')}
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
