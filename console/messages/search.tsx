import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { foundMessageView } from '../../api/messages/messages.ts';
import { failureReasons, messageStatuses, skipReasons } from '../../domain/message.ts';
import { DownloadLink } from '../kit/buttons.tsx';
import { urlOf } from '../kit/api.ts';
import { campaignChoices, type CustomerSettings, settingsOfCustomers } from '../kit/choices.ts';
import {
  Filters,
  type Found,
  pagesOf,
  type Query,
  queryOf,
  searched,
  useMailingFilters,
} from '../kit/filters.tsx';
import { messages as words } from './words.ts';
import { runs as runWords } from '../runs/words.ts';
import { Page } from '../kit/layout.tsx';
import { MessageState } from './messages.tsx';
import { Empty, Pager, Phone, Table, Time } from '../kit/parts.tsx';
import { consoleOf } from '../kit/request.ts';
import { useWords } from '../kit/view.tsx';
import { labeled } from '../kit/fields.tsx';

const path = '/messages';
const pageSize = 50;
type FoundMessage = z.output<typeof foundMessageView>;

const isSearch = ({ phone, customerId, customerCode, campaignId, day, text }: Query): boolean =>
  [phone, customerId, customerCode, campaignId, day, text].some((one) => one !== undefined);

/** Without a phone or a customer: run by run, each in the order of its mailing. */
const isByRun = ({ phone, customerId, customerCode }: Query): boolean =>
  phone === undefined && customerId === undefined && customerCode === undefined;

/** Messages across runs: a user who checks an SMS has a phone or a customer to search for. */
export const messageSearch: FastifyPluginAsync = async (app) => {
  app.get(path, { config: { access: 'viewer' } }, async (request, reply) => {
    const { api } = consoleOf(request);
    const { runId, ...query } = queryOf(request.query);
    const { status, reason, phone, text, regionId, customerTypeId } = query;
    // The pages of runs list all messages of a run, a region or a customer type.
    if (runId !== undefined && /^\d{1,15}$/.test(runId)) {
      return reply.redirect(urlOf(`/runs/${runId}/messages`, { status, reason, phone, text }), 303);
    }
    const choices = { settings: await settingsOfCustomers(api), campaigns: await campaignChoices(api) };
    if (!isSearch(query)) {
      if ([regionId, customerTypeId].some((one) => one !== undefined)) {
        return reply.redirect(urlOf('/runs', { regionId, customerTypeId }), 303);
      }
      return reply.page(<SearchPage rows={[]} refusal={null} next={null} query={query} {...choices} />);
    }
    let next: string | null = null;
    const found = await searched(async () => {
      const answer = z.object({ messages: z.array(foundMessageView), next: z.string().nullable() });
      const list = await api.get('/api/messages', answer, { ...query, limit: pageSize });
      next = list.next;
      return list.messages;
    });
    return reply.page(<SearchPage {...found} next={next} query={query} {...choices} />);
  });
};

function SearchPage({
  rows,
  refusal,
  query,
  next,
  settings,
  campaigns,
}: Found<FoundMessage> & {
  query: Query;
  /** Where a search by campaign or day continues. */
  next: string | null;
  settings: CustomerSettings;
  campaigns: Awaited<ReturnType<typeof campaignChoices>>;
}) {
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
          <DownloadLink
            href={urlOf('/api/messages.csv', { ...query, before: undefined, after: undefined })}
          />
        )
      }
    >
      <Filters
        action={path}
        query={query}
        refusal={refusal}
        filters={[
          { name: 'phone', label: t.phone },
          { name: 'customerCode', label: t.customerCode, rare: true },
          { name: 'campaignId', label: t.campaign, options: campaigns },
          { name: 'runId', label: t.runNumber, rare: true },
          { name: 'day', label: t.day, type: 'date' },
          { name: 'text', label: t.text },
          {
            name: 'status',
            label: t.status,
            options: labeled(messageStatuses, runs.message),
          },
          {
            name: 'reason',
            label: t.reason,
            options: labeled([...skipReasons, ...failureReasons], runs.reason),
            rare: true,
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
            { heading: t.phone, wide: true, cell: ({ phone }) => <Phone phone={phone} /> },
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
      {next !== null && rows.length < pageSize && <p class="text-secondary mt-3">{t.partly}</p>}
      {isByRun(query) ? (
        <Pager
          first={query.after === undefined ? null : urlOf(path, { ...query, after: undefined })}
          next={next === null ? null : urlOf(path, { ...query, after: next })}
        />
      ) : (
        <Pager {...pagesOf(path, query, { rows, size: pageSize })} />
      )}
    </Page>
  );
}
