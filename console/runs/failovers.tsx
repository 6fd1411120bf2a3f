import type { z } from 'zod';
import type { runView } from '../../api/runs/view.ts';
import { failoverWords } from './words-failovers.ts';
import { useFormat, useWords } from '../kit/view.tsx';

/** How a run went over to the fallbacks of its providers. */
export function Failovers({ failovers }: Pick<z.output<typeof runView>, 'failovers'>) {
  const t = useWords(failoverWords);
  const format = useFormat();
  return (
    <>
      {failovers.map(({ at, from, to, cause, providerCode, unknown, tooLong }) => (
        <div key={at} class="alert alert-warning" role="status">
          {[
            t.since(format.dateTime(new Date(at)), to.name, from.name, t.causes[cause](providerCode)),
            ...(unknown > 0 ? [t.unknown(from.name, format.number(unknown))] : []),
            ...(tooLong > 0 ? [t.tooLong(format.number(tooLong))] : []),
          ].join(' ')}
        </div>
      ))}
    </>
  );
}
