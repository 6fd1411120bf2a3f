import type { FastifyPluginAsync } from 'fastify';
import { passwordResetOffer } from '../../api/access/password-resets.ts';
import { type Api, ApiFailure } from '../kit/api.ts';
import { consoleOf } from '../kit/request.ts';
import { Submit } from '../kit/buttons.tsx';
import { TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { people } from './words-people.ts';
import { failureWords } from '../kit/problems.ts';
import { DoorPage } from '../kit/layout.tsx';
import { formOf, safePath } from '../kit/responses.tsx';
import { addPage } from '../kit/routes.ts';
import { useWords } from '../kit/view.tsx';

/** Signing in and out, with the API's sessions. */
export const signIn: FastifyPluginAsync = async (app) => {
  const door = { config: { access: 'open', withGivenPassword: true } } as const;

  addPage(app, '/sign-in', 'open', async ({ api, view, query: { next = '', expired } }) => {
    if (view.me) return { to: safePath(next) ?? '/' };
    return (
      <SignInPage
        next={next}
        state={newForm()}
        expired={expired !== undefined}
        offersReset={await offersReset(api)}
      />
    );
  });

  app.post('/sign-in', door, async (request, reply) => {
    const form = formOf(request);
    const { api, view } = consoleOf(request);
    const next = form.text('next');
    try {
      const credentials = { login: form.text('login'), password: form.text('password') };
      const cookies = await api.sendForCookies('POST', '/api/session', credentials);
      for (const cookie of cookies) reply.header('set-cookie', cookie);
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      const failure = error.problems.length === 0 ? failureWords(view.format, error) : undefined;
      const state = { values: form, problems: error.problems, failure };
      return reply.page(
        <SignInPage next={next} state={state} offersReset={await offersReset(api)} />,
        error.status,
      );
    }
    return reply.redirect(safePath(next) ?? '/', 303);
  });

  app.post('/sign-out', door, async (request, reply) => {
    const { api } = consoleOf(request);
    try {
      const cookies = await api.sendForCookies('DELETE', '/api/session');
      for (const cookie of cookies) reply.header('set-cookie', cookie);
    } catch (error) {
      // No user was signed in.
      if (!(error instanceof ApiFailure) || error.status !== 401) throw error;
    }
    // The pages that the back button would still show.
    return reply.header('clear-site-data', '"cache"').done('/sign-in', 'signedOut');
  });
};

const offersReset = async (api: Api): Promise<boolean> =>
  (await api.get('/api/password-resets', passwordResetOffer)).offered;

function SignInPage({
  next,
  state,
  expired = false,
  offersReset,
}: {
  next: string;
  state: FormState;
  /** A session has ended, and the user wanted to go on. */
  expired?: boolean;
  /** Whether a new password can be requested by e-mail. */
  offersReset: boolean;
}) {
  const t = useWords(people);
  return (
    <DoorPage title={t.signInTitle}>
      {expired && (
        <p class="alert alert-warning" role="status">
          {t.expired}
        </p>
      )}
      <Form
        action="/sign-in"
        state={state}
        words={{ fields: { login: t.login, password: t.password } }}
        guarded={false}
      >
        <input type="hidden" name="next" value={next} />
        <TextField name="login" autocomplete="username" autofocus required />
        <TextField name="password" type="password" autocomplete="current-password" required />
        <Submit>{t.signIn}</Submit>
      </Form>
      {offersReset && (
        <p class="mt-3 mb-0">
          <a href="/forgot-password">{t.forgot}</a>
        </p>
      )}
      <p class="form-hint mt-4">{t.firstTime}</p>
    </DoorPage>
  );
}
