import { randomBytes } from 'node:crypto';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import { holdSetting } from '../../db/settings/settings.ts';
import { deleteSession, deleteSessionsOf, insertSession } from '../../db/access/sessions.ts';
import {
  getPasswordHash,
  getUser,
  getUserByLogin,
  lockUser,
  updateUser,
  type UserRow,
} from '../../db/access/users.ts';
import { alertKindsOf, countOpenAlerts } from '../../db/alerts/alerts.ts';
import { timezone } from '../../domain/calendar.ts';
import { emailAddress } from '../../domain/email.ts';
import { locale, newPassword, personName, role } from '../../domain/user.ts';
import { type Actor, actorOf, audit, hashSecret, isCrossSite, type SessionCookie } from '../http/auth.ts';
import { problem } from '../../domain/problems/coded.ts';
import { ApiError } from '../http/errors.ts';
import { clientOf, type RequestLimits } from '../http/request-limits.ts';
import { nameVersion, requireVersion, versionHeaders } from '../http/versions.ts';
import { createLoginAttempts } from './login-attempts.ts';
import type { Passwords } from './passwords.ts';

const credentials = z.strictObject({
  login: z.string().trim().toLowerCase().min(1).max(100),
  password: z.string().min(1).max(1000),
});

/** What users may change about themselves. */
export const profileChange = z.strictObject({
  name: personName.optional(),
  locale: locale.optional(),
  timezone: timezone.optional(),
  sendingHoursId: z.int().positive().nullable().optional(),
  email: emailAddress.nullable().optional(),
});
export const passwordChange = z.strictObject({
  current: z.string().min(1).max(1000),
  password: newPassword,
});

/** The actor of a session or token. A token has no language, time zone or defaults. */
export const sessionView = z.object({
  kind: z.enum(['user', 'token']),
  id: z.int(),
  name: z.string(),
  role,
  locale: locale.nullable(),
  timezone: z.string().nullable(),
  /** The default sending hours of a new campaign in the console; null: the first entry. */
  sendingHoursId: z.int().nullable(),
  /** The address for alerts and links to a new password; null: none. */
  email: z.string().nullable(),
  /** The number of open alerts of the kinds that the user receives (`GET /api/alerts`). */
  alerts: z.int(),
  /** True: an admin set the password. The user can only choose a new one (`PUT /api/session/password`) or log out. */
  mustChangePassword: z.boolean().optional(),
});

/** The settings that users change for themselves. */
const editedOf = ({
  name,
  locale,
  timezone,
  sendingHoursId,
  email,
}: Pick<z.infer<typeof sessionView>, 'name' | 'locale' | 'timezone' | 'sendingHoursId' | 'email'>) => ({
  ...{ name, locale, timezone, sendingHoursId, email },
});

interface SessionsDeps {
  sql: Database;
  passwords: Passwords;
  cookie: SessionCookie;
  limits: RequestLimits;
  publicUrl: string;
}

/** Logging in and out, and the current user. */
export const sessions: FastifyPluginAsyncZod<SessionsDeps> = async (
  app,
  { sql, passwords, cookie, limits, publicUrl },
) => {
  const attempts = createLoginAttempts();
  /** Returns the result of `judge`, null for a failure. `judge` is called only when `key` has no wait left. */
  const attempt = async <T>(key: string, judge: () => Promise<T | null>): Promise<T | null> => {
    const retryAfterMs = attempts.begin(key);
    if (retryAfterMs > 0) {
      throw new ApiError('rate_limited', { params: { retryAfterMs, logins: true } });
    }
    try {
      const found = await judge();
      if (found === null) attempts.fail(key);
      else attempts.succeed(key);
      return found;
    } catch (error) {
      attempts.withdraw(key);
      throw error;
    }
  };

  app.post(
    '/session',
    {
      config: { access: 'open' },
      schema: {
        tags: ['session'],
        summary: 'Log in',
        description:
          'Sets a session cookie. After ten failed attempts with the same login from the same address, each further attempt has to wait longer: the status is 429, with `retryAfterMs`.',
        body: credentials,
        response: { 200: sessionView },
      },
    },
    async (request, reply) => {
      const fromPage =
        request.headers.origin !== undefined || request.headers['sec-fetch-site'] !== undefined;
      if (fromPage && isCrossSite(request, new URL(publicUrl).origin)) throw new ApiError('cross_site');
      const { login, password } = request.body;
      const client = clientOf(request);
      // By address and login, so that failures from another address or with another login lock out nobody.
      const user = await attempt(`${client} ${login}`, async () => {
        const found = await getUserByLogin(sql, login);
        const isRight = await passwords.verify(password, found?.passwordHash ?? null, client);
        return isRight && found?.enabled ? found : null;
      });
      if (!user) throw new ApiError('login_failed');
      const id = randomBytes(32).toString('base64url');
      const idHash = hashSecret(id);
      await insertSession(sql, { idHash, userId: user.id });
      limits.prove(idHash);
      cookie.set(reply, id);
      return viewOf(user, await alertsOf(user));
    },
  );

  app.get(
    '/session',
    {
      config: { access: 'any_role' },
      schema: {
        tags: ['session'],
        summary: 'Get the current user or API token',
        response: { 200: sessionView },
      },
    },
    async (request, reply) => {
      const session = await sessionOf(actorOf(request));
      nameVersion(reply, editedOf(session));
      return session;
    },
  );

  app.patch(
    '/session',
    {
      config: { access: 'any_role', usersOnly: true },
      schema: {
        tags: ['session'],
        summary:
          'Update the name, language, time zone, default sending hours or e-mail address of the current user',
        headers: versionHeaders,
        body: profileChange,
        response: { 200: sessionView },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      await sql.begin(async (tx) => {
        const before = await lockUser(tx, actor.id);
        if (!before) throw new ApiError('unauthenticated');
        requireVersion(request, editedOf(before));
        const { sendingHoursId = null } = request.body;
        if (sendingHoursId !== null && !(await holdSetting(tx, 'sendingHours', sendingHoursId))) {
          throw new ApiError('invalid_fields', { problems: [problem('sendingHoursId', 'unknown')] });
        }
        await updateUser(tx, actor.id, request.body);
        const changed = Object.keys(request.body);
        await audit(tx, request, 'user.profile', { kind: 'user', id: actor.id }, { changed });
      });
      return sessionOf(actor);
    },
  );

  async function sessionOf(actor: Actor): Promise<z.infer<typeof sessionView>> {
    if (actor.kind === 'token') {
      return {
        ...actor,
        kind: 'token',
        locale: null,
        timezone: null,
        sendingHoursId: null,
        email: null,
        alerts: 0,
      };
    }
    const user = await getUser(sql, actor.id);
    if (!user) throw new ApiError('unauthenticated');
    return viewOf(user, await alertsOf(user));
  }

  async function alertsOf(user: UserRow): Promise<number> {
    return countOpenAlerts(sql, await alertKindsOf(sql, user));
  }

  app.delete(
    '/session',
    {
      config: { access: 'any_role', withGivenPassword: true },
      schema: { tags: ['session'], summary: 'Log out', response: { 204: z.null() } },
    },
    async (request, reply) => {
      const { sessionHash } = actorOf(request);
      if (sessionHash) await deleteSession(sql, sessionHash);
      cookie.clear(reply);
      return reply.code(204).send(null);
    },
  );

  app.put(
    '/session/password',
    {
      config: { access: 'any_role', usersOnly: true, withGivenPassword: true },
      schema: {
        tags: ['session'],
        summary: 'Change the password of the current user',
        description: 'Ends all other sessions of the user.',
        body: passwordChange,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const { current, password } = request.body;
      const client = clientOf(request);
      const known = await attempt(`own password of ${actor.id}`, async () =>
        (await passwords.verify(current, await getPasswordHash(sql, actor.id), client)) ? actor : null,
      );
      if (!known) {
        throw new ApiError('invalid_fields', { problems: [problem('current', 'wrong_password')] });
      }
      if (password.normalize('NFKC') === current.normalize('NFKC')) {
        throw new ApiError('invalid_fields', { problems: [problem('password', 'same_password')] });
      }
      const passwordHash = await passwords.hash(password, client);
      await sql.begin(async (tx) => {
        await updateUser(tx, actor.id, { passwordHash, mustChangePassword: false });
        await deleteSessionsOf(tx, actor.id, actor.sessionHash);
        await audit(tx, request, 'user.password', { kind: 'user', id: actor.id });
      });
      return reply.code(204).send(null);
    },
  );
};

const viewOf = ({ mustChangePassword, ...user }: UserRow, alerts: number): z.infer<typeof sessionView> => ({
  kind: 'user',
  ...user,
  alerts,
  ...(mustChangePassword ? { mustChangePassword } : {}),
});
