import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import {
  lockAlertWebhook,
  lockEmailSettings,
  openAlertWebhook,
  openEmailSettings,
  setAlertWebhook,
  setEmailSettings,
} from '../../db/alerts/channels.ts';
import { countUndelivered } from '../../db/alerts/notifications.ts';
import type { Database } from '../../db/core/client.ts';
import type { SecretBox } from '../../db/core/secrets.ts';
import { getCompany } from '../../db/settings/company.ts';
import { testMail, testPost } from '../../domain/alert-message.ts';
import { alertWebhook, alertWebhookChange } from '../../domain/alert-webhook.ts';
import { changesBetween, fieldsAlsoIn } from '../../domain/changes.ts';
import { emailAddress, emailSettings, emailSettingsChange } from '../../domain/email.ts';
import { problemWords, readFault } from '../../domain/problems/catalog.ts';
import { problem } from '../../domain/problems/coded.ts';
import type { Outgoing } from '../../outgoing/index.ts';
import { type DeliveryProblem, webhookProblem } from '../../outgoing/problems.ts';
import { signatureOf } from '../../outgoing/webhook.ts';
import { actorOf, audit } from '../http/auth.ts';
import { answeredProblem, ApiError, formatOf } from '../http/errors.ts';
import { changedPostingSecrets, postingChanges } from '../http/posting-secrets.ts';
import { nameVersion, requireVersion, versionHeaders } from '../http/versions.ts';

/** The password is never returned. */
export const emailSettingsView = z.object({
  email: emailSettings.extend({ hasPassword: z.boolean() }).nullable(),
});

/** Secrets are never returned; the names of headers are. */
export const alertWebhookView = z.object({
  webhook: alertWebhook.extend({ headerNames: z.array(z.string()) }).nullable(),
});

export const testMailRequest = z.strictObject({ to: emailAddress });

export const undeliveredView = z.object({
  /** Messages that wait for another attempt. */
  waiting: z.int(),
  /** Messages whose delivery was given up in the last 24 hours. */
  failed: z.int(),
  /** Why the last of them was not delivered. */
  problem: answeredProblem.omit({ field: true }).nullable(),
});

interface ChannelsDeps {
  sql: Database;
  box: SecretBox;
  outgoing: Outgoing;
  publicUrl: string;
}

/** The channels of alerts: the SMTP server and the webhook, with their tests. */
export const alertChannels: FastifyPluginAsyncZod<ChannelsDeps> = async (
  app,
  { sql, box, outgoing, publicUrl },
) => {
  const tags = ['alerts'];
  const admin = { config: { access: 'admin' } } as const;

  const emailShown = (email: Awaited<ReturnType<typeof openEmailSettings>>) => {
    if (email === null) return null;
    const { password, ...shown } = email;
    return { ...shown, hasPassword: password !== '' };
  };

  app.get(
    '/settings/email',
    {
      ...admin,
      schema: {
        tags,
        summary: 'Get the SMTP server',
        description: '`email` is null until an admin sets it. The password is never returned.',
        response: { 200: emailSettingsView },
      },
    },
    async (_request, reply) => {
      const email = emailShown(await openEmailSettings(sql, box));
      nameVersion(reply, email);
      return { email };
    },
  );

  app.put(
    '/settings/email',
    {
      ...admin,
      schema: {
        tags,
        summary: 'Set the SMTP server',
        description:
          'Torpedo sends its e-mails through this server. If you omit the password, it stays unchanged; changing the host, port, encryption or user requires it again.',
        headers: versionHeaders,
        body: emailSettingsChange,
        response: { 200: emailSettingsView },
      },
    },
    async (request) => {
      const { password, ...config } = request.body;
      await sql.begin(async (tx) => {
        await lockEmailSettings(tx);
        const before = await openEmailSettings(tx, box);
        requireVersion(request, emailShown(before));
        await setEmailSettings(tx, box, config, { password: passwordOf(before, config, password) });
        await audit(
          tx,
          request,
          'email_settings.update',
          { kind: 'email_settings', id: null },
          { newSecrets: password !== undefined },
          changesBetween(fieldsAlsoIn(config, before), config),
        );
      });
      return { email: emailShown(await openEmailSettings(sql, box)) };
    },
  );

  app.post(
    '/settings/email/test',
    {
      ...admin,
      schema: {
        tags,
        summary: 'Send a test e-mail',
        description:
          'Uses the saved server, even if it is disabled. The error `not_delivered` explains what went wrong. Success means that the server has accepted the e-mail; it may still end up in the spam folder.',
        body: testMailRequest,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const server = await openEmailSettings(sql, box);
      if (server === null) throw notDelivered({ code: 'email_off', params: {} });
      const format = formatOf(request);
      const fault = await outgoing.smtp.send(server, {
        to: request.body.to,
        ...testMail({ name: actorOf(request).name, format, company: (await getCompany(sql)).name }),
        messageId: `<test-${Date.now()}@${new URL(publicUrl).hostname}>`,
        language: format.locale,
      });
      if (fault) throw notDelivered(fault);
      return reply.code(204).send(null);
    },
  );

  const webhookShown = (webhook: Awaited<ReturnType<typeof openAlertWebhook>>) => {
    if (webhook === null) return null;
    const { enabled, url, kinds, locale, headers } = webhook;
    return { enabled, url, kinds, locale, headerNames: Object.keys(headers) };
  };

  app.get(
    '/settings/alert-webhook',
    {
      // The address may contain a key.
      ...admin,
      schema: {
        tags,
        summary: 'Get the webhook of alerts',
        description: '`webhook` is null until an admin sets it. Secrets are never returned.',
        response: { 200: alertWebhookView },
      },
    },
    async (_request, reply) => {
      const webhook = webhookShown(await openAlertWebhook(sql, box));
      nameVersion(reply, webhook);
      return { webhook };
    },
  );

  app.put(
    '/settings/alert-webhook',
    {
      ...admin,
      schema: {
        tags,
        summary: 'Set the webhook of alerts',
        description:
          'Posts are signed and retried in the same way as posts of tickets. If you omit a secret or the headers, they stay unchanged, and so does a header whose value is null. Changing the origin of the address (scheme, host, port) requires all of them again.',
        headers: versionHeaders,
        body: alertWebhookChange,
        response: { 200: alertWebhookView },
      },
    },
    async (request) => {
      const { secret, headers, ...config } = request.body;
      await sql.begin(async (tx) => {
        await lockAlertWebhook(tx);
        const before = await openAlertWebhook(tx, box);
        requireVersion(request, webhookShown(before));
        const secrets = changedPostingSecrets(before, { url: config.url, secret, headers });
        await setAlertWebhook(tx, box, config, secrets);
        await audit(
          tx,
          request,
          'alert_webhook.update',
          { kind: 'alert_webhook', id: null },
          { newSecrets: secret !== undefined || headers !== undefined },
          postingChanges(before, config),
        );
      });
      return { webhook: webhookShown(await openAlertWebhook(sql, box)) };
    },
  );

  app.post(
    '/settings/alert-webhook/test',
    {
      ...admin,
      schema: {
        tags,
        summary: 'Send a test to the webhook',
        description:
          'Uses the saved address, even if it is disabled. The error `not_delivered` explains what went wrong.',
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const webhook = await openAlertWebhook(sql, box);
      if (webhook === null) throw notDelivered({ code: 'webhook_off', params: {} });
      const { url, secret, headers } = webhook;
      const body = JSON.stringify(testPost(formatOf(request)));
      const signed = { 'torpedo-event': '0', 'torpedo-signature': signatureOf(secret, body, new Date()) };
      const answer = await outgoing.webhook.post(url, { ...headers, ...signed }, body);
      const fault = webhookProblem(url, answer);
      if (fault) throw notDelivered(fault);
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/settings/alerts/undelivered',
    {
      ...admin,
      schema: {
        tags,
        summary: 'Get the number of e-mails and posts that could not be delivered, and why',
        response: { 200: undeliveredView },
      },
    },
    async (request) => {
      const { waiting, failed, problem: stored } = await countUndelivered(sql);
      const kept = z.object({ code: z.unknown(), params: z.unknown() }).safeParse(stored).data;
      const fault = kept ? readFault(kept.code, kept.params) : null;
      return {
        waiting,
        failed,
        problem: fault && { ...fault, message: problemWords(fault, formatOf(request)) },
      };
    },
  );
};

/** A problem of no field, because the settings may be correct and the server unavailable. */
const notDelivered = (fault: DeliveryProblem): ApiError =>
  new ApiError('not_delivered', { problems: [{ field: '', ...fault }] });

/** The password is bound to the server and user that it was entered for. */
function passwordOf(
  before: Awaited<ReturnType<typeof openEmailSettings>>,
  after: z.infer<typeof emailSettings>,
  given: string | undefined,
): string {
  if (given !== undefined) return given;
  if (after.user === '') return '';
  const same = (['host', 'port', 'security', 'verifyCertificate', 'user'] as const).every(
    (field) => before?.[field] === after[field],
  );
  if (before !== null && same) return before.password;
  throw new ApiError('invalid_fields', {
    problems: [problem('password', before === null ? 'missing' : 'enter_again')],
  });
}
