import type { z } from 'zod';
import type { messagePreview, testSendOutcome } from '../../api/campaigns/test-sends.ts';
import type { AnsweredProblem } from '../../api/http/errors.ts';
import type { ApiFailure } from '../kit/api.ts';
import { RefusedAlert } from '../kit/form.tsx';
import { campaigns as campaignWords } from './words.ts';
import { problemWords } from '../kit/problems.ts';
import { providerDetailWords, readProviderDetail } from '../../domain/problems/providers.ts';
import { OneCost } from '../money/cost.tsx';
import { moneyWords } from '../money/words.ts';
import { runs as runWords } from '../runs/words.ts';
import { Facts } from '../kit/parts.tsx';
import { useView, useWords } from '../kit/view.tsx';

type MessagePreview = z.output<typeof messagePreview>;

/** The message for a sample contact; null if the text is empty or wrong. */
export type Previewed =
  | {
      preview: MessagePreview;
      removeAccents: boolean;
      providerId: number | null;
      problems: readonly AnsweredProblem[];
    }
  | { preview: null; problems: readonly AnsweredProblem[] };

/** The result of a test send: the provider's answer, or why none was sent. */
export interface Tested {
  outcome?: z.output<typeof testSendOutcome>;
  refused?: ApiFailure;
}

/** The encoding of a text, with its language tables if they are not the standard ones. */
function useEncodingWords(): (text: Pick<MessagePreview, 'encoding' | 'shift'>) => string {
  const t = useWords(campaignWords);
  return ({ encoding, shift }) => (shift === null ? encoding : t.portugueseTables);
}

/** The final text and its cost. */
export function Preview({ previewed }: { previewed: Previewed }) {
  const t = useWords(campaignWords);
  const { format } = useView();
  const encodingWords = useEncodingWords();
  const money = useWords(moneyWords).cost;
  const { preview, problems } = previewed;
  if (problems.length > 0) {
    return (
      <>
        <ul class="text-danger ps-3 mb-0">
          {problems.map((problem) => (
            <li key={problem.message}>{problemWords(format, problem)}</li>
          ))}
        </ul>
        {problems.some(({ code }) => code === 'placeholder_unknown') && (
          <p class="form-hint mt-2 mb-0">{t.undeclared}</p>
        )}
      </>
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
            [t.encoding, encodingWords(preview)],
            [
              t.segments,
              `${format.number(preview.segments)} (${t.remaining(format.number(preview.remaining))})`,
            ],
            previewed.providerId !== null && [
              money.one,
              <OneCost cost={preview.cost} providerId={previewed.providerId} />,
            ],
          ]}
        />
      </div>
      {preview.charactersOutside.length > 0 && (
        <p class="alert alert-warning mt-3 mb-0">{t.outside(preview.charactersOutside.join(' '))}</p>
      )}
      {preview.shift !== null && previewed.removeAccents && (
        <p class="form-hint mt-3 mb-0">{t.accents.inTables}</p>
      )}
      <Accents preview={preview} removed={previewed.removeAccents} />
      {preview.skipped !== null && <p class="alert alert-danger mt-3 mb-0">{t.skipped[preview.skipped]}</p>}
    </>
  );
}

/** The effect of removing the accents, whether it is switched on or not. */
function Accents({ preview, removed }: { preview: MessagePreview; removed: boolean }) {
  const t = useWords(campaignWords);
  const encodingWords = useEncodingWords();
  const { otherwise } = preview;
  if (otherwise.encoding === preview.encoding && otherwise.segments === preview.segments) return null;
  const segments = t.segmentsOf(otherwise.segments);
  return (
    <p class="form-hint mt-3 mb-0">
      {removed
        ? t.accents.removed(
            otherwise.charactersOutside.join(' ') || t.accents.them,
            segments,
            encodingWords(otherwise),
          )
        : t.accents.kept(segments, encodingWords(otherwise))}
    </p>
  );
}

export function TestResult({ tested: { outcome, refused } }: { tested: Tested }) {
  const t = useWords(campaignWords);
  const run = useWords(runWords);
  const { format } = useView();
  if (refused)
    return (
      <RefusedAlert
        title={t.testNotSent}
        refused={refused}
        labels={{ ...t.fields, phone: t.testSendPhone }}
      />
    );
  if (!outcome) return null;
  const { code, reason, providerMessageId, segments, text } = outcome;
  const detail = readProviderDetail(outcome.detail);
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
          {detail && providerDetailWords(detail, format)}
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
