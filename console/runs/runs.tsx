import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { idParams } from '../../api/http/parameters.ts';
import { messageView } from '../../api/messages/messages.ts';
import { runList, runView } from '../../api/runs/view.ts';
import { runSampleList } from '../../api/runs/runs.ts';
import { runStatuses, runTriggers } from '../../domain/run.ts';
import type { WaitingFilter } from '../../domain/waiting.ts';
import { type Api, urlOf } from '../kit/api.ts';
import { DownloadLink } from '../kit/buttons.tsx';
import { addConfirmed } from '../kit/confirm.tsx';
import { campaignChoices, type CustomerSettings, settingsOfCustomers } from '../kit/choices.ts';
import { type Filter, type Query, useMailingFilters } from '../kit/filters.tsx';
import { common } from '../kit/words.ts';
import { runStates } from './words-states.ts';
import { fitWords, overBudgetWords } from '../../domain/problems/runs.ts';
import { runs as runWords } from './words.ts';
import { Page } from '../kit/layout.tsx';
import { type Found, List, searched } from '../kit/list.tsx';
import { consoleOf } from '../kit/request.ts';
import type { Done } from '../kit/responses.tsx';
import { addAction, addPage, addPart, type PageRequest } from '../kit/routes.ts';
import { Live, type Run } from './live.tsx';
import { Details, RunPage } from './page.tsx';
import { mayBeApproved, mayBeCancelled, sumOf, useRunColumns } from './parts.tsx';
import { CostSentence } from '../money/cost.tsx';
import { useFormat, useWords } from '../kit/view.tsx';
import { labeled } from '../kit/fields.tsx';

const perPage = 50;
/** Texts that a user reads before approving: those of the first messages that will be sent. */
const textsShown = 5;
/** The states that lists show: those of runs, and what a running one waits for. */
const waitingStates = ['approval', 'hours', 'canary', 'provider'] as const satisfies readonly WaitingFilter[];

/** The filter as the API takes it: a running run that waits is not one that works. */
function queryOf({ status, ...rest }: Query): Query {
  const waiting = waitingStates.find((one) => status === `waiting_${one}`);
  if (waiting !== undefined) return { ...rest, status: 'running', waiting };
  return { ...rest, status, waiting: status === 'running' ? 'nothing' : undefined };
}

const runOf = (api: Api, id: number): Promise<Run> => api.get(`/api/runs/${id}`, runView);

/** Runs: the list, a live run, and the actions of a user. */
export const runs: FastifyPluginAsyncZod = async (app) => {
  addPage(app, '/runs', 'viewer', async ({ api, query }) => {
    const [found, settings, campaigns] = await Promise.all([
      searched(query, api.get('/api/runs', runList, { ...queryOf(query), limit: perPage })),
      settingsOfCustomers(api),
      campaignChoices(api),
    ]);
    return <RunsPage {...found} settings={settings} campaigns={campaigns} />;
  });

  addPage(app, '/runs/:id', 'viewer', async ({ api, id }) => {
    const [run, { samples }] = await Promise.all([
      runOf(api, id),
      api.get(`/api/runs/${id}/samples`, runSampleList),
    ]);
    return <RunPage run={run} samples={samples} />;
  });

  // The parts that change while the run is watched. `status`: that of the page, whose buttons belong to it.
  app.get(
    '/runs/:id/live',
    {
      config: { access: 'viewer', fragment: true },
      schema: { params: idParams, querystring: z.object({ status: z.enum(runStatuses).optional() }) },
    },
    async (request, reply) => {
      const run = await runOf(consoleOf(request).api, request.params.id);
      const { status = run.status } = request.query;
      // Retried meanwhile, by this user or another.
      if (status !== run.status) void reply.header('hx-refresh', 'true');
      return reply.fragment(<Live run={run} />);
    },
  );

  addPart(app, '/runs/:id/details', 'viewer', async ({ api, id }) => <Details run={await runOf(api, id)} />);

  const pageOf = ({ id }: PageRequest): string => `/runs/${id}`;
  const change =
    (name: string, words: 'paused' | 'resumed' | 'retried' | 'approvedNotice' | 'cancelled') =>
    async ({ api, view, id }: PageRequest): Promise<Done> => {
      await api.send('POST', `/api/runs/${id}/${name}`);
      return { to: `/runs/${id}`, notice: { words: runWords[view.locale][words] } };
    };
  addAction(app, '/runs/:id/pause', 'operator', { work: change('pause', 'paused'), otherwise: pageOf });
  addAction(app, '/runs/:id/resume', 'operator', { work: change('resume', 'resumed'), otherwise: pageOf });
  addAction(app, '/runs/:id/retry', 'operator', { work: change('retry', 'retried'), otherwise: pageOf });

  // The button is on the home page.
  addAction(app, '/runs/:id/seen', 'operator', {
    work: async ({ api, view, id }) => {
      await api.send('POST', `/api/runs/${id}/seen`);
      return { to: '/', notice: { words: runWords[view.locale].seenNotice } };
    },
    otherwise: () => '/',
  });

  addConfirmed(app, '/runs/:id/approve', 'operator', {
    section: 'runs',
    back: pageOf,
    ask: async ({ api, view: { locale, format }, id }) => {
      const run = await runOf(api, id);
      if (!mayBeApproved(run)) return null;
      const answer = z.object({ messages: z.array(messageView) });
      const first = { status: 'queued', limit: textsShown };
      const { messages } = await api.get(`/api/runs/${id}/messages`, answer, first);
      const t = runWords[locale];
      const toSend = format.number(sumOf(run.counts, 'queued', 'sending'));
      return {
        title: `${t.approve}: ${t.run(String(id))}`,
        text: `${t.approveText(toSend)} ${run.preflight ? fitWords(run.preflight, format) : ''}`,
        details: <ApprovalDetails run={run} texts={messages} />,
        button: t.approve,
      };
    },
    work: change('approve', 'approvedNotice'),
  });

  addConfirmed(app, '/runs/:id/cancel', 'operator', {
    section: 'runs',
    back: pageOf,
    ask: async ({ api, view: { locale, format }, id }) => {
      const run = await runOf(api, id);
      if (!mayBeCancelled(run)) return null;
      const t = runWords[locale];
      return {
        title: `${t.cancelRun}: ${t.run(String(id))}`,
        text: t.cancelText(format.number(sumOf(run.counts, 'queued', 'sending'))),
        button: t.cancelRun,
        backWords: common[locale].back,
      };
    },
    work: change('cancel', 'cancelled'),
  });
};

function RunsPage({
  answer,
  settings,
  campaigns,
  ...list
}: Found<z.output<typeof runList>> & {
  settings: CustomerSettings;
  campaigns: Awaited<ReturnType<typeof campaignChoices>>;
}) {
  const t = useWords(runWords);
  const waitingWords = useWords(runStates).waiting;
  const waitingOptions = waitingStates.map((one) => ({
    value: `waiting_${one}`,
    label: waitingWords[one === 'provider' ? 'provider_pause' : one],
  }));
  const { campaignId } = list.query;
  const runs = answer?.runs ?? [];
  // A deployment may have more campaigns than a choice offers.
  const hasChoice = campaignId === undefined || campaigns.some(({ value }) => value === campaignId);
  const campaign = campaignId === undefined ? undefined : runs[0];
  const filters: Filter[] = [
    ...(hasChoice ? [{ name: 'campaignId', label: t.campaign, options: campaigns }] : []),
    { name: 'day', label: t.day, type: 'date' },
    {
      name: 'status',
      label: t.state,
      options: runStatuses.flatMap((value) => [
        { value, label: t.status[value] },
        ...(value === 'running' ? waitingOptions : []),
      ]),
    },
    { name: 'trigger', label: t.how, options: labeled(runTriggers, t.trigger), rare: true },
    ...useMailingFilters(settings),
  ];
  return (
    <Page
      title={t.title}
      section="runs"
      actions={<DownloadLink href={urlOf('/api/runs.csv', queryOf({ ...list.query, before: undefined }))} />}
      {...(campaign
        ? { trail: [{ href: `/campaigns/${campaign.campaignId}`, label: campaign.campaignName }] }
        : {})}
    >
      <List
        {...list}
        path="/runs"
        caption={t.title}
        filters={filters}
        rows={runs}
        columns={useRunColumns()}
        pageSize={perPage}
        icon="runs"
        empty={{ title: t.empty, text: t.emptyText }}
        nothing={{ title: t.nothingFound, text: t.nothingFoundText }}
      />
    </Page>
  );
}

/** What a user checks before approving. */
function ApprovalDetails({
  run: { preflight, providerId },
  texts,
}: {
  run: Run;
  texts: readonly z.output<typeof messageView>[];
}) {
  const states = useWords(runStates);
  const format = useFormat();
  return (
    <>
      {preflight && (
        <p>
          <CostSentence cost={preflight.cost} providerId={providerId} />
        </p>
      )}
      {preflight?.overBudget && (
        <p class="alert alert-warning">{overBudgetWords(preflight.overBudget, format)}</p>
      )}
      {texts.length > 0 && (
        <>
          <h2 class="h4">{states.firstTexts(format.number(texts.length))}</h2>
          <ol class="list-unstyled">
            {texts.map(({ id, name, text }) => (
              <li key={id} class="mb-2">
                <small class="text-secondary">{name}</small>
                <p class="bubble mb-0">{text}</p>
              </li>
            ))}
          </ol>
        </>
      )}
    </>
  );
}
