import type { EntryUse } from '../../domain/problems/errors.ts';
import { ActionButton } from './buttons.tsx';
import { common } from './words.ts';
import { Card, State } from './parts.tsx';
import { Uses } from './uses.tsx';
import { useMay, useWords } from './view.tsx';

/** The shared behavior of settings that are archived rather than deleted. */

/** Whether it can be selected: `inUse` shows it. */
export function EntryState({ archivedAt, inUse }: { archivedAt: Date | null; inUse: string }) {
  const words = useWords(common);
  return archivedAt ? <State tone="neutral">{words.archived}</State> : <State tone="good">{inUse}</State>;
}

/** Beside its title: archive or restore, and delete. */
export function EntryActions({
  address,
  archivedAt,
  atOnce,
}: {
  address: string;
  archivedAt: Date | null;
  /** Archives without confirmation, and continues with this page. */
  atOnce?: string;
}) {
  const words = useWords(common);
  if (!useMay('admin')) return null;
  const values: Readonly<Record<string, string>> = atOnce === undefined ? {} : { back: atOnce };
  const act = (name: 'archive' | 'restore') => (
    <ActionButton action={`${address}/${name}`} values={values}>
      {words[name]}
    </ActionButton>
  );
  const ask = (name: 'archive' | 'delete') => (
    <a class="btn" href={`${address}/${name}`}>
      {words[name]}
    </a>
  );
  return (
    <>
      {archivedAt ? act('restore') : atOnce === undefined ? ask('archive') : act('archive')}
      {ask('delete')}
    </>
  );
}

/** Beside its form: what uses it. */
export const UsesCard = ({
  title,
  none,
  usedBy,
}: {
  title: string;
  /** The text if nothing uses it. */
  none: string;
  usedBy: readonly EntryUse[];
}) => (
  <Card title={title}>
    {usedBy.length === 0 ? <p class="text-secondary mb-0">{none}</p> : <Uses usedBy={usedBy} />}
  </Card>
);
