import type { FastifyPluginAsync } from 'fastify';
import { alertList } from '../../api/alerts/alerts.ts';
import { consoleOf } from '../kit/request.ts';
import { common } from '../kit/words.ts';

/** More at once are one notification of the browser for each of these only. */
const mostShown = 5;

/** What console.js asks for: the number in the menu and the title, and the newest alerts for notifications. */
export const openAlerts: FastifyPluginAsync = async (app) => {
  app.get('/alerts/open', { config: { access: 'any_role', fragment: true } }, async (request, reply) => {
    const { api, view } = consoleOf(request);
    const count = view.me?.alerts ?? 0;
    const { alerts } = await api.get('/api/alerts', alertList, { limit: mostShown });
    const shown = view.format.number(count);
    return reply.send({
      count,
      shown,
      words: common[view.locale].alerts(shown),
      newest: alerts.map(({ id, words, page }) => ({ id, words, page })),
    });
  });
};
