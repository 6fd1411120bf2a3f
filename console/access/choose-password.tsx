import type { FastifyPluginAsync } from 'fastify';
import { Submit } from '../kit/buttons.tsx';
import { TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { DoorPage } from '../kit/layout.tsx';
import { safePath } from '../kit/responses.tsx';
import { addForm, addPage } from '../kit/routes.ts';
import { useWords } from '../kit/view.tsx';
import { people } from './words-people.ts';

/** A user whose password was set by an admin chooses their own here, before anything else. */
export const choosePassword: FastifyPluginAsync = async (app) => {
  addPage(app, '/choose-password', 'open', ({ givenPassword, query: { next = '' } }) =>
    givenPassword ? (
      <ChoosePasswordPage next={next} state={newForm()} />
    ) : (
      { to: safePath(next) ?? '/profile' }
    ),
  );

  addForm(app, '/choose-password', 'open', {
    send: async ({ api, form }) => {
      const change = { current: form.text('current'), password: form.text('password') };
      await api.send('PUT', '/api/session/password', change);
      return { to: safePath(form.text('next')) ?? '/', notice: 'passwordChanged' };
    },
    again: ({ form }, state) => <ChoosePasswordPage next={form.text('next')} state={state} />,
  });
};

function ChoosePasswordPage({ next, state }: { next: string; state: FormState }) {
  const t = useWords(people);
  return (
    <DoorPage title={t.choosePassword}>
      <p class="text-secondary">{t.choosePasswordWhy}</p>
      <Form
        action="/choose-password"
        state={state}
        words={{ fields: { ...t.fields, current: t.givenPassword }, helps: t.helps }}
        guarded={false}
      >
        <input type="hidden" name="next" value={next} />
        <TextField name="current" type="password" autocomplete="current-password" autofocus required />
        <TextField name="password" type="password" autocomplete="new-password" required />
        <Submit>{t.savePassword}</Submit>
      </Form>
      <form method="post" action="/sign-out" class="mt-3">
        <button class="btn">{t.useAnotherLogin}</button>
      </form>
    </DoorPage>
  );
}
