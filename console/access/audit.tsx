import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { auditEntryView } from '../../api/access/audit.ts';
import { urlId } from '../../api/http/parameters.ts';
import { urlOf } from '../kit/api.ts';
import { Filters } from '../kit/filters.tsx';
import { accessWords } from './words.ts';
import { common } from '../kit/words.ts';
import { Page } from '../kit/layout.tsx';
import { Empty, Pager, Table, Time } from '../kit/parts.tsx';
import { consoleOf } from '../kit/request.ts';
import { useWords } from '../kit/view.tsx';

const path = '/settings/audit';
const pageSize = 50;
const filter = z.object({
  subjectKind: auditEntryView.shape.subjectKind.optional().catch(undefined),
  subjectId: urlId.optional().catch(undefined),
  before: urlId.optional().catch(undefined),
});
type Entry = z.output<typeof auditEntryView>;

/** Who changed what. */
export const audit: FastifyPluginAsync = async (app) => {
  app.get<{ Querystring: z.infer<typeof filter> }>(
    path,
    { config: { access: 'operator' }, schema: { querystring: filter } },
    async (request, reply) => {
      const { query } = request;
      const { entries } = await consoleOf(request).api.get(
        '/api/audit',
        z.object({ entries: z.array(auditEntryView) }),
        { ...query, limit: pageSize },
      );
      return reply.page(<AuditPage entries={entries} query={query} />);
    },
  );
};

function AuditPage({ entries, query }: { entries: readonly Entry[]; query: z.infer<typeof filter> }) {
  const t = useWords(accessWords);
  const words = useWords(common);
  const last = entries.at(-1);
  const kinds = auditEntryView.shape.subjectKind.options;
  return (
    <Page
      title={t.pages.audit.title}
      section="settings"
      trail={[{ href: '/settings', label: words.nav.settings }]}
    >
      <Filters
        action={path}
        query={{ subjectKind: query.subjectKind }}
        filters={[
          {
            name: 'subjectKind',
            label: t.audit.kind,
            options: kinds.map((kind) => ({ value: kind, label: t.subjects[kind] })),
          },
        ]}
      />
      <Table
        caption={t.pages.audit.title}
        rows={entries}
        columns={[
          { heading: t.audit.at, cell: ({ at }) => <Time at={at} exact /> },
          {
            heading: t.audit.actor,
            cell: ({ actor, actorName }) => <span title={actor}>{actorName}</span>,
          },
          { heading: t.audit.action, cell: ({ action }) => <code>{action}</code> },
          {
            heading: t.audit.subject,
            wide: true,
            cell: ({ subjectKind, subjectId }) => (
              <a href={urlOf(path, { subjectKind, subjectId: subjectId ?? undefined })}>
                {t.subjects[subjectKind]} {subjectId ?? ''}
              </a>
            ),
          },
          { heading: t.audit.details, wide: true, cell: ({ details }) => <Details details={details} /> },
        ]}
        empty={<Empty icon="clock" title={t.emptyAudit} text={t.emptyAuditText} />}
      />
      <Pager
        next={last && entries.length === pageSize ? urlOf(path, { ...query, before: last.id }) : null}
        first={query.before === undefined ? null : urlOf(path, { ...query, before: undefined })}
      />
    </Page>
  );
}

const Details = ({ details }: { details: Readonly<Record<string, unknown>> }) => (
  <small class="text-secondary">
    {Object.entries(details)
      .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(', ') : String(value)}`)
      .join('; ')}
  </small>
);
