import { type EntryUse, usesInWords } from '../../domain/problems/errors.ts';
import { useFormat } from './view.tsx';

/** What uses an entry, with links to pages; nothing if it is unused. */
export function Uses({ usedBy }: { usedBy: readonly EntryUse[] }) {
  const format = useFormat();
  if (usedBy.length === 0) return null;
  return (
    <ul class="mb-3">
      {usedBy.map((use) => {
        const words = usesInWords([use], format);
        return (
          <li key={words}>{'id' in use ? <a href={`${pages[use.kind]}/${use.id}`}>{words}</a> : words}</li>
        );
      })}
    </ul>
  );
}

const pages = {
  campaign: '/campaigns',
  subcategory: '/settings/subcategories',
  provider: '/settings/providers',
} as const;
