import type { ComponentChildren } from 'preact';
import type { RetryingView } from '../../api/http/retrying.ts';
import { readRetryCause, retryWords } from '../../domain/problems/retries.ts';
import { useFormat } from './view.tsx';

/** Since when something is retried, why, when next, and when it is given up. */
export function useRetryWords(retrying: RetryingView | null): string | null {
  const format = useFormat();
  const cause = retrying && readRetryCause(retrying.cause);
  return cause && retryWords({ ...retrying, cause }, format, new Date());
}

/** The same as a notice; `what`: its subject, where the page does not show it. */
export function Retrying({ retrying, what }: { retrying: RetryingView | null; what?: ComponentChildren }) {
  const words = useRetryWords(retrying);
  if (words === null) return null;
  return (
    <div class="alert alert-warning" role="status">
      {what !== undefined && <strong>{what} </strong>}
      {words}
    </div>
  );
}
