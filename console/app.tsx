import compress from '@fastify/compress';
import cookiePlugin from '@fastify/cookie';
import helmet from '@fastify/helmet';
import type { FastifyError, FastifyPluginAsync, FastifyRequest } from 'fastify';
import { roleSuffices } from '../domain/user.ts';
import { sessionView } from '../api/access/sessions.ts';
import { type Api, ApiFailure, createApi, urlOf } from './kit/api.ts';
import { audit } from './access/audit.tsx';
import { addAssets } from './kit/assets.ts';
import { customerImport } from './customers/import.tsx';
import { customers } from './customers/customers.tsx';
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
import { messageSearch } from './messages/search.tsx';
import { messages } from './messages/messages.tsx';
import { inbound } from './replies/inbound.tsx';
import { integrations } from './settings/integrations.tsx';
import { optOuts } from './customers/opt-outs.tsx';
import { phones } from './replies/phones.tsx';
import { preferences, readPreferences } from './kit/preferences.tsx';
import { privacy } from './customers/privacy.tsx';
import { profile } from './access/profile.tsx';
import { providers } from './providers/providers.tsx';
import { addReplies } from './kit/responses.tsx';
import { replyWords } from './replies/reply-words.tsx';
import { consoleOf } from './kit/request.ts';
import { runResend } from './runs/resend.tsx';
import { runs } from './runs/runs.tsx';
import { settings } from './settings/settings.tsx';
import { settle } from './messages/settle.tsx';
import { choosePassword } from './access/choose-password.tsx';
import { signIn } from './access/sign-in.tsx';
import { ticketPosts } from './tickets/posts.tsx';
import { tickets } from './tickets/tickets.tsx';
import { tokens } from './access/tokens.tsx';
import { users } from './access/users.tsx';
import type { Me } from './kit/view.tsx';

const maxFormBytes = 512 * 1024;
/** Below it compressing costs more than it saves. */
const compressFromBytes = 1024;

interface ConsoleDeps {
  /** Cookies are for TLS only where the deployment is. */
  publicUrl: string;
}

/**
 * The admin console: server-rendered pages over the API of the same app (docs/console.md). Register it on the app that
 * `buildApp` made. Each route declares its access as the API's do; here that only decides between the page, the way to
 * the sign-in and a refusal in words, since every change is one of the API's and is checked there.
 */
export const adminConsole: FastifyPluginAsync<ConsoleDeps> = async (app, { publicUrl }) => {
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
        // Tabler's marks of checkboxes and selects are data: images.
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    },
    // TLS ends at the proxy in front, which knows whether all of the host is TLS.
    strictTransportSecurity: false,
    // With none at all, browsers send `Origin: null` with forms, and no API call of a session would be taken.
    referrerPolicy: { policy: 'same-origin' },
  });
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: maxFormBytes },
    (_request, body, done) => done(null, new FormValues(new URLSearchParams(String(body)))),
  );
  app.decorateRequest('console', null);
  // The API's document is of the API only.
  app.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, hide: true };
  });
  addReplies(app, { secure });

  app.addHook('onRequest', async (request, reply) => {
    const { access, withGivenPassword } = request.routeOptions.config;
    const api = createApi(app, request);
    const seenBy = (me: Me | null, givenPassword = false): void => {
      const { locale, theme, notice } = readPreferences(request, me);
      const format = createFormat(locale, me?.timezone ?? 'America/Sao_Paulo');
      const view = { me, locale, theme, format, notice, here: request.url };
      request.console = { api, view, givenPassword };
    };
    // For the page of an error, should this one fail.
    seenBy(null);
    const me = request.url.startsWith('/assets/') ? null : await whoIs(api, request);
    if (me === 'given_password') {
      seenBy(null, true);
      return withGivenPassword ? undefined : reply.redirect(doorUrl('/choose-password', request), 303);
    }
    seenBy(me);
    if (access === 'open') return;
    if (!me) return reply.redirect(doorUrl('/sign-in', request), 303);
    if (access === undefined) {
      request.log.error({ route: request.routeOptions.url }, 'the route declares no access');
    }
    if (access === undefined || !roleSuffices(me.role, access)) {
      return reply.page(<ForbiddenPage needs={access ?? 'admin'} />, 403);
    }
  });
  app.addHook('onSend', async (_request, reply) => {
    // Kept by the browser for its back button, and asked for anew otherwise; nobody else may keep it.
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'private, no-cache');
    // The language hangs on a cookie.
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
    if (failure?.status === 401) return reply.redirect(doorUrl('/sign-in', request), 303);
    if (!request.console) return reply.code(500).send();
    const { format } = request.console.view;
    if (failure?.status === 404) return reply.page(<NotFoundPage />, 404);
    if (failure) {
      const words = failureWords(format, failure);
      return reply.page(<ErrorPage words={words} requestId={request.id} />, failure.status);
    }
    // The codes of the API's own errors, for what is thrown by what both share, as the check of parameters.
    const status = error.statusCode ?? 500;
    if (status >= 500) request.log.error({ err: error }, 'page failed');
    const words = errorWords(status >= 500 ? 'internal' : 'invalid_parameters', {}, format);
    return reply.page(<ErrorPage words={words} requestId={request.id} />, status);
  });

  await addAssets(app);
  await app.register(signIn);
  await app.register(choosePassword);
  await app.register(preferences, { secure });
  await app.register(profile);
  await app.register(home);
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
  await app.register(messages);
  await app.register(settle);
  await app.register(inbound);
  await app.register(tickets);
  await app.register(customers);
  await app.register(customerImport);
  await app.register(optOuts);
  await app.register(phones);
  await app.register(settings);
  await app.register(providers);
  await app.register(integrations);
  await app.register(ticketPosts);
  await app.register(replyWords);
  await app.register(privacy);
  await app.register(users);
  await app.register(tokens);
  await app.register(audit);

  // Addresses that are no page. Those of programs keep the API's own answer.
  app.get('/*', { config: { access: 'open', fragment: true } }, (request, reply) => {
    if (/^\/(api|health|webhooks|assets|metrics)(\/|\?|$)/.test(request.url)) {
      reply.callNotFound();
      return reply;
    }
    if (!consoleOf(request).view.me) return reply.redirect(doorUrl('/sign-in', request), 303);
    return reply.page(<NotFoundPage />, 404);
  });
};

/** Null for nobody; `given_password`: someone who has to choose their own password first. */
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

/** A page before all others, with the way back to what was asked for; of a form, to the page that it is on. */
function doorUrl(door: '/sign-in' | '/choose-password', request: FastifyRequest): string {
  let next: string | undefined = request.url;
  if (request.method !== 'GET') {
    const referrer = request.headers.referer;
    const page = referrer !== undefined && URL.canParse(referrer) ? new URL(referrer) : null;
    next = page?.host === request.host ? page.pathname + page.search : undefined;
  }
  return urlOf(door, { next: next === '/' ? undefined : next });
}
