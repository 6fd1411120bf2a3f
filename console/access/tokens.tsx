import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { idParams } from '../../api/http/parameters.ts';
import { tokenContent, tokenView } from '../../api/access/tokens.ts';
import { ApiFailure } from '../kit/api.ts';
import { AddLink, SaveOrCancel } from '../kit/buttons.tsx';
import { CopyField } from '../kit/copy.tsx';
import { ChoiceField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { accessWords } from './words.ts';
import { common } from '../kit/words.ts';
import { failureWords } from '../kit/problems.ts';
import { Page } from '../kit/layout.tsx';
import { Card, ConfirmPage, Empty, State, Table, Time } from '../kit/parts.tsx';
import { act, formOf } from '../kit/responses.tsx';
import { consoleOf } from '../kit/request.ts';
import { readForm } from '../kit/schema-form.ts';
import { useRoleOptions } from './users.tsx';
import { useWords } from '../kit/view.tsx';

const path = '/settings/tokens';
const access = 'admin' as const;
const pageSize = 200;
type Token = z.output<typeof tokenView>;

/** Tokens for programs. */
export const tokens: FastifyPluginAsync = async (app) => {
  app.get(path, { config: { access } }, async (request, reply) => {
    const answer = z.object({ tokens: z.array(tokenView) });
    const list = await consoleOf(request).api.get('/api/tokens', answer, { limit: pageSize });
    return reply.page(<ListPage tokens={list.tokens} now={new Date()} />);
  });

  app.get(`${path}/new`, { config: { access } }, async (_request, reply) =>
    reply.page(<NewPage state={newForm({ role: 'viewer', expiresInDays: 365 })} />),
  );

  // The only form without a redirect: the token is only in this answer.
  app.post(path, { config: { access } }, async (request, reply) => {
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

  app.get<{ Params: z.infer<typeof idParams>; Querystring: { name?: string } }>(
    `${path}/:id/revoke`,
    { config: { access }, schema: { params: idParams } },
    async (request, reply) => {
      const answer = z.object({ tokens: z.array(tokenView) });
      const { id } = request.params;
      const list = await consoleOf(request).api.get('/api/tokens', answer, { before: id + 1, limit: 1 });
      const token = list.tokens.find((one) => one.id === id);
      return reply.page(<RevokePage id={id} name={token?.name ?? String(id)} />);
    },
  );

  app.post<{ Params: z.infer<typeof idParams> }>(
    `${path}/:id/revoke`,
    { config: { access }, schema: { params: idParams } },
    async (request, reply) =>
      act(request, reply, path, async () => {
        await consoleOf(request).api.send('DELETE', `/api/tokens/${request.params.id}`);
        return { to: path, notice: 'saved' };
      }),
  );
};

const trailOf = (words: { nav: { settings: string } }, title: string) => [
  { href: '/settings', label: words.nav.settings },
  { href: path, label: title },
];

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
    <Page
      title={t.pages.tokens.title}
      section="settings"
      trail={[{ href: '/settings', label: words.nav.settings }]}
      actions={<AddLink {...add} />}
    >
      <Table
        caption={t.pages.tokens.title}
        rows={tokens}
        columns={[
          { heading: t.fields.name, cell: ({ name }) => name },
          { heading: t.fields.role, cell: ({ role }) => words.roles[role], wide: true },
          { heading: t.state, cell: stateOf },
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
    </Page>
  );
}

function NewPage({ state }: { state: FormState }) {
  const t = useWords(accessWords);
  const words = useWords(common);
  return (
    <Page title={t.newToken} section="settings" trail={trailOf(words, t.pages.tokens.title)}>
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
    </Page>
  );
}

function MadePage({ name, token }: { name: string; token: string }) {
  const t = useWords(accessWords);
  const words = useWords(common);
  return (
    <Page title={name} section="settings" trail={trailOf(words, t.pages.tokens.title)}>
      <Card>
        <p>{t.tokenOnce}</p>
        <CopyField id="token" label={t.theToken} value={token} />
        <a class="btn btn-primary" href={path}>
          {words.back}
        </a>
      </Card>
    </Page>
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
