import type { z } from 'zod';
import type { restoreView } from '../../api/runs/restores.ts';
import { ActionButton } from '../kit/buttons.tsx';
import { Card, State, Table } from '../kit/parts.tsx';
import { useFormat, useMay, useWords } from '../kit/view.tsx';
import { restore as words } from './words-restore.ts';

type Restore = z.output<typeof restoreView>;

/** A restore is shown for this long after it was resolved: the runs that it stopped wait for users. */
const shownForMs = 7 * 24 * 60 * 60 * 1000;

/** What happened after the database was restored from a backup, and the open decisions. */
export function RestoreCard({ restore, now }: { restore: Restore | null; now: Date }) {
  const t = useWords(words);
  const format = useFormat();
  const mayContinue = useMay('admin');
  if (!restore) return null;
  const { backupAt, recognizedAt, completedAt, stoppedRuns, providers } = restore;
  if (completedAt !== null && now.getTime() - completedAt.getTime() > shownForMs) return null;
  return (
    <Card title={t.title}>
      <p>{t.about(format.dateTime(backupAt), format.dateTime(recognizedAt))}</p>
      <ul>
        <li>{stoppedRuns === 0 ? t.noneStopped : t.stopped(format.number(stoppedRuns))}</li>
        <li>{t.missed}</li>
        <li>{t.forgotten}</li>
      </ul>
      <Table
        caption={t.providers}
        rows={providers.map((provider) => ({ ...provider, id: provider.providerId }))}
        columns={[
          { heading: t.provider, cell: ({ providerName }) => providerName },
          {
            heading: t.state,
            cell: ({ state, problem }) => (
              <>
                <State tone={state === 'done' ? 'good' : state === 'waiting' ? 'warn' : 'neutral'}>
                  {t.states[state]}
                </State>
                {problem !== null && <code class="ms-2">{problem}</code>}
              </>
            ),
          },
          { heading: t.replies, cell: ({ replies }) => format.number(replies) },
          { heading: t.optOuts, cell: ({ optOuts }) => format.number(optOuts) },
          { heading: t.known, cell: ({ known }) => format.number(known) },
          { heading: t.others, cell: ({ others }) => format.number(others) },
        ]}
        empty={<p class="text-secondary mb-0">{t.noProviders}</p>}
      />
      {completedAt === null && (
        <>
          <p class="mt-3">{t.waits}</p>
          {mayContinue && <ActionButton action="/restores/complete">{t.continue}</ActionButton>}
        </>
      )}
    </Card>
  );
}
