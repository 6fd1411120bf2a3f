import type { FastifyPluginAsync } from 'fastify';
import type { Api } from '../kit/api.ts';
import { optionsOf, settingsOf } from '../kit/choices.ts';
import { consoleOf } from '../kit/request.ts';
import { Submit } from '../kit/buttons.tsx';
import { type Option, SelectField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { common } from '../kit/words.ts';
import { locales } from '../kit/dictionary.ts';
import { people } from './words-people.ts';
import { Page } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import { submit } from '../kit/responses.tsx';
import { useView, useWords } from '../kit/view.tsx';
import { TimezoneList, timezoneListId } from '../kit/timezones.tsx';

/** One's own name, language, zone, usual sending hours and password. */
export const profile: FastifyPluginAsync = async (app) => {
  const access = 'viewer' as const;

  app.get('/profile', { config: { access } }, async (request, reply) => {
    const { api, view } = consoleOf(request);
    return reply.page(await profilePage(api, { me: newForm(view.me), password: newForm() }));
  });

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
          sendingHoursId: form.number('sendingHoursId'),
        };
        await api.send('PATCH', '/api/session', profile);
        return { to: '/profile', notice: 'saved' };
      },
      (state) => profilePage(api, { me: state, password: newForm() }),
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
      (state) => profilePage(api, { me: newForm(view.me), password: state }),
    );
  });
};

async function profilePage(api: Api, forms: { me: FormState; password: FormState }) {
  const hours = optionsOf(await settingsOf(api, 'sendingHours'), forms.me.values.text('sendingHoursId'));
  return <ProfilePage {...forms} hours={hours} />;
}

function ProfilePage({
  me,
  password,
  hours,
}: {
  me: FormState;
  password: FormState;
  hours: readonly Option[];
}) {
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
            <SelectField name="sendingHoursId" options={hours} empty={t.firstHours} />
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
