import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { tokenContent, tokenList, tokenView } from '../../api/access/tokens.ts';
import type { Api, Query } from '../kit/api.ts';
import { AddLink, SaveOrCancel } from '../kit/buttons.tsx';
import { addConfirmed } from '../kit/confirm.tsx';
import { CopyField } from '../kit/copy.tsx';
import { ChoiceField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { accessWords } from './words.ts';
import { common } from '../kit/words.ts';
import { SettingsPage } from '../kit/layout.tsx';
import { Card, Empty, State, Table, Time } from '../kit/parts.tsx';
import { addForm, addPage } from '../kit/routes.ts';
import { readForm } from '../kit/schema-form.ts';
import { useRoleOptions } from './users.tsx';
import { useWords } from '../kit/view.tsx';

const path = '/settings/tokens';
const pageSize = 200;
type Token = z.output<typeof tokenView>;
const newTokenView = tokenView.extend({ token: z.string() });

/** Tokens for programs. */
export const tokens: FastifyPluginAsync = async (app) => {
  const listOf = async (api: Api, query: Query): Promise<Token[]> =>
    (await api.get('/api/tokens', tokenList, query)).tokens;

  addPage(app, path, 'admin', async ({ api }) => (
    <ListPage tokens={await listOf(api, { limit: pageSize })} now={new Date()} />
  ));

  addPage(app, `${path}/new`, 'admin', () => (
    <NewPage state={newForm({ role: 'viewer', expiresInDays: 365 })} />
  ));

  addForm(app, path, 'admin', {
    send: async ({ api, form }) => {
      const made = await api.send('POST', '/api/tokens', readForm(tokenContent, form), newTokenView);
      return { page: <MadePage name={made.name} token={made.token} />, secret: true };
    },
    again: (_, state) => <NewPage state={state} />,
  });

  addConfirmed(app, `${path}/:id/revoke`, 'admin', {
    section: 'settings',
    back: () => path,
    ask: async ({ api, view, id }) => {
      const [token] = await listOf(api, { before: id + 1, limit: 1 });
      const t = accessWords[view.locale];
      const name = token?.id === id ? token.name : String(id);
      return { title: t.revokeTitle(name), text: t.revokeText, button: t.revoke };
    },
    work: async ({ api, id }) => {
      await api.send('DELETE', `/api/tokens/${id}`);
      return { to: path, notice: 'saved' };
    },
  });
};

function ListPage({ tokens, now }: { tokens: readonly Token[]; now: Date }) {
  const t = useWords(accessWords);
  const words = useWords(common);
  const stateOf = ({ revokedAt, expiresAt }: Token) => {
    if (revokedAt) return <State tone="neutral">{t.revoked}</State>;
    if (expiresAt && expiresAt <= now) return <State tone="warn">{t.expired}</State>;
    return <State tone="good">{t.valid}</State>;
  };
  const add = { href: `${path}/new`, label: t.newToken };
  return (
    <SettingsPage title={t.pages.tokens.title} actions={<AddLink {...add} />}>
      <Table
        caption={t.pages.tokens.title}
        rows={tokens}
        columns={[
          { heading: t.fields.name, cell: ({ name }) => name },
          { heading: t.fields.role, cell: ({ role }) => words.roles[role], wide: true },
          { heading: words.state, cell: stateOf },
          {
            heading: t.expires,
            cell: ({ expiresAt }) => (expiresAt ? <Time at={expiresAt} /> : t.never),
            wide: true,
          },
          {
            heading: t.lastUsed,
            cell: ({ lastUsedAt }) => (lastUsedAt ? <Time at={lastUsedAt} /> : t.unused),
            wide: true,
          },
          {
            heading: t.revoke,
            cell: ({ id, revokedAt }) =>
              revokedAt === null && (
                <a class="btn btn-sm" href={`${path}/${id}/revoke`}>
                  {t.revoke}
                </a>
              ),
          },
        ]}
        empty={<Empty icon="key" title={t.emptyTokens} text={t.emptyTokensText} action={add} />}
      />
    </SettingsPage>
  );
}

function NewPage({ state }: { state: FormState }) {
  const t = useWords(accessWords);
  return (
    <SettingsPage title={t.newToken} below={[{ href: path, label: t.pages.tokens.title }]}>
      <Card narrow>
        <Form action={path} state={state} schema={tokenContent} words={t}>
          <TextField name="name" autofocus />
          <ChoiceField name="role" radio options={useRoleOptions()} />
          <TextField name="expiresInDays" type="number" />
          <SaveOrCancel back={path} words={t.create} />
        </Form>
      </Card>
    </SettingsPage>
  );
}

function MadePage({ name, token }: { name: string; token: string }) {
  const t = useWords(accessWords);
  const words = useWords(common);
  return (
    <SettingsPage title={name} below={[{ href: path, label: t.pages.tokens.title }]}>
      <Card>
        <p>{t.tokenOnce}</p>
        <CopyField id="token" label={t.theToken} value={token} />
        <a class="btn btn-primary" href={path}>
          {words.back}
        </a>
      </Card>
    </SettingsPage>
  );
}
