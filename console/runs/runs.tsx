import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { idParams, urlId } from '../../api/http/parameters.ts';
import { runSummaryView, runView } from '../../api/runs/view.ts';
import { runSampleView } from '../../api/runs/runs.ts';
import { runStatuses, runTriggers } from '../../domain/run.ts';
import { urlOf } from '../kit/api.ts';
import { type CustomerSettings, settingsOfCustomers } from '../kit/choices.ts';
import { Filters, useMailingFilters } from '../kit/filters.tsx';
import { common } from '../kit/words.ts';
import { runs as runWords } from './words.ts';
import { Page } from '../kit/layout.tsx';
import { ConfirmPage, Pager } from '../kit/parts.tsx';
import { act } from '../kit/responses.tsx';
import { consoleOf } from '../kit/request.ts';
import { Live, type Run } from './live.tsx';
import { RunPage } from './page.tsx';
import { mayBeApproved, mayBeCancelled, type RunSummary, RunTable, sumOf } from './parts.tsx';
import { useFormat, useWords } from '../kit/view.tsx';

type RunWords = (typeof runWords)['en'];

const perPage = 50;
const filter = z.object({
  before: urlId.optional(),
  status: z.enum(runStatuses).optional().catch(undefined),
  trigger: z.enum(runTriggers).optional().catch(undefined),
  campaignId: urlId.optional().catch(undefined),
  regionId: urlId.optional().catch(undefined),
  customerTypeId: urlId.optional().catch(undefined),
});
type Filter = z.output<typeof filter>;

/** Runs: the list, one of them live, and what a person does with it. */
export const runs: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/runs',
    { config: { access: 'viewer' }, schema: { querystring: filter } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const [list, settings] = await Promise.all([
        api.get('/api/runs', z.object({ runs: z.array(runSummaryView) }), {
          ...request.query,
          limit: perPage,
        }),
        settingsOfCustomers(api),
      ]);
      return reply.page(<RunsPage runs={list.runs} filter={request.query} settings={settings} />);
    },
  );

  app.get(
    '/runs/:id',
    { config: { access: 'viewer' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const url = `/api/runs/${request.params.id}`;
      const [run, { samples }] = await Promise.all([
        api.get(url, runView),
        api.get(`${url}/samples`, z.object({ samples: z.array(runSampleView) })),
      ]);
      return reply.page(<RunPage run={run} samples={samples} />);
    },
  );

  // The part that changes while the run is watched.
  app.get(
    '/runs/:id/live',
    { config: { access: 'viewer', fragment: true }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      return reply.fragment(<Live run={await api.get(`/api/runs/${request.params.id}`, runView)} />);
    },
  );

  const action = { config: { access: 'operator' }, schema: { params: idParams } } as const;

  const done = {
    pause: 'paused',
    resume: 'resumed',
    approve: 'approvedNotice',
    retry: 'retried',
    cancel: 'cancelled',
  } as const satisfies Record<string, keyof RunWords>;
  for (const [name, words] of Object.entries(done)) {
    app.post(`/runs/:id/${name}`, action, async (request, reply) => {
      const { api, view } = consoleOf(request);
      const { id } = request.params;
      return act(request, reply, `/runs/${id}`, async () => {
        await api.send('POST', `/api/runs/${id}/${name}`);
        return { to: `/runs/${id}`, notice: { words: runWords[view.locale][words] } };
      });
    });
  }

  app.get('/runs/:id/approve', action, async (request, reply) => {
    const run = await consoleOf(request).api.get(`/api/runs/${request.params.id}`, runView);
    // A page from before, or by the back button: what the run is now says why there is nothing to confirm.
    if (!mayBeApproved(run)) return reply.redirect(`/runs/${run.id}`, 303);
    return reply.page(<ApprovePage run={run} />);
  });

  app.get('/runs/:id/cancel', action, async (request, reply) => {
    const run = await consoleOf(request).api.get(`/api/runs/${request.params.id}`, runView);
    if (!mayBeCancelled(run)) return reply.redirect(`/runs/${run.id}`, 303);
    return reply.page(<CancelPage run={run} />);
  });
};

function RunsPage({
  runs,
  filter,
  settings,
}: {
  runs: readonly RunSummary[];
  filter: Filter;
  settings: CustomerSettings;
}) {
  const t = useWords(runWords);
  const mailingFilters = useMailingFilters(settings);
  const { before, ...kept } = filter;
  const last = runs.at(-1);
  const filtered = Object.values(kept).some((value) => Boolean(value));
  const campaign = kept.campaignId === undefined ? undefined : runs[0];
  return (
    <Page
      title={t.title}
      section="runs"
      {...(campaign
        ? { trail: [{ href: `/campaigns/${campaign.campaignId}`, label: campaign.campaignName }] }
        : {})}
    >
      <Filters
        action="/runs"
        query={{
          status: kept.status,
          trigger: kept.trigger,
          regionId: kept.regionId?.toString(),
          customerTypeId: kept.customerTypeId?.toString(),
        }}
        kept={{ campaignId: kept.campaignId?.toString() }}
        filters={[
          {
            name: 'status',
            label: t.state,
            options: runStatuses.map((value) => ({ value, label: t.status[value] })),
          },
          {
            name: 'trigger',
            label: t.how,
            options: runTriggers.map((value) => ({ value, label: t.trigger[value] })),
          },
          ...mailingFilters,
        ]}
      />
      <RunTable runs={runs} filtered={filtered} />
      <Pager
        first={before === undefined ? null : urlOf('/runs', kept)}
        next={last && runs.length === perPage ? urlOf('/runs', { ...kept, before: last.id }) : null}
      />
    </Page>
  );
}

function ApprovePage({ run }: { run: Run }) {
  const t = useWords(runWords);
  const format = useFormat();
  const { id, counts, preflight } = run;
  return (
    <ConfirmPage
      title={`${t.approve}: ${t.run(String(id))}`}
      section="runs"
      text={
        <>
          {t.approveText(format.number(sumOf(counts, 'queued', 'sending')))}{' '}
          {preflight && t.fits[preflight.fits]}
        </>
      }
      action={`/runs/${id}/approve`}
      button={t.approve}
      back={`/runs/${id}`}
    />
  );
}

function CancelPage({ run }: { run: Run }) {
  const t = useWords(runWords);
  const words = useWords(common);
  const format = useFormat();
  return (
    <ConfirmPage
      title={`${t.cancelRun}: ${t.run(String(run.id))}`}
      section="runs"
      text={t.cancelText(format.number(sumOf(run.counts, 'queued', 'sending')))}
      action={`/runs/${run.id}/cancel`}
      button={t.cancelRun}
      back={`/runs/${run.id}`}
      backWords={words.back}
    />
  );
}
