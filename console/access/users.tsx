import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { idParams } from '../../api/http/parameters.ts';
import { newUser, userChange, userView } from '../../api/access/users.ts';
import { type Role, roles } from '../../domain/user.ts';
import { AddLink, Submit } from '../kit/buttons.tsx';
import { CheckField, ChoiceField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { accessWords } from './words.ts';
import { common } from '../kit/words.ts';
import { Page } from '../kit/layout.tsx';
import { Card, Empty, State, Table, Time } from '../kit/parts.tsx';
import { submit } from '../kit/responses.tsx';
import { readForm } from '../kit/schema-form.ts';
import { consoleOf } from '../kit/request.ts';
import { useWords } from '../kit/view.tsx';

const path = '/settings/users';
const access = 'admin' as const;
const pageSize = 100;
type User = z.output<typeof userView>;

/** The users who may sign in. */
export const users: FastifyPluginAsync = async (app) => {
  app.get<{ Querystring: { after?: number } }>(
    path,
    {
      config: { access },
      schema: { querystring: z.object({ after: z.coerce.number().int().min(0).optional() }) },
    },
    async (request, reply) => {
      const { after } = request.query;
      const list = await consoleOf(request).api.get('/api/users', z.object({ users: z.array(userView) }), {
        after,
        limit: pageSize,
      });
      return reply.page(<ListPage users={list.users} />);
    },
  );

  app.get(`${path}/new`, { config: { access } }, async (_request, reply) =>
    reply.page(<UserPage state={newForm({ role: 'operator' })} />),
  );

  app.post(path, { config: { access } }, async (request, reply) =>
    submit(
      request,
      reply,
      async (form) => {
        await consoleOf(request).api.send('POST', '/api/users', readForm(newUser, form));
        return { to: path, notice: 'created' };
      },
      (state) => <UserPage state={state} />,
    ),
  );

  app.get<{ Params: z.infer<typeof idParams> }>(
    `${path}/:id`,
    { config: { access }, schema: { params: idParams } },
    async (request, reply) => {
      const user = await consoleOf(request).api.get(`/api/users/${request.params.id}`, userView);
      return reply.page(<UserPage user={user} state={newForm(user)} />);
    },
  );

  app.post<{ Params: z.infer<typeof idParams> }>(
    `${path}/:id`,
    { config: { access }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const address = `/api/users/${request.params.id}`;
      const user = await api.get(address, userView);
      return submit(
        request,
        reply,
        async (form) => {
          await api.send('PATCH', address, readForm(userChange, form));
          return { to: path, notice: 'saved' };
        },
        (state) => <UserPage user={user} state={state} />,
      );
    },
  );
};

function ListPage({ users }: { users: readonly User[] }) {
  const t = useWords(accessWords);
  const words = useWords(common);
  return (
    <Page
      title={t.pages.users.title}
      section="settings"
      trail={[{ href: '/settings', label: words.nav.settings }]}
      actions={<AddLink href={`${path}/new`} label={t.newUser} />}
    >
      <Table
        caption={t.pages.users.title}
        rows={users}
        columns={[
          { heading: t.fields.name, cell: ({ id, name }) => <a href={`${path}/${id}`}>{name}</a> },
          { heading: t.fields.login, cell: ({ login }) => login, wide: true },
          { heading: t.fields.role, cell: ({ role }) => words.roles[role] },
          {
            heading: t.state,
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
    </Page>
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
    <Page
      title={user ? user.name : t.newUser}
      section="settings"
      trail={[
        { href: '/settings', label: words.nav.settings },
        { href: path, label: t.pages.users.title },
      ]}
    >
      <div class="narrow">
        <Card>
          <Form
            action={user ? `${path}/${user.id}` : path}
            {...(user ? { changes: `/api/users/${user.id}` } : {})}
            state={state}
            schema={newUser}
            labels={t.fields}
            helps={t.helps}
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
            <div class="buttons">
              <Submit>{user ? words.save : t.create}</Submit>
              <a class="btn" href={path}>
                {words.cancel}
              </a>
            </div>
          </Form>
        </Card>
      </div>
    </Page>
  );
}
