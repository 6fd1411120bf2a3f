import type { EntryUse } from '../../api/settings/uses.ts';
import { usesInWords } from './words-uses.ts';
import { useView } from './view.tsx';

/** What uses an entry, with the way to what has a page; nothing for nothing. */
export function Uses({ usedBy }: { usedBy: readonly EntryUse[] }) {
  const { locale } = useView();
  if (usedBy.length === 0) return null;
  return (
    <ul class="mb-3">
      {usedBy.map((use) => {
        const words = usesInWords(locale, [use]);
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
