import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { changesBetween } from '../../domain/changes.ts';
import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import { deleteSessionsOf } from '../../db/access/sessions.ts';
import { revokeTokensOf } from '../../db/access/tokens.ts';
import { getUser, insertUser, listUsers, lockAdmins, lockUser, updateUser } from '../../db/access/users.ts';
import { locale, login, newPassword, personName, role } from '../../domain/user.ts';
import { emailAddress } from '../../domain/email.ts';
import { timezone } from '../../domain/calendar.ts';
import { actorOf, audit } from '../http/auth.ts';
import { ApiError, orNotFound } from '../http/errors.ts';
import { clientOf } from '../http/request-limits.ts';
import { instant } from '../http/instant.ts';
import { idParams } from '../http/parameters.ts';
import { nameVersion, requireVersion, versionHeaders } from '../http/versions.ts';
import type { Passwords } from './passwords.ts';

export const userView = z.object({
  id: z.int(),
  login: z.string(),
  name: z.string(),
  role,
  locale,
  timezone: z.string(),
  email: z.string().nullable(),
  enabled: z.boolean(),
  /** True: an admin set the password, and the user has not chosen a new one yet. */
  mustChangePassword: z.boolean(),
  createdAt: instant,
});
export const listedUsers = z.object({ users: z.array(userView) });

const userList = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(200).default(100),
});

/** The fields of a user. */
export const newUser = z.strictObject({
  login,
  name: personName,
  role,
  password: newPassword,
  email: emailAddress.nullable().default(null),
});

/** The fields that an admin may change. */
export const userChange = z.strictObject({
  name: personName.optional(),
  role: role.optional(),
  enabled: z.boolean().optional(),
  password: newPassword.optional(),
  locale: locale.optional(),
  timezone: timezone.optional(),
  email: emailAddress.nullable().optional(),
});

/** The users who may log in. They are disabled, not deleted, because the audit log refers to them. */
export const users: FastifyPluginAsyncZod<{ sql: Database; passwords: Passwords }> = async (
  app,
  { sql, passwords },
) => {
  app.get(
    '',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['users'],
        summary: 'List users',
        querystring: userList,
        response: { 200: listedUsers },
      },
    },
    async (request) => ({ users: await listUsers(sql, request.query) }),
  );

  app.post(
    '',
    {
      config: { access: 'admin', usersOnly: true },
      schema: {
        tags: ['users'],
        summary: 'Create a user',
        description: 'After the first login with this password, the user must choose a new one.',
        body: newUser,
        response: { 201: userView },
      },
    },
    async (request, reply) => {
      const { password, ...user } = request.body;
      const passwordHash = await passwords.hash(password, clientOf(request));
      const added = await sql.begin(async (tx) => {
        const row = await insertUser(tx, { ...user, passwordHash, mustChangePassword: true });
        await audit(tx, request, 'user.create', { kind: 'user', id: row.id }, { role: row.role });
        return row;
      });
      return reply.code(201).header('location', `/api/users/${added.id}`).send(added);
    },
  );

  app.get(
    '/:id',
    {
      config: { access: 'admin' },
      schema: { tags: ['users'], summary: 'Get a user', params: idParams, response: { 200: userView } },
    },
    async (request, reply) => {
      const { id } = request.params;
      const user = orNotFound(await getUser(sql, id), 'user', id);
      nameVersion(reply, user);
      return user;
    },
  );

  app.patch(
    '/:id',
    {
      config: { access: 'admin', usersOnly: true },
      schema: {
        tags: ['users'],
        summary: 'Update a user',
        description:
          'Changing the role or password, or disabling the user, ends the sessions of the user. A user whose password was set by another admin must choose a new one. When a user is no longer an admin, the tokens that they created are revoked.',
        params: idParams,
        headers: versionHeaders,
        body: userChange,
        response: { 200: userView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { password, ...change } = request.body;
      const passwordHash =
        password === undefined ? undefined : await passwords.hash(password, clientOf(request));
      return sql.begin(async (tx) => {
        const admins = await lockAdmins(tx);
        const before = orNotFound(await lockUser(tx, id), 'user', id);
        requireVersion(request, before);
        const isGiven = passwordHash === undefined ? undefined : id !== actorOf(request).id;
        const after = orNotFound(
          await updateUser(tx, id, { ...change, passwordHash, mustChangePassword: isGiven }),
          'user',
          id,
        );
        const isAdmin = after.role === 'admin' && after.enabled;
        const wasAdmin = admins.includes(id);
        if (wasAdmin && !isAdmin) {
          if (admins.length === 1) throw new ApiError('last_admin');
          await revokeTokensOf(tx, id);
        }
        if (passwordHash !== undefined || after.role !== before.role || !after.enabled) {
          await deleteSessionsOf(tx, id);
        }
        const changed = Object.keys(request.body);
        await audit(
          tx,
          request,
          'user.update',
          { kind: 'user', id },
          { changed, role: after.role, enabled: after.enabled },
          {
            ...changesBetween(
              { name: before.name, role: before.role, enabled: before.enabled },
              { name: after.name, role: after.role, enabled: after.enabled },
            ),
            ...(password === undefined ? {} : { password: [null, null] }),
          },
        );
        return after;
      });
    },
  );
};
