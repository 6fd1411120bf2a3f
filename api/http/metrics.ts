import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { z } from 'zod';
import { readLevels } from '../../db/core/metrics.ts';
import type { Sql } from '../../db/core/client.ts';
import { messageStatuses } from '../../domain/message.ts';
import { runStatuses } from '../../domain/run.ts';

/** What the API measures of itself; one for each app. */
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
  const failovers = gauge('torpedo_failovers', 'How often those runs went over to a fallback provider.');
  const replies = gauge('torpedo_unhandled_replies', 'Replies that came in and are not dealt with.');

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
        summary: 'Figures for Prometheus',
        response: { 200: z.string() },
        produces: [registry.contentType],
      },
    },
    async (_, reply) => {
      const levels = await readLevels(sql);
      campaigns.set(levels.enabledCampaigns);
      failovers.set(levels.failovers);
      replies.set(levels.unhandledReplies);
      retrying.set(levels.retrying);
      retryingFor.set(levels.retryingSeconds);
      // Each status has its line, also with nothing in it: alerts on what is missing are a trap.
      for (const status of runStatuses)
        runs.set({ status }, levels.runs.find((one) => one.status === status)?.runs ?? 0);
      for (const status of messageStatuses)
        messages.set({ status }, levels.messages.find((one) => one.status === status)?.messages ?? 0);
      return reply.type(registry.contentType).send(await registry.metrics());
    },
  );
};
