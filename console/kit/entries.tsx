import type { EntryUse } from '../../domain/problems/errors.ts';
import { ActionButton, AddLink } from './buttons.tsx';
import type { IconName } from './icons.tsx';
import { SettingsPage } from './layout.tsx';
import { common } from './words.ts';
import { Card, type Column, Empty, State, Table } from './parts.tsx';
import { Uses } from './uses.tsx';
import { useMay, useWords } from './view.tsx';

/** The shared behavior of settings that are archived rather than deleted. */

/** Whether it can be selected. */
function EntryState({ archivedAt }: { archivedAt: Date | null }) {
  const words = useWords(common);
  return archivedAt ? (
    <State tone="neutral">{words.archived}</State>
  ) : (
    <State tone="good">{words.available}</State>
  );
}

interface ListWords {
  fields: { name: string };
  add: string;
  empty: string;
  emptyText: string;
}

/** All entries of a kind. `columns`: those between the name, which leads to the entry, and the state. */
export function EntryListPage<E extends { id: number; name: string; archivedAt: Date | null }>({
  path,
  title,
  icon,
  rows,
  columns,
  words: t,
}: {
  path: string;
  title: string;
  icon: IconName;
  rows: readonly E[];
  columns: readonly Column<E>[];
  words: ListWords;
}) {
  const words = useWords(common);
  const mayAdd = useMay('admin');
  const add = { href: `${path}/new`, label: t.add };
  return (
    <SettingsPage title={title} actions={mayAdd && <AddLink {...add} />}>
      <Table
        caption={title}
        rows={rows}
        columns={[
          { heading: t.fields.name, cell: ({ id, name }) => <a href={`${path}/${id}`}>{name}</a> },
          ...columns,
          {
            heading: words.state,
            wide: true,
            cell: ({ archivedAt }) => <EntryState archivedAt={archivedAt} />,
          },
        ]}
        empty={<Empty icon={icon} title={t.empty} text={t.emptyText} action={mayAdd ? add : undefined} />}
      />
    </SettingsPage>
  );
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
