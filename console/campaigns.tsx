import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { campaignListView } from '../api/campaign-view.ts';
import { idParams, urlId } from '../api/parameters.ts';
import { runSummaryView } from '../api/run-view.ts';
import { urlOf } from './api.ts';
import {
  type Campaign,
  CampaignFrame,
  CampaignState,
  campaignUrl,
  fieldUrl,
  getCampaign,
} from './campaign-frame.tsx';
import { Occurrences } from './campaign-schedule.tsx';
import { ActionButton, ProblemSummary } from './form.tsx';
import { campaigns as campaignWords } from './i18n/campaigns.ts';
import { common } from './i18n/common.ts';
import { Icon } from './icons.tsx';
import { Page } from './layout.tsx';
import { Card, ConfirmPage, Empty, Facts, Pager, Table, Time } from './parts.tsx';
import { act } from './replies.tsx';
import { consoleOf } from './request.ts';
import { RunState, RunTable } from './run-parts.tsx';
import { useFormat, useMay, useWords } from './view.tsx';

const perPage = 50;
const runsShown = 5;
const made = z.object({ runId: z.int() });

/** Campaigns: the list, one with all that matters of it, and what is done with it. */
export const campaigns: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/campaigns',
    { config: { access: 'viewer' }, schema: { querystring: z.object({ before: urlId.optional() }) } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const { before } = request.query;
      const list = await api.get('/api/campaigns', campaignListView, { before, limit: perPage });
      return reply.page(<CampaignsPage list={list.campaigns} before={before} />);
    },
  );

  app.get(
    '/campaigns/:id',
    { config: { access: 'viewer' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const { id } = request.params;
      const [campaign, { runs }] = await Promise.all([
        getCampaign(api, id),
        api.get('/api/runs', z.object({ runs: z.array(runSummaryView) }), {
          campaignId: id,
          limit: runsShown,
        }),
      ]);
      return reply.page(<CampaignPage campaign={campaign} runs={runs} />);
    },
  );

  const action = { config: { access: 'operator' }, schema: { params: idParams } } as const;

  app.post('/campaigns/:id/enable', action, async (request, reply) => {
    const { api, view } = consoleOf(request);
    const { id } = request.params;
    return act(request, reply, campaignUrl(id), async () => {
      const { problems } = await getCampaign(api, id);
      // What is missing stands on the campaign's own page, with a link to each field.
      if (problems.length > 0) return { to: campaignUrl(id) };
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

type ListEntry = z.output<typeof campaignListView>['campaigns'][number];

function CampaignsPage({ list, before }: { list: readonly ListEntry[]; before: number | undefined }) {
  const t = useWords(campaignWords);
  const mayChange = useMay('operator');
  const last = list.at(-1);
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
      <Table
        caption={t.title}
        rows={list}
        columns={[
          { heading: t.name, cell: ({ id, name }) => <a href={campaignUrl(id)}>{name}</a> },
          { heading: t.state, cell: (campaign) => <CampaignState campaign={campaign} /> },
          {
            heading: t.next,
            cell: ({ enabled, nextOccurrence }) =>
              enabled && nextOccurrence ? <Time at={nextOccurrence.at} /> : <Nothing words={t.noNext} />,
          },
          {
            heading: t.last,
            wide: true,
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
          <Empty
            icon="campaigns"
            title={t.empty}
            text={t.emptyText}
            action={mayChange ? { href: '/campaigns/new', label: t.add } : undefined}
          />
        }
      />
      <Pager
        first={before === undefined ? null : '/campaigns'}
        next={last && list.length === perPage ? urlOf('/campaigns', { before: last.id }) : null}
      />
    </Page>
  );
}

const Nothing = ({ words }: { words: string }) => <span class="text-secondary">{words}</span>;

function CampaignPage({
  campaign,
  runs,
}: {
  campaign: Campaign;
  runs: readonly z.output<typeof runSummaryView>[];
}) {
  const t = useWords(campaignWords);
  const words = useWords(common);
  const format = useFormat();
  const mayChange = useMay('operator');
  const { id, definition, problems, enabled, mailingFile } = campaign;
  const { source } = definition.mailing;
  return (
    <CampaignFrame campaign={campaign}>
      {!enabled && problems.length > 0 && (
        <ProblemSummary
          problems={problems}
          failure={t.incomplete(String(problems.length))}
          labels={t.fields}
          href={fieldUrl(id)}
          tone="warning"
        />
      )}
      {!enabled && problems.length === 0 && (
        <div class="alert alert-info" role="status">
          {t.complete}
        </div>
      )}
      <div class="columns">
        <div>
          <Card
            title={t.summaryOf}
            actions={
              mayChange && (
                <a class="btn btn-sm" href={campaignUrl(id, 'schedule')}>
                  {t.edit}
                </a>
              )
            }
          >
            {definition.description !== '' && <p>{definition.description}</p>}
            <Facts
              facts={[
                [t.fields['schedule.recurrence'], t.every[definition.schedule.recurrence.every]],
                [t.fields['schedule.timezone'], format.zone(definition.schedule.timezone)],
                [
                  t.recipients,
                  source === null ? (
                    words.none
                  ) : (
                    <>
                      {t.sources[source]}
                      {source === 'csv' && mailingFile
                        ? `, ${t.csv.facts(format.number(mailingFile.lines), format.bytes(mailingFile.bytes))}`
                        : ''}
                    </>
                  ),
                ],
                [t.fields['ticketPolicy.when'], t.when[definition.ticketPolicy.when]],
                [t.changed, <Time at={campaign.updatedAt} />],
              ]}
            />
            {definition.message.template !== null && (
              <blockquote class="bubble mt-3">{definition.message.template}</blockquote>
            )}
          </Card>
          <h2 class="h3 section-title">
            {t.history}
            {runs.length === runsShown && (
              <a href={urlOf('/runs', { campaignId: id })} class="ms-2 small">
                {t.allRuns}
              </a>
            )}
          </h2>
          <RunTable runs={runs} withCampaign={false} />
        </div>
        <aside>
          <Card title={t.occurrences}>
            <Occurrences occurrences={campaign.nextOccurrences} />
          </Card>
          <ul class="list-unstyled more">
            {campaign.temporalUrl !== null && enabled && (
              <li>
                <a href={campaign.temporalUrl} target="_blank" rel="noreferrer">
                  <Icon name="external" /> {t.temporal}
                </a>
              </li>
            )}
            {mayChange && !enabled && !campaign.lastRun && (
              <li>
                <a href={`${campaignUrl(id)}/delete`}>{t.deleteIt}</a>
              </li>
            )}
          </ul>
        </aside>
      </div>
    </CampaignFrame>
  );
}

function DisablePage({ campaign }: { campaign: Campaign }) {
  const t = useWords(campaignWords);
  const words = useWords(common);
  const { id, lastRun, definition } = campaign;
  const live = lastRun && ['running', 'paused'].includes(lastRun.status) ? lastRun : null;
  return (
    <Page title={`${t.disable}: ${definition.name}`} section="campaigns">
      <div class="card narrow">
        <div class="card-body">
          <p>{t.disableText}</p>
          {live && <p>{t.disableRun(String(live.id))}</p>}
          <div class="buttons">
            <ActionButton action={`${campaignUrl(id)}/disable`} kind="primary">
              {t.disable}
            </ActionButton>
            {live && (
              <ActionButton action={`${campaignUrl(id)}/disable?cancelRun=true`} kind="danger">
                {t.disableAndCancel}
              </ActionButton>
            )}
            <a class="btn" href={campaignUrl(id)}>
              {words.cancel}
            </a>
          </div>
        </div>
      </div>
    </Page>
  );
}

function RunNowPage({ campaign }: { campaign: Campaign }) {
  const t = useWords(campaignWords);
  const format = useFormat();
  const { id, definition, mailingFile } = campaign;
  return (
    <ConfirmPage
      title={`${t.runNow}: ${definition.name}`}
      section="campaigns"
      text={
        definition.mailing.source === 'csv'
          ? t.runNowText(format.number(mailingFile?.lines ?? 0))
          : t.runNowWebservice
      }
      note={t.runNowNote}
      action={`${campaignUrl(id)}/run-now`}
      button={t.runNow}
      back={campaignUrl(id)}
    />
  );
}

function DeletePage({ campaign }: { campaign: Campaign }) {
  const t = useWords(campaignWords);
  const { id, definition } = campaign;
  return (
    <ConfirmPage
      title={t.deleteIt}
      section="campaigns"
      text={t.deleteText(definition.name)}
      action={`${campaignUrl(id)}/delete`}
      button={t.deleteIt}
      back={campaignUrl(id)}
    />
  );
}
