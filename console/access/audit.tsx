import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import { actorList, auditEntryView, auditList } from '../../api/access/audit.ts';
import { auditWords, subjectWords } from '../../domain/words/audit.ts';
import { urlOf } from '../kit/api.ts';
import { DownloadLink } from '../kit/buttons.tsx';
import { accessWords } from './words.ts';
import { SettingsPage } from '../kit/layout.tsx';
import { type Found, List, searched } from '../kit/list.tsx';
import { Time } from '../kit/parts.tsx';
import { addPage } from '../kit/routes.ts';
import { useFormat, useWords } from '../kit/view.tsx';

const path = '/settings/audit';
const pageSize = 50;

/** The audit log of changes. */
export const audit: FastifyPluginAsync = async (app) => {
  addPage(app, path, 'operator', async ({ api, query }) => {
    const [found, { actors }] = await Promise.all([
      searched(query, api.get('/api/audit', auditList, { ...query, limit: pageSize })),
      api.get('/api/audit/actors', actorList),
    ]);
    return <AuditPage {...found} actors={actors} />;
  });
};

function AuditPage({
  answer,
  actors,
  ...list
}: Found<z.output<typeof auditList>> & z.output<typeof actorList>) {
  const page = useWords(accessWords);
  const t = useWords(auditWords);
  const format = useFormat();
  const kinds = auditEntryView.shape.subjectKind.options
    .map((kind) => ({ value: kind, label: subjectWords(kind, format) }))
    .toSorted((a, b) => a.label.localeCompare(b.label));
  return (
    <SettingsPage
      title={page.pages.audit.title}
      actions={<DownloadLink href={urlOf('/api/audit.csv', { ...list.query, before: undefined })} />}
    >
      <List
        {...list}
        path={path}
        caption={page.pages.audit.title}
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
        rows={answer?.entries ?? []}
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
        pageSize={pageSize}
        icon="clock"
        empty={{ title: page.emptyAudit, text: page.emptyAuditText }}
      />
    </SettingsPage>
  );
}
