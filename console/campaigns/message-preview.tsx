import type { z } from 'zod';
import type { messagePreview, testSendOutcome } from '../../api/campaigns/test-sends.ts';
import type { AnsweredProblem } from '../../api/http/errors.ts';
import type { ApiFailure } from '../kit/api.ts';
import type { Labels } from '../kit/form.tsx';
import { campaigns as campaignWords } from './words.ts';
import { failureWords, problemWords } from '../kit/problems.ts';
import { runs as runWords } from '../runs/words.ts';
import { Facts } from '../kit/parts.tsx';
import { useView, useWords } from '../kit/view.tsx';

type MessagePreview = z.output<typeof messagePreview>;

/** What a sample contact would get; null where nothing is written yet, or what is written is wrong. */
export type Previewed =
  | { preview: MessagePreview; removeAccents: boolean; problems: readonly AnsweredProblem[] }
  | { preview: null; problems: readonly AnsweredProblem[] };

/** What came of a test send: what the provider said, or why none was sent. */
export interface Tested {
  outcome?: z.output<typeof testSendOutcome>;
  refused?: ApiFailure;
}

/** The final text and what it costs. */
export function Preview({ previewed }: { previewed: Previewed }) {
  const t = useWords(campaignWords);
  const { format } = useView();
  const { preview, problems } = previewed;
  if (problems.length > 0) {
    return (
      <ul class="text-danger ps-3 mb-0">
        {problems.map((problem) => (
          <li key={problem.message}>{problemWords(format, problem)}</li>
        ))}
      </ul>
    );
  }
  if (!preview) return <p class="text-secondary mb-0">{t.previewEmpty}</p>;
  return (
    <>
      <p class="bubble">{preview.text}</p>
      <div class="mt-3">
        <Facts
          facts={[
            [t.characters, format.number(preview.characters)],
            [t.encoding, preview.encoding],
            [
              t.segments,
              `${format.number(preview.segments)} (${t.remaining(format.number(preview.remaining))})`,
            ],
          ]}
        />
      </div>
      {preview.charactersOutside.length > 0 && (
        <p class="alert alert-warning mt-3 mb-0">{t.outside(preview.charactersOutside.join(' '))}</p>
      )}
      <Accents preview={preview} removed={previewed.removeAccents} />
      {preview.skipped !== null && <p class="alert alert-danger mt-3 mb-0">{t.skipped[preview.skipped]}</p>}
    </>
  );
}

/** What removing the accents does, or would do. */
function Accents({ preview, removed }: { preview: MessagePreview; removed: boolean }) {
  const t = useWords(campaignWords);
  const { otherwise } = preview;
  if (otherwise.encoding === preview.encoding && otherwise.segments === preview.segments) return null;
  const segments = t.segmentsOf(otherwise.segments);
  return (
    <p class="form-hint mt-3 mb-0">
      {removed
        ? t.accents.removed(otherwise.charactersOutside.join(' '), segments, otherwise.encoding)
        : t.accents.kept(segments, otherwise.encoding)}
    </p>
  );
}

export function TestResult({ tested: { outcome, refused } }: { tested: Tested }) {
  const t = useWords(campaignWords);
  const run = useWords(runWords);
  const { format } = useView();
  const labels: Labels = t.fields;
  if (refused) {
    return (
      <div class="alert alert-danger mb-0" role="alert" tabIndex={-1} data-focus="">
        <p class="alert-title">{t.testNotSent}</p>
        {refused.problems.length === 0 ? (
          <p class="mb-0">{failureWords(format, refused)}</p>
        ) : (
          <ul class="mb-0">
            {refused.problems.map((problem) => (
              <li key={problem.field}>
                {labels[problem.field] ?? problem.field}: {problemWords(format, problem)}
              </li>
            ))}
          </ul>
        )}
      </div>
    );
  }
  if (!outcome) return null;
  const { code, detail, reason, providerMessageId, segments, text } = outcome;
  const accepted = outcome.outcome === 'accepted';
  return (
    <div
      class={`alert mb-0 ${accepted ? 'alert-success' : 'alert-danger'}`}
      role="status"
      tabIndex={-1}
      data-focus=""
    >
      <p class="alert-title">{t.testDone[outcome.outcome]}</p>
      {!accepted && (
        <p class="mb-1">
          {reason === null ? '' : `${run.reason[reason] ?? reason}. `}
          {detail}
          {code === null ? '' : ` (${code})`}
        </p>
      )}
      {providerMessageId !== null && (
        <p class="mb-1">
          {t.testId} <code class="long-text">{providerMessageId}</code>
        </p>
      )}
      <p class="mb-1">{t.testText(t.segmentsOf(segments))}</p>
      <p class="bubble">{text}</p>
    </div>
  );
}
