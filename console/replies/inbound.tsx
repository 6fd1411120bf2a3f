import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { holdList } from '../../api/replies/holds.ts';
import { replyView } from '../../api/replies/replies.ts';
import { replyEffects } from '../../domain/reply.ts';
import { DownloadLink } from '../kit/buttons.tsx';
import { urlOf } from '../kit/api.ts';
import { Filters, type Found, pagesOf, type Query, searched } from '../kit/filters.tsx';
import { inboundWords } from './words.ts';
import { Page } from '../kit/layout.tsx';
import { Empty, LinkFor, Pager, Phone, State, Table, Time } from '../kit/parts.tsx';
import { addAction, addPage } from '../kit/routes.ts';
import { Resolve, resolveAnswer } from '../tickets/thread.tsx';
import { useFormat, useMay, useWords } from '../kit/view.tsx';
import { ticketWords } from '../tickets/words.ts';
import { holdsPath } from './holds.tsx';
import { holdWords } from './words-holds.ts';
import { labeled } from '../kit/fields.tsx';
import { common } from '../kit/words.ts';

const path = '/replies';
const pageSize = 50;
const mostCounted = 200;
type Reply = z.output<typeof replyView>;

/** Incoming messages; including those that answer no message of ours. */
export const inbound: FastifyPluginAsync = async (app) => {
  addPage(app, path, 'any_role', async ({ api, query }) => {
    const found = await searched(async () => {
      const answer = z.object({ replies: z.array(replyView) });
      return (await api.get('/api/replies', answer, { ...query, limit: pageSize })).replies;
    });
    // If there are more, the page of holds shows them all.
    const { holds } = await api.get('/api/holds', holdList, { limit: mostCounted });
    return <ListPage {...found} query={query} held={holds.length} />;
  });

  addAction(app, `${path}/answers/:id/resolve`, 'agent', {
    work: async ({ api, id, form }) => {
      await resolveAnswer(api, id, form);
      return { to: path, notice: 'saved' };
    },
    otherwise: () => path,
  });
};

export function ReplyState({ effect }: { effect: Reply['effect'] }) {
  const t = useWords(inboundWords);
  if (effect === null) return <State tone="busy">{t.waiting}</State>;
  const tone = {
    none: 'neutral',
    ticket: 'good',
    opt_out: 'bad',
    probable_opt_out: 'warn',
    opt_in: 'good',
    help: 'warn',
  } as const;
  return <State tone={tone[effect]}>{t.effects[effect]}</State>;
}

/** What came of a reply, with the way there. */
function Effect({ reply: { effect, ticketId } }: { reply: Reply }) {
  const tickets = useWords(ticketWords);
  if (ticketId !== null)
    return (
      <a href={`/tickets/${ticketId}`}>
        {effect !== 'ticket' && (
          <>
            <ReplyState effect={effect} />
            {' · '}
          </>
        )}
        {tickets.one(ticketId)}
      </a>
    );
  if (effect !== 'probable_opt_out') return <ReplyState effect={effect} />;
  return (
    <a href={holdsPath}>
      <ReplyState effect={effect} />
    </a>
  );
}

function ListPage({ rows, refusal, query, held }: Found<Reply> & { query: Query; held: number }) {
  const words = useWords(common);
  const t = useWords(inboundWords);
  const holds = useWords(holdWords);
  const format = useFormat();
  const mayOptOut = useMay('agent');
  const searching = Object.keys(query).length > 0;
  return (
    <Page
      title={t.title}
      section="replies"
      actions={<DownloadLink href={urlOf('/api/replies.csv', { ...query, before: undefined })} />}
    >
      {held > 0 && (
        <div class="alert alert-warning" role="status">
          <p class="alert-title">
            {holds.waiting(`${format.number(held)}${held === mostCounted ? '+' : ''}`)}
          </p>
          <a class="btn btn-sm" href={holdsPath}>
            {holds.decide}
          </a>
        </div>
      )}
      <Filters
        action={path}
        query={query}
        refusal={refusal}
        filters={[
          { name: 'phone', label: t.phone },
          {
            name: 'effect',
            label: t.effect,
            options: labeled(replyEffects, t.effects),
          },
          { name: 'unmatched', label: t.matching, options: [{ value: 'true', label: t.unmatched }] },
        ]}
      />
      <Table
        caption={t.title}
        rows={rows}
        columns={[
          { heading: t.phone, cell: ({ phone }) => <Phone phone={phone} call /> },
          { heading: t.text, cell: ({ text }) => <span class="long-text">{text}</span> },
          {
            heading: t.effect,
            cell: (one) => (
              <>
                <Effect reply={one} />
                {one.unknownAnswerId !== null && (
                  <Resolve
                    action={`${path}/answers/${one.unknownAnswerId}/resolve`}
                    label={t.unknownAnswer}
                  />
                )}
              </>
            ),
          },
          {
            heading: t.matching,
            wide: true,
            cell: ({ messageId, campaignName }) =>
              messageId === null ? (
                <span class="text-secondary">{t.nobody}</span>
              ) : (
                <LinkFor href={`/messages/${messageId}`}>{campaignName}</LinkFor>
              ),
          },
          {
            heading: t.action,
            shown: mayOptOut,
            cell: ({ id, phone, effect }) =>
              phone === '' || effect === 'opt_out' ? null : <a href={`${path}/${id}/opt-out`}>{t.optOut}</a>,
          },
          { heading: t.received, cell: ({ receivedAt }) => <Time at={receivedAt} />, wide: true },
        ]}
        empty={<Empty icon="replies" title={t.empty} text={searching ? words.nothingFound : t.emptyText} />}
      />
      <Pager {...pagesOf(path, query, { rows, size: pageSize })} />
    </Page>
  );
}
