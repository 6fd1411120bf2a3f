import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { foundMessageView } from '../../api/messages/messages.ts';
import { failureReasons, messageStatuses, skipReasons } from '../../domain/message.ts';
import { DownloadLink } from '../kit/buttons.tsx';
import { urlOf } from '../kit/api.ts';
import { campaignChoices, type CustomerSettings, settingsOfCustomers } from '../kit/choices.ts';
import { type Filter, type Query, useMailingFilters } from '../kit/filters.tsx';
import { type Found, List, searched } from '../kit/list.tsx';
import { messages as words } from './words.ts';
import { runs as runWords } from '../runs/words.ts';
import { Page } from '../kit/layout.tsx';
import { MessageState } from './messages.tsx';
import { Phone, Time } from '../kit/parts.tsx';
import { addPage } from '../kit/routes.ts';
import { useWords } from '../kit/view.tsx';
import { labeled } from '../kit/fields.tsx';

const path = '/messages';
const pageSize = 50;
/** `next`: where a search by campaign or day continues. */
const messageList = z.object({ messages: z.array(foundMessageView), next: z.string().nullable() });

const isSearch = ({ phone, customerId, customerCode, campaignId, day, text }: Query): boolean =>
  [phone, customerId, customerCode, campaignId, day, text].some((one) => one !== undefined);

/** Without a phone or a customer: run by run, each in the order of its mailing. */
const isByRun = ({ phone, customerId, customerCode }: Query): boolean =>
  phone === undefined && customerId === undefined && customerCode === undefined;

/** Messages across runs: a user who checks an SMS has a phone or a customer to search for. */
export const messageSearch: FastifyPluginAsync = async (app) => {
  addPage(app, path, 'viewer', async ({ api, query: { runId, ...query } }) => {
    const { status, reason, phone, text, regionId, customerTypeId } = query;
    // The pages of runs list all messages of a run, a region or a customer type.
    if (runId !== undefined && /^\d{1,15}$/.test(runId)) {
      return { to: urlOf(`/runs/${runId}/messages`, { status, reason, phone, text }) };
    }
    const choices = { settings: await settingsOfCustomers(api), campaigns: await campaignChoices(api) };
    if (!isSearch(query)) {
      if ([regionId, customerTypeId].some((one) => one !== undefined)) {
        return { to: urlOf('/runs', { regionId, customerTypeId }) };
      }
      return <SearchPage answer={null} refusal={null} query={query} {...choices} />;
    }
    const search = api.get('/api/messages', messageList, { ...query, limit: pageSize });
    return <SearchPage {...await searched(query, search)} {...choices} />;
  });
};

function SearchPage({
  answer,
  settings,
  campaigns,
  ...list
}: Found<z.output<typeof messageList>> & {
  settings: CustomerSettings;
  campaigns: Awaited<ReturnType<typeof campaignChoices>>;
}) {
  const t = useWords(words);
  const runs = useWords(runWords);
  const { query, refusal } = list;
  const filters: Filter[] = [
    { name: 'phone', label: t.phone },
    { name: 'customerCode', label: t.customerCode, rare: true },
    { name: 'campaignId', label: t.campaign, options: campaigns },
    { name: 'runId', label: t.runNumber, rare: true },
    { name: 'day', label: t.day, type: 'date' },
    { name: 'text', label: t.text },
    { name: 'status', label: t.status, options: labeled(messageStatuses, runs.message) },
    {
      name: 'reason',
      label: t.reason,
      options: labeled([...skipReasons, ...failureReasons], runs.reason),
      rare: true,
    },
    ...useMailingFilters(settings),
  ];
  return (
    <Page
      title={t.title}
      section="messages"
      actions={
        isSearch(query) &&
        refusal === null && (
          <DownloadLink
            href={urlOf('/api/messages.csv', { ...query, before: undefined, after: undefined })}
          />
        )
      }
    >
      <List
        {...list}
        path={path}
        caption={t.title}
        filters={filters}
        rows={answer?.messages ?? []}
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
        pageSize={pageSize}
        {...(isByRun(query) ? { pageBy: 'after', next: answer?.next ?? null } : {})}
        icon={isSearch(query) ? 'messages' : 'search'}
        empty={{ title: t.searchFirst, text: t.searchFirstText }}
        nothing={
          isSearch(query)
            ? { title: t.nothingFound, text: t.nothingFoundText }
            : { title: t.searchFirst, text: t.searchFirstText }
        }
      />
    </Page>
  );
}
