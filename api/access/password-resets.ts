import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { insertAudit } from '../../db/access/audit.ts';
import { isPasswordResetValid, usePasswordReset } from '../../db/access/password-resets.ts';
import { deleteSessionsOf } from '../../db/access/sessions.ts';
import { updateUser, usersToReset } from '../../db/access/users.ts';
import { isEmailEnabled } from '../../db/alerts/channels.ts';
import { queuePasswordReset } from '../../db/alerts/notifications.ts';
import type { Database } from '../../db/core/client.ts';
import { problem } from '../../domain/problems/coded.ts';
import { newPassword } from '../../domain/user.ts';
import { hashSecret } from '../http/auth.ts';
import { ApiError } from '../http/errors.ts';
import { clientOf } from '../http/request-limits.ts';
import type { Temporal } from '../services/temporal.ts';
import type { Passwords } from './passwords.ts';

/** A login or an e-mail address. */
export const passwordResetRequest = z.strictObject({
  login: z.string().trim().toLowerCase().min(1).max(254),
});
export const passwordResetUse = z.strictObject({ token: z.string().max(100), password: newPassword });
export const passwordResetOffer = z.object({ offered: z.boolean() });
export const passwordResetState = z.object({ valid: z.boolean() });

/** Further requests for a user within an hour send nothing, so that nobody can flood a mailbox. */
const mailsPerHour = 3;
/** Requests from one address in a minute. */
const requestsPerMinute = 10;

interface PasswordResetsDeps {
  passwords: Passwords;
  sql: Database;
  temporal: Pick<Temporal, 'startNotification'>;
}

/** A new password by e-mail, for users who cannot log in. It does not log them in. */
export const passwordResets: FastifyPluginAsyncZod<PasswordResetsDeps> = async (
  app,
  { sql, passwords, temporal },
) => {
  const tags = ['session'];
  const open = {
    access: 'open',
    rateLimit: { max: requestsPerMinute, timeWindow: '1 minute' },
  } as const;

  app.get(
    '/password-resets',
    {
      config: { access: 'open' },
      schema: {
        tags,
        summary: 'Check whether users can request a new password by e-mail',
        response: { 200: passwordResetOffer },
      },
    },
    async () => ({ offered: await isEmailEnabled(sql) }),
  );

  app.post(
    '/password-resets',
    {
      config: open,
      schema: {
        tags,
        summary: 'Request a link to choose a new password',
        description:
          'Sends an e-mail to the users with this login or e-mail address. The response is the same if there is no such user. A link can be used once within 30 minutes. A user receives at most three links per hour.',
        body: passwordResetRequest,
        response: { 202: z.null() },
      },
    },
    async (request, reply) => {
      if (await isEmailEnabled(sql)) {
        const users = await usersToReset(sql, request.body.login);
        // Not awaited: the response time must not reveal whether the user exists. If Temporal is unavailable, the workflow
        // that checks alerts sends the message later.
        void (async () => {
          for (const { id } of users) {
            const notificationId = await queuePasswordReset(sql, id, mailsPerHour);
            if (notificationId !== null) await temporal.startNotification(notificationId);
          }
        })().catch((error: unknown) =>
          request.log.warn({ err: error }, 'a password reset will be sent later'),
        );
      }
      return reply.code(202).send(null);
    },
  );

  app.post(
    '/password-resets/check',
    {
      config: open,
      schema: {
        tags,
        summary: 'Check whether a link is still valid',
        body: passwordResetUse.pick({ token: true }),
        response: { 200: passwordResetState },
      },
    },
    async (request) => ({ valid: await isPasswordResetValid(sql, hashSecret(request.body.token)) }),
  );

  app.post(
    '/password-resets/use',
    {
      config: open,
      schema: {
        tags,
        summary: 'Choose a new password with a link',
        description:
          'Ends all sessions and invalidates all other links of the user, who must then log in with the new password.',
        body: passwordResetUse,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { token, password } = request.body;
      const tokenHash = hashSecret(token);
      const invalid = () =>
        new ApiError('invalid_fields', { problems: [problem('token', 'reset_link_invalid')] });
      // Before the expensive hash.
      if (!(await isPasswordResetValid(sql, tokenHash))) throw invalid();
      const passwordHash = await passwords.hash(password, clientOf(request));
      await sql.begin(async (tx) => {
        const user = await usePasswordReset(tx, tokenHash);
        if (!user) throw invalid();
        await updateUser(tx, user.id, { passwordHash, mustChangePassword: false });
        await deleteSessionsOf(tx, user.id);
        await insertAudit(tx, {
          actor: `user:${user.id}`,
          actorName: user.name,
          action: 'user.password_reset',
          subjectKind: 'user',
          subjectId: user.id,
          details: {},
        });
      });
      return reply.code(204).send(null);
    },
  );
};
