import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { lookUpView, messageView } from '../../api/messages/messages.ts';
import { unknownView } from '../../api/messages/unknown.ts';
import type { Api } from '../kit/api.ts';
import { SaveOrCancel } from '../kit/buttons.tsx';
import { ChoiceField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import type { FormValues } from '../kit/form-data.ts';
import { lookUpResultWords } from '../../domain/problems/runs.ts';
import { common } from '../kit/words.ts';
import { messages as messageWords } from './words.ts';
import { runs as runWords } from '../runs/words.ts';
import { resolveWords } from './words-resolve.ts';
import { Page } from '../kit/layout.tsx';
import { Card, Facts } from '../kit/parts.tsx';
import { addForm, addPage } from '../kit/routes.ts';
import { useFormat, useWords } from '../kit/view.tsx';

type LookUps = z.output<typeof unknownView>['byLookUp'];
const story = z.object({ message: messageView, lookUp: lookUpView.nullable() });

/** The form's values; without an answer the API reports the field. */
const statementOf = (form: FormValues) => ({
  arrived: { yes: true, no: false }[form.text('arrived')],
  note: form.text('note'),
});

/** Stating whether unknown messages arrived: for one, or for all of a run. */
export const resolve: FastifyPluginAsync = async (app) => {
  const runPage = async (api: Api, id: number, state: FormState) => (
    <ResolveRunPage id={id} unknown={await api.get(`/api/runs/${id}/unknown`, unknownView)} state={state} />
  );
  const messagePage = async (api: Api, id: number, state: FormState) => (
    <ResolveMessagePage {...await api.get(`/api/messages/${id}`, story)} state={state} />
  );

  for (const [noun, page] of [
    ['runs', runPage],
    ['messages', messagePage],
  ] as const) {
    addPage(app, `/${noun}/:id/resolve`, 'operator', ({ api, id }) => page(api, id, newForm()));

    addForm(app, `/${noun}/:id/resolve`, 'operator', {
      send: async ({ api, id, form }) => {
        // For a run, the number that the user saw.
        const seen = noun === 'runs' ? { messages: form.number('messages') } : {};
        await api.send('POST', `/api/${noun}/${id}/resolve`, { ...statementOf(form), ...seen });
        return { to: `/${noun}/${id}`, notice: 'saved' };
      },
      again: ({ api, id }, state) => page(api, id, state),
    });
  }
};

function ResolveRunPage({
  id,
  unknown,
  state,
}: {
  id: number;
  unknown: z.output<typeof unknownView>;
  state: FormState;
}) {
  const t = useWords(resolveWords);
  const run = useWords(runWords);
  const url = `/runs/${id}`;
  return (
    <Page title={t.runTitle(String(id))} section="runs" trail={[{ href: url, label: run.run(String(id)) }]}>
      <Statement
        messages={unknown.messages}
        lookUps={unknown.byLookUp}
        list={`${url}/messages?status=unknown`}
        back={url}
        state={state}
      />
    </Page>
  );
}

function ResolveMessagePage({ message, lookUp, state }: z.output<typeof story> & { state: FormState }) {
  const t = useWords(resolveWords);
  const run = useWords(runWords);
  const { title } = useWords(messageWords);
  const format = useFormat();
  const { id, runId, line, status } = message;
  return (
    <Page
      title={t.messageTitle(format.number(line))}
      section="runs"
      trail={[
        { href: `/runs/${runId}`, label: run.run(String(runId)) },
        { href: `/runs/${runId}/messages`, label: title },
      ]}
    >
      <Statement
        messages={status === 'unknown' ? 1 : 0}
        lookUps={lookUp ? [{ result: lookUp.result, messages: 1, words: lookUp.words }] : []}
        list={`/messages/${id}`}
        back={`/messages/${id}`}
        state={state}
      />
    </Page>
  );
}

/** `messages`: how many it affects, which the API compares with their number at that time. */
function Statement({
  messages,
  lookUps,
  list,
  back,
  state,
}: {
  messages: number;
  lookUps: LookUps;
  list: string;
  back: string;
  state: FormState;
}) {
  const t = useWords(resolveWords);
  const words = useWords(common);
  const format = useFormat();
  if (messages === 0)
    return (
      <Card>
        <p>{t.none}</p>
        <a class="btn" href={back}>
          {words.back}
        </a>
      </Card>
    );
  return (
    <>
      <p>{t.about}</p>
      <div class="halves">
        <Card title={t.lookUp}>
          <p class="figure-value">{t.count(messages, format.number(messages))}</p>
          <Facts
            facts={lookUps.map(
              (group) =>
                [
                  lookUpResultWords[format.locale][group.result ?? 'waiting'],
                  format.number(group.messages),
                ] as const,
            )}
          />
          <a href={list}>{t.list}</a>
        </Card>
        <Card title={t.statement}>
          <Form action={`${back}/resolve`} state={state} words={t} once>
            <input type="hidden" name="messages" value={messages} />
            <ChoiceField
              name="arrived"
              required
              radio
              options={[
                { value: 'yes', label: t.arrived.yes },
                { value: 'no', label: t.arrived.no },
              ]}
            />
            <TextField name="note" required maxLength={500} />
            <SaveOrCancel kind="danger" words={t.resolve(messages, format.number(messages))} back={back} />
          </Form>
        </Card>
      </div>
    </>
  );
}
