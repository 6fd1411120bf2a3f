import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { ComponentChildren } from 'preact';
import { z } from 'zod';
import { idParams, urlId } from '../api/parameters.ts';
import { runSummaryView, runView } from '../api/run-view.ts';
import { messageStatuses } from '../domain/message.ts';
import { runStatuses } from '../domain/run.ts';
import { urlOf } from './api.ts';
import { ActionButton } from './form.tsx';
import type { Format } from './format.ts';
import { common } from './i18n/common.ts';
import { causeWords, runs as runWords } from './i18n/runs.ts';
import { Icon } from './icons.tsx';
import { Page } from './layout.tsx';
import { Card, ConfirmPage, Facts, Pager, Time } from './parts.tsx';
import { act } from './replies.tsx';
import { consoleOf } from './request.ts';
import { linesOf, RunState, type RunSummary, RunTable, sumOf } from './run-parts.tsx';
import { useFormat, useMay, useWords } from './view.tsx';

type Run = z.output<typeof runView>;
type RunWords = (typeof runWords)['en'];

const perPage = 50;
const filter = z.object({
  before: urlId.optional(),
  status: z.enum(runStatuses).optional().catch(undefined),
  campaignId: urlId.optional().catch(undefined),
});
type Filter = z.output<typeof filter>;

/** Runs: the list, one of them live, and what a person does with it. */
export const runs: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/runs',
    { config: { access: 'viewer' }, schema: { querystring: filter } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const list = await api.get('/api/runs', z.object({ runs: z.array(runSummaryView) }), {
        ...request.query,
        limit: perPage,
      });
      return reply.page(<RunsPage runs={list.runs} filter={request.query} />);
    },
  );

  app.get(
    '/runs/:id',
    { config: { access: 'viewer' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      return reply.page(<RunPage run={await api.get(`/api/runs/${request.params.id}`, runView)} />);
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

  app.get('/runs/:id/cancel', action, async (request, reply) => {
    const { api } = consoleOf(request);
    return reply.page(<CancelPage run={await api.get(`/api/runs/${request.params.id}`, runView)} />);
  });
};

function RunsPage({ runs, filter }: { runs: readonly RunSummary[]; filter: Filter }) {
  const t = useWords(runWords);
  const words = useWords(common);
  const { before, ...kept } = filter;
  const last = runs.at(-1);
  const filtered = kept.status !== undefined || kept.campaignId !== undefined;
  return (
    <Page title={t.title} section="runs">
      <form method="get" action="/runs" class="filter-form">
        {kept.campaignId !== undefined && <input type="hidden" name="campaignId" value={kept.campaignId} />}
        <div>
          <label class="form-label" for="status">
            {t.state}
          </label>
          <select class="form-select" id="status" name="status">
            <option value="">{words.all}</option>
            {runStatuses.map((status) => (
              <option key={status} value={status} selected={status === kept.status}>
                {t.status[status]}
              </option>
            ))}
          </select>
        </div>
        <button class="btn">{words.filter}</button>
        {filtered && (
          <a class="btn btn-link" href="/runs">
            {words.clearFilter}
          </a>
        )}
      </form>
      <RunTable runs={runs} filtered={filtered} />
      <Pager
        first={before === undefined ? null : urlOf('/runs', kept)}
        next={last && runs.length === perPage ? urlOf('/runs', { ...kept, before: last.id }) : null}
      />
    </Page>
  );
}

function RunPage({ run }: { run: Run }) {
  const t = useWords(runWords);
  const { id, campaignId, campaignName, progress, settings } = run;
  return (
    <Page
      title={t.run(String(id))}
      section="runs"
      chart
      trail={[
        { href: `/campaigns/${campaignId}`, label: campaignName },
        { href: urlOf('/runs', { campaignId }), label: t.title },
      ]}
      actions={<RunActions run={run} />}
    >
      {/* The stream says that something has changed; what it is, the server tells in words. */}
      <div
        id="live"
        hx-get={`/runs/${id}/live`}
        hx-trigger="changed throttle:1s"
        hx-swap="innerHTML"
        data-events={progress.over ? undefined : `/api/runs/${id}/events`}
        data-status={run.status}
        data-step={run.step}
      >
        <Live run={run} />
      </div>
      {!progress.over && (
        <Card title={t.chart}>
          <div id="chart" class="chart" data-label={t.chart} />
          <p class="form-hint mb-0">{t.chartHelp}</p>
        </Card>
      )}
      <Card title={t.details}>
        <Facts
          facts={[
            [t.how, t.trigger[run.trigger]],
            [t.occurrence, <Time at={run.occurrence} exact />],
            [t.started, <Time at={run.startedAt} exact />],
            [t.mailingRead, <Time at={run.mailingAt} exact />],
            [t.sendingBegan, <Time at={run.sendingAt} exact />],
            [t.finished, <Time at={run.finishedAt} exact />],
            [t.expires, <Time at={run.expiresAt} />],
            ...(run.approvedAt ? [[t.approved, <Time at={run.approvedAt} exact />] as const] : []),
          ]}
        />
        <blockquote class="bubble mt-3">{settings.campaign.message.template}</blockquote>
      </Card>
    </Page>
  );
}

function RunActions({ run }: { run: Run }) {
  const t = useWords(runWords);
  const mayChange = useMay('operator');
  const { id, status, step, temporalUrl } = run;
  const url = `/runs/${id}`;
  const live = status === 'running' || status === 'paused';
  return (
    <>
      <RunState run={run} />
      {mayChange && step === 'approval' && live && run.trigger !== 'dry_run' && (
        <ActionButton action={`${url}/approve`} kind="primary">
          <Icon name="check" /> {t.approve}
        </ActionButton>
      )}
      {mayChange && status === 'running' && (
        <ActionButton action={`${url}/pause`}>
          <Icon name="pause" /> {t.pause}
        </ActionButton>
      )}
      {mayChange && status === 'paused' && (
        <ActionButton action={`${url}/resume`} kind="primary">
          <Icon name="play" /> {t.resume}
        </ActionButton>
      )}
      {mayChange && status === 'failed' && (
        <ActionButton action={`${url}/retry`} kind="primary">
          {t.retry}
        </ActionButton>
      )}
      {mayChange && (live || status === 'failed') && (
        <a class="btn" href={`${url}/cancel`}>
          {t.cancelRun}
        </a>
      )}
      {temporalUrl !== null && (
        <a class="btn" href={temporalUrl} target="_blank" rel="noreferrer">
          <Icon name="external" /> {t.temporal}
        </a>
      )}
    </>
  );
}

/** How far the run is, in numbers and words. */
function Live({ run }: { run: Run }) {
  const t = useWords(runWords);
  const format = useFormat();
  const { id, progress, counts, status } = run;
  const lines = linesOf(counts);
  const open = sumOf(counts, 'queued', 'sending');
  const skipped = sumOf(counts, 'skipped');
  const total = lines - skipped;
  const shown = messageStatuses.filter((one) => (counts[one] ?? 0) > 0);
  return (
    <>
      <Why run={run} />
      <div class="figures">
        <Figure label={t.state}>
          <RunState run={run} />
          <small>{status === 'running' || status === 'paused' ? t.step[run.step] : null}</small>
        </Figure>
        <Figure label={t.progress}>
          {total === 0 ? '—' : format.percent((total - open) / total)}
          <small>{t.of(format.number(total - open), format.number(total))}</small>
        </Figure>
        <Figure label={t.rate}>
          {progress.ratePerSecond === null ? '—' : t.perSecond(format.number(progress.ratePerSecond))}
          <small>
            {progress.limitPerSecond === null ? null : t.limit(format.number(progress.limitPerSecond))}
          </small>
        </Figure>
        <Figure label={t.timeLeft}>
          {progress.etaMs === null ? '—' : format.duration(progress.etaMs)}
          <small>
            {t.segments}:{' '}
            {t.of(format.number(progress.segments.left), format.number(progress.segments.total))}
          </small>
        </Figure>
      </div>
      {total > 0 && (
        <progress class="progress mb-3" value={total - open} max={total} aria-label={t.progress} />
      )}
      <div class="halves">
        <Card title={t.byStatus}>
          {shown.length === 0 ? (
            <p class="text-secondary mb-0">—</p>
          ) : (
            <Counts
              rows={shown.map((one) => ({
                label: t.message[one],
                count: counts[one] ?? 0,
                href: urlOf(`/runs/${id}/messages`, { status: one }),
              }))}
              total={lines}
            />
          )}
        </Card>
        <Card title={t.byReason}>
          {progress.reasons.length === 0 ? (
            <p class="text-secondary mb-0">{t.noReasons}</p>
          ) : (
            <Counts
              rows={progress.reasons
                .toSorted((a, b) => b.messages - a.messages)
                .map(({ status: of, reason, messages }) => ({
                  label: t.reason[reason] ?? reason,
                  count: messages,
                  href: urlOf(`/runs/${id}/messages`, { status: of, reason }),
                }))}
              total={lines}
            />
          )}
        </Card>
      </div>
      {run.preflight && <PreflightCard run={run} />}
    </>
  );
}

/** Why it stands still or ended, and what can be done about it. */
function Why({ run }: { run: Run }) {
  const t = useWords(runWords);
  const format = useFormat();
  const { reason, waiting, status } = run;
  if (reason) {
    const { details } = reason;
    const bad = status === 'failed' || status === 'missed';
    return (
      <div class={`alert alert-${bad ? 'danger' : 'warning'}`} role="status">
        <span>{causeWords(t, format, details)}</span>{' '}
        {'runId' in details && <a href={`/runs/${details.runId}`}>{t.run(String(details.runId))}</a>}
      </div>
    );
  }
  if (!waiting) return null;
  return (
    <div class="alert alert-info" role="status">
      {waitingWords(t, format, waiting)}
    </div>
  );
}

function waitingWords(t: RunWords, format: Format, { code, until }: NonNullable<Run['waiting']>): string {
  switch (code) {
    case 'approval':
    case 'resume':
      return t.waiting[code];
    case 'canary':
      return t.waiting.canary(until ? format.dateTime(until) : '—');
    case 'hours':
      return until ? t.waiting.hours(format.dateTime(until)) : t.waiting.hoursNever;
  }
}

const Figure = ({ label, children }: { label: string; children: ComponentChildren }) => (
  <div class="card figure">
    <div class="figure-label">{label}</div>
    <div class="figure-value">{children}</div>
  </div>
);

function Counts({
  rows,
  total,
}: {
  rows: readonly { label: string; count: number; href: string }[];
  total: number;
}) {
  const format = useFormat();
  return (
    <table class="counts">
      <tbody>
        {rows.map(({ label, count, href }) => (
          <tr key={href}>
            <th scope="row">
              <a href={href}>{label}</a>
            </th>
            <td class="counts-bar" aria-hidden="true">
              <progress class="progress progress-sm" value={count} max={Math.max(1, total)} />
            </td>
            <td class="numeric">{format.number(count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function PreflightCard({ run }: { run: Run }) {
  const t = useWords(runWords);
  const format = useFormat();
  const { preflight, trigger } = run;
  if (!preflight) return null;
  const words = t.preflightFacts;
  return (
    <Card title={t.preflight}>
      {trigger === 'dry_run' && <p>{t.dryRunDone}</p>}
      <p>{t.fits[preflight.fits]}</p>
      <Facts
        facts={[
          [words.lines, format.number(preflight.lines)],
          [words.toSend, format.number(preflight.toSend)],
          [words.leftOut, format.number(preflight.lines - preflight.toSend)],
          [words.segments, format.number(preflight.segments)],
          [
            words.duration,
            preflight.durationMs === null ? words.durationUnknown : format.duration(preflight.durationMs),
          ],
          [words.ends, <Time at={preflight.endsAt === null ? null : new Date(preflight.endsAt)} />],
        ]}
      />
    </Card>
  );
}

function CancelPage({ run }: { run: Run }) {
  const t = useWords(runWords);
  const format = useFormat();
  return (
    <ConfirmPage
      title={`${t.cancelRun}: ${t.run(String(run.id))}`}
      section="runs"
      text={t.cancelText(format.number(sumOf(run.counts, 'queued', 'sending')))}
      action={`/runs/${run.id}/cancel`}
      button={t.cancelRun}
      back={`/runs/${run.id}`}
    />
  );
}
