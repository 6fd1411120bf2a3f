import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import { holdList, type holdView } from '../../api/replies/holds.ts';
import { ActionButton } from '../kit/buttons.tsx';
import type { Query } from '../kit/filters.tsx';
import { Page } from '../kit/layout.tsx';
import { List } from '../kit/list.tsx';
import { LinkFor, Phone, Time } from '../kit/parts.tsx';
import { addAction, addPage } from '../kit/routes.ts';
import { useMay, useWords } from '../kit/view.tsx';
import { holdWords } from './words-holds.ts';
import { inboundWords } from './words.ts';

export const holdsPath = '/replies/held';
const pageSize = 50;
type Hold = z.output<typeof holdView>;

/** The phones that have probably opted out, each with the two decisions. */
export const holds: FastifyPluginAsync = async (app) => {
  addPage(app, holdsPath, 'any_role', async ({ api, query }) => {
    const { holds } = await api.get('/api/holds', holdList, { after: query.after, limit: pageSize });
    return <HoldsPage holds={holds} query={query} />;
  });

  addAction(app, `${holdsPath}/:id`, 'agent', {
    work: async ({ api, view, id, form }) => {
      const decision = form.text('decision');
      await api.send('POST', `/api/holds/${id}/decide`, { decision });
      const t = holdWords[view.locale];
      return { to: holdsPath, notice: { words: decision === 'opt_out' ? t.optedOut : t.released } };
    },
    otherwise: () => holdsPath,
  });
};

function HoldsPage({ holds, query }: { holds: readonly Hold[]; query: Query }) {
  const t = useWords(holdWords);
  const replies = useWords(inboundWords);
  const mayDecide = useMay('agent');
  return (
    <Page title={t.title} section="replies" trail={[{ href: '/replies', label: replies.title }]}>
      <p class="text-secondary">{t.intro}</p>
      <List
        path={holdsPath}
        query={query}
        caption={t.title}
        rows={holds}
        columns={[
          {
            heading: t.phone,
            cell: ({ phone, sandbox }) => (
              <>
                <Phone phone={phone} call />
                {sandbox && <small class="text-secondary d-block">{t.inSandbox}</small>}
              </>
            ),
          },
          {
            heading: t.text,
            cell: ({ text }) =>
              text === null || text === '' ? (
                <span class="text-secondary">{t.noText}</span>
              ) : (
                <strong class="long-text">{text}</strong>
              ),
          },
          {
            heading: t.answers,
            cell: ({ messageId, messageText, campaignName, ticketId }) =>
              messageId === null ? (
                <span class="text-secondary">{t.nobody}</span>
              ) : (
                <>
                  <LinkFor href={`/messages/${messageId}`}>{campaignName}</LinkFor>
                  {messageText !== null && (
                    <small class="text-secondary long-text d-block">{messageText}</small>
                  )}
                  {ticketId !== null && <a href={`/tickets/${ticketId}`}>{t.ticket(String(ticketId))}</a>}
                </>
              ),
          },
          { heading: t.due, cell: ({ dueAt }) => <Time at={dueAt} /> },
          {
            heading: t.decision,
            shown: mayDecide,
            cell: ({ id }) => (
              <div class="buttons">
                <ActionButton action={`${holdsPath}/${id}`} values={{ decision: 'opt_out' }} small>
                  {t.optOut}
                </ActionButton>
                <ActionButton action={`${holdsPath}/${id}`} values={{ decision: 'release' }} small>
                  {t.release}
                </ActionButton>
              </div>
            ),
          },
        ]}
        pageSize={pageSize}
        pageBy="after"
        icon="replies"
        empty={{ title: t.empty, text: t.emptyText }}
      />
    </Page>
  );
}
