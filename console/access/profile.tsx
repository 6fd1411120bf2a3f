import type { FastifyPluginAsync } from 'fastify';
import { ownAlertKinds, ownAlertKindsChange } from '../../api/alerts/alerts.ts';
import { passwordChange, profileChange } from '../../api/access/sessions.ts';
import type { AlertKind } from '../../domain/alert.ts';
import { roleSuffices } from '../../domain/user.ts';
import { settingsOf } from '../kit/choices.ts';
import type { ConsoleRequest } from '../kit/request.ts';
import { Save, Submit } from '../kit/buttons.tsx';
import { ChoiceField, EntryField, labeled, SelectField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { locales } from '../kit/dictionary.ts';
import { alertKindLabels } from '../../domain/words/alerts.ts';
import { alertWords } from '../alerts/words.ts';
import { people } from './words-people.ts';
import { Page } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import { addForm, addPage } from '../kit/routes.ts';
import { readForm } from '../kit/schema-form.ts';
import { useView, useWords } from '../kit/view.tsx';
import { TimezoneField } from '../kit/timezones.tsx';

/** The user's own name, language, time zone, default sending hours and password. */
export const profile: FastifyPluginAsync = async (app) => {
  const access = 'any_role';

  addPage(app, '/profile', access, (request) => profilePage(request));

  addForm(app, '/profile', access, {
    send: async ({ api, form }) => {
      await api.send('PATCH', '/api/session', readForm(profileChange, form));
      return { to: '/profile', notice: 'saved' };
    },
    again: (request, me) => profilePage(request, { me }),
  });

  addForm(app, '/profile/alerts', access, {
    send: async ({ api, form }) => {
      await api.send('PUT', '/api/session/alerts', readForm(ownAlertKindsChange, form));
      return { to: '/profile', notice: 'saved' };
    },
    again: (request, alerts) => profilePage(request, { alerts }),
  });

  addForm(app, '/profile/password', access, {
    send: async ({ api, form }) => {
      await api.send('PUT', '/api/session/password', readForm(passwordChange, form));
      return { to: '/profile', notice: 'passwordChanged' };
    },
    again: (request, password) => profilePage(request, { password }),
  });
};

interface Rejected {
  me?: FormState;
  password?: FormState;
  alerts?: FormState;
}

const profilePage = async (request: ConsoleRequest, rejected: Rejected = {}) => (
  <ProfilePage {...await profileOf(request)} {...rejected} />
);

async function profileOf({ api, view }: ConsoleRequest) {
  const { kinds, available } = await api.get('/api/session/alerts', ownAlertKinds);
  // They are for new campaigns: an agent has none.
  const hours =
    view.me && roleSuffices(view.me.role, 'viewer') ? await settingsOf(api, 'sendingHours') : null;
  return { me: newForm(view.me), password: newForm(), alerts: newForm({ kinds }), hours, available };
}

/** `available`: the kinds of alerts that the user may choose. */
function ProfilePage({ me, password, alerts, hours, available }: Awaited<ReturnType<typeof profileOf>>) {
  const t = useWords(people);
  return (
    <Page title={t.profile}>
      <div class="narrow">
        <Card title={t.me}>
          <Form action="/profile" changes="/api/session" state={me} schema={profileChange} words={t}>
            <TextField name="name" autocomplete="name" required />
            <SelectField name="locale" options={locales.map(([value, label]) => ({ value, label }))} />
            <TimezoneField name="timezone" />
            <TextField name="email" type="email" autocomplete="email" />
            {hours && <EntryField name="sendingHoursId" entries={hours} empty={t.firstHours} />}
            <Save />
          </Form>
        </Card>
        <AlertsCard state={alerts} available={available} />
        <Card title={t.changePassword}>
          <Form action="/profile/password" state={password} schema={passwordChange} words={t}>
            <TextField name="current" type="password" autocomplete="current-password" />
            <TextField name="password" type="password" autocomplete="new-password" />
            <Submit>{t.changePassword}</Submit>
          </Form>
        </Card>
      </div>
    </Page>
  );
}

function AlertsCard({ state, available }: { state: FormState; available: readonly AlertKind[] }) {
  const t = useWords(alertWords).own;
  const { me, locale } = useView();
  return (
    <Card title={t.title}>
      <p class="text-secondary">
        {t.intro} {me?.email === null && t.noEmail}
      </p>
      <Form
        action="/profile/alerts"
        changes="/api/session/alerts"
        state={state}
        schema={ownAlertKindsChange}
        words={{ fields: t }}
      >
        <ChoiceField name="kinds" options={labeled(available, alertKindLabels[locale])} />
        <Save />
      </Form>
      {/* Only with scripts, and in browsers that have them: console.js. */}
      <div data-notifications="" hidden class="mt-4">
        <h2 class="h3">{t.browser}</h2>
        <p class="form-hint">{t.browserHelp}</p>
        <button type="button" class="btn" data-notifications-on="" hidden>
          {t.browserOn}
        </button>
        <button type="button" class="btn" data-notifications-off="" hidden>
          {t.browserOff}
        </button>
        <p class="text-secondary" data-notifications-denied="" hidden>
          {t.browserDenied}
        </p>
      </div>
    </Card>
  );
}
