import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { tokenContent, tokenView } from '../../api/access/tokens.ts';
import { type Api, ApiFailure, type Query } from '../kit/api.ts';
import { AddLink, SaveOrCancel } from '../kit/buttons.tsx';
import { CopyField } from '../kit/copy.tsx';
import { ChoiceField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { accessWords } from './words.ts';
import { common } from '../kit/words.ts';
import { failureWords } from '../kit/problems.ts';
import { SettingsPage } from '../kit/layout.tsx';
import { Card, ConfirmPage, Empty, State, Table, Time } from '../kit/parts.tsx';
import { consoleOf } from '../kit/request.ts';
import { formOf } from '../kit/responses.tsx';
import { addAction, addPage } from '../kit/routes.ts';
import { readForm } from '../kit/schema-form.ts';
import { useRoleOptions } from './users.tsx';
import { useWords } from '../kit/view.tsx';

const path = '/settings/tokens';
const pageSize = 200;
type Token = z.output<typeof tokenView>;

/** Tokens for programs. */
export const tokens: FastifyPluginAsync = async (app) => {
  const listOf = async (api: Api, query: Query): Promise<Token[]> =>
    (await api.get('/api/tokens', z.object({ tokens: z.array(tokenView) }), query)).tokens;

  addPage(app, path, 'admin', async ({ api }) => (
    <ListPage tokens={await listOf(api, { limit: pageSize })} now={new Date()} />
  ));

  addPage(app, `${path}/new`, 'admin', () => (
    <NewPage state={newForm({ role: 'viewer', expiresInDays: 365 })} />
  ));

  // The only form without a redirect: the token is only in this answer.
  app.post(path, { config: { access: 'admin' } }, async (request, reply) => {
    const { api, view } = consoleOf(request);
    const form = formOf(request);
    try {
      const made = await api.send(
        'POST',
        '/api/tokens',
        readForm(tokenContent, form),
        tokenView.extend({ token: z.string() }),
      );
      return await reply
        .header('cache-control', 'no-store')
        .page(<MadePage name={made.name} token={made.token} />);
    } catch (error) {
      if (!(error instanceof ApiFailure) || error.status === 401) throw error;
      const { problems } = error;
      const failure = problems.length === 0 ? failureWords(view.format, error) : undefined;
      return reply.page(<NewPage state={{ values: form, problems, failure }} />, error.status);
    }
  });

  addPage(app, `${path}/:id/revoke`, 'admin', async ({ api, id }) => {
    const [token] = await listOf(api, { before: id + 1, limit: 1 });
    return <RevokePage id={id} name={token?.id === id ? token.name : String(id)} />;
  });

  addAction(app, `${path}/:id/revoke`, 'admin', {
    work: async ({ api, id }) => {
      await api.send('DELETE', `/api/tokens/${id}`);
      return { to: path, notice: 'saved' };
    },
    otherwise: () => path,
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
      <div class="narrow">
        <Card>
          <Form action={path} state={state} schema={tokenContent} labels={t.fields} helps={t.helps}>
            <TextField name="name" autofocus />
            <ChoiceField name="role" radio options={useRoleOptions()} />
            <TextField name="expiresInDays" type="number" />
            <SaveOrCancel back={path} words={t.create} />
          </Form>
        </Card>
      </div>
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

function RevokePage({ id, name }: { id: number; name: string }) {
  const t = useWords(accessWords);
  return (
    <ConfirmPage
      title={t.revokeTitle(name)}
      section="settings"
      text={t.revokeText}
      action={`${path}/${id}/revoke`}
      button={t.revoke}
      back={path}
    />
  );
}
