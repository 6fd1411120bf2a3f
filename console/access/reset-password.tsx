import type { FastifyPluginAsync } from 'fastify';
import {
  passwordResetRequest,
  passwordResetState,
  passwordResetUse,
} from '../../api/access/password-resets.ts';
import { Submit } from '../kit/buttons.tsx';
import { TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { DoorPage } from '../kit/layout.tsx';
import { addForm, addPage } from '../kit/routes.ts';
import { useWords } from '../kit/view.tsx';
import { people } from './words-people.ts';

const longestToken = 100;

/** A new password by e-mail: the request of a link, and the page that the link leads to. */
export const resetPassword: FastifyPluginAsync = async (app) => {
  addPage(app, '/forgot-password', 'open', () => <ForgotPage state={newForm()} />);

  addForm(app, '/forgot-password', 'open', {
    send: async ({ api, view, form }) => {
      await api.send('POST', '/api/password-resets', { login: form.text('login') });
      return { to: '/sign-in', notice: { words: people[view.locale].forgotSent } };
    },
    again: (_, state) => <ForgotPage state={state} />,
  });

  // Opening the link uses nothing up: programs that check the links of mails open it, too.
  addPage(app, '/reset-password', 'open', async ({ api, query }) => {
    const token = (query.token ?? '').slice(0, longestToken);
    const { valid } = await api.send('POST', '/api/password-resets/check', { token }, passwordResetState);
    return valid ? <ResetPage token={token} state={newForm()} /> : <InvalidPage />;
  });

  addForm(app, '/reset-password', 'open', {
    send: async ({ api, view, form }) => {
      const body = { token: form.text('token'), password: form.text('password') };
      await api.send('POST', '/api/password-resets/use', body);
      return { to: '/sign-in', notice: { words: people[view.locale].resetDone } };
    },
    again: ({ form }, state) =>
      state.problems.some(({ code }) => code === 'reset_link_invalid') ? (
        <InvalidPage />
      ) : (
        <ResetPage token={form.text('token')} state={state} />
      ),
  });
};

function ForgotPage({ state }: { state: FormState }) {
  const t = useWords(people);
  return (
    <DoorPage title={t.forgotTitle}>
      <p class="text-secondary">{t.forgotIntro}</p>
      <Form
        action="/forgot-password"
        state={state}
        schema={passwordResetRequest}
        words={{ fields: { login: t.forgotLogin } }}
        guarded={false}
      >
        <TextField name="login" autocomplete="username" autofocus required />
        <Submit>{t.forgotSend}</Submit>
      </Form>
      <p class="mt-3 mb-0">
        <a href="/sign-in">{t.backToSignIn}</a>
      </p>
    </DoorPage>
  );
}

function ResetPage({ token, state }: { token: string; state: FormState }) {
  const t = useWords(people);
  return (
    <DoorPage title={t.resetTitle}>
      <p class="text-secondary">{t.resetIntro}</p>
      <Form action="/reset-password" state={state} schema={passwordResetUse} words={t} guarded={false}>
        <input type="hidden" name="token" value={token} />
        <TextField name="password" type="password" autocomplete="new-password" autofocus required />
        <Submit>{t.resetSave}</Submit>
      </Form>
    </DoorPage>
  );
}

function InvalidPage() {
  const t = useWords(people);
  return (
    <DoorPage title={t.resetTitle}>
      <p>{t.resetInvalid}</p>
      <a class="btn btn-primary" href="/forgot-password">
        {t.resetAgain}
      </a>
    </DoorPage>
  );
}
