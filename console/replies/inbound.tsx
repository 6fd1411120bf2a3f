import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { replyView } from '../../api/replies/replies.ts';
import { DownloadLink } from '../kit/buttons.tsx';
import { urlOf } from '../kit/api.ts';
import { Filters, pagesOf, type Query, queryOf, searched } from '../kit/filters.tsx';
import { inboundWords } from './words.ts';
import { Page } from '../kit/layout.tsx';
import { Empty, Pager, State, Table, Time } from '../kit/parts.tsx';
import { consoleOf } from '../kit/request.ts';
import { useWords } from '../kit/view.tsx';

const path = '/replies';
const pageSize = 50;
type Reply = z.output<typeof replyView>;
const effects = ['none', 'ticket', 'opt_out', 'opt_in', 'help'] as const;

/** What people wrote to us; also what answers no message of ours. */
export const inbound: FastifyPluginAsync = async (app) => {
  app.get(path, { config: { access: 'viewer' } }, async (request, reply) => {
    const { api } = consoleOf(request);
    const query = queryOf(request.query);
    const found = await searched(async () => {
      const answer = z.object({ replies: z.array(replyView) });
      return (await api.get('/api/replies', answer, { ...query, limit: pageSize })).replies;
    });
    return reply.page(<ListPage {...found} query={query} />);
  });
};

export function ReplyState({ effect }: { effect: Reply['effect'] }) {
  const t = useWords(inboundWords);
  if (effect === null) return <State tone="busy">{t.waiting}</State>;
  const tone = { none: 'neutral', ticket: 'good', opt_out: 'bad', opt_in: 'good', help: 'warn' } as const;
  return <State tone={tone[effect]}>{t.effects[effect]}</State>;
}

function ListPage({ rows, refusal, query }: Awaited<ReturnType<typeof searched<Reply>>> & { query: Query }) {
  const t = useWords(inboundWords);
  const searching = Object.keys(query).length > 0;
  return (
    <Page
      title={t.title}
      section="replies"
      actions={<DownloadLink href={urlOf('/api/replies.csv', { ...query, before: undefined })} />}
    >
      <Filters
        action={path}
        query={query}
        refusal={refusal}
        filters={[
          { name: 'phone', label: t.phone },
          {
            name: 'effect',
            label: t.effect,
            options: effects.map((effect) => ({ value: effect, label: t.effects[effect] })),
          },
          { name: 'unmatched', label: t.matching, options: [{ value: 'true', label: t.unmatched }] },
        ]}
      />
      <Table
        caption={t.title}
        rows={rows}
        columns={[
          { heading: t.phone, cell: ({ phone }) => <span class="text-nowrap">{phone}</span> },
          { heading: t.text, cell: ({ text }) => <span class="long-text">{text}</span> },
          {
            heading: t.effect,
            cell: ({ effect, ticketId }) =>
              ticketId === null ? (
                <ReplyState effect={effect} />
              ) : (
                <a href={`/tickets/${ticketId}`}>
                  <ReplyState effect={effect} /> {ticketId}
                </a>
              ),
          },
          {
            heading: t.matching,
            wide: true,
            cell: ({ messageId, campaignName }) =>
              messageId === null ? (
                <span class="text-secondary">{t.nobody}</span>
              ) : (
                <a href={`/messages/${messageId}`}>{campaignName}</a>
              ),
          },
          { heading: t.received, cell: ({ receivedAt }) => <Time at={receivedAt} />, wide: true },
        ]}
        empty={<Empty icon="replies" title={t.empty} text={searching ? t.nothingFound : t.emptyText} />}
      />
      <Pager {...pagesOf(path, query, { rows, size: pageSize })} />
    </Page>
  );
}
