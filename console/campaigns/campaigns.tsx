import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { campaignListView, campaignView } from '../../api/campaigns/view.ts';
import { idParams, urlId } from '../../api/http/parameters.ts';
import { runFiguresView } from '../../api/reports/reports.ts';
import { runSummaryView } from '../../api/runs/view.ts';
import { campaignStates } from '../../domain/campaign.ts';
import { type Api, ApiFailure } from '../kit/api.ts';
import { blockQuery, type Campaign, campaignUrl, getCampaign } from './blocks.tsx';
import { CampaignState } from './frame.tsx';
import { CampaignPage, DeletePage, DisablePage, RunNowPage, runsShown } from './overview.tsx';
import { type Filter, Filters, pagesOf, type Query, queryOf, searched } from '../kit/filters.tsx';
import { campaigns as campaignWords } from './words.ts';
import { Icon } from '../kit/icons.tsx';
import { Page } from '../kit/layout.tsx';
import { Empty, Pager, Table, Time } from '../kit/parts.tsx';
import { act } from '../kit/responses.tsx';
import { consoleOf } from '../kit/request.ts';
import { RunState } from '../runs/parts.tsx';
import { useMay, useWords } from '../kit/view.tsx';

const perPage = 50;
const made = z.object({ runId: z.int() });

/** Campaigns: the list, the page of one campaign, and its actions. */
export const campaigns: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/campaigns',
    { config: { access: 'viewer' }, schema: { querystring: z.looseObject({ before: urlId.optional() }) } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const query = queryOf(request.query);
      const found = await searched(async () => {
        const list = await api.get('/api/campaigns', campaignListView, { ...query, limit: perPage });
        return list.campaigns;
      });
      return reply.page(<CampaignsPage found={found} query={query} />);
    },
  );

  app.get(
    '/campaigns/:id',
    { config: { access: 'viewer' }, schema: { params: idParams, querystring: blockQuery } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const { id } = request.params;
      const [campaign, { runs }, compared] = await Promise.all([
        getCampaign(api, id),
        api.get('/api/runs', z.object({ runs: z.array(runSummaryView) }), {
          campaignId: id,
          limit: runsShown,
        }),
        api.get('/api/reports/runs', runFiguresView, { campaignId: id }),
      ]);
      return reply.page(
        <CampaignPage
          campaign={campaign}
          runs={runs}
          compared={compared.runs}
          tried={request.query.lacking === '1'}
        />,
      );
    },
  );

  const action = { config: { access: 'operator' }, schema: { params: idParams } } as const;

  app.post('/campaigns/:id/enable', action, async (request, reply) => {
    const { api, view } = consoleOf(request);
    const { id } = request.params;
    return act(request, reply, campaignUrl(id), async () => {
      const { problems } = await getCampaign(api, id);
      // The campaign's own page lists what is missing, with a link to each field.
      if (problems.length > 0) return { to: `${campaignUrl(id)}?lacking=1` };
      await api.send('POST', `/api/campaigns/${id}/enable`);
      return { to: campaignUrl(id), notice: { words: campaignWords[view.locale].enabledNotice } };
    });
  });

  app.get('/campaigns/:id/disable', action, async (request, reply) => {
    const { api } = consoleOf(request);
    return reply.page(<DisablePage campaign={await getCampaign(api, request.params.id)} />);
  });

  app.post('/campaigns/:id/disable', action, async (request, reply) => {
    const { api, view } = consoleOf(request);
    const { id } = request.params;
    const { cancelRun } = z.object({ cancelRun: z.literal('true').optional() }).parse(request.query);
    return act(request, reply, campaignUrl(id), async () => {
      await api.send('POST', `/api/campaigns/${id}/disable`, { cancelRun: cancelRun === 'true' });
      return { to: campaignUrl(id), notice: { words: campaignWords[view.locale].disabledNotice } };
    });
  });

  app.get('/campaigns/:id/run-now', action, async (request, reply) => {
    const { api } = consoleOf(request);
    return reply.page(<RunNowPage campaign={await getCampaign(api, request.params.id)} />);
  });

  for (const route of ['run-now', 'dry-run'] as const) {
    app.post(`/campaigns/:id/${route}`, action, async (request, reply) => {
      const { api } = consoleOf(request);
      const { id } = request.params;
      return act(request, reply, campaignUrl(id), async () => {
        const { runId } = await api.send('POST', `/api/campaigns/${id}/${route}`, undefined, made);
        return { to: `/runs/${runId}` };
      });
    });
  }

  app.post('/campaigns/:id/duplicate', action, async (request, reply) => {
    const { api, view } = consoleOf(request);
    const { id } = request.params;
    return act(request, reply, campaignUrl(id), async () => {
      const { definition } = await getCampaign(api, id);
      const copy = await duplicate(api, definition, campaignWords[view.locale].copyOf);
      return { to: campaignUrl(copy.id, 'schedule'), notice: { words: campaignWords[view.locale].copied } };
    });
  });

  for (const [name, words] of [
    ['archive', 'archivedNotice'],
    ['restore', 'restoredNotice'],
  ] as const) {
    app.post(`/campaigns/:id/${name}`, action, async (request, reply) => {
      const { api, view } = consoleOf(request);
      const { id } = request.params;
      return act(request, reply, campaignUrl(id), async () => {
        await api.send('POST', `/api/campaigns/${id}/${name}`);
        return { to: campaignUrl(id), notice: { words: campaignWords[view.locale][words] } };
      });
    });
  }

  app.get('/campaigns/:id/delete', action, async (request, reply) => {
    const { api } = consoleOf(request);
    return reply.page(<DeletePage campaign={await getCampaign(api, request.params.id)} />);
  });

  app.post('/campaigns/:id/delete', action, async (request, reply) => {
    const { api } = consoleOf(request);
    const { id } = request.params;
    return act(request, reply, campaignUrl(id), async () => {
      await api.send('DELETE', `/api/campaigns/${id}`);
      return { to: '/campaigns', notice: 'deleted' };
    });
  });
};

/** A new draft with a copy of everything but the file; it gets the first free name. */
async function duplicate(
  api: Api,
  definition: Campaign['definition'],
  nameOf: (name: string, number: number) => string,
) {
  for (let number = 1; ; number++) {
    const name = nameOf(definition.name.slice(0, longestCopiedName), number);
    try {
      return await api.send('POST', '/api/campaigns', { ...definition, name }, campaignView);
    } catch (error) {
      const isTaken = error instanceof ApiFailure && error.code === 'name_taken';
      if (!isTaken || number === mostCopies) throw error;
    }
  }
}
const longestCopiedName = 100;
const mostCopies = 20;

type ListEntry = z.output<typeof campaignListView>['campaigns'][number];

function CampaignsPage({
  found: { rows, refusal },
  query,
}: {
  found: { rows: readonly ListEntry[]; refusal: ApiFailure | null };
  query: Query;
}) {
  const t = useWords(campaignWords);
  const mayChange = useMay('operator');
  const filtered = query.name !== undefined || query.state !== undefined;
  const filters: Filter[] = [
    { name: 'name', label: t.name },
    {
      name: 'state',
      label: t.state,
      options: campaignStates.map((state) => ({ value: state, label: t.states[state] })),
    },
  ];
  return (
    <Page
      title={t.title}
      section="campaigns"
      actions={
        mayChange && (
          <a class="btn btn-primary" href="/campaigns/new">
            <Icon name="plus" /> {t.add}
          </a>
        )
      }
    >
      {(rows.length > 0 || filtered || query.before !== undefined) && (
        <Filters action="/campaigns" filters={filters} query={query} refusal={refusal} />
      )}
      <Table
        caption={t.title}
        rows={rows}
        columns={[
          { heading: t.name, cell: ({ id, name }) => <a href={campaignUrl(id)}>{name}</a> },
          {
            heading: t.state,
            cell: ({ state, problemCount }) => (
              <>
                <CampaignState state={state} />
                {state === 'draft' && problemCount > 0 && (
                  <small class="d-block text-secondary">{t.lacks(problemCount)}</small>
                )}
              </>
            ),
          },
          {
            heading: t.next,
            cell: ({ nextAt }) => (nextAt ? <Time at={nextAt} /> : <Nothing words={t.noNext} />),
          },
          {
            heading: t.last,
            cell: ({ lastRun }) =>
              lastRun ? (
                <a class="quiet" href={`/runs/${lastRun.id}`}>
                  <RunState run={lastRun} /> <Time at={lastRun.occurrence} />
                </a>
              ) : (
                <Nothing words={t.neverRan} />
              ),
          },
        ]}
        empty={
          filtered ? (
            <Empty icon="search" title={t.nothingFound} text={t.nothingFoundText} />
          ) : (
            <Empty
              icon="campaigns"
              title={t.empty}
              text={t.emptyText}
              action={mayChange ? { href: '/campaigns/new', label: t.add } : undefined}
            />
          )
        }
      />
      <Pager {...pagesOf('/campaigns', query, { rows, size: perPage })} />
    </Page>
  );
}

const Nothing = ({ words }: { words: string }) => <span class="text-secondary">{words}</span>;
