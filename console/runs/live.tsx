import type { ComponentChildren } from 'preact';
import type { z } from 'zod';
import type { runView } from '../../api/runs/view.ts';
import { messageStatuses } from '../../domain/message.ts';
import { fitWords, readWaiting, runReasonWords, waitingWords } from '../../domain/problems/runs.ts';
import { urlOf } from '../kit/api.ts';
import { Failovers } from './failovers.tsx';
import { runStates } from './words-states.ts';
import { runs as runWords } from './words.ts';
import { LineWarnings } from '../kit/line-problems.tsx';
import { Card, Facts, Time } from '../kit/parts.tsx';
import { Retrying } from '../kit/retrying.tsx';
import { CostFigure, CostWords } from '../money/cost.tsx';
import { moneyWords } from '../money/words.ts';
import { leftOf, linesOf, RunState, sumOf } from './parts.tsx';
import { useFormat, useWords } from '../kit/view.tsx';

export type Run = z.output<typeof runView>;

/** The run's progress, as numbers and text. */
export function Live({ run }: { run: Run }) {
  const t = useWords(runWords);
  const { id, progress, counts, trigger } = run;
  const lines = linesOf(counts);
  const isDry = trigger === 'dry_run';
  // The pre-flight comes first if a user has to decide by it. It then lists what is left out, and the cards do not.
  const preflightFirst = run.preflight !== null && (run.step === 'approval' || isDry);
  const shown = messageStatuses.filter((one) => (counts[one] ?? 0) > 0);
  const reasons = progress.reasons.filter(({ status }) => !preflightFirst || status !== 'skipped');
  return (
    <>
      <Why run={run} />
      <Failovers failovers={run.failovers} />
      {preflightFirst && <PreflightCard run={run} first />}
      <Figures run={run} />
      {!isDry && (
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
            {reasons.length === 0 ? (
              <p class="text-secondary mb-0">{lines === 0 || preflightFirst ? '—' : t.noReasons}</p>
            ) : (
              <Counts
                rows={reasons
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
      )}
      {!preflightFirst && <PreflightCard run={run} />}
    </>
  );
}

/** State, progress, and the rate while it sends; once it is over, what it took. A dry run has only its state. */
function Figures({ run }: { run: Run }) {
  const t = useWords(runWords);
  const states = useWords(runStates);
  const money = useWords(moneyWords).cost;
  const format = useFormat();
  const { progress, counts, status, trigger, sendingAt, finishedAt } = run;
  const total = linesOf(counts) - sumOf(counts, 'skipped');
  // Cancelled messages were never sent: they are no progress.
  const handled = leftOf(counts) + sumOf(counts, 'failed');
  if (trigger === 'dry_run') {
    return (
      <div class="figures">
        <Figure label={t.state}>
          <RunState run={run} />
        </Figure>
      </div>
    );
  }
  return (
    <>
      <div class="figures">
        <Figure label={t.state}>
          <RunState run={run} />
          <small>{status === 'running' || status === 'paused' ? t.step[run.step] : null}</small>
        </Figure>
        <Figure label={t.progress}>
          {total === 0 ? '—' : format.percent(handled / total)}
          <small>
            {run.mailingAt === null && linesOf(counts) === 0
              ? progress.over
                ? null
                : states.notBegun
              : states.handled(format.number(handled), format.number(total))}
          </small>
        </Figure>
        {progress.over ? (
          <>
            <Figure label={t.segments}>
              {format.number(progress.segments.left)}
              <small>
                {t.of(format.number(progress.segments.left), format.number(progress.segments.total))}
              </small>
            </Figure>
            {sendingAt !== null && finishedAt !== null && (
              <Figure label={states.sendingTook}>
                {format.duration(finishedAt.getTime() - sendingAt.getTime())}
              </Figure>
            )}
          </>
        ) : (
          <>
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
          </>
        )}
        {run.mailingAt !== null && (
          <Figure label={progress.over ? money.total : money.soFar}>
            <CostFigure
              cost={run.cost}
              inDoubt={run.costInDoubt}
              planned={progress.over ? null : (run.preflight?.cost ?? null)}
              providerId={run.providerId}
            />
          </Figure>
        )}
      </div>
      {total > 0 && <progress class="progress mb-3" value={handled} max={total} aria-label={t.progress} />}
    </>
  );
}

/** Why it is paused or ended, and what a user can do about it; or the progress of its web service. */
function Why({ run }: { run: Run }) {
  const t = useWords(runWords);
  const states = useWords(runStates);
  const format = useFormat();
  const { reason, status } = run;
  const waiting = readWaiting(run.waiting);
  const { fetched } = run.progress;
  if (reason) {
    const { details } = reason;
    const bad = status === 'failed' || status === 'missed';
    return (
      <>
        <div class={`alert alert-${bad ? 'danger' : 'warning'}`} role="status">
          <span>{runReasonWords(details, format)}</span>{' '}
          {'runId' in details && <a href={`/runs/${details.runId}`}>{t.run(String(details.runId))}</a>}
        </div>
        <Retrying retrying={run.progress.retrying} />
      </>
    );
  }
  // A failure takes precedence over what the run waits for.
  if (run.progress.retrying) return <Retrying retrying={run.progress.retrying} />;
  if (!waiting && !fetched) return null;
  return (
    <div class="alert alert-info" role="status">
      {waiting && waitingWords(waiting, format)}
      {!waiting &&
        fetched &&
        (fetched.bytes === 0 && !fetched.whole
          ? states.noAnswerYet
          : t[fetched.whole ? 'fetched' : 'fetching'](
              format.number(fetched.records),
              format.bytes(fetched.bytes),
            ))}
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

/** What the run was about to do when its mailing had been read. `first`: a user decides by it. */
function PreflightCard({ run, first = false }: { run: Run; first?: boolean }) {
  const t = useWords(runWords);
  const states = useWords(runStates);
  const format = useFormat();
  const money = useWords(moneyWords).cost;
  const { id, preflight, trigger, mailingAt, progress } = run;
  if (!preflight) return null;
  const words = t.preflightFacts;
  const isDry = trigger === 'dry_run';
  const at = (instant: string | null) => <Time at={instant === null ? null : new Date(instant)} />;
  const leftOut = preflight.leftOut.toSorted((a, b) => b.messages - a.messages);
  const toSend = format.number(preflight.toSend);
  return (
    <Card title={t.preflight}>
      {isDry && <p>{t.dryRunDone}</p>}
      {(first || !progress.over) && <p>{fitWords(preflight, format)}</p>}
      <Facts
        facts={[
          [words.lines, format.number(preflight.lines)],
          [
            words.toSend,
            isDry && preflight.toSend > 0 ? (
              <a href={urlOf(`/runs/${id}/messages`, { status: 'cancelled' })}>{toSend}</a>
            ) : (
              toSend
            ),
          ],
          [
            words.leftOut,
            <>
              {format.number(preflight.lines - preflight.toSend)}
              {first &&
                leftOut.map(({ reason, messages }) => (
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
          [money.estimate, <CostWords cost={preflight.cost} providerId={run.providerId} />],
          [
            words.duration,
            preflight.durationMs === null ? words.durationUnknown : format.duration(preflight.durationMs),
          ],
          [words.starts, at(preflight.startsAt)],
          [words.ends, at(preflight.endsAt)],
          preflight.expiresAt !== null && [t.expires, at(preflight.expiresAt)],
        ]}
      />
      {isDry && <LineWarnings warnings={run.warnings} />}
      {mailingAt !== null && (
        <p class="form-hint mt-3 mb-0">{states.estimatedAt(format.dateTime(mailingAt))}</p>
      )}
    </Card>
  );
}
