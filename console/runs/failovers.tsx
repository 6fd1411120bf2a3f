import type { z } from 'zod';
import type { runView } from '../../api/runs/view.ts';
import { failoverWords } from '../../domain/problems/runs.ts';
import { useFormat } from '../kit/view.tsx';

/** A run's switches to the fallbacks of its providers. */
export function Failovers({ failovers }: Pick<z.output<typeof runView>, 'failovers'>) {
  const format = useFormat();
  return (
    <>
      {failovers.map((failover) => (
        <div key={failover.at} class="alert alert-warning" role="status">
          {failoverWords(failover, format)}
        </div>
      ))}
    </>
  );
}
