import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import {
  alertKindsOf,
  getAlertChoices,
  getAlertSettings,
  listOpenAlerts,
  lockAlertSettings,
  saveAlertChoices,
  saveAlertSettings,
} from '../../db/alerts/alerts.ts';
import type { Database } from '../../db/core/client.ts';
import { lockUser } from '../../db/access/users.ts';
import {
  alertChoicesOf,
  alertKind,
  alertKindsFor,
  alertPage,
  alertSettings,
  chosenAlertKinds,
} from '../../domain/alert.ts';
import { alertSentence } from '../../domain/problems/alerts.ts';
import { type Actor, actorOf, audit } from '../http/auth.ts';
import { addSettingsDocument } from '../http/document.ts';
import { ApiError, formatOf } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { page } from '../http/parameters.ts';
import { nameVersion, requireVersion, versionHeaders } from '../http/versions.ts';

export const alertView = z.object({
  id: z.int(),
  kind: alertKind,
  /** What the alert refers to: the id of a run or provider, for example; empty for the whole deployment. */
  subject: z.string(),
  since: instant,
  /** One sentence, in the language of the request. */
  words: z.string(),
  /** The path of the console page on which a user can resolve it. */
  page: z.string(),
});
export const alertList = z.object({ alerts: z.array(alertView) });

/** The kinds that the role of the user can receive, and those that the user receives. */
export const ownAlertKinds = z.object({ kinds: z.array(alertKind), available: z.array(alertKind) });
export const ownAlertKindsChange = z.strictObject({ kinds: z.array(alertKind).max(100).default([]) });

/** The open alerts, the kinds that each role receives, and the choice of each user. */
export const alerts: FastifyPluginAsyncZod<{ sql: Database }> = async (app, { sql }) => {
  const tags = ['alerts'];

  app.get(
    '/alerts',
    {
      config: { access: 'any_role' },
      schema: {
        tags,
        summary: 'List open alerts, newest first',
        description:
          'Returns alerts of the kinds that the user receives; for a token, of all kinds that its role may see. Alerts are updated every few seconds.',
        querystring: page,
        response: { 200: alertList },
      },
    },
    async (request) => {
      const { before, limit } = request.query;
      const format = formatOf(request);
      const rows = await listOpenAlerts(sql, await kindsOf(actorOf(request)), { before, limit });
      return {
        alerts: rows.map(({ facts, ...row }) => ({
          ...row,
          words: alertSentence(row.kind, facts, format) ?? row.kind,
          page: alertPage(row.kind, row.subject),
        })),
      };
    },
  );

  const kindsOf = (actor: Actor) =>
    actor.kind === 'user' ? alertKindsOf(sql, actor) : alertKindsFor(actor.role);

  app.get(
    '/session/alerts',
    {
      config: { access: 'any_role', usersOnly: true },
      schema: {
        tags,
        summary: 'Get the kinds of alerts that the current user receives',
        response: { 200: ownAlertKinds },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const kinds = await alertKindsOf(sql, actor);
      nameVersion(reply, { kinds });
      return { kinds, available: alertKindsFor(actor.role) };
    },
  );

  app.put(
    '/session/alerts',
    {
      config: { access: 'any_role', usersOnly: true },
      schema: {
        tags,
        summary: 'Choose the kinds of alerts that the current user receives',
        description:
          'A kind whose value equals the default of the role keeps following that default when an admin changes it.',
        headers: versionHeaders,
        body: ownAlertKindsChange,
        response: { 200: ownAlertKinds },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      return sql.begin(async (tx) => {
        if (!(await lockUser(tx, actor.id))) throw new ApiError('unauthenticated');
        const settings = await getAlertSettings(tx);
        const { role } = actor;
        const before = chosenAlertKinds(
          { role, alertChoices: await getAlertChoices(tx, actor.id) },
          settings,
        );
        requireVersion(request, { kinds: before });
        const choices = alertChoicesOf(request.body.kinds, role, settings);
        await saveAlertChoices(tx, actor.id, choices);
        const kinds = chosenAlertKinds({ role, alertChoices: choices }, settings);
        await audit(tx, request, 'user.alerts', { kind: 'user', id: actor.id }, { kinds });
        return { kinds, available: alertKindsFor(role) };
      });
    },
  );

  addSettingsDocument(
    app,
    { sql, url: '/settings/alerts' },
    {
      schema: alertSettings,
      subject: 'alert_settings',
      access: 'admin',
      get: getAlertSettings,
      lock: lockAlertSettings,
      save: saveAlertSettings,
      tags,
      read: { summary: 'Get the kinds of alerts that each role receives' },
      change: {
        summary: 'Set the kinds of alerts that each role receives',
        description: 'Each user can override them: `PUT /api/session/alerts`.',
      },
    },
  );
};
