import type { ComponentChildren } from 'preact';
import type { z } from 'zod';
import type { runView } from '../../api/runs/view.ts';
import { messageStatuses } from '../../domain/message.ts';
import { urlOf } from '../kit/api.ts';
import { Failovers } from './failovers.tsx';
import { causeWords, runs as runWords, waitingWords } from './words.ts';
import { LineWarnings } from '../kit/line-problems.tsx';
import { Card, Facts, Time } from '../kit/parts.tsx';
import { Retrying } from '../kit/retrying.tsx';
import { linesOf, RunState, sumOf } from './parts.tsx';
import { useFormat, useWords } from '../kit/view.tsx';

export type Run = z.output<typeof runView>;

/** How far the run is, in numbers and words. */
export function Live({ run }: { run: Run }) {
  const t = useWords(runWords);
  const format = useFormat();
  const { id, progress, counts, status } = run;
  const lines = linesOf(counts);
  const open = sumOf(counts, 'queued', 'sending');
  const skipped = sumOf(counts, 'skipped');
  const total = lines - skipped;
  const shown = messageStatuses.filter((one) => (counts[one] ?? 0) > 0);
  // What a person decides by comes first.
  const preflightFirst = run.step === 'approval' || run.trigger === 'dry_run';
  return (
    <>
      <Why run={run} />
      <Failovers failovers={run.failovers} />
      {preflightFirst && <PreflightCard run={run} />}
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
          <LineWarnings warnings={run.warnings} />
        </Card>
      </div>
      {!preflightFirst && <PreflightCard run={run} />}
    </>
  );
}

/** Why it stands still or ended, and what can be done about it; or how far its web service is. */
function Why({ run }: { run: Run }) {
  const t = useWords(runWords);
  const format = useFormat();
  const { reason, waiting, status } = run;
  const { fetched } = run.progress;
  if (reason) {
    const { details } = reason;
    const bad = status === 'failed' || status === 'missed';
    return (
      <>
        <div class={`alert alert-${bad ? 'danger' : 'warning'}`} role="status">
          <span>{causeWords(t, format, details)}</span>{' '}
          {'runId' in details && <a href={`/runs/${details.runId}`}>{t.run(String(details.runId))}</a>}
        </div>
        <Retrying retrying={run.progress.retrying} />
      </>
    );
  }
  // What it waits for comes only after what failed.
  if (run.progress.retrying) return <Retrying retrying={run.progress.retrying} />;
  if (!waiting && !fetched) return null;
  return (
    <div class="alert alert-info" role="status">
      {waiting && waitingWords(t, format, waiting)}
      {!waiting &&
        fetched &&
        t[fetched.whole ? 'fetched' : 'fetching'](
          format.number(fetched.records),
          format.bytes(fetched.bytes),
        )}
    </div>
  );
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
  const { id, preflight, trigger } = run;
  if (!preflight) return null;
  const words = t.preflightFacts;
  const at = (instant: string | null) => <Time at={instant === null ? null : new Date(instant)} />;
  const leftOut = preflight.leftOut.toSorted((a, b) => b.messages - a.messages);
  return (
    <Card title={t.preflight}>
      {trigger === 'dry_run' && <p>{t.dryRunDone}</p>}
      <p>
        {t.fits[preflight.fits]}
        {preflight.segmentsLeft !== null && <> {t.segmentsLeft(format.number(preflight.segmentsLeft))}</>}
      </p>
      <Facts
        facts={[
          [words.lines, format.number(preflight.lines)],
          [words.toSend, format.number(preflight.toSend)],
          [
            words.leftOut,
            <>
              {format.number(preflight.lines - preflight.toSend)}
              {leftOut.map(({ reason, messages }) => (
                <div key={reason}>
                  <a href={urlOf(`/runs/${id}/messages`, { status: 'skipped', reason })}>
                    {t.reason[reason] ?? reason}
                  </a>
                  : {format.number(messages)}
                </div>
              ))}
            </>,
          ],
          [words.segments, format.number(preflight.segments)],
          [
            words.duration,
            preflight.durationMs === null ? words.durationUnknown : format.duration(preflight.durationMs),
          ],
          [words.starts, at(preflight.startsAt)],
          [words.ends, at(preflight.endsAt)],
          ...(preflight.expiresAt === null ? [] : [[t.expires, at(preflight.expiresAt)] as const]),
        ]}
      />
    </Card>
  );
}
