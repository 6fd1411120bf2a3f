import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { SubjectKind } from '../../db/access/audit.ts';
import { enabledCampaignsWithCalendar } from '../../db/campaigns/references.ts';
import type { Database, Sql } from '../../db/core/client.ts';
import { settingUses } from '../../db/settings/uses.ts';
import {
  deleteSetting,
  getSetting,
  holdSetting,
  insertSetting,
  listSettings,
  updateSetting,
} from '../../db/settings/settings.ts';
import {
  type SettingDefinition,
  settingDefinitions,
  type SettingKind,
  settingName,
} from '../../domain/settings.ts';
import { audit } from '../http/auth.ts';
import type { CampaignSync } from '../services/campaign-sync.ts';
import { type Problem, problem } from '../../domain/problems/coded.ts';
import { ApiError, isForeignKeyViolation, notFound } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { idParams } from '../http/parameters.ts';
import { inUse, usesView } from './uses.ts';

interface Noun {
  path: string;
  words: string;
  subject: SubjectKind;
  /** Its table, by which campaigns refer to it. */
  table: string;
}

const nouns: Record<SettingKind, Noun> = {
  sendingHours: {
    path: '/sending-hours',
    words: 'sending hours',
    subject: 'sending_hours',
    table: 'sending_hours',
  },
  holidayCalendars: {
    path: '/holiday-calendars',
    words: 'holiday calendar',
    subject: 'holiday_calendar',
    table: 'holiday_calendars',
  },
  regions: { path: '/regions', words: 'region', subject: 'region', table: 'regions' },
  customerTypes: {
    path: '/customer-types',
    words: 'customer type',
    subject: 'customer_type',
    table: 'customer_types',
  },
  departments: { path: '/departments', words: 'department', subject: 'department', table: 'departments' },
  assignees: { path: '/assignees', words: 'assignee', subject: 'assignee', table: 'assignees' },
  categories: { path: '/categories', words: 'category', subject: 'category', table: 'categories' },
  subcategories: {
    path: '/subcategories',
    words: 'subcategory',
    subject: 'subcategory',
    table: 'subcategories',
  },
  extraFieldGroups: {
    path: '/extra-field-groups',
    words: 'extra-field group',
    subject: 'extra_field_group',
    table: 'extra_field_groups',
  },
  resolutions: { path: '/resolutions', words: 'resolution', subject: 'resolution', table: 'resolutions' },
};

export const settingPath = (kind: SettingKind): string => `/api/settings${nouns[kind].path}`;

/** An entry as the API shows it. */
export const settingView = (kind: SettingKind) =>
  z.object({
    id: z.int(),
    name: z.string(),
    definition: definitionSchema(kind),
    archivedAt: instant.nullable(),
  });

// The keys of a literal are its type's.
const settingKinds = Object.keys(nouns) as SettingKind[];

interface SettingsDeps {
  sql: Database;
  sync: CampaignSync;
}

/** The settings that are a name and a definition: the same routes for each kind. */
export const settings: FastifyPluginAsyncZod<SettingsDeps> = async (app, deps) => {
  for (const kind of settingKinds) {
    await app.register(settingRoutes(kind), { ...deps, prefix: nouns[kind].path });
  }
};

/** The schema of a kind's definition; what has no fields may be left out. */
function definitionSchema(kind: SettingKind): z.ZodType<SettingDefinition<SettingKind>> {
  const schema: z.ZodType<SettingDefinition<SettingKind>> = settingDefinitions[kind];
  return schema.safeParse({}).success ? schema.prefault({}) : schema;
}

function settingRoutes(kind: SettingKind): FastifyPluginAsyncZod<SettingsDeps> {
  const { path, words, subject, table } = nouns[kind];
  const definition = definitionSchema(kind);
  const content = z.strictObject({ name: settingName, definition });
  const view = settingView(kind);
  const tags = ['settings'];

  return async (app, { sql, sync }) => {
    app.get(
      '',
      {
        config: { access: 'viewer' },
        schema: {
          tags,
          summary: `List ${words}`,
          description: 'All of them, the archived ones too: there are as many as people keep by hand.',
          response: { 200: z.object({ entries: z.array(view) }) },
        },
      },
      async () => ({ entries: await listSettings(sql, kind) }),
    );

    app.get(
      '/:id',
      {
        config: { access: 'viewer' },
        schema: { tags, summary: `One entry of ${words}`, params: idParams, response: { 200: view } },
      },
      async (request) => {
        const { id } = request.params;
        const entry = await getSetting(sql, kind, id);
        if (!entry) throw notFound('setting', id);
        return entry;
      },
    );

    app.get(
      '/:id/uses',
      {
        config: { access: 'viewer' },
        schema: {
          tags,
          summary: `What uses an entry of ${words}`,
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
        schema: { tags, summary: `Add to ${words}`, body: content, response: { 201: view } },
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
          summary: `Change or archive an entry of ${words}`,
          description: 'Counts from the next run on: a run in progress keeps what it started with.',
          params: idParams,
          body: content.extend({ archived: z.boolean().default(false) }),
          response: { 200: view },
        },
      },
      async (request) => {
        const { id } = request.params;
        const entry = await sql.begin(async (tx) => {
          await requireParents(tx, kind, request.body.definition);
          if (kind === 'subcategories') await requireSameCategory(tx, id, request.body.definition);
          const changed = await updateSetting(tx, kind, { id, ...request.body });
          if (!changed) throw notFound('setting', id);
          const { name, archived } = request.body;
          await audit(tx, request, `${subject}.update`, { kind: subject, id }, { name, archived });
          return changed;
        });
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
          summary: `Delete an entry of ${words} that nothing uses`,
          description: 'Of one in use the answer (`in_use`) names what uses it; archive it instead.',
          params: idParams,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        try {
          await sql.begin(async (tx) => {
            if (!(await deleteSetting(tx, kind, id))) throw notFound('setting', id);
            await audit(tx, request, `${subject}.delete`, { kind: subject, id });
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

/** What a subcategory refers to; nothing for other kinds. */
const parents = z.object({ categoryId: z.int(), extraFieldGroupId: z.int().nullable() }).partial();

/** The entries that a definition names have to be there. Held, so that they stay until it is saved. */
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

/** Campaigns and tickets name a subcategory together with its category: it stays there while they do. */
async function requireSameCategory(sql: Sql, id: number, definition: unknown): Promise<void> {
  const before = await getSetting(sql, 'subcategories', id);
  if (!before || before.definition.categoryId === parents.parse(definition).categoryId) return;
  const uses = await settingUses(sql, 'subcategories', { table: nouns.subcategories.table, id });
  if (uses.length === 0) return;
  throw inUse(uses, 'change_category');
}
