import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { replyView } from '../../api/replies/replies.ts';
import { ticketStoryView } from '../../api/tickets/tickets.ts';
import type { Api } from '../kit/api.ts';
import { addConfirmed } from '../kit/confirm.tsx';
import type { Section } from '../kit/layout.tsx';
import { Phone } from '../kit/parts.tsx';
import { inboundWords } from './words.ts';

interface Subject {
  path: '/replies' | '/tickets';
  section: Section;
  /** The page to go back to. */
  back: (id: number) => string;
  phoneOf: (api: Api, id: number) => Promise<string | null>;
}

const subjects: readonly Subject[] = [
  {
    path: '/replies',
    section: 'replies',
    back: () => '/replies',
    phoneOf: async (api, id) =>
      (await api.get(`/api/replies/${id}`, z.object({ reply: replyView }))).reply.phone,
  },
  {
    path: '/tickets',
    section: 'tickets',
    back: (id) => `/tickets/${id}`,
    phoneOf: async (api, id) => (await api.get(`/api/tickets/${id}`, ticketStoryView)).ticket.phone,
  },
];

/** Opts out the phone of a reply or a ticket, once a user has confirmed it. */
export const optOutOfReaders: FastifyPluginAsync = async (app) => {
  for (const { path, section, back, phoneOf } of subjects) {
    addConfirmed(app, `${path}/:id/opt-out`, 'agent', {
      section,
      back: ({ id }) => back(id),
      ask: async ({ api, view, id }) => {
        const t = inboundWords[view.locale];
        return {
          title: t.optOutTitle,
          text: (
            <>
              <Phone phone={await phoneOf(api, id)} /> {t.optOutText}
            </>
          ),
          note: t.optOutNote,
          button: t.optOut,
        };
      },
      work: async ({ api, view, id }) => {
        await api.send('POST', `/api${path}/${id}/opt-out`);
        return { to: back(id), notice: { words: inboundWords[view.locale].optedOut } };
      },
    });
  }
};
