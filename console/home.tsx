import type { FastifyPluginAsync } from 'fastify';
import { common } from './i18n/common.ts';
import { Page } from './layout.tsx';
import { useWords } from './view.tsx';

export const home: FastifyPluginAsync = async (app) => {
  app.get('/', { config: { access: 'viewer' } }, async (_request, reply) => reply.page(<HomePage />));
};

function HomePage() {
  const t = useWords(common);
  return <Page title={t.nav.home} section="home" />;
}
