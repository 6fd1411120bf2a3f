import { randomBytes, createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancellationSignal, log } from '@temporalio/activity';
import type { ApplicationFailure } from '@temporalio/common';
import { insertPasswordReset, passwordResetMinutes } from '../db/access/password-resets.ts';
import { recordConditions } from '../db/alerts/alerts.ts';
import { openAlertWebhook, openEmailSettings } from '../db/alerts/channels.ts';
import { presentConditions } from '../db/alerts/conditions.ts';
import {
  beginNotification,
  endNotification,
  mailRecipient,
  type NotificationRow,
  noteProblem,
  queueNotifications,
  unbegunNotifications,
  untoldAlerts,
} from '../db/alerts/notifications.ts';
import type { Database } from '../db/core/client.ts';
import type { SecretBox } from '../db/core/secrets.ts';
import { getCompany } from '../db/settings/company.ts';
import { type AlertTiming, usualAlertTiming } from '../domain/alert.ts';
import { alertMail, alertPost, passwordResetMail } from '../domain/alert-message.ts';
import { failures } from '../domain/failures.ts';
import { createFormat } from '../domain/format.ts';
import { postOutcome } from '../domain/ticket-posting.ts';
import type { Outgoing } from '../outgoing/index.ts';
import { type DeliveryProblem, webhookProblem } from '../outgoing/problems.ts';
import { signatureOf } from '../outgoing/webhook.ts';
import { passingFailure } from './retries.ts';

export interface AlertsDeps {
  sql: Database;
  box: SecretBox;
  clock: () => Date;
  timezone: string;
  outgoing: Outgoing;
  /** For links to the console. */
  publicUrl: string;
  alertTiming?: AlertTiming;
}

/** An activity returns after this time: deploys drain fast. */
const sliceMs = 5 * 60_000;
/** What could not be delivered within this time is given up. What still needs a user then is on the home page. */
const giveUpAfterMs: Record<NotificationRow['purpose'], number> = {
  alerts: 24 * 60 * 60_000,
  password_reset: passwordResetMinutes * 60_000,
};
/** Problems of this one message, which another attempt would meet again. The others end when an admin corrects them. */
const lasting: ReadonlySet<DeliveryProblem['code']> = new Set([
  'smtp_recipient_refused',
  'smtp_message_refused',
] as const);

/** The outcome of one attempt. `alertIds`: the alerts in it. */
interface Attempt {
  outcome: 'delivered' | 'refused' | 'try_again' | 'nothing';
  alertIds: readonly number[];
  problem: DeliveryProblem | null;
}

const nothing: Attempt = { outcome: 'nothing', alertIds: [], problem: null };

/** Finds what needs a user, and reports it (docs/decisions/0020-alerts.md). */
export function createAlerts({
  sql,
  box,
  clock,
  timezone,
  outgoing,
  publicUrl,
  alertTiming: timing = usualAlertTiming,
}: AlertsDeps) {
  /** By e-mail; `compose` is called once the server and the recipient are known. */
  async function mail(
    { id, userId }: NotificationRow,
    compose: (recipient: NonNullable<Awaited<ReturnType<typeof mailRecipient>>>) => Promise<{
      subject: string;
      text: string;
      alertIds: readonly number[];
    } | null>,
  ): Promise<Attempt> {
    const server = await openEmailSettings(sql, box);
    const recipient = userId === null ? null : await mailRecipient(sql, userId);
    if (!server?.enabled || !recipient) return nothing;
    const composed = await compose(recipient);
    if (composed === null) return nothing;
    const { subject, text, alertIds } = composed;
    const problem = await outgoing.smtp.send(
      server,
      {
        to: recipient.email,
        subject,
        text,
        messageId: `<notification-${id}@${new URL(publicUrl).hostname}>`,
        language: recipient.locale,
      },
      cancellationSignal(),
    );
    if (problem === null) return { outcome: 'delivered', alertIds, problem };
    return { outcome: lasting.has(problem.code) ? 'refused' : 'try_again', alertIds, problem };
  }

  async function tellByMail(notification: NotificationRow): Promise<Attempt> {
    return mail(notification, async ({ name, locale, timezone }) => {
      const alerts = await untoldAlerts(sql, notification, timing);
      if (alerts.length === 0) return null;
      const format = createFormat(locale, timezone);
      const { name: company } = await getCompany(sql);
      return {
        ...alertMail(alerts, { name, format, publicUrl, company }),
        alertIds: alerts.map(({ id }) => id),
      };
    });
  }

  async function resetByMail(notification: NotificationRow): Promise<Attempt> {
    const { userId } = notification;
    return mail(notification, async ({ name, locale, timezone }) => {
      if (userId === null) return null;
      // Only in the mail: the database has its hash, and Temporal nothing of it.
      const token = randomBytes(32).toString('base64url');
      await insertPasswordReset(sql, userId, createHash('sha256').update(token).digest());
      const url = `${publicUrl}/reset-password?token=${token}`;
      const format = createFormat(locale, timezone);
      const { name: company } = await getCompany(sql);
      return {
        ...passwordResetMail({ name, url, minutes: passwordResetMinutes, format, company }),
        alertIds: [],
      };
    });
  }

  async function tellWebhook(notification: NotificationRow): Promise<Attempt> {
    const webhook = await openAlertWebhook(sql, box);
    if (!webhook?.enabled) return nothing;
    const alerts = await untoldAlerts(sql, notification, timing);
    if (alerts.length === 0) return nothing;
    const alertIds = alerts.map(({ id }) => id);
    const format = createFormat(webhook.locale, null);
    const body = JSON.stringify(alertPost(notification.id, alerts, { format, publicUrl }));
    const { url, secret, headers } = webhook;
    const answer = await outgoing.webhook.post(
      url,
      {
        ...headers,
        'torpedo-event': String(notification.id),
        'torpedo-signature': signatureOf(secret, body, new Date()),
      },
      body,
      cancellationSignal(),
    );
    return { outcome: postOutcome(answer.status), alertIds, problem: webhookProblem(url, answer) };
  }

  const attempt = (notification: NotificationRow): Promise<Attempt> => {
    if (notification.channel === 'webhook') return tellWebhook(notification);
    return notification.purpose === 'alerts' ? tellByMail(notification) : resetByMail(notification);
  };

  return {
    /**
     * Checks every few seconds what needs a user, and records when it begins and ends. Returns the messages to be
     * delivered as soon as there are any, and otherwise after some minutes.
     */
    async watchAlerts(): Promise<{ notificationIds: number[] }> {
      const signal = cancellationSignal();
      for (const endsAt = Date.now() + sliceMs; Date.now() < endsAt && !signal.aborted;) {
        await recordConditions(sql, await presentConditions({ sql, now: clock(), timezone }));
        await queueNotifications(sql, timing);
        const notificationIds = await unbegunNotifications(sql);
        if (notificationIds.length > 0) return { notificationIds };
        await sleep(timing.checkEveryMs, undefined, { signal }).catch(() => undefined);
      }
      return { notificationIds: [] };
    },

    /**
     * One attempt to deliver a message. The text is composed now, so it omits alerts that have ended and includes new
     * ones. The message may arrive twice if the worker dies before it records the answer, or if the connection breaks
     * before the answer.
     *
     * Throws if another attempt may succeed, so that Temporal retries with its back-off.
     */
    async deliverNotification({ notificationId }: { notificationId: number }): Promise<string> {
      const notification = await beginNotification(sql, notificationId);
      if (!notification) return 'over';
      const { outcome, alertIds, problem } = await attempt(notification);
      const end = (state: 'delivered' | 'failed' | 'dropped') =>
        sql.begin((tx) => endNotification(tx, notificationId, { state, alertIds, problem }));
      if (outcome === 'nothing') {
        await end('dropped');
        return 'dropped';
      }
      if (outcome === 'delivered') {
        await end('delivered');
        return 'delivered';
      }
      const { purpose, createdAt } = notification;
      const givesUpInMs = createdAt.getTime() + giveUpAfterMs[purpose] - clock().getTime();
      if (outcome === 'refused' || givesUpInMs < 0) {
        log.warn('A message was abandoned', { notificationId, code: problem?.code });
        await end('failed');
        return 'failed';
      }
      if (problem !== null) await noteProblem(sql, notificationId, problem);
      throw undelivered(notification, problem, givesUpInMs);
    },
  };
}

const undelivered = (
  { channel }: NotificationRow,
  problem: DeliveryProblem | null,
  givesUpInMs: number,
): ApplicationFailure =>
  passingFailure(
    failures.undelivered,
    `The message could not be delivered (${problem?.code ?? 'unknown'}).`,
    { cause: { code: 'notification_undelivered', params: { channel } }, givesUpInMs },
  );
