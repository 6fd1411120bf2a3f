import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { z } from 'zod';
import { readLevels } from '../../db/core/metrics.ts';
import type { Sql } from '../../db/core/client.ts';
import { answerStatuses } from '../../domain/answer.ts';
import { messageStatuses } from '../../domain/message.ts';
import { runStatuses } from '../../domain/run.ts';

/** The API's own metrics; one set for each app. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'torpedo_http_request_seconds',
    help: 'Time to answer, by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [registry],
  });
  return { registry, requests };
}
export type Metrics = ReturnType<typeof createMetrics>;

/** For Prometheus, which authenticates with an API token (`authorization.credentials` of its scrape configuration). */
export const metricsPage: FastifyPluginAsyncZod<{ sql: Sql; metrics: Metrics }> = async (
  app,
  { sql, metrics: { registry } },
) => {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const campaigns = gauge('torpedo_enabled_campaigns', 'Campaigns that are enabled.');
  const runs = gauge('torpedo_runs', 'Runs that live or ended within a day, by status.', ['status']);
  const messages = gauge('torpedo_messages', 'Messages of those runs, by status.', ['status']);
  const answers = gauge('torpedo_answers', 'Answers to customers written within a day, by status.', [
    'status',
  ]);
  const unknownAnswers = gauge(
    'torpedo_unknown_answers',
    'Answers of any age that are unknown: a user can resolve them.',
  );
  const failovers = gauge('torpedo_failovers', 'How often those runs went over to a fallback provider.');
  const replies = gauge('torpedo_unhandled_replies', 'Replies that came in and are not dealt with.');
  const unread = gauge('torpedo_unread_calls', 'Calls of providers that could not be read.');

  const openAlerts = gauge('torpedo_open_alerts', 'Things that need a person now.');
  const undelivered = gauge(
    'torpedo_undelivered_notifications',
    'E-mails and posts of alerts that wait after a failure, or were given up within a day.',
  );
  const retrying = gauge('torpedo_retrying', 'Activities of workflows that failed and are tried again.');
  const retryingFor = gauge(
    'torpedo_retrying_seconds',
    'For how long the longest of them has been failing; 0: there is none.',
  );

  app.get(
    '',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['health'],
        summary: 'Get metrics for Prometheus',
        response: { 200: z.string() },
        produces: [registry.contentType],
      },
    },
    async (_, reply) => {
      const levels = await readLevels(sql);
      campaigns.set(levels.enabledCampaigns);
      unknownAnswers.set(levels.unknownAnswers);
      failovers.set(levels.failovers);
      replies.set(levels.unhandledReplies);
      unread.set(levels.unreadCalls);
      openAlerts.set(levels.openAlerts);
      undelivered.set(levels.undeliveredNotifications);
      retrying.set(levels.retrying);
      retryingFor.set(levels.retryingSeconds);
      // Each status has its line, even if it is 0: an alert on an absent series never fires.
      for (const status of runStatuses)
        runs.set({ status }, levels.runs.find((one) => one.status === status)?.runs ?? 0);
      for (const status of messageStatuses)
        messages.set({ status }, levels.messages.find((one) => one.status === status)?.messages ?? 0);
      for (const status of answerStatuses)
        answers.set({ status }, levels.answers.find((one) => one.status === status)?.answers ?? 0);
      return reply.type(registry.contentType).send(await registry.metrics());
    },
  );
};
