import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { resendView } from '../../api/runs/resends.ts';
import { runView } from '../../api/runs/view.ts';
import type { FailureReason } from '../../domain/message.ts';
import type { Api } from '../kit/api.ts';
import { ActionButton } from '../kit/buttons.tsx';
import { resends as words } from './words-resends.ts';
import { runs as runWords } from './words.ts';
import { Page } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import { addAction, addPage } from '../kit/routes.ts';
import { CostSentence } from '../money/cost.tsx';
import { useFormat, useMay, useWords } from '../kit/view.tsx';

type Run = z.output<typeof runView>;
type Count = z.output<typeof resendView>;

/** Which messages to resend: also the unknown ones, and only those that failed for these reasons; none: all. */
interface Scope {
  unknown: boolean;
  reasons: readonly string[];
}

/** Why a message may be unknown: a resend with unknown messages includes all of these, whatever the reasons. */
const unknownReasons = ['no_answer', 'sender_died'] as const satisfies readonly FailureReason[];

const queryOf = ({ unknown, reasons }: Scope) => ({
  includeUnknown: String(unknown),
  onlyReachable: 'true',
  reasons: reasons.length === 0 ? undefined : [...reasons, ...(unknown ? unknownReasons : [])].join(','),
});

/** Resending the failed messages of an ended run: a preview, and then a separate run. */
export const runResend: FastifyPluginAsync = async (app) => {
  const countOf = (api: Api, id: number, of: Scope): Promise<Count> =>
    api.get(`/api/runs/${id}/resend`, resendView, queryOf(of));

  addPage(app, '/runs/:id/resend', 'viewer', async ({ api, id, query }) => {
    const scope = { unknown: query.unknown === 'yes', reasons: query.reason?.split(',') ?? [] };
    const [run, all, withUnknown, some] = await Promise.all([
      api.get(`/api/runs/${id}`, runView),
      countOf(api, id, { unknown: false, reasons: [] }),
      countOf(api, id, { unknown: true, reasons: [] }),
      // For a large run each count takes a while.
      scope.reasons.length === 0 ? null : countOf(api, id, scope),
    ]);
    const chosen = some ?? (scope.unknown ? withUnknown : all);
    return <ResendPage run={run} scope={scope} chosen={chosen} all={all} withUnknown={withUnknown} />;
  });

  addAction(app, '/runs/:id/resend', 'operator', {
    work: async ({ api, view, id, form }) => {
      const reasons = form.text('reasons');
      const { runId } = await api.send(
        'POST',
        `/api/runs/${id}/resend`,
        {
          includeUnknown: form.text('includeUnknown') === 'true',
          onlyReachable: true,
          reasons: reasons === '' ? null : reasons.split(','),
          messages: form.number('messages'),
        },
        z.object({ runId: z.int(), messages: z.int() }),
      );
      return { to: `/runs/${runId}`, notice: { words: words[view.locale].started } };
    },
    otherwise: ({ id }) => `/runs/${id}/resend`,
  });
};

function ResendPage({
  run,
  scope,
  chosen,
  all,
  withUnknown,
}: {
  run: Run;
  scope: Scope;
  chosen: Count;
  all: Count;
  withUnknown: Count;
}) {
  const t = useWords(words);
  const runs = useWords(runWords);
  const format = useFormat();
  const mayChange = useMay('operator');
  const url = `/runs/${run.id}/resend`;
  const { includeUnknown, reasons } = queryOf(scope);
  const unknown = withUnknown.byReason
    .filter(({ status }) => status === 'unknown')
    .reduce((sum, { messages }) => sum + messages, 0);
  return (
    <Page
      title={t.title(String(run.id))}
      section="runs"
      trail={[{ href: `/runs/${run.id}`, label: runs.run(String(run.id)) }]}
    >
      <p>{t.about}</p>
      <div class="halves">
        <Card title={t.which}>
          {all.messages + unknown === 0 ? (
            <>
              <p class="mb-0">{t.nothing}</p>
              {all.unreachable.length > 0 && <Unreachable unreachable={all.unreachable} />}
            </>
          ) : (
            <form
              method="get"
              action={url}
              hx-get={url}
              hx-trigger="change"
              hx-select="#resend-what"
              hx-target="#resend-what"
              hx-swap="outerHTML"
            >
              {all.byReason.length > 0 && (
                <fieldset class="mb-3">
                  <legend class="form-label">{t.reasons}</legend>
                  {reasonsOf(all).map(({ reason, messages }) => (
                    <label key={reason} class="form-check">
                      <input
                        class="form-check-input"
                        type="checkbox"
                        name="reason"
                        value={reason}
                        checked={scope.reasons.includes(reason)}
                      />
                      <span class="form-check-label">
                        {runs.reason[reason] ?? reason}: {format.number(messages)}
                      </span>
                    </label>
                  ))}
                  <p class="form-hint">{t.reasonsHelp}</p>
                </fieldset>
              )}
              {all.unreachable.length > 0 && <Unreachable unreachable={all.unreachable} />}
              {unknown > 0 && (
                <fieldset class="mb-3">
                  <legend class="form-label">{t.unknown}</legend>
                  <label class="form-check">
                    <input
                      class="form-check-input"
                      type="checkbox"
                      name="unknown"
                      value="yes"
                      checked={scope.unknown}
                      aria-describedby="unknown-help"
                    />
                    <span class="form-check-label">{t.includeUnknown(format.number(unknown))}</span>
                  </label>
                  <p class="form-hint" id="unknown-help">
                    {t.unknownHelp}
                  </p>
                </fieldset>
              )}
              <button class="btn">{t.count}</button>
            </form>
          )}
        </Card>
        <div id="resend-what">
          <Card title={t.what}>
            <p class="figure-value">{t.messages(chosen.messages, format.number(chosen.messages))}</p>
            <p>
              {t.segments(format.number(chosen.segments))}
              {chosen.segments > 0 && (
                <>
                  <br />
                  <CostSentence cost={chosen.cost} providerId={run.settings.campaign.message.providerId} />
                </>
              )}
            </p>
            {scope.unknown && unknown > 0 && (
              <div class="alert alert-warning" role="status">
                {t.unknownWarning}
              </div>
            )}
            {chosen.messages === 0 ? (
              <p class="text-secondary mb-0">{t.nothing}</p>
            ) : (
              <div class="buttons">
                {mayChange && (
                  <ActionButton
                    action={url}
                    kind="danger"
                    values={{ includeUnknown, reasons: reasons ?? '', messages: String(chosen.messages) }}
                  >
                    {t.resend(chosen.messages, format.number(chosen.messages))}
                  </ActionButton>
                )}
                <a class="btn" href={`/runs/${run.id}`}>
                  {t.back}
                </a>
              </div>
            )}
          </Card>
        </div>
      </div>
    </Page>
  );
}

/** What is never sent again, because the numbers would fail again. */
function Unreachable({ unreachable }: Pick<Count, 'unreachable'>) {
  const t = useWords(words);
  const runs = useWords(runWords);
  const format = useFormat();
  return (
    <div class="mb-3">
      <p class="form-label mb-1">{t.unreachable}</p>
      <ul class="mb-0">
        {unreachable.map(({ reason, messages }) => (
          <li key={reason}>
            {runs.reason[reason] ?? reason}: {format.number(messages)}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Messages by reason, whatever their status; the most frequent first. */
function reasonsOf({ byReason }: Count): { reason: string; messages: number }[] {
  const sums = new Map<string, number>();
  for (const { reason, messages } of byReason) {
    if (reason !== '') sums.set(reason, (sums.get(reason) ?? 0) + messages);
  }
  return [...sums]
    .map(([reason, messages]) => ({ reason, messages }))
    .sort((a, b) => b.messages - a.messages);
}
