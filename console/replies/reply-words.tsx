import type { FastifyPluginAsync } from 'fastify';
import { defaultReplyWords, replyWords as replyWordsShape } from '../../domain/reply.ts';
import { Submit } from '../kit/buttons.tsx';
import { TextAreaField } from '../kit/fields.tsx';
import { fieldId, Form, type FormState, newForm } from '../kit/form.tsx';
import { common } from '../kit/words.ts';
import { replyWordTexts } from './words-reply-words.ts';
import { Page } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import { submit } from '../kit/responses.tsx';
import { consoleOf } from '../kit/request.ts';
import { useMay, useWords } from '../kit/view.tsx';

export const replyWordsPath = '/settings/reply-words';
const address = '/api/settings/reply-words';
const lists = ['optOut', 'optIn', 'help'] as const;

/** Blank lines are no words. */
const wordsOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

/** The words by which people opt out, opt in and call for help. */
export const replyWords: FastifyPluginAsync = async (app) => {
  app.get(replyWordsPath, { config: { access: 'viewer' } }, async (request, reply) => {
    const words = await consoleOf(request).api.get(address, replyWordsShape);
    const values = Object.fromEntries(lists.map((list) => [list, words[list].join('\n')]));
    return reply.page(<ReplyWordsPage state={newForm(values)} />);
  });

  app.post(replyWordsPath, { config: { access: 'admin' } }, async (request, reply) =>
    submit(
      request,
      reply,
      async (form) => {
        const words = Object.fromEntries(lists.map((list) => [list, wordsOf(form.text(list))]));
        await consoleOf(request).api.send('PUT', address, words);
        return { to: replyWordsPath, notice: 'saved' };
      },
      (state) => <ReplyWordsPage state={state} />,
    ),
  );
};

function ReplyWordsPage({ state }: { state: FormState }) {
  const t = useWords(replyWordTexts);
  const words = useWords(common);
  const mayChange = useMay('admin');
  return (
    <Page
      title={t.page.title}
      section="settings"
      trail={[{ href: '/settings', label: words.nav.settings }]}
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
          state={state}
          // A word is told of at its list.
          labels={{ ...t.fields, ...Object.fromEntries(lists.map((list) => [`${list}.*`, t.fields[list]])) }}
          summaryHref={(name) => `#${fieldId(name.replace(/\..*/, ''))}`}
          readOnly={!mayChange}
        >
          <div class="row">
            {lists.map((list) => (
              <TextAreaField
                key={list}
                name={list}
                rows={14}
                required={list === 'optOut'}
                class="col-md-4 mb-3"
                help={`${t.helps[list]} ${t.onePerLine} ${t.standard(defaultReplyWords[list].join(', '))}`}
              />
            ))}
          </div>
          <p class="form-hint">{t.effect}</p>
          {mayChange && (
            <div class="buttons">
              <Submit>{words.save}</Submit>
              <a class="btn" href="/settings">
                {words.cancel}
              </a>
            </div>
          )}
        </Form>
      </Card>
    </Page>
  );
}
