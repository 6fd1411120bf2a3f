import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import { lastRestoreView } from '../../api/runs/restores.ts';
import { overviewView } from '../../api/runs/overview.ts';
import type { MessageStatus } from '../../domain/message.ts';
import type { Api } from '../kit/api.ts';
import { Bars, type Series } from '../kit/charts.tsx';
import { causeWords, runs as runWords, waitingWords } from '../runs/words.ts';
import { RestoreCard } from './restore.tsx';
import { home as words } from './words.ts';
import { restore as restoreWords } from './words-restore.ts';
import { Page } from '../kit/layout.tsx';
import { Card, State, Table, Time } from '../kit/parts.tsx';
import { consoleOf } from '../kit/request.ts';
import { act } from '../kit/responses.tsx';
import { useRetryWords } from '../kit/retrying.tsx';
import { RunState, type RunSummary, sumOf } from '../runs/parts.tsx';
import { useFormat, useMay, useView, useWords } from '../kit/view.tsx';

type Overview = z.output<typeof overviewView>;

const daysShown = 14;

/** The first page: what the deployment is at, what waits for a person, what to do first. */
export const home: FastifyPluginAsync = async (app) => {
  const overviewOf = (api: Api, timezone: string, days: number) =>
    api.get('/api/overview', overviewView, { timezone, days });

  app.get('/', { config: { access: 'viewer' } }, async (request, reply) => {
    const { api, view } = consoleOf(request);
    const [overview, { restore }] = await Promise.all([
      overviewOf(api, view.format.timeZone, daysShown),
      api.get('/api/restores/last', lastRestoreView),
    ]);
    return reply.page(<HomePage overview={overview} restore={restore} />);
  });

  app.post('/restores/settle', { config: { access: 'admin' } }, async (request, reply) => {
    const { api, view } = consoleOf(request);
    return act(request, reply, '/', async () => {
      await api.send('POST', '/api/restores/last/settle');
      return { to: '/', notice: { words: restoreWords[view.locale].settled } };
    });
  });

  // The part that changes while it is looked at. It shows no days, which are what costs most.
  app.get('/overview', { config: { access: 'viewer', fragment: true } }, async (request, reply) => {
    const { api, view } = consoleOf(request);
    return reply.fragment(<Present overview={await overviewOf(api, view.format.timeZone, 1)} />);
  });
};

function HomePage({
  overview,
  restore,
}: {
  overview: Overview;
  restore: z.output<typeof lastRestoreView>['restore'];
}) {
  const t = useWords(words);
  return (
    <Page title={t.title} section="home" chart>
      <RestoreCard restore={restore} now={new Date()} />
      {!overview.setUp.hasRun && <FirstSteps setUp={overview.setUp} />}
      <div hx-get="/overview" hx-trigger="every 10s" hx-swap="innerHTML">
        <Present overview={overview} />
      </div>
      {overview.setUp.hasRun && <Days days={overview.days} />}
    </Page>
  );
}

/** What runs, what waits, what comes. */
function Present({ overview }: { overview: Overview }) {
  const { attention, notExecuted, running, retrying, next, moreRuns, setUp } = overview;
  const t = useWords(words);
  const format = useFormat();
  const waiting = [...attention, ...notExecuted];
  return (
    <>
      <Card title={t.attention}>
        {waiting.length + retrying.length === 0 ? (
          <p class="mb-0">
            <State tone="good">{t.nothingWaits}</State>
          </p>
        ) : (
          <ul class="entries">
            {retrying.map((one) => (
              <RetryingWorkflow key={`${one.kind} ${one.campaignId ?? ''}`} {...one} />
            ))}
            {waiting.map((run) => (
              <WaitingRun key={run.id} run={run} />
            ))}
          </ul>
        )}
        {moreRuns > 0 && (
          <p class="mb-0">
            <a href="/runs">{t.more(format.number(moreRuns))}</a>
          </p>
        )}
      </Card>
      <div class="halves">
        <Card title={t.now}>
          {running.length === 0 ? (
            <p class="text-secondary mb-0">{t.nothingRuns}</p>
          ) : (
            <ul class="entries">
              {running.map((run) => (
                <RunningRun key={run.id} run={run} />
              ))}
            </ul>
          )}
        </Card>
        <Card title={t.next}>
          {next.length === 0 ? (
            <p class="text-secondary mb-0">
              {t.nothingNext} {setUp.campaigns > 0 && <a href="/campaigns">{t.toCampaigns}</a>}
            </p>
          ) : (
            <ul class="entries">
              {next.map((one) => (
                <li key={one.campaignId}>
                  <a href={`/campaigns/${one.campaignId}`}>{one.campaignName}</a>
                  <div>
                    <When at={one.at} timezone={one.timezone} />
                  </div>
                </li>
              ))}
            </ul>
          )}
        </Card>
      </div>
    </>
  );
}

/** In the reader's zone; where the campaign goes by another, in that one, too. */
function When({ at, timezone }: { at: Date; timezone: string }) {
  const t = useWords(words);
  const { locale, format } = useView();
  const there = new Intl.DateTimeFormat(locale, {
    timeZone: timezone,
    day: '2-digit',
    month: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(at);
  return (
    <>
      <span class="text-capitalize">{format.weekday(at)}</span> <Time at={at} />
      {timezone !== format.timeZone && (
        <small class="text-secondary"> ({t.inZone(there, format.zone(timezone, at))})</small>
      )}
    </>
  );
}

const RunHead = ({ run }: { run: RunSummary }) => {
  const t = useWords(runWords);
  return (
    <div class="entry-head">
      <a href={`/runs/${run.id}`}>
        <strong>{run.campaignName}</strong>
      </a>
      <span class="text-secondary">
        {t.run(String(run.id))}, <Time at={run.occurrence} />
      </span>
    </div>
  );
};

function RunningRun({ run }: { run: RunSummary }) {
  const t = useWords(words);
  const runs = useWords(runWords);
  const format = useFormat();
  const { counts, waiting, step, status } = run;
  const retrying = useRetryWords(run.retrying);
  const open = sumOf(counts, 'queued', 'sending');
  const done = sumOf(counts, 'sent', 'delivered', 'undelivered', 'failed', 'unknown', 'cancelled');
  const doing = status === 'cancelling' ? runs.status.cancelling : runs.doing[step];
  return (
    <li>
      <RunHead run={run} />
      <div>
        {retrying !== null ? (
          <State tone="warn">{retrying}</State>
        ) : waiting ? (
          waitingWords(runs, format, waiting)
        ) : (
          doing
        )}
        {open + done > 0 && (
          <>
            {': '}
            {t.sentOf(format.number(done), format.number(open + done))} (
            {format.percent(done / (open + done))})
          </>
        )}
      </div>
      {open + done > 0 && (
        <progress class="progress progress-sm" value={done} max={open + done} aria-label={runs.progress} />
      )}
    </li>
  );
}

function RetryingWorkflow({
  kind,
  campaignId,
  campaignName,
  workflows,
  retrying,
}: Overview['retrying'][number]) {
  const t = useWords(words).retrying;
  const format = useFormat();
  const told = useRetryWords(retrying);
  return (
    <li>
      <div class="entry-head">
        <strong>
          {campaignId === null ? (
            t[kind]
          ) : (
            <>
              {t.campaign}: <a href={`/campaigns/${campaignId}`}>{campaignName}</a>
            </>
          )}
        </strong>
        {workflows > 1 && <span class="text-secondary">{format.number(workflows)}</span>}
      </div>
      <State tone="warn">{told}</State>
    </li>
  );
}

function WaitingRun({ run }: { run: RunSummary }) {
  const runs = useWords(runWords);
  const format = useFormat();
  const mend = useMend(run);
  const retrying = useRetryWords(run.retrying);
  const { reason, waiting } = run;
  return (
    <li>
      <RunHead run={run} />
      {reason ? (
        <>
          <RunState run={run} />
          <div>{causeWords(runs, format, reason.details)}</div>
        </>
      ) : (
        waiting && <State tone="warn">{waitingWords(runs, format, waiting)}</State>
      )}
      {retrying !== null && <State tone="warn">{retrying}</State>}
      <div class="buttons">
        {mend.map(({ href, label }) => (
          <a key={href} class="btn btn-sm" href={href}>
            {label}
          </a>
        ))}
      </div>
    </li>
  );
}

/** Where what a run waits for can be mended. */
function useMend({ id, campaignId, status, waiting, reason, retrying }: RunSummary) {
  const t = useWords(words).mend;
  const mayChange = useMay('operator');
  const run = `/runs/${id}`;
  const look = { href: run, label: t.look };
  if (!mayChange) return [look];
  if (waiting?.code === 'approval') return [{ href: run, label: t.approve }];
  if (status === 'running' && retrying) return [look];
  const details = reason?.details;
  const toMailing = { href: `/campaigns/${campaignId}/mailing`, label: t.mailing };
  const act = status === 'failed' ? { href: run, label: t.retry } : { href: run, label: t.resume };
  switch (details?.code) {
    case 'pending_run':
      return [{ href: `/runs/${details.runId}`, label: t.other(String(details.runId)) }];
    case 'beyond_grace':
    case 'superseded':
      return [look];
    case 'missed_by_restore':
      return [{ href: `/campaigns/${campaignId}/run-now`, label: t.runNow }, look];
    case 'threshold':
      return [{ href: `${run}/messages?status=failed`, label: t.failures }, act];
    case 'no_contacts':
      return [toMailing, look];
    case 'mailing_refused':
    case 'webservice_refused':
      return [toMailing, act];
    case 'expired':
    case 'hours_never_open':
    case 'by_user':
    case 'by_temporal':
    case 'provider_account':
    case 'workflow_lost':
    case 'stopped_by_restore':
    case 'fault':
    case undefined:
      return [act];
  }
}

/** The parts of a day's bar, from below; what was left out or not yet sent stands in the table alone. */
const drawn = [
  ['delivered', 'green', ['delivered']],
  ['sent', 'blue', ['sent']],
  ['unknown', 'yellow', ['unknown']],
  ['failed', 'red', ['failed', 'undelivered']],
] as const satisfies readonly (readonly [string, Series['colour'], readonly MessageStatus[]])[];
const listed = [
  ...drawn,
  ['queued', null, ['queued', 'sending']],
  ['skipped', null, ['skipped', 'cancelled']],
] as const;

function Days({ days }: { days: Overview['days'] }) {
  const t = useWords(words);
  const format = useFormat();
  const dayOf = (day: string) => format.calendarDate(day);
  const busy = days.some(({ counts }) => Object.values(counts).some((count) => count > 0));
  return (
    <Card title={t.byDay}>
      {!busy ? (
        <p class="text-secondary">{t.noMessages}</p>
      ) : (
        <>
          <Bars
            label={t.byDay}
            labels={days.map(({ day }) => dayOf(day).slice(0, 5))}
            series={drawn.map(([name, colour, statuses]) => ({
              label: t.series[name],
              colour,
              values: days.map(({ counts }) => sumOf(counts, ...statuses)),
            }))}
            told={days.map(
              ({ day, counts }) =>
                `${dayOf(day)}: ${drawn
                  .map(
                    ([name, , statuses]) =>
                      `${t.series[name].toLowerCase()} ${format.number(sumOf(counts, ...statuses))}`,
                  )
                  .join(', ')}`,
            )}
          >
            {t.byDayHelp}
          </Bars>
          <details class="as-table">
            <summary>{t.asTable}</summary>
            <Table
              caption={t.byDay}
              rows={days.toReversed().map(({ day, counts }) => ({ id: day, counts }))}
              columns={[
                { heading: t.day, cell: ({ id }) => dayOf(id) },
                ...listed.map(([name, , statuses]) => ({
                  heading: t.series[name],
                  numeric: true,
                  cell: ({ counts }: Pick<Overview['days'][number], 'counts'>) =>
                    format.number(sumOf(counts, ...statuses)),
                })),
              ]}
              empty={null}
            />
          </details>
        </>
      )}
    </Card>
  );
}

function FirstSteps({ setUp }: { setUp: Overview['setUp'] }) {
  const t = useWords(words).steps;
  const mayChange = useMay('operator');
  const mayAddProvider = useMay('admin');
  const { providers, campaigns, enabledCampaigns, nextCampaignId } = setUp;
  const steps = [
    {
      title: t.provider,
      text: mayAddProvider ? t.providerText : `${t.providerText} ${t.providerByAdmin}`,
      done: providers > 0,
      link: mayAddProvider ? { href: '/settings/providers/new', label: t.providerLink } : null,
    },
    {
      title: t.campaign,
      text: t.campaignText,
      done: campaigns > 0,
      link: { href: '/campaigns/new', label: t.campaignLink },
    },
    {
      title: t.enable,
      text: t.enableText,
      done: enabledCampaigns > 0,
      link: nextCampaignId === null ? null : { href: `/campaigns/${nextCampaignId}`, label: t.enableLink },
    },
    { title: t.run, text: t.runText, done: false, link: { href: '/campaigns', label: t.runLink } },
  ];
  const first = steps.findIndex(({ done }) => !done);
  return (
    <Card title={t.title}>
      <p>{t.about}</p>
      <ol class="steps-list">
        {steps.map(({ title, text, done, link }, index) => (
          <li key={title} class={done ? 'step-done' : undefined}>
            <strong>{title}</strong> {done && <State tone="good">{t.done}</State>}
            <div>{text}</div>
            {!done && link && mayChange && (
              <a class={`btn btn-sm${index === first ? ' btn-primary' : ''}`} href={link.href}>
                {link.label}
              </a>
            )}
          </li>
        ))}
      </ol>
    </Card>
  );
}
