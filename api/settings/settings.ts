import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { changesBetween } from '../../domain/changes.ts';
import { z } from 'zod';
import { enabledCampaignsWithCalendar } from '../../db/campaigns/references.ts';
import type { Database, Sql } from '../../db/core/client.ts';
import { settingUses } from '../../db/settings/uses.ts';
import {
  deleteSetting,
  getSetting,
  holdSetting,
  insertSetting,
  listSettings,
  lockSetting,
  updateSetting,
} from '../../db/settings/settings.ts';
import {
  type SettingDefinition,
  type SettingKind,
  settingKindNames,
  settingKinds,
  settingReaders,
  settingName,
} from '../../domain/settings.ts';
import { audit } from '../http/auth.ts';
import type { CampaignSync } from '../services/campaign-sync.ts';
import { type Problem, problem } from '../../domain/problems/coded.ts';
import { ApiError, isForeignKeyViolation, notFound, orNotFound } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { nameVersion, requireVersion, versionHeaders } from '../http/versions.ts';
import { idParams } from '../http/parameters.ts';
import { inUse, usesView } from './uses.ts';

const pathOf = (kind: SettingKind): string => `/${settingKinds[kind].table.replaceAll('_', '-')}`;
export const settingPath = (kind: SettingKind): string => `/api/settings${pathOf(kind)}`;

/** An entry as the API returns it. */
export const settingView = (kind: SettingKind) =>
  z.object({
    id: z.int(),
    name: z.string(),
    definition: definitionSchema(kind),
    archivedAt: instant.nullable(),
  });

/** The fields of a new or changed entry. */
export const settingContent = (kind: SettingKind) =>
  z.strictObject({ name: settingName, definition: definitionSchema(kind) });

interface SettingsDeps {
  sql: Database;
  sync: CampaignSync;
}

/** The settings that consist of a name and a definition: the same routes for each kind. */
export const settings: FastifyPluginAsyncZod<SettingsDeps> = async (app, deps) => {
  for (const kind of settingKindNames) {
    await app.register(settingRoutes(kind), { ...deps, prefix: pathOf(kind) });
  }
};

/** The schema of a kind's definition; a definition without fields may be omitted. */
function definitionSchema(kind: SettingKind): z.ZodType<SettingDefinition<SettingKind>> {
  const schema: z.ZodType<SettingDefinition<SettingKind>> = settingKinds[kind].definition;
  return schema.safeParse({}).success ? schema.prefault({}) : schema;
}

function settingRoutes(kind: SettingKind): FastifyPluginAsyncZod<SettingsDeps> {
  const { subject, table } = settingKinds[kind];
  const path = pathOf(kind);
  const words = subject.replaceAll('_', ' ');
  const content = settingContent(kind);
  const view = settingView(kind);
  const tags = ['settings'];

  return async (app, { sql, sync }) => {
    app.get(
      '',
      {
        config: { access: settingReaders(kind) },
        schema: {
          tags,
          summary: `List ${words}`,
          description: 'Returns all entries, including archived ones, without pagination.',
          response: { 200: z.object({ entries: z.array(view) }) },
        },
      },
      async () => ({ entries: await listSettings(sql, kind) }),
    );

    app.get(
      '/:id',
      {
        config: { access: settingReaders(kind) },
        schema: { tags, summary: `Get an entry of ${words}`, params: idParams, response: { 200: view } },
      },
      async (request, reply) => {
        const { id } = request.params;
        const entry = orNotFound(await getSetting(sql, kind, id), 'setting', id);
        nameVersion(reply, entry);
        return entry;
      },
    );

    app.get(
      '/:id/uses',
      {
        config: { access: 'viewer' },
        schema: {
          tags,
          summary: `List what uses an entry of ${words}`,
          params: idParams,
          response: { 200: usesView },
        },
      },
      async (request) => ({ usedBy: await settingUses(sql, kind, { table, id: request.params.id }) }),
    );

    app.post(
      '',
      {
        config: { access: 'admin' },
        schema: { tags, summary: `Create an entry of ${words}`, body: content, response: { 201: view } },
      },
      async (request, reply) => {
        const entry = await sql.begin(async (tx) => {
          await requireParents(tx, kind, request.body.definition);
          const added = await insertSetting(tx, kind, request.body);
          await audit(
            tx,
            request,
            `${subject}.create`,
            { kind: subject, id: added.id },
            { name: added.name },
          );
          return added;
        });
        return reply.code(201).header('location', `/api/settings${path}/${entry.id}`).send(entry);
      },
    );

    app.put(
      '/:id',
      {
        config: { access: 'admin' },
        schema: {
          tags,
          summary: `Update or archive an entry of ${words}`,
          description:
            'Changes of sending hours and holidays apply at once, also to runs in progress. All other changes apply to runs that read their mailing from now on.',
          params: idParams,
          headers: versionHeaders,
          body: content.extend({ archived: z.boolean().default(false) }),
          response: { 200: view },
        },
      },
      async (request) => {
        const { id } = request.params;
        const entry = await sql.begin(async (tx) => {
          const before = orNotFound(await lockSetting(tx, kind, id), 'setting', id);
          requireVersion(request, before);
          await requireParents(tx, kind, request.body.definition);
          if (kind === 'subcategories') await requireSameCategory(tx, id, request.body.definition);
          const changed = orNotFound(await updateSetting(tx, kind, { id, ...request.body }), 'setting', id);
          const { name, archived } = request.body;
          const changes = changesBetween(contentOf(before), contentOf(changed));
          await audit(tx, request, `${subject}.update`, { kind: subject, id }, { name, archived }, changes);
          return changed;
        });
        if (kind === 'sendingHours' || kind === 'holidayCalendars') await sync.syncRuns();
        if (kind === 'holidayCalendars') {
          for (const campaignId of await enabledCampaignsWithCalendar(sql, id)) await sync.sync(campaignId);
        }
        return entry;
      },
    );

    app.delete(
      '/:id',
      {
        config: { access: 'admin' },
        schema: {
          tags,
          summary: `Delete an unused entry of ${words}`,
          description: 'If the entry is in use, the error `in_use` lists what uses it. Archive it instead.',
          params: idParams,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        try {
          await sql.begin(async (tx) => {
            await audit(tx, request, `${subject}.delete`, { kind: subject, id });
            if (!(await deleteSetting(tx, kind, id))) throw notFound('setting', id);
          });
        } catch (error) {
          if (!isForeignKeyViolation(error)) throw error;
          throw inUse(await settingUses(sql, kind, { table, id }));
        }
        return reply.code(204).send(null);
      },
    );
  };
}

/** The category of a subcategory; nothing for other kinds. */
const parents = z.object({ categoryId: z.int(), extraFieldGroupId: z.int().nullable() }).partial();

/** Requires the entries that a definition references to exist, and locks them until it is saved. */
async function requireParents(sql: Sql, kind: SettingKind, definition: unknown): Promise<void> {
  if (kind !== 'subcategories') return;
  const { categoryId, extraFieldGroupId } = parents.parse(definition);
  const problems: Problem[] = [];
  for (const [field, parent, id] of [
    ['definition.categoryId', 'categories', categoryId],
    ['definition.extraFieldGroupId', 'extraFieldGroups', extraFieldGroupId],
  ] as const) {
    if (id === undefined || id === null || (await holdSetting(sql, parent, id))) continue;
    problems.push(problem(field, 'unknown'));
  }
  if (problems.length > 0) throw new ApiError('invalid_fields', { problems });
}

/** A subcategory that is in use must keep its category, because campaigns and tickets reference both together. */
async function requireSameCategory(sql: Sql, id: number, definition: unknown): Promise<void> {
  const before = await getSetting(sql, 'subcategories', id);
  if (!before || before.definition.categoryId === parents.parse(definition).categoryId) return;
  const uses = await settingUses(sql, 'subcategories', { table: settingKinds.subcategories.table, id });
  if (uses.length === 0) return;
  throw inUse(uses, 'change_category');
}

const contentOf = ({
  name,
  definition,
  archivedAt,
}: {
  name: string;
  definition: object;
  archivedAt: Date | null;
}): object => ({ name, definition, archived: archivedAt !== null });
