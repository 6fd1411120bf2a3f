import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { languageOf } from '../../api/http/errors.ts';
import { type Locale, locale as localeSchema } from '../../domain/user.ts';
import { consoleOf } from './request.ts';
import { backOf, formOf, noticeCookie } from './responses.tsx';
import { type Me, type Notice, type Theme, themes } from './view.tsx';

const localeCookie = 'torpedo-language';
const themeCookie = 'torpedo-theme';
const yearSeconds = 365 * 86_400;

const isTheme = (text: string | undefined): text is Theme => themes.some((theme) => theme === text);

/**
 * The reader's preferences: the language chosen on this device, else the user's, else the browser's; the theme chosen
 * on this device. Also the notice of the previous request.
 */
export function readPreferences(
  request: FastifyRequest,
  me: Me | null,
): { locale: Locale; theme: Theme; notice: Notice | null } {
  const cookies: Readonly<Record<string, string | undefined>> = request.cookies;
  const chosen = localeSchema.safeParse(cookies[localeCookie]);
  const theme = cookies[themeCookie];
  const [kind, ...text] = (cookies[noticeCookie] ?? '').split(':');
  return {
    locale: chosen.success ? chosen.data : (me?.locale ?? languageOf(request) ?? 'pt-BR'),
    theme: isTheme(theme) ? theme : 'auto',
    notice: kind === 'done' || kind === 'error' ? { kind, text: text.join(':') } : null,
  };
}

/** The switches of language and theme, on every page. */
export const preferences: FastifyPluginAsync<{ secure: boolean }> = async (app, { secure }) => {
  app.post(
    '/preferences',
    { config: { access: 'open', withGivenPassword: true } },
    async (request, reply) => {
      const form = formOf(request);
      const { api, view } = consoleOf(request);
      const options = { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: yearSeconds } as const;
      const theme = form.text('theme');
      if (isTheme(theme)) reply.setCookie(themeCookie, theme, options);
      const chosen = localeSchema.safeParse(form.text('locale'));
      if (chosen.success) {
        if (view.me) await api.send('PATCH', '/api/session', { locale: chosen.data });
        reply.setCookie(localeCookie, chosen.data, options);
      }
      return reply.redirect(backOf(request, '/'), 303);
    },
  );
};
