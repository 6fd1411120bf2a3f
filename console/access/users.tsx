import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import { newUser, userChange, listedUsers, userView } from '../../api/access/users.ts';
import { type Role, roles } from '../../domain/user.ts';
import type { Api } from '../kit/api.ts';
import { AddLink, SaveOrCancel } from '../kit/buttons.tsx';
import { CheckField, ChoiceField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { accessWords } from './words.ts';
import { common } from '../kit/words.ts';
import { SettingsPage } from '../kit/layout.tsx';
import { Card, Empty, State, Table, Time } from '../kit/parts.tsx';
import { addForm, addPage } from '../kit/routes.ts';
import { readForm } from '../kit/schema-form.ts';
import { useWords } from '../kit/view.tsx';

const path = '/settings/users';
const pageSize = 100;
type User = z.output<typeof userView>;

/** The users who may sign in. */
export const users: FastifyPluginAsync = async (app) => {
  addPage(app, path, 'admin', async ({ api, query: { after } }) => {
    const { users } = await api.get('/api/users', listedUsers, { after, limit: pageSize });
    return <ListPage users={users} />;
  });

  addPage(app, `${path}/new`, 'admin', () => <UserPage state={newForm({ role: 'operator' })} />);

  addForm(app, path, 'admin', {
    send: async ({ api, form }) => {
      await api.send('POST', '/api/users', readForm(newUser, form));
      return { to: path, notice: 'created' };
    },
    again: (_, state) => <UserPage state={state} />,
  });

  const userOf = (api: Api, id: number): Promise<User> => api.get(`/api/users/${id}`, userView);

  addPage(app, `${path}/:id`, 'admin', async ({ api, id }) => {
    const user = await userOf(api, id);
    return <UserPage user={user} state={newForm(user)} />;
  });

  addForm(app, `${path}/:id`, 'admin', {
    send: async ({ api, id, form }) => {
      await api.send('PATCH', `/api/users/${id}`, readForm(userChange, form));
      return { to: path, notice: 'saved' };
    },
    again: async ({ api, id }, state) => <UserPage user={await userOf(api, id)} state={state} />,
  });
};

function ListPage({ users }: { users: readonly User[] }) {
  const t = useWords(accessWords);
  const words = useWords(common);
  return (
    <SettingsPage title={t.pages.users.title} actions={<AddLink href={`${path}/new`} label={t.newUser} />}>
      <Table
        caption={t.pages.users.title}
        rows={users}
        columns={[
          { heading: t.fields.name, cell: ({ id, name }) => <a href={`${path}/${id}`}>{name}</a> },
          { heading: t.fields.login, cell: ({ login }) => login, wide: true },
          { heading: t.fields.role, cell: ({ role }) => words.roles[role] },
          {
            heading: words.state,
            cell: ({ enabled, mustChangePassword }) => (
              <>
                {enabled ? (
                  <State tone="good">{t.enabled}</State>
                ) : (
                  <State tone="neutral">{t.disabled}</State>
                )}
                {mustChangePassword && <small class="d-block text-secondary">{t.givenPassword}</small>}
              </>
            ),
          },
          { heading: t.since, cell: ({ createdAt }) => <Time at={createdAt} />, wide: true },
        ]}
        empty={<Empty icon="user" title={t.newUser} text={t.pages.users.about} />}
      />
    </SettingsPage>
  );
}

export function useRoleOptions(): { value: Role; label: string; help: string }[] {
  const t = useWords(accessWords);
  const words = useWords(common);
  return roles.map((role) => ({ value: role, label: words.roles[role], help: t.roleHelp[role] }));
}

function UserPage({ user, state }: { user?: User; state: FormState }) {
  const t = useWords(accessWords);
  const words = useWords(common);
  return (
    <SettingsPage title={user ? user.name : t.newUser} below={[{ href: path, label: t.pages.users.title }]}>
      <Card narrow>
        <Form
          action={user ? `${path}/${user.id}` : path}
          changes={user && `/api/users/${user.id}`}
          state={state}
          schema={newUser}
          words={t}
          once={!user}
        >
          {!user && <TextField name="login" autofocus />}
          <TextField name="name" />
          <TextField name="email" type="email" />
          <ChoiceField name="role" radio options={useRoleOptions()} />
          <TextField
            name="password"
            type="password"
            autocomplete="new-password"
            required={!user}
            help={user ? t.passwordHelp : t.helps.password}
          />
          {user && <CheckField name="enabled" />}
          <SaveOrCancel back={path} words={user ? words.save : t.create} />
        </Form>
      </Card>
    </SettingsPage>
  );
}
