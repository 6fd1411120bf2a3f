import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { actorList, auditEntryView } from '../../api/access/audit.ts';
import { urlId } from '../../api/http/parameters.ts';
import { auditWords, subjectWords } from '../../domain/words/audit.ts';
import { urlOf } from '../kit/api.ts';
import { DownloadLink } from '../kit/buttons.tsx';
import { Filters, pagesOf } from '../kit/filters.tsx';
import { accessWords } from './words.ts';
import { SettingsPage } from '../kit/layout.tsx';
import { Empty, Pager, Table, Time } from '../kit/parts.tsx';
import { addPage } from '../kit/routes.ts';
import { useFormat, useWords } from '../kit/view.tsx';

const path = '/settings/audit';
const pageSize = 50;
const filter = z.object({
  subjectKind: auditEntryView.shape.subjectKind.optional().catch(undefined),
  subjectId: urlId.optional().catch(undefined),
  actor: z.string().max(30).optional().catch(undefined),
  day: z.iso.date().optional().catch(undefined),
  before: urlId.optional().catch(undefined),
});
type Entry = z.output<typeof auditEntryView>;

/** The audit log of changes. */
export const audit: FastifyPluginAsync = async (app) => {
  addPage(app, path, 'operator', async ({ api, query: asked }) => {
    const query = filter.parse(asked);
    const [{ entries }, { actors }] = await Promise.all([
      api.get('/api/audit', z.object({ entries: z.array(auditEntryView) }), { ...query, limit: pageSize }),
      api.get('/api/audit/actors', actorList),
    ]);
    return <AuditPage entries={entries} actors={actors} query={query} />;
  });
};

function AuditPage({
  entries,
  actors,
  query,
}: {
  entries: readonly Entry[];
  actors: z.output<typeof actorList>['actors'];
  query: z.infer<typeof filter>;
}) {
  const page = useWords(accessWords);
  const t = useWords(auditWords);
  const format = useFormat();
  const { before, ...kept } = query;
  const kinds = auditEntryView.shape.subjectKind.options
    .map((kind) => ({ value: kind, label: subjectWords(kind, format) }))
    .toSorted((a, b) => a.label.localeCompare(b.label));
  return (
    <SettingsPage
      title={page.pages.audit.title}
      actions={<DownloadLink href={urlOf('/api/audit.csv', kept)} />}
    >
      <Filters
        action={path}
        query={{ subjectKind: query.subjectKind, actor: query.actor, day: query.day }}
        kept={{ subjectId: query.subjectId?.toString() }}
        filters={[
          {
            name: 'actor',
            label: t.actor,
            options: [
              ...actors.map(({ actor, name }) => ({ value: actor, label: name })),
              { value: 'system', label: t.system },
            ],
          },
          { name: 'subjectKind', label: t.kind, options: kinds },
          { name: 'day', label: t.day, type: 'date' },
        ]}
      />
      <Table
        caption={page.pages.audit.title}
        rows={entries}
        columns={[
          { heading: t.at, cell: ({ at }) => <Time at={at} exact /> },
          {
            heading: t.what,
            cell: ({ id, words: sentence, changeWords }) => (
              <>
                <span class="long-text">{sentence}</span>
                {changeWords.length > 0 && (
                  <ul class="changes text-secondary">
                    {changeWords.map((line, index) => (
                      <li key={`${id}-${index}`} class="long-text">
                        {line}
                      </li>
                    ))}
                  </ul>
                )}
              </>
            ),
          },
          {
            heading: t.kind,
            wide: true,
            cell: ({ subjectKind, subjectId }) => (
              <a href={urlOf(path, { subjectKind, subjectId: subjectId ?? undefined })}>
                {subjectWords(subjectKind, format)} {subjectId ?? ''}
              </a>
            ),
          },
        ]}
        empty={<Empty icon="clock" title={page.emptyAudit} text={page.emptyAuditText} />}
      />
      <Pager
        {...pagesOf(
          path,
          { ...kept, subjectId: kept.subjectId?.toString(), before: before?.toString() },
          { rows: entries, size: pageSize },
        )}
      />
    </SettingsPage>
  );
}
