import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import {
  passwordResetRequest,
  passwordResetState,
  passwordResetUse,
} from '../../api/access/password-resets.ts';
import { Submit } from '../kit/buttons.tsx';
import { TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { DoorPage } from '../kit/layout.tsx';
import { consoleOf } from '../kit/request.ts';
import { formOf, submit } from '../kit/responses.tsx';
import { useWords } from '../kit/view.tsx';
import { people } from './words-people.ts';

const query = z.object({ token: z.string().max(100).optional() });

/** A new password by e-mail: the request of a link, and the page that the link leads to. */
export const resetPassword: FastifyPluginAsync = async (app) => {
  const door = { config: { access: 'open', withGivenPassword: true } } as const;

  app.get('/forgot-password', door, async (_request, reply) => reply.page(<ForgotPage state={newForm()} />));

  app.post('/forgot-password', door, async (request, reply) => {
    const { api, view } = consoleOf(request);
    return submit(
      request,
      reply,
      async (form) => {
        await api.send('POST', '/api/password-resets', { login: form.text('login') });
        return { to: '/sign-in', notice: { words: people[view.locale].forgotSent } };
      },
      (state) => <ForgotPage state={state} />,
    );
  });

  // Opening the link uses nothing up: programs that check the links of mails open it, too.
  app.get('/reset-password', door, async (request, reply) => {
    const token = query.safeParse(request.query).data?.token ?? '';
    const { valid } = await consoleOf(request).api.send(
      'POST',
      '/api/password-resets/check',
      { token },
      passwordResetState,
    );
    return reply.page(valid ? <ResetPage token={token} state={newForm()} /> : <InvalidPage />);
  });

  app.post('/reset-password', door, async (request, reply) => {
    const { api, view } = consoleOf(request);
    const token = formOf(request).text('token');
    return submit(
      request,
      reply,
      async (form) => {
        const body = { token, password: form.text('password') };
        await api.send('POST', '/api/password-resets/use', body);
        return { to: '/sign-in', notice: { words: people[view.locale].resetDone } };
      },
      (state) =>
        state.problems.some(({ code }) => code === 'reset_link_invalid') ? (
          <InvalidPage />
        ) : (
          <ResetPage token={token} state={state} />
        ),
    );
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
        labels={{ login: t.forgotLogin }}
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
      <Form
        action="/reset-password"
        state={state}
        schema={passwordResetUse}
        labels={{ password: t.fields.password }}
        helps={{ password: t.helps.password }}
        guarded={false}
      >
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
