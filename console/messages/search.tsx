import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { foundMessageView } from '../../api/messages/messages.ts';
import { failureReasons, messageStatuses, skipReasons } from '../../domain/message.ts';
import { DownloadLink } from '../kit/buttons.tsx';
import { urlOf } from '../kit/api.ts';
import { type CustomerSettings, settingsOfCustomers } from '../kit/choices.ts';
import { Filters, pagesOf, type Query, queryOf, searched, useMailingFilters } from '../kit/filters.tsx';
import { messages as words } from './words.ts';
import { runs as runWords } from '../runs/words.ts';
import { Page } from '../kit/layout.tsx';
import { MessageState } from './messages.tsx';
import { Empty, Pager, Table, Time } from '../kit/parts.tsx';
import { consoleOf } from '../kit/request.ts';
import { useWords } from '../kit/view.tsx';

const path = '/messages';
const pageSize = 50;
type Found = z.output<typeof foundMessageView>;

const isSearch = ({ phone, customerId, customerCode }: Query): boolean =>
  phone !== undefined || customerId !== undefined || customerCode !== undefined;

/** Messages across runs: who wants to know what became of an SMS has a phone or a customer to look for. */
export const messageSearch: FastifyPluginAsync = async (app) => {
  app.get(path, { config: { access: 'viewer' } }, async (request, reply) => {
    const { api } = consoleOf(request);
    const { runId, ...query } = queryOf(request.query);
    const { status, reason, phone, campaignId, regionId, customerTypeId } = query;
    // All of a run, a campaign, a region or a type of customer stands on the pages of runs.
    if (runId !== undefined && /^\d{1,15}$/.test(runId)) {
      return reply.redirect(urlOf(`/runs/${runId}/messages`, { status, reason, phone }), 303);
    }
    const settings = await settingsOfCustomers(api);
    if (!isSearch(query)) {
      if ([campaignId, regionId, customerTypeId].some((one) => one !== undefined)) {
        return reply.redirect(urlOf('/runs', { campaignId, regionId, customerTypeId }), 303);
      }
      return reply.page(<SearchPage rows={[]} refusal={null} query={query} settings={settings} />);
    }
    const found = await searched(async () => {
      const answer = z.object({ messages: z.array(foundMessageView) });
      return (await api.get('/api/messages', answer, { ...query, limit: pageSize })).messages;
    });
    return reply.page(<SearchPage {...found} query={query} settings={settings} />);
  });
};

function SearchPage({
  rows,
  refusal,
  query,
  settings,
}: Awaited<ReturnType<typeof searched<Found>>> & { query: Query; settings: CustomerSettings }) {
  const t = useWords(words);
  const mailingFilters = useMailingFilters(settings);
  const runs = useWords(runWords);
  const searching = isSearch(query);
  return (
    <Page
      title={t.title}
      section="messages"
      actions={
        searching &&
        refusal === null && (
          <DownloadLink href={urlOf('/api/messages.csv', { ...query, before: undefined })} />
        )
      }
    >
      <Filters
        action={path}
        query={query}
        refusal={refusal}
        filters={[
          { name: 'phone', label: t.phone },
          { name: 'customerCode', label: t.customerCode },
          { name: 'runId', label: t.runNumber },
          {
            name: 'status',
            label: t.status,
            options: messageStatuses.map((value) => ({ value, label: runs.message[value] })),
          },
          {
            name: 'reason',
            label: t.reason,
            options: [...skipReasons, ...failureReasons].map((value) => ({
              value,
              label: runs.reason[value],
            })),
          },
          ...mailingFilters,
        ]}
      />
      {searching ? (
        <Table
          caption={t.title}
          rows={rows}
          columns={[
            {
              heading: t.campaign,
              cell: ({ id, campaignName }) => <a href={`/messages/${id}`}>{campaignName}</a>,
            },
            {
              heading: t.due,
              cell: ({ runId, occurrence }) => (
                <a href={`/runs/${runId}`}>
                  <Time at={occurrence} />
                </a>
              ),
            },
            { heading: t.name, wide: true, cell: ({ name }) => name },
            { heading: t.phone, wide: true, cell: ({ phone }) => <span class="text-nowrap">{phone}</span> },
            { heading: t.status, cell: (message) => <MessageState message={message} /> },
            {
              heading: t.reason,
              wide: true,
              cell: ({ reason }) => (reason === null ? '' : runs.reason[reason]),
            },
          ]}
          empty={<Empty icon="messages" title={t.nothingFound} text={t.nothingFoundText} />}
        />
      ) : (
        <div class="card">
          <Empty icon="search" title={t.searchFirst} text={t.searchFirstText} />
        </div>
      )}
      <Pager {...pagesOf(path, query, { rows, size: pageSize })} />
    </Page>
  );
}
