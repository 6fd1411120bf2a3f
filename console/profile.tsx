import type { FastifyPluginAsync } from 'fastify';
import { consoleOf } from './request.ts';
import { Form, type FormState, newForm, SelectField, Submit, TextField } from './form.tsx';
import { common } from './i18n/common.ts';
import { locales } from './i18n/dictionary.ts';
import { people } from './i18n/people.ts';
import { Page } from './layout.tsx';
import { Card } from './parts.tsx';
import { submit } from './replies.tsx';
import { useView, useWords } from './view.tsx';
import { TimezoneList, timezoneListId } from './timezones.tsx';

/** One's own name, language, zone and password. */
export const profile: FastifyPluginAsync = async (app) => {
  const access = 'viewer' as const;

  app.get('/profile', { config: { access } }, async (request, reply) =>
    reply.page(<ProfilePage me={newForm(consoleOf(request).view.me)} password={newForm()} />),
  );

  app.post('/profile', { config: { access } }, async (request, reply) => {
    const { api } = consoleOf(request);
    return submit(
      request,
      reply,
      async (form) => {
        const profile = {
          name: form.text('name'),
          locale: form.text('locale'),
          timezone: form.text('timezone'),
        };
        await api.send('PATCH', '/api/session', profile);
        return { to: '/profile', notice: 'saved' };
      },
      (state) => <ProfilePage me={state} password={newForm()} />,
    );
  });

  app.post('/profile/password', { config: { access } }, async (request, reply) => {
    const { api, view } = consoleOf(request);
    return submit(
      request,
      reply,
      async (form) => {
        const change = { current: form.text('current'), password: form.text('password') };
        await api.send('PUT', '/api/session/password', change);
        return { to: '/profile', notice: 'passwordChanged' };
      },
      (state) => <ProfilePage me={newForm(view.me)} password={state} />,
    );
  });
};

function ProfilePage({ me, password }: { me: FormState; password: FormState }) {
  const t = useWords(people);
  const words = useWords(common);
  const { format } = useView();
  return (
    <Page title={t.profile}>
      <div class="narrow">
        <Card title={t.me}>
          <Form action="/profile" state={me} labels={t.fields} helps={t.helps}>
            <TextField name="name" autocomplete="name" required />
            <SelectField name="locale" options={locales.map(([value, label]) => ({ value, label }))} />
            <TextField name="timezone" list={timezoneListId} required />
            <TimezoneList now={format.timeZone} />
            <Submit>{words.save}</Submit>
          </Form>
        </Card>
        <Card title={t.changePassword}>
          <Form action="/profile/password" state={password} labels={t.fields} helps={t.helps}>
            <TextField name="current" type="password" autocomplete="current-password" required />
            <TextField name="password" type="password" autocomplete="new-password" required />
            <Submit>{t.changePassword}</Submit>
          </Form>
        </Card>
      </div>
    </Page>
  );
}
