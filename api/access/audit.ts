import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  type AuditFilter,
  type AuditRow,
  listActors,
  listAudit,
  subjectKinds,
} from '../../db/access/audit.ts';
import type { Sql } from '../../db/core/client.ts';
import type { Format } from '../../domain/format.ts';
import { auditWords, changeWords, deedWords, subjectWords } from '../../domain/words/audit.ts';
import { type CsvColumn, csvQuery, csvRoute, csvSentence, sendRows } from '../http/csv.ts';
import { dayOf, formatOf } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { dayParam, page, urlId } from '../http/parameters.ts';

const changeValue = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  z.array(z.union([z.string(), z.number()])),
]);

export const auditEntryView = z.object({
  id: z.int(),
  at: instant,
  actor: z.string(),
  actorName: z.string(),
  action: z.string(),
  subjectKind: z.enum(subjectKinds),
  subjectId: z.int().nullable(),
  /** At the time of the change. */
  subjectName: z.string().nullable(),
  details: z.record(z.string(), z.unknown()),
  /** The values before and after, by field; names instead of ids. Two nulls: the values are not recorded. */
  changes: z.record(z.string(), z.tuple([changeValue, changeValue])),
  /** The entry as a sentence, and a line for each field that changed, in the language of the request. */
  words: z.string(),
  changeWords: z.array(z.string()),
});
export const auditList = z.object({ entries: z.array(auditEntryView) });

export const actorList = z.object({ actors: z.array(z.object({ actor: z.string(), name: z.string() })) });

const filter = z.strictObject({
  subjectKind: z.enum(subjectKinds).optional(),
  subjectId: urlId.optional(),
  actor: z
    .string()
    .regex(/^(?:system|(?:user|token):[1-9]\d{0,15})$/)
    .optional(),
  day: dayParam,
});

/** The audit log: who changed what, and when. */
export const auditLog: FastifyPluginAsyncZod<{ sql: Sql }> = async (app, { sql }) => {
  const tags = ['audit'];

  app.get(
    '',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'List the entries of the audit log, newest first',
        querystring: page.extend(filter.shape),
        response: { 200: auditList },
      },
    },
    async (request) => {
      const { before = null, limit, ...where } = request.query;
      const rows = await listAudit(sql, filterOf(request, where), { before, limit });
      const format = formatOf(request);
      return {
        entries: rows.map((row) => ({
          ...row,
          words: deedWords(row, format),
          changeWords: changeWords(row, format),
        })),
      };
    },
  );

  app.get(
    '.csv',
    csvRoute({
      access: 'operator',
      tags,
      summary: 'Download the audit log as a CSV file',
      querystring: filter.extend(csvQuery),
    }),
    async (request, reply) => {
      const { format, ...where } = request.query;
      return sendRows(request, reply, {
        format,
        name: { en: 'audit-log', 'pt-BR': 'registro-de-auditoria' },
        columns: columnsIn,
        read: (last, limit) => listAudit(sql, filterOf(request, where), { before: last?.id ?? null, limit }),
      });
    },
  );

  app.get(
    '/actors',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'List the users and API tokens in the audit log',
        response: { 200: actorList },
      },
    },
    async () => ({ actors: await listActors(sql) }),
  );
};

const filterOf = (request: FastifyRequest, { day, ...where }: z.infer<typeof filter>): AuditFilter => ({
  ...where,
  day: dayOf(request, day),
});

const columnsIn = (format: Format): readonly CsvColumn<AuditRow>[] => {
  const t = auditWords[format.locale];
  return [
    ['id', null, ({ id }) => id],
    ['at', t.at, ({ at }) => at],
    ['actor', null, ({ actor }) => actor],
    ['actor_name', t.actor, ({ actorName }) => actorName],
    ['action', t.what, (row) => csvSentence(row.action, deedWords(row, format))],
    [
      'subject_kind',
      t.kind,
      ({ subjectKind }) => csvSentence(subjectKind, subjectWords(subjectKind, format)),
    ],
    ['subject_id', t.id, ({ subjectId }) => subjectId],
    [
      'changes',
      t.changes,
      (row) => csvSentence(JSON.stringify(row.changes), changeWords(row, format).join('; ')),
    ],
  ];
};
