import { isUsedUp } from '../../domain/budget.ts';
import { alertsPath } from '../alerts/settings.tsx';
import { costsPath } from '../money/costs.tsx';
import { postsPath } from '../tickets/posts.tsx';
import { moneyWords } from '../money/words.ts';
import { roleSuffices } from '../../domain/user.ts';
import type { FastifyPluginAsync } from 'fastify';
import type { ComponentChildren } from 'preact';
import type { z } from 'zod';
import { lastRestoreView } from '../../api/runs/restores.ts';
import { overviewView } from '../../api/runs/overview.ts';
import type { MessageStatus } from '../../domain/message.ts';
import type { Api } from '../kit/api.ts';
import { drawn, OutcomeBars } from '../reports/figures.tsx';
import { reportWords } from '../reports/words.ts';
import { unreadPath } from '../providers/unread.tsx';
import { unreadWords } from '../providers/words-unread.ts';
import { holdsPath } from '../replies/holds.tsx';
import { holdWords } from '../replies/words-holds.ts';
import { readWaiting, runReasonWords, waitingWords } from '../../domain/problems/runs.ts';
import { runs as runWords } from '../runs/words.ts';
import { RestoreCard } from './restore.tsx';
import { home as words } from './words.ts';
import { restore as restoreWords } from './words-restore.ts';
import { Page } from '../kit/layout.tsx';
import { Card, State, Table, Time } from '../kit/parts.tsx';
import { useRetryWords } from '../kit/retrying.tsx';
import { addAction, addPage, addPart } from '../kit/routes.ts';
import { RunState, type RunSummary, sumOf } from '../runs/parts.tsx';
import { useFormat, useMay, useView, useWords } from '../kit/view.tsx';

type Overview = z.output<typeof overviewView>;

const daysShown = 14;

/** The first page: the state of the deployment, what waits for a user, the first steps. */
export const home: FastifyPluginAsync = async (app) => {
  const overviewOf = (api: Api, timezone: string, days: number) =>
    api.get('/api/overview', overviewView, { timezone, days });

  addPage(app, '/', 'any_role', async ({ api, view }) => {
    // The tickets are what an agent works with.
    if (!view.me || !roleSuffices(view.me.role, 'viewer')) return { to: '/tickets' };
    const [overview, { restore }] = await Promise.all([
      overviewOf(api, view.format.timeZone, daysShown),
      api.get('/api/restores/last', lastRestoreView),
    ]);
    return <HomePage overview={overview} restore={restore} />;
  });

  addAction(app, '/restores/complete', 'admin', {
    work: async ({ api, view }) => {
      await api.send('POST', '/api/restores/last/complete');
      return { to: '/', notice: { words: restoreWords[view.locale].completed } };
    },
    otherwise: () => '/',
  });

  // The part that refreshes automatically. It does not show the days, which cost the most.
  addPart(app, '/overview', 'viewer', async ({ api, view }) => (
    <Present overview={await overviewOf(api, view.format.timeZone, 1)} />
  ));
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
      <div
        hx-get="/overview"
        hx-trigger="every 10s"
        hx-swap="innerHTML"
        // A page that is left open keeps no session alive.
        hx-headers='{"torpedo-background": "1"}'
      >
        <Present overview={overview} />
      </div>
      {overview.setUp.hasRun && <Days days={overview.days} />}
    </Page>
  );
}

/** What is running, what waits, what is next. */
function Present({ overview }: { overview: Overview }) {
  const { attention, notExecuted, running, retrying, next, moreRuns, setUp, holds, unreadCalls, budgets } =
    overview;
  const t = useWords(words);
  const format = useFormat();
  return (
    <>
      <Card title={t.attention}>
        {attention.length +
          notExecuted.length +
          retrying.length +
          holds.count +
          unreadCalls.length +
          budgets.length ===
        0 ? (
          <p class="mb-0">
            <State tone="good">{t.nothingWaits}</State>
          </p>
        ) : (
          <ul class="entries">
            {holds.count > 0 && <Holds {...holds} />}
            {unreadCalls.map((calls) => (
              <UnreadCalls key={calls.providerId} {...calls} />
            ))}
            {budgets.map((budget) => (
              <NearBudget key={budget.campaignId ?? 0} {...budget} />
            ))}
            {retrying.map((one) => (
              <RetryingWorkflow key={`${one.kind} ${one.campaignId ?? ''}`} {...one} />
            ))}
            {attention.map((run) => (
              <WaitingRun key={run.id} run={run} />
            ))}
            {notExecuted.map((run) => (
              <WaitingRun key={run.id} run={run} canBeSeen />
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

/** In the reader's time zone, and also in the campaign's if that differs. */
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

/** The first line of an entry: what it is, with its page, and a detail at the end. */
const Head = ({ href, title, children }: { href: string; title: string; children?: ComponentChildren }) => (
  <div class="entry-head">
    <a href={href}>
      <strong>{title}</strong>
    </a>
    {children !== undefined && <span class="text-secondary">{children}</span>}
  </div>
);

const RunHead = ({ run }: { run: RunSummary }) => {
  const t = useWords(runWords);
  return (
    <Head href={`/runs/${run.id}`} title={run.campaignName}>
      {t.run(String(run.id))}, <Time at={run.occurrence} />
    </Head>
  );
};

function RunningRun({ run }: { run: RunSummary }) {
  const t = useWords(words);
  const runs = useWords(runWords);
  const format = useFormat();
  const { counts, step, status } = run;
  const waiting = readWaiting(run.waiting);
  const retrying = useRetryWords(run.retrying);
  const open = sumOf(counts, 'queued', 'sending');
  const done = sumOf(counts, 'sent', 'delivered', 'undelivered', 'failed', 'unknown');
  const doing = status === 'cancelling' ? runs.status.cancelling : runs.doing[step];
  return (
    <li>
      <RunHead run={run} />
      <div>
        {retrying !== null ? (
          <State tone="warn">{retrying}</State>
        ) : waiting ? (
          waitingWords(waiting, format)
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

/** Phones that have probably opted out. */
function Holds({ count, since }: Overview['holds']) {
  const t = useWords(holdWords);
  const waiting = t.waiting(useFormat().number(count));
  return <Waiting href={holdsPath} words={{ ...t, waiting, open: t.decide }} since={since} />;
}

/** Provider calls that could not be read. */
function UnreadCalls({ providerId, providerName, count, since }: Overview['unreadCalls'][number]) {
  const t = useWords(unreadWords);
  const waiting = t.waiting(useFormat().number(count), providerName);
  return <Waiting href={unreadPath(providerId)} words={{ ...t, waiting, open: t.see }} since={since} />;
}

/** A budget that is nearly or completely spent. */
function NearBudget({
  campaignId,
  campaignName,
  month,
  budget,
  spent,
  currency,
}: Overview['budgets'][number]) {
  const t = useWords(moneyWords).near;
  const format = useFormat();
  const name =
    campaignName === null ? t.deployment(format.month(month)) : t.campaign(campaignName, format.month(month));
  const link =
    campaignId === null
      ? { href: costsPath, label: t.open }
      : { href: `/campaigns/${campaignId}/mailing`, label: t.toCampaign };
  return (
    <li>
      <Head href={link.href} title={name} />
      <State tone={isUsedUp({ budget, spent }) ? 'bad' : 'warn'}>
        {t.spent(
          format.percent(spent / budget),
          format.money(spent, currency),
          format.money(budget, currency),
        )}
      </State>
      {isUsedUp({ budget, spent }) && <div>{t.usedUp}</div>}
      <div class="buttons">
        <a class="btn btn-sm" href={link.href}>
          {link.label}
        </a>
      </div>
    </li>
  );
}

/** A queue in which something waits for a decision. */
function Waiting({
  href,
  words: { waiting, oldest, open },
  since,
}: {
  href: string;
  words: { waiting: string; oldest: string; open: string };
  since: Date | null;
}) {
  return (
    <li>
      <Head href={href} title={waiting}>
        {oldest} <Time at={since} />
      </Head>
      <div class="buttons">
        <a class="btn btn-sm" href={href}>
          {open}
        </a>
      </div>
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
  const isAdmin = useMay('admin');
  const format = useFormat();
  const retryText = useRetryWords(retrying);
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
      <State tone="warn">{retryText}</State>
      {isAdmin && (kind === 'alerts' || kind === 'ticket_posts') && (
        <div class="buttons">
          <a class="btn btn-sm" href={kind === 'alerts' ? alertsPath : postsPath}>
            {t.open[kind]}
          </a>
        </div>
      )}
    </li>
  );
}

/** `canBeSeen`: nothing is left to do about it. */
function WaitingRun({ run, canBeSeen = false }: { run: RunSummary; canBeSeen?: boolean }) {
  const t = useWords(words);
  const mayChange = useMay('operator');
  const format = useFormat();
  const fixes = useFix(run);
  const retrying = useRetryWords(run.retrying);
  const { reason } = run;
  const waiting = readWaiting(run.waiting);
  return (
    <li>
      <RunHead run={run} />
      {reason ? (
        <>
          <RunState run={run} />
          <div>{runReasonWords(reason.details, format)}</div>
        </>
      ) : (
        waiting && <State tone="warn">{waitingWords(waiting, format)}</State>
      )}
      {retrying !== null && <State tone="warn">{retrying}</State>}
      <div class="buttons">
        {fixes.map(({ href, label }) => (
          <a key={href} class="btn btn-sm" href={href}>
            {label}
          </a>
        ))}
        {/* No ActionButton: it leads back to the page that has it, which may be the part that refreshes. */}
        {canBeSeen && mayChange && (
          <form method="post" action={`/runs/${run.id}/seen`}>
            <button type="submit" class="btn btn-sm" data-submit="" title={t.seenHelp}>
              {t.seen}
            </button>
          </form>
        )}
      </div>
    </li>
  );
}

/** The page on which a user can fix what a run waits for. */
function useFix({ id, campaignId, status, waiting, reason, retrying }: RunSummary) {
  const t = useWords(words).fixes;
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
    case 'campaign_disabled':
      return [{ href: `/campaigns/${campaignId}`, label: t.enable }, look];
    case 'pending_run':
      return [{ href: `/runs/${details.runId}`, label: t.other(String(details.runId)) }];
    case 'beyond_grace':
    case 'superseded':
      return [look];
    case 'missed_by_restore':
      return [{ href: `/campaigns/${campaignId}/run-now`, label: t.runNow }, look];
    case 'threshold':
    case 'budget_used_up':
    case 'reached_nobody':
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
    case 'provider_in_doubt':
    case 'workflow_lost':
    case 'stopped_by_restore':
    case 'fault':
    case undefined:
      return [act];
  }
}

function Days({ days }: { days: Overview['days'] }) {
  const t = useWords(words);
  const format = useFormat();
  const { figures } = useWords(reportWords);
  const dayOf = (day: string) => format.calendarDate(day);
  const listed: readonly (readonly [string, readonly MessageStatus[]])[] = [
    ...drawn.map(([name, , statuses]) => [figures[name], statuses] as const),
    [t.series.queued, ['queued', 'sending']],
    [t.series.skipped, ['skipped', 'cancelled']],
  ];
  const busy = days.some(({ counts }) => Object.values(counts).some((count) => count > 0));
  return (
    <Card title={t.byDay}>
      {!busy ? (
        <p class="text-secondary">{t.noMessages}</p>
      ) : (
        <>
          <OutcomeBars
            label={t.byDay}
            bars={days.map(({ day, counts }) => ({
              label: dayOf(day).slice(0, 5),
              long: dayOf(day),
              figures: counts,
            }))}
            help={t.byDayHelp}
          />
          <details class="as-table">
            <summary>{t.asTable}</summary>
            <Table
              caption={t.byDay}
              rows={days.toReversed().map(({ day, counts }) => ({ id: day, counts }))}
              columns={[
                { heading: t.day, cell: ({ id }) => dayOf(id) },
                ...listed.map(([heading, statuses]) => ({
                  heading,
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
