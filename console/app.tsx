import compress from '@fastify/compress';
import cookiePlugin from '@fastify/cookie';
import helmet from '@fastify/helmet';
import type { FastifyError, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { roleSuffices } from '../domain/user.ts';
import { sessionView } from '../api/access/sessions.ts';
import { companyView } from '../api/settings/company.ts';
import { createSessionCookie } from '../api/http/auth.ts';
import { type Api, ApiFailure, createApi, urlOf } from './kit/api.ts';
import { audit } from './access/audit.tsx';
import { openAlerts } from './alerts/open.ts';
import { alertsSettings } from './alerts/settings.tsx';
import { addAssets } from './kit/assets.ts';
import { customerImport } from './customers/import.tsx';
import { customers } from './customers/customers.tsx';
import { companyPages } from './settings/company.tsx';
import { ErrorPage, ForbiddenPage, NotFoundPage } from './kit/errors.tsx';
import { FormValues } from './kit/form-data.ts';
import { createFormat } from '../domain/format.ts';
import { errorWords } from '../domain/problems/catalog.ts';
import { failureWords } from './kit/problems.ts';
import { campaignFile } from './campaigns/file.tsx';
import { campaignMailing } from './campaigns/mailing.tsx';
import { campaignMessage } from './campaigns/message.tsx';
import { campaignSchedule } from './campaigns/schedule.tsx';
import { campaignTicket } from './campaigns/ticket.tsx';
import { campaignWebservice } from './campaigns/webservice.tsx';
import { campaigns } from './campaigns/campaigns.tsx';
import { home } from './home/home.tsx';
import { costs } from './money/costs.tsx';
import { messageSearch } from './messages/search.tsx';
import { messages } from './messages/messages.tsx';
import { holds } from './replies/holds.tsx';
import { inbound } from './replies/inbound.tsx';
import { optOutOfReaders } from './replies/opt-out.tsx';
import { integrations } from './settings/integrations.tsx';
import { optOuts } from './customers/opt-outs.tsx';
import { phones } from './replies/phones.tsx';
import { preferences, readPreferences } from './kit/preferences.tsx';
import { privacy } from './customers/privacy.tsx';
import { profile } from './access/profile.tsx';
import { providers } from './providers/providers.tsx';
import { unread } from './providers/unread.tsx';
import { addReplies } from './kit/responses.tsx';
import { replyWords } from './replies/reply-words.tsx';
import { automaticTextsPage } from './replies/automatic-texts.tsx';
import { consoleOf, isPart } from './kit/request.ts';
import { reports } from './reports/reports.tsx';
import { runResend } from './runs/resend.tsx';
import { runs } from './runs/runs.tsx';
import { search } from './search/search.tsx';
import { settings } from './settings/settings.tsx';
import { resolve } from './messages/resolve.tsx';
import { choosePassword } from './access/choose-password.tsx';
import { resetPassword } from './access/reset-password.tsx';
import { signIn } from './access/sign-in.tsx';
import { ticketAutomationPage } from './tickets/automation.tsx';
import { ticketPosts } from './tickets/posts.tsx';
import { ticketList } from './tickets/list.tsx';
import { ticketPage } from './tickets/page.tsx';
import { thread } from './tickets/thread.tsx';
import { tokens } from './access/tokens.tsx';
import { users } from './access/users.tsx';
import type { Company, Me } from './kit/view.tsx';

const maxFormBytes = 512 * 1024;
/** Below this size, compression costs more than it saves. */
const compressFromBytes = 1024;

interface ConsoleDeps {
  /** Cookies are restricted to TLS only if the deployment uses TLS. */
  publicUrl: string;
}

/**
 * The admin console: server-rendered pages over the API of the same app (docs/console.md). Register it on the app that
 * `buildApp` created. Each route declares its access as the API's routes do; here that only decides between the page, a
 * redirect to the sign-in and an error message, because every change is a call of the API, which checks it.
 */
export const adminConsole: FastifyPluginAsync<ConsoleDeps> = async (app, { publicUrl }) => {
  const session = createSessionCookie(publicUrl);
  /** To the sign-in, which says so if a session has ended, and back. */
  const toSignIn = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const address = doorUrl('/sign-in', request, session.read(request) !== undefined);
    // In a part of a page, the sign-in would appear inside the page: htmx opens it instead.
    return isPart(request)
      ? reply.header('hx-redirect', address).code(401).send()
      : reply.redirect(address, 303);
  };
  const secure = publicUrl.startsWith('https:');
  await app.register(cookiePlugin);
  await app.register(compress, { threshold: compressFromBytes, encodings: ['br', 'gzip'] });
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        // Tabler's icons of checkboxes and selects are data: images.
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    },
    // TLS ends at the proxy in front. Only that proxy knows whether the whole host uses TLS.
    strictTransportSecurity: false,
    // With no policy at all, browsers send `Origin: null` with forms, and the API would reject every call of a session.
    referrerPolicy: { policy: 'same-origin' },
  });
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: maxFormBytes },
    (_request, body, done) => done(null, new FormValues(new URLSearchParams(String(body)))),
  );
  app.decorateRequest('console', null);
  // The API's document contains only the API.
  app.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, hide: true };
  });
  addReplies(app, { secure });

  app.addHook('onRequest', async (request, reply) => {
    const { access, withGivenPassword, fragment } = request.routeOptions.config;
    const versions = new Map<string, string>();
    const api = createApi(app, request, versions);
    let company: Company | null = null;
    const seenBy = (me: Me | null, givenPassword = false): void => {
      const { locale, theme, notice } = readPreferences(request, me);
      const format = createFormat(locale, me?.timezone ?? 'America/Sao_Paulo');
      const view = { me, company, locale, theme, format, notice, here: request.url, versions };
      request.console = { api, view, givenPassword };
    };
    // For the error page, in case this hook fails.
    seenBy(null);
    const isAsset = request.url.startsWith('/assets/');
    const [me, shown] = await Promise.all([
      isAsset ? null : whoIs(api, request),
      isAsset || fragment === true ? null : companyOf(api),
    ]);
    company = shown;
    if (me === 'given_password') {
      seenBy(null, true);
      return withGivenPassword ? undefined : reply.redirect(doorUrl('/choose-password', request), 303);
    }
    seenBy(me);
    if (access === 'open') return;
    if (!me) return toSignIn(request, reply);
    if (access === undefined) {
      request.log.error({ route: request.routeOptions.url }, 'the route declares no access');
    }
    if (access === undefined || !roleSuffices(me.role, access)) {
      return reply.page(<ForbiddenPage needs={access ?? 'admin'} />, 403);
    }
  });
  app.addHook('onSend', async (_request, reply) => {
    // The browser keeps it for its back button, and otherwise requests it again; no shared cache may keep it.
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'private, no-cache');
    // The language depends on a cookie.
    reply.header('vary', 'cookie, accept-language');
  });
  app.addHook('onResponse', async (request, reply) => {
    const me = request.console?.view.me;
    request.log.info(
      {
        method: request.method,
        route: request.routeOptions.url,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        actor: me ? `${me.kind}:${me.id}` : null,
      },
      'page',
    );
  });
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const failure = error instanceof ApiFailure ? error : null;
    if (failure?.status === 401) return toSignIn(request, reply);
    if (!request.console) return reply.code(500).send();
    const { format } = request.console.view;
    if (failure?.status === 404) return reply.page(<NotFoundPage />, 404);
    if (failure) {
      const words = failureWords(format, failure);
      return reply.page(<ErrorPage words={words} requestId={request.id} />, failure.status);
    }
    // The codes of the API's own errors, for errors from shared code, such as the check of parameters.
    const status = error.statusCode ?? 500;
    if (status >= 500) request.log.error({ err: error }, 'page failed');
    const words = errorWords(status >= 500 ? 'internal' : 'invalid_parameters', {}, format);
    return reply.page(<ErrorPage words={words} requestId={request.id} />, status);
  });

  await addAssets(app);
  await app.register(signIn);
  await app.register(resetPassword);
  await app.register(choosePassword);
  await app.register(preferences, { secure });
  await app.register(profile);
  await app.register(home);
  await app.register(search);
  await app.register(campaigns);
  await app.register(campaignSchedule);
  await app.register(campaignMessage);
  await app.register(campaignMailing);
  await app.register(campaignFile);
  await app.register(campaignWebservice);
  await app.register(campaignTicket);
  await app.register(runs);
  await app.register(runResend);
  await app.register(messageSearch);
  await app.register(reports);
  await app.register(messages);
  await app.register(resolve);
  await app.register(inbound);
  await app.register(optOutOfReaders);
  await app.register(holds);
  await app.register(ticketList);
  await app.register(ticketPage);
  await app.register(thread);
  await app.register(customers);
  await app.register(customerImport);
  await app.register(optOuts);
  await app.register(phones);
  await app.register(settings);
  await app.register(companyPages);
  await app.register(providers);
  await app.register(costs);
  await app.register(unread);
  await app.register(integrations);
  await app.register(openAlerts);
  await app.register(alertsSettings);
  await app.register(ticketAutomationPage);
  await app.register(ticketPosts);
  await app.register(replyWords);
  await app.register(automaticTextsPage);
  await app.register(privacy);
  await app.register(users);
  await app.register(tokens);
  await app.register(audit);

  // Addresses without a page. Programs get the API's own answer.
  app.get('/*', { config: { access: 'open', fragment: true } }, (request, reply) => {
    if (/^\/(api|health|webhooks|assets|metrics)(\/|\?|$)/.test(request.url)) {
      reply.callNotFound();
      return reply;
    }
    if (!consoleOf(request).view.me) return toSignIn(request, reply);
    return reply.page(<NotFoundPage />, 404);
  });
};

/** Null if the API does not answer: the page then shows why. */
async function companyOf(api: Api): Promise<Company | null> {
  try {
    return await api.get('/api/settings/company', companyView);
  } catch (error) {
    if (error instanceof ApiFailure) return null;
    throw error;
  }
}

/** Null without a user; `given_password`: a user who has to choose their own password first. */
async function whoIs(api: Api, request: FastifyRequest): Promise<Me | 'given_password' | null> {
  if (request.headers.cookie === undefined) return null;
  try {
    return await api.get('/api/session', sessionView);
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    if (error.status === 401) return null;
    if (error.code === 'password_change_required') return 'given_password';
    throw error;
  }
}

/** The address of a page that comes first, with the way back: to the requested page, or to the sent form's page. */
function doorUrl(door: '/sign-in' | '/choose-password', request: FastifyRequest, expired = false): string {
  let next: string | undefined = request.url;
  if (request.method !== 'GET' || isPart(request)) {
    const current = request.headers['hx-current-url'] ?? request.headers.referer;
    const page = typeof current === 'string' && URL.canParse(current) ? new URL(current) : null;
    next = page?.host === request.host ? page.pathname + page.search : undefined;
  }
  return urlOf(door, { next: next === '/' ? undefined : next, expired: expired ? 1 : undefined });
}
