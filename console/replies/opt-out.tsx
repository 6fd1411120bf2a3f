import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { replyView } from '../../api/replies/replies.ts';
import { ticketStoryView } from '../../api/tickets/tickets.ts';
import type { Api } from '../kit/api.ts';
import type { Section } from '../kit/layout.tsx';
import { ConfirmPage, Phone } from '../kit/parts.tsx';
import { addAction, addPage } from '../kit/routes.ts';
import { useWords } from '../kit/view.tsx';
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
    addPage(app, `${path}/:id/opt-out`, 'agent', async ({ api, id }) => (
      <OptOutPage
        phone={await phoneOf(api, id)}
        section={section}
        action={`${path}/${id}/opt-out`}
        back={back(id)}
      />
    ));

    addAction(app, `${path}/:id/opt-out`, 'agent', {
      work: async ({ api, view, id }) => {
        await api.send('POST', `/api${path}/${id}/opt-out`);
        return { to: back(id), notice: { words: inboundWords[view.locale].optedOut } };
      },
      otherwise: ({ id }) => back(id),
    });
  }
};

function OptOutPage({
  phone,
  section,
  action,
  back,
}: {
  phone: string | null;
  section: Section;
  action: string;
  back: string;
}) {
  const t = useWords(inboundWords);
  return (
    <ConfirmPage
      title={t.optOutTitle}
      section={section}
      text={
        <>
          <Phone phone={phone} /> {t.optOutText}
        </>
      }
      note={t.optOutNote}
      action={action}
      button={t.optOut}
      back={back}
    />
  );
}
