import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { campaignListView, campaignView } from '../../api/campaigns/view.ts';
import { runFiguresView } from '../../api/reports/reports.ts';
import { runList } from '../../api/runs/view.ts';
import { campaignStates } from '../../domain/campaign.ts';
import { type Api, ApiFailure } from '../kit/api.ts';
import { AddLink } from '../kit/buttons.tsx';
import { addConfirmed } from '../kit/confirm.tsx';
import { type Campaign, campaignUrl, getCampaign } from './blocks.tsx';
import { CampaignState } from './frame.tsx';
import { CampaignPage, DisablePage, RunNowText, runsShown } from './overview.tsx';
import { campaigns as campaignWords } from './words.ts';
import { Page } from '../kit/layout.tsx';
import { type Found, List, searched } from '../kit/list.tsx';
import { Time } from '../kit/parts.tsx';
import type { Done } from '../kit/responses.tsx';
import { addAction, addPage, type PageRequest } from '../kit/routes.ts';
import { RunState } from '../runs/parts.tsx';
import { useMay, useWords } from '../kit/view.tsx';
import { common } from '../kit/words.ts';
import { labeled } from '../kit/fields.tsx';

const perPage = 50;
const made = z.object({ runId: z.int() });

/** Campaigns: the list, the page of one campaign, and its actions. */
export const campaigns: FastifyPluginAsync = async (app) => {
  addPage(app, '/campaigns', 'viewer', async ({ api, query }) => {
    const search = api.get('/api/campaigns', campaignListView, { ...query, limit: perPage });
    return <CampaignsPage {...await searched(query, search)} />;
  });

  addPage(app, '/campaigns/:id', 'viewer', async ({ api, id, query }) => {
    const [campaign, { runs }, compared] = await Promise.all([
      getCampaign(api, id),
      api.get('/api/runs', runList, { campaignId: id, limit: runsShown }),
      api.get('/api/reports/runs', runFiguresView, { campaignId: id }),
    ]);
    const tried = query.lacking === '1';
    return <CampaignPage campaign={campaign} runs={runs} compared={compared.runs} tried={tried} />;
  });

  /** A button of a campaign's page. */
  const action = (name: string, work: (request: PageRequest) => Promise<Done>): void =>
    addAction(app, `/campaigns/:id/${name}`, 'operator', { work, otherwise: ({ id }) => campaignUrl(id) });

  action('enable', async ({ api, view, id }) => {
    const { problems } = await getCampaign(api, id);
    // The campaign's own page lists what is missing, with a link to each field.
    if (problems.length > 0) return { to: `${campaignUrl(id)}?lacking=1` };
    await api.send('POST', `/api/campaigns/${id}/enable`);
    return { to: campaignUrl(id), notice: { words: campaignWords[view.locale].enabledNotice } };
  });

  addPage(app, '/campaigns/:id/disable', 'operator', async ({ api, id }) => (
    <DisablePage campaign={await getCampaign(api, id)} />
  ));

  action('disable', async ({ api, view, id, query }) => {
    await api.send('POST', `/api/campaigns/${id}/disable`, { cancelRun: query.cancelRun === 'true' });
    return { to: campaignUrl(id), notice: { words: campaignWords[view.locale].disabledNotice } };
  });

  const start =
    (route: 'run-now' | 'dry-run') =>
    async ({ api, id }: PageRequest): Promise<Done> => {
      const { runId } = await api.send('POST', `/api/campaigns/${id}/${route}`, undefined, made);
      return { to: `/runs/${runId}` };
    };
  action('dry-run', start('dry-run'));

  addConfirmed(app, '/campaigns/:id/run-now', 'operator', {
    section: 'campaigns',
    back: ({ id }) => campaignUrl(id),
    ask: async ({ api, view, id }) => {
      const campaign = await getCampaign(api, id);
      const t = campaignWords[view.locale];
      return {
        title: `${t.runNow}: ${campaign.definition.name}`,
        text: <RunNowText campaign={campaign} />,
        note: t.runNowNote,
        button: t.runNow,
      };
    },
    work: start('run-now'),
  });

  action('duplicate', async ({ api, view, id }) => {
    const { definition } = await getCampaign(api, id);
    const copy = await duplicate(api, definition, campaignWords[view.locale].copyOf);
    return { to: campaignUrl(copy.id, 'schedule'), notice: { words: campaignWords[view.locale].copied } };
  });

  for (const [name, words] of [
    ['archive', 'archivedNotice'],
    ['restore', 'restoredNotice'],
  ] as const) {
    action(name, async ({ api, view, id }) => {
      await api.send('POST', `/api/campaigns/${id}/${name}`);
      return { to: campaignUrl(id), notice: { words: campaignWords[view.locale][words] } };
    });
  }

  addConfirmed(app, '/campaigns/:id/delete', 'operator', {
    section: 'campaigns',
    back: ({ id }) => campaignUrl(id),
    ask: async ({ api, view, id }) => {
      const { definition } = await getCampaign(api, id);
      const t = campaignWords[view.locale];
      return { title: t.deleteIt, text: t.deleteText(definition.name), button: t.deleteIt };
    },
    work: async ({ api, id }) => {
      await api.send('DELETE', `/api/campaigns/${id}`);
      return { to: '/campaigns', notice: 'deleted' };
    },
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

function CampaignsPage({ answer, ...list }: Found<z.output<typeof campaignListView>>) {
  const t = useWords(campaignWords);
  const words = useWords(common);
  const mayChange = useMay('operator');
  const add = { href: '/campaigns/new', label: t.add };
  const rows = answer?.campaigns ?? [];
  const isFirst = rows.length === 0 && Object.keys(list.query).length === 0;
  return (
    <Page title={t.title} section="campaigns" actions={mayChange && <AddLink {...add} />}>
      <List
        {...list}
        path="/campaigns"
        caption={t.title}
        filters={
          isFirst
            ? []
            : [
                { name: 'name', label: t.name },
                { name: 'state', label: words.state, options: labeled(campaignStates, t.states) },
              ]
        }
        rows={rows}
        columns={[
          { heading: t.name, cell: ({ id, name }) => <a href={campaignUrl(id)}>{name}</a> },
          {
            heading: words.state,
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
        pageSize={perPage}
        icon="campaigns"
        empty={{ title: t.empty, text: t.emptyText, action: mayChange ? add : undefined }}
        nothing={{ title: t.nothingFound, text: t.nothingFoundText }}
      />
    </Page>
  );
}

const Nothing = ({ words }: { words: string }) => <span class="text-secondary">{words}</span>;
