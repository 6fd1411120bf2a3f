import type { z } from 'zod';
import type { runSampleView } from '../../api/runs/runs.ts';
import { resendableRunStatuses } from '../../domain/run.ts';
import { urlOf } from '../kit/api.ts';
import { Rates } from '../kit/charts.tsx';
import { ActionButton } from '../kit/buttons.tsx';
import { runStates } from './words-states.ts';
import { runs as runWords } from './words.ts';
import { resolveWords } from '../messages/words-resolve.ts';
import { Icon } from '../kit/icons.tsx';
import { Page } from '../kit/layout.tsx';
import { Card, type Fact, Facts, Table, Time } from '../kit/parts.tsx';
import { Live, type Run } from './live.tsx';
import { linesOf, mayBeApproved, mayBeCancelled, RunState, sumOf } from './parts.tsx';
import { useFormat, useMay, useView, useWords } from '../kit/view.tsx';

export type Sample = z.output<typeof runSampleView>;

/** Points of the chart, and rows of the table with the same data. */
const pointsShown = 300;
const rowsShown = 12;
/** How long after its end a run that still lacks receipts is refreshed. */
const receiptsAwaitedMs = 3_600_000;

/** One run: its progress, its history, its actions, and links to related pages. */
export function RunPage({ run, samples }: { run: Run; samples: readonly Sample[] }) {
  const t = useWords(runWords);
  const { id, campaignId, campaignName, progress, trigger } = run;
  // Receipts arrive for some time after the last message has left. Messages whose receipts are late stay `sent`.
  const awaitsReceipts =
    sumOf(run.counts, 'sent') > 0 && Date.now() - (run.finishedAt?.getTime() ?? 0) < receiptsAwaitedMs;
  return (
    <Page
      title={`${trigger === 'dry_run' || trigger === 'resend' ? `${t.trigger[trigger]}: ` : ''}${t.run(String(id))}`}
      section="runs"
      chart
      trail={[
        { href: `/campaigns/${campaignId}`, label: campaignName },
        { href: urlOf('/runs', { campaignId }), label: t.title },
      ]}
      actions={<RunActions run={run} />}
    >
      {/* The stream only reports that something has changed; the server renders the change. */}
      <div
        id="live"
        hx-get={urlOf(`/runs/${id}/live`, { status: run.status })}
        hx-trigger={
          progress.over
            ? awaitsReceipts || run.status === 'failed'
              ? 'every 5s'
              : undefined
            : 'changed throttle:1s'
        }
        hx-swap="innerHTML"
        data-events={progress.over ? undefined : `/api/runs/${id}/events`}
        data-status={run.status}
        data-step={run.step}
      >
        <Live run={run} />
      </div>
      {(samples.length > 1 || !progress.over) && trigger !== 'dry_run' && (
        <Course run={run} samples={samples} />
      )}
      <div
        id="details"
        hx-get={`/runs/${id}/details`}
        hx-trigger={progress.over ? undefined : 'changed from:#live throttle:3s'}
        hx-swap="innerHTML"
      >
        <Details run={run} />
      </div>
    </Page>
  );
}

/** When its steps began, who decided, and links to related pages: changes while the run goes on. */
export function Details({ run }: { run: Run }) {
  const t = useWords(runWords);
  const { template } = run.settings.campaign.message;
  return (
    <div class="halves">
      <Card title={t.details}>
        <Facts facts={useFacts(run)} />
        {template !== '' && <blockquote class="bubble mt-3">{template}</blockquote>}
      </Card>
      <Card title={t.more}>
        <ul class="list-unstyled more mb-0">
          {useLinks(run).map(({ href, words, icon, download = false, outside = false }) => (
            <li key={href}>
              <a
                href={href}
                {...(download ? { download: '' } : {})}
                {...(outside ? { target: '_blank', rel: 'noreferrer' } : {})}
              >
                <Icon name={icon} /> <span>{words}</span>
              </a>
            </li>
          ))}
        </ul>
      </Card>
    </div>
  );
}

function useFacts(run: Run): Fact[] {
  const t = useWords(runWords);
  const states = useWords(runStates);
  const { trigger, resendOf, resends } = run;
  const toRun = (id: number) => <a href={`/runs/${id}`}>{t.run(String(id))}</a>;
  return [
    [t.how, t.trigger[trigger]],
    resendOf !== null && [t.resendOf, toRun(resendOf)],
    resends.length > 0 && [
      t.resends,
      resends.map(({ id, status }) => (
        <div key={id}>
          {toRun(id)} <RunState run={{ status }} />
        </div>
      )),
    ],
    [t.occurrence, <Time at={run.occurrence} exact />],
    [t.started, <Time at={run.startedAt} exact />],
    [t.mailingRead, <Time at={run.mailingAt} exact />],
    run.approvedAt && [
      t.approved,
      <>
        <Time at={run.approvedAt} exact /> {run.approvedByName !== null && states.by(run.approvedByName)}
      </>,
    ],
    // A dry run sends nothing.
    trigger !== 'dry_run' && [t.sendingBegan, <Time at={run.sendingAt} exact />],
    [t.finished, <Time at={run.finishedAt} exact />],
    run.expiresAt && [t.expires, <Time at={run.expiresAt} />],
  ];
}

interface Link {
  href: string;
  words: string;
  icon: 'messages' | 'download' | 'replies' | 'tickets' | 'external';
  download?: boolean;
  outside?: boolean;
}

function useLinks(run: Run): Link[] {
  const t = useWords(runWords);
  const mayRead = useMay('operator');
  const { id, counts, hasAnswer, temporalUrl } = run;
  return [
    { href: `/runs/${id}/messages`, words: t.allMessages, icon: 'messages' },
    { href: `/api/runs/${id}/messages.csv`, words: t.messagesCsv, icon: 'download', download: true },
    ...(sumOf(counts, 'skipped') > 0 || run.warnings.lines > 0
      ? ([
          { href: `/api/runs/${id}/bad-lines.csv`, words: t.badLines, icon: 'download', download: true },
        ] as const)
      : []),
    ...(hasAnswer && mayRead
      ? ([{ href: `/api/runs/${id}/answer`, words: t.answer, icon: 'download', download: true }] as const)
      : []),
    { href: urlOf('/replies', { runId: id }), words: t.replies, icon: 'replies' },
    { href: urlOf('/tickets', { runId: id }), words: t.tickets, icon: 'tickets' },
    ...(temporalUrl === null
      ? []
      : ([{ href: temporalUrl, words: t.temporal, icon: 'external', outside: true }] as const)),
  ];
}

function RunActions({ run }: { run: Run }) {
  const t = useWords(runWords);
  const resolve = useWords(resolveWords);
  const mayChange = useMay('operator');
  const { id, campaignId, status, trigger, counts } = run;
  const url = `/runs/${id}`;
  const mayResend =
    resendableRunStatuses.has(status) && sumOf(counts, 'failed', 'undelivered', 'unknown') > 0;
  if (!mayChange) return null;
  return (
    <>
      {mayBeApproved(run) && (
        <a class="btn btn-primary" href={`${url}/approve`}>
          <Icon name="check" /> {t.approve}
        </a>
      )}
      {status === 'running' && (
        <ActionButton action={`${url}/pause`}>
          <Icon name="pause" /> {t.pause}
        </ActionButton>
      )}
      {status === 'paused' && (
        <ActionButton action={`${url}/resume`} kind="primary">
          <Icon name="play" /> {t.resume}
        </ActionButton>
      )}
      {status === 'failed' && (
        <ActionButton action={`${url}/retry`} kind="primary">
          {t.retry}
        </ActionButton>
      )}
      {mayResend && (
        <a class="btn" href={`${url}/resend`}>
          {t.resend}
        </a>
      )}
      {sumOf(counts, 'unknown') > 0 && (
        <a class="btn" href={`${url}/resolve`}>
          {resolve.openAll}
        </a>
      )}
      {trigger === 'dry_run' && status === 'finished' && (
        <a class="btn btn-primary" href={`/campaigns/${campaignId}`}>
          {t.toCampaign}
        </a>
      )}
      {mayBeCancelled(run) && (
        <a class="btn" href={`${url}/cancel`}>
          {t.cancelRun}
        </a>
      )}
    </>
  );
}

/** The course of the sending: a chart, and a table for users who cannot see one. */
function Course({ run, samples }: { run: Run; samples: readonly Sample[] }) {
  const t = useWords(runWords);
  const format = useFormat();
  const { locale } = useView();
  const { progress, counts } = run;
  const known = withEnd(samples, run);
  const rows = thinned(known, rowsShown + 1);
  const perSecond = (value: number) =>
    new Intl.NumberFormat(locale, { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
  return (
    <Card title={t.chart}>
      <Rates
        label={t.chart}
        sent={t.perSecondSent}
        failed={t.perSecondFailed}
        timeZone={format.timeZone}
        samples={thinned(known, pointsShown).map(({ at, messages, failed }) => [
          at.getTime(),
          messages,
          failed,
        ])}
      >
        {linesOf(counts) === 0 || known.length < 2 ? t.chartEmpty : progress.over ? t.chartOver : t.chartHelp}
      </Rates>
      {rows.length > 1 && (
        <details class="as-table">
          <summary>{t.asTable}</summary>
          <Table
            caption={t.chart}
            rows={rows.slice(1).map((row, index) => {
              const before = rows[index] ?? row;
              const seconds = (row.at.getTime() - before.at.getTime()) / 1000;
              return { ...row, id: row.at.getTime(), rate: (row.messages - before.messages) / seconds };
            })}
            columns={[
              { heading: t.until, cell: ({ at }) => <Time at={at} exact /> },
              { heading: t.sentByThen, numeric: true, cell: ({ messages }) => format.number(messages) },
              { heading: t.perSecondSent, numeric: true, cell: ({ rate }) => perSecond(rate) },
              { heading: t.failedByThen, numeric: true, cell: ({ failed }) => format.number(failed) },
            ]}
            empty={null}
          />
        </details>
      )}
    </Card>
  );
}

/** Adds the present counts as the latest sample, because the workers' last sample may be a second old. */
function withEnd(samples: readonly Sample[], { progress, counts, status, step }: Run): readonly Sample[] {
  const last = samples.at(-1);
  if (!last || progress.over || status !== 'running' || step !== 'sending') return samples;
  const messages = sumOf(counts, 'sent', 'delivered', 'undelivered', 'failed', 'unknown');
  const now = new Date();
  return now > last.at
    ? [...samples, { at: now, messages, failed: sumOf(counts, 'failed', 'undelivered') }]
    : samples;
}

/** At most this many of them, evenly spaced, including the first and the last. */
function thinned(samples: readonly Sample[], most: number): readonly Sample[] {
  if (samples.length <= most) return samples;
  const step = (samples.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => samples[Math.round(index * step)]).filter(
    (sample) => sample !== undefined,
  );
}
