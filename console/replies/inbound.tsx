import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import { holdList } from '../../api/replies/holds.ts';
import { replyList, type replyView } from '../../api/replies/replies.ts';
import { replyEffects } from '../../domain/reply.ts';
import { DownloadLink } from '../kit/buttons.tsx';
import { urlOf } from '../kit/api.ts';
import { inboundWords } from './words.ts';
import { Page } from '../kit/layout.tsx';
import { type Found, List, searched } from '../kit/list.tsx';
import { LinkFor, Phone, State, Time } from '../kit/parts.tsx';
import { addPage } from '../kit/routes.ts';
import { Resolve } from '../tickets/thread.tsx';
import { useFormat, useMay, useWords } from '../kit/view.tsx';
import { ticketWords } from '../tickets/words.ts';
import { holdsPath } from './holds.tsx';
import { holdWords } from './words-holds.ts';
import { labeled } from '../kit/fields.tsx';

const path = '/replies';
const pageSize = 50;
const mostCounted = 200;
type Reply = z.output<typeof replyView>;

/** Incoming messages; including those that answer no message of ours. */
export const inbound: FastifyPluginAsync = async (app) => {
  addPage(app, path, 'any_role', async ({ api, query }) => {
    const found = await searched(query, api.get('/api/replies', replyList, { ...query, limit: pageSize }));
    // If there are more, the page of holds shows them all.
    const { holds } = await api.get('/api/holds', holdList, { limit: mostCounted });
    return <ListPage {...found} held={holds.length} />;
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

function ListPage({ answer, held, ...list }: Found<z.output<typeof replyList>> & { held: number }) {
  const t = useWords(inboundWords);
  const holds = useWords(holdWords);
  const format = useFormat();
  const mayOptOut = useMay('agent');
  return (
    <Page
      title={t.title}
      section="replies"
      actions={<DownloadLink href={urlOf('/api/replies.csv', { ...list.query, before: undefined })} />}
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
      <List
        {...list}
        path={path}
        caption={t.title}
        filters={[
          { name: 'phone', label: t.phone },
          { name: 'effect', label: t.effect, options: labeled(replyEffects, t.effects) },
          { name: 'unmatched', label: t.matching, options: [{ value: 'true', label: t.unmatched }] },
        ]}
        rows={answer?.replies ?? []}
        columns={[
          { heading: t.phone, cell: ({ phone }) => <Phone phone={phone} call /> },
          { heading: t.text, cell: ({ text }) => <span class="long-text">{text}</span> },
          {
            heading: t.effect,
            cell: (one) => (
              <>
                <Effect reply={one} />
                {one.unknownAnswerId !== null && (
                  <Resolve answerId={one.unknownAnswerId} back={path} label={t.unknownAnswer} />
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
        pageSize={pageSize}
        icon="replies"
        empty={{ title: t.empty, text: t.emptyText }}
      />
    </Page>
  );
}
