import { randomUUID } from 'node:crypto';
import cookiePlugin from '@fastify/cookie';
import helmet from '@fastify/helmet';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import type { SecretBox } from '../../db/core/secrets.ts';
import { defaultTimezone } from '../../domain/calendar.ts';
import { defaultCurrency } from '../../domain/price.ts';
import type { WebserviceDeps } from '../../mailing/webservice.ts';
import type { ProviderDeps } from '../../sms/index.ts';
import type { Outgoing } from '../../outgoing/index.ts';
import { auditLog } from '../access/audit.ts';
import { alerts } from '../alerts/alerts.ts';
import { alertChannels } from '../alerts/channels.ts';
import { passwordResets } from '../access/password-resets.ts';
import { createPasswords, type Passwords } from '../access/passwords.ts';
import { addAuthentication, createSessionCookie } from './auth.ts';
import { company } from '../settings/company.ts';
import { createCampaignSync } from '../services/campaign-sync.ts';
import { badLines } from '../runs/bad-lines.ts';
import { campaignActions } from '../campaigns/actions.ts';
import { campaigns } from '../campaigns/campaigns.ts';
import { customerFiles } from '../customers/files.ts';
import { customers } from '../customers/customers.ts';
import { ApiError, sendError } from './errors.ts';
import { parseInput } from './input.ts';
import { health } from './health.ts';
import { databaseProbe } from '../../health/database.ts';
import { serverLabels } from '../../health/readiness.ts';
import { createServerWatch } from '../../health/watch.ts';
import { integrations } from '../settings/integrations.ts';
import { mailings } from '../campaigns/mailings.ts';
import { messages } from '../messages/messages.ts';
import { sandbox } from '../providers/sandbox.ts';
import { createMetrics, metricsPage } from './metrics.ts';
import { addOpenApi } from './openapi.ts';
import { createRequestLimits, type RequestsPerMinute } from './request-limits.ts';
import { optOuts } from '../customers/opt-outs.ts';
import { holds } from '../replies/holds.ts';
import { overview } from '../runs/overview.ts';
import { createAdapters } from '../services/adapters.ts';
import { privacy } from '../customers/privacy.ts';
import { createProgressHub } from '../services/progress.ts';
import { unread } from '../providers/unread.ts';
import { providerFallbacks } from '../providers/fallbacks.ts';
import { budgets } from '../money/budgets.ts';
import { prices } from '../money/prices.ts';
import { providers } from '../providers/providers.ts';
import { createStreamGuard } from '../services/stream-guard.ts';
import { createReceiptWriter } from '../services/receipts.ts';
import { createUnreadCalls } from '../services/unread.ts';
import { createAnswerStarts } from '../services/answer-starts.ts';
import { createReplyStarts } from '../services/reply-starts.ts';
import { replies } from '../replies/replies.ts';
import { optOutsOfReaders } from '../replies/opt-outs.ts';
import { replyWordSettings } from '../replies/reply-words.ts';
import { automaticTextSettings } from '../replies/automatic-texts.ts';
import { restores } from '../runs/restores.ts';
import { reports } from '../reports/reports.ts';
import { resends } from '../runs/resends.ts';
import { runActions } from '../runs/actions.ts';
import { runAnswers } from '../runs/answers.ts';
import { runs } from '../runs/runs.ts';
import { search } from '../search/search.ts';
import { sessions } from '../access/sessions.ts';
import { settings } from '../settings/settings.ts';
import { testSends } from '../campaigns/test-sends.ts';
import type { Temporal } from '../services/temporal.ts';
import { ticketPosts } from '../tickets/posts.ts';
import { answers } from '../tickets/answers.ts';
import { ticketAutomationSettings } from '../tickets/automation.ts';
import { ticketChanges } from '../tickets/changes.ts';
import { tickets } from '../tickets/tickets.ts';
import { tokens } from '../access/tokens.ts';
import { unknown } from '../messages/unknown.ts';
import { users } from '../access/users.ts';
import { webhooks } from '../providers/webhooks.ts';
import { webserviceTests } from '../campaigns/webservice.ts';

export interface ApiDeps {
  sql: Database;
  box: SecretBox;
  /** By default with the full hashing cost; tests pass a cheaper one. */
  passwords?: Passwords;
  temporal: Temporal;
  logger: FastifyBaseLogger;
  /** How the API reaches providers, and how they reach it. */
  sms: ProviderDeps;
  /** How it reaches customers' web services, to test them. */
  webservice: WebserviceDeps;
  /** How e-mails and posts to the webhook of alerts leave, to test them. */
  outgoing: Outgoing;
  uploadLimitBytes: number;
  /** What money is counted in: ISO 4217. */
  currency?: string;
  /** The deployment's zone: where days and months of prices and budgets begin. */
  timezone?: string;
  /** A reply that arrives more than this many days after our last message matches no message. */
  replyWindowDays?: number;
  /** The proxies whose X-Forwarded-For is trusted; null: none. */
  trustedProxies?: string | null;
  requestsPerMinute?: RequestsPerMinute;
  /** For requests that may take minutes (db/core/limits.ts); all others use `sql`. */
  longSql?: Database;
  /** The connection of the health check, which must not wait for a busy pool. */
  healthSql?: Database;
  /** Called when the database was replaced by a backup: the process must end. */
  onRestored?: (error: Error) => void;
  /** Until it resolves, only health checks are answered: the database has not been reached yet. */
  opening?: Promise<unknown>;
  clock?: () => Date;
}

const bodyLimitBytes = 1024 * 1024;
/** A little more than the limit of an upload (api/campaigns/mailings.ts), which has its own error. */
const requestTimeoutMs = 31 * 60_000;

/**
 * The whole API as one Fastify app that does not listen yet; the caller owns the connections in `deps` and closes them
 * after the app. Each route declares its access (`config.access`, api/http/auth.ts).
 */
export async function buildApp(deps: ApiDeps): Promise<FastifyInstance> {
  const { sql, longSql = sql, temporal, logger, sms, clock = () => new Date() } = deps;
  const { currency = defaultCurrency, timezone = defaultTimezone } = deps;
  const { passwords = createPasswords() } = deps;
  const money = { currency, timezone };
  const app: FastifyInstance = fastify({
    loggerInstance: logger,
    // The hook below logs one line for each request of the API, and none for receipts: thousands arrive each second.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    trustProxy: deps.trustedProxies ?? false,
    routerOptions: { maxParamLength: 100, ignoreTrailingSlash: true },
    frameworkErrors: (error, request, reply) => {
      sendError(error, request, reply);
    },
  });
  app.setErrorHandler(sendError);
  app.setNotFoundHandler(() => {
    throw new ApiError('not_found', { params: { noun: null, id: null } });
  });
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => (data: unknown) => {
    try {
      return {
        value: parseInput(schema, data, httpPart === 'body' ? 'invalid_fields' : 'invalid_parameters'),
      };
    } catch (error) {
      if (error instanceof ApiError) return { error };
      throw error;
    }
  });
  app.decorateRequest('actor', null);
  app.decorate('accessTable', []);
  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) {
      const { url } = route;
      // Read late: a plugin of the route may still declare it.
      app.accessTable.push({ method, url, access: () => route.config?.access });
    }
  });

  const sync = createCampaignSync({ sql, temporal, log: app.log });
  const adapters = createAdapters({ sql, box: deps.box, sms });
  const metrics = createMetrics();
  const phoneHash = createPhoneHashing({ sql, box: deps.box });
  const replyStarts = createReplyStarts({ sql, temporal, log: app.log });
  const answerStarts = createAnswerStarts({ sql, temporal, log: app.log });
  const writer = createReceiptWriter({
    sql,
    log: app.log,
    phoneHash,
    replyWindowDays: deps.replyWindowDays,
    onReplies: (ids) => {
      replyStarts.start(ids);
    },
    onUnknown: (providerId) => {
      unreadCalls.lookSoon(providerId);
    },
  });
  const unreadCalls = createUnreadCalls({ sql, adapters, writer, log: app.log });
  const hub = createProgressHub({ sql });
  const guard = createStreamGuard({ sql, log: app.log });
  app.addHook('preClose', () => {
    guard.close();
    hub.close();
  });
  app.addHook('onClose', async () => {
    await sync.close();
    await replyStarts.close();
    await answerStarts.close();
    await unreadCalls.close();
    await adapters.close();
  });
  const watch = createServerWatch({
    probes: {
      database: databaseProbe(deps.healthSql ?? sql, deps.onRestored ?? (() => undefined)),
      temporal: temporal.probe,
    },
    labels: serverLabels,
    log: app.log,
  });
  app.addHook('onClose', () => watch.close());
  let isOpen = deps.opening === undefined;
  app.addHook('onRequest', async (request) => {
    if (!isOpen && !request.url.startsWith('/health/')) throw new ApiError('database_unavailable');
  });
  app.addHook('onListen', async () => {
    watch.start();
    const begin = (): void => {
      isOpen = true;
      sync.syncAll();
      replyStarts.lookRegularly();
      answerStarts.lookRegularly();
      sync.watch(() => {
        replyStarts.startAgain();
        answerStarts.startAgain();
      });
    };
    // The caller that opens the app receives its failure.
    if (deps.opening) void deps.opening.then(begin, () => undefined);
    else begin();
  });

  await addOpenApi(app);
  await app.register(health, { prefix: '/health', watch, isOpen: () => isOpen });
  await app.register(webhooks, {
    prefix: '/webhooks/providers',
    adapters,
    writer,
    publicUrl: sms.publicUrl,
  });
  await app.register(
    async (api) => {
      await api.register(helmet, {
        contentSecurityPolicy: {
          useDefaults: false,
          directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
        },
        // TLS ends at the proxy in front. Only that proxy knows whether the whole host uses TLS.
        strictTransportSecurity: false,
      });
      await api.register(cookiePlugin);
      api.addHook('onSend', async (request, reply) => {
        reply.header('x-request-id', request.id);
        if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
      });
      api.addHook('onResponse', async (request, reply) => {
        const { url: route = 'none' } = request.routeOptions;
        const labels = { method: request.method, route, status: reply.statusCode };
        metrics.requests.observe(labels, reply.elapsedTime / 1000);
        // The route and not the URL, whose query may contain a phone.
        request.log.info(
          {
            method: request.method,
            route,
            status: reply.statusCode,
            ms: Math.round(reply.elapsedTime),
            actor: request.actor && `${request.actor.kind}:${request.actor.id}`,
          },
          'request',
        );
      });
      const cookie = createSessionCookie(sms.publicUrl);
      const limits = await createRequestLimits(api, deps.requestsPerMinute);
      addAuthentication(api, { sql, cookie, limits, publicUrl: sms.publicUrl });

      await api.register(sessions, { sql, passwords, cookie, limits, publicUrl: sms.publicUrl });
      await api.register(passwordResets, { sql, passwords, temporal });
      await api.register(users, { prefix: '/users', sql, passwords });
      await api.register(tokens, { prefix: '/tokens', sql, clock });
      await api.register(auditLog, { prefix: '/audit', sql });
      await api.register(settings, { prefix: '/settings', sql, sync });
      await api.register(company, { prefix: '/settings/company', sql });
      await api.register(replyWordSettings, { prefix: '/settings/reply-words', sql });
      await api.register(automaticTextSettings, { prefix: '/settings/automatic-texts', sql });
      await api.register(providers, {
        prefix: '/providers',
        sql,
        box: deps.box,
        hub,
        publicUrl: sms.publicUrl,
      });
      await api.register(unread, { prefix: '/providers', sql, unreadCalls });
      await api.register(providerFallbacks, { prefix: '/providers', sql });
      await api.register(prices, { prefix: '/providers', sql, currency, timezone, clock });
      await api.register(budgets, { prefix: '/costs', sql, money, clock });
      await api.register(campaigns, { prefix: '/campaigns', sql, sync, temporal, clock });
      await api.register(campaignActions, { prefix: '/campaigns', sql, longSql, sync, temporal, clock });
      await api.register(mailings, {
        prefix: '/campaigns',
        sql,
        uploadLimitBytes: deps.uploadLimitBytes,
        clock,
        money,
      });
      await api.register(integrations, { prefix: '/integrations', sql, box: deps.box });
      await api.register(webserviceTests, {
        prefix: '/webservice',
        sql,
        box: deps.box,
        webservice: deps.webservice,
        clock,
      });
      await api.register(reports, { sql, currency, timezone, clock });
      await api.register(testSends, { prefix: '/campaigns', sql, adapters, phoneHash, money, clock });
      await api.register(overview, { prefix: '/overview', sql, temporal, clock, money });
      await api.register(runAnswers, { prefix: '/runs', sql });
      await api.register(runs, { prefix: '/runs', sql, temporal, hub, guard, clock, money });
      await api.register(runActions, { prefix: '/runs', sql, longSql, temporal });
      await api.register(restores, { prefix: '/restores', sql, sync });
      await api.register(resends, { prefix: '/runs', sql, temporal, money, clock });
      await api.register(messages, { sql });
      await api.register(unknown, { sql });
      await api.register(sandbox, { prefix: '/sandbox', sql, box: deps.box, sandboxUrl: sms.sandboxUrl });
      await api.register(badLines, { sql, clock });
      await api.register(customers, { prefix: '/customers', sql, clock });
      await api.register(customerFiles, { sql, longSql, uploadLimitBytes: deps.uploadLimitBytes, clock });
      await api.register(privacy, { prefix: '/privacy', sql, longSql, phoneHash });
      await api.register(optOuts, { prefix: '/opt-outs', sql, phoneHash });
      await api.register(tickets, { sql });
      await api.register(answers, { sql, phoneHash, onAnswers: (ids) => answerStarts.start(ids), clock });
      await api.register(ticketChanges, { sql });
      await api.register(optOutsOfReaders, { sql });
      await api.register(ticketAutomationSettings, { prefix: '/settings/ticket-automation', sql });
      await api.register(ticketPosts, { sql, box: deps.box, sync, clock });
      await api.register(alerts, { sql });
      await api.register(alertChannels, {
        sql,
        box: deps.box,
        outgoing: deps.outgoing,
        publicUrl: sms.publicUrl,
      });
      await api.register(metricsPage, { prefix: '/metrics', sql, metrics });
      await api.register(replies, { sql, clock });
      await api.register(search, { prefix: '/search', sql });
      await api.register(holds, { prefix: '/holds', sql });
    },
    { prefix: '/api' },
  );
  return app;
}
