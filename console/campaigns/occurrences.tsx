import type { z } from 'zod';
import type { occurrencesView } from '../../api/campaigns/view.ts';
import { campaigns as campaignWords } from './words.ts';
import { useFormat, useWords } from '../kit/view.tsx';

type Ahead = Pick<z.output<typeof occurrencesView>, 'occurrences'> &
  Partial<z.output<typeof occurrencesView>>;

/** When a schedule is due, in its own time zone, and the holidays it leaves out. Null: it is not complete yet. */
export function Occurrences({ ahead, timezone }: { ahead: Ahead | null; timezone: string }) {
  const t = useWords(campaignWords);
  const format = useFormat();
  if (!ahead) return <p class="text-secondary mb-0">{t.occurrencesWait}</p>;
  const { occurrences, leftOut = [] } = ahead;
  if (occurrences.length === 0) return <p class="mb-0">{t.noOccurrences}</p>;
  const [first] = occurrences;
  // Shown for each only if the UTC offset changes among them.
  const changes = occurrences.some(({ offset }) => offset !== first?.offset);
  return (
    <>
      <ol class="occurrences">
        {occurrences.map(({ at, local, offset }) => (
          <li key={at.getTime()}>
            <time dateTime={at.toISOString()}>{format.wallTime(local)}</time>
            {changes && <small class="text-secondary"> GMT{offset}</small>}
          </li>
        ))}
      </ol>
      <p class="form-hint mb-0 mt-2">{t.occurrencesZone(format.zone(timezone, first?.at))}</p>
      {leftOut.length > 0 && (
        <>
          <h3 class="form-label mt-3">{t.leftOut}</h3>
          <ul class="occurrences">
            {leftOut.map(({ date, name }) => (
              <li key={date}>
                {format.calendarDate(date)} <span class="text-secondary">{name}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
