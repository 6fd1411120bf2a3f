import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { replyView } from '../../api/replies/replies.ts';
import { idParams } from '../../api/http/parameters.ts';
import { ticketStoryView } from '../../api/tickets/tickets.ts';
import type { Api } from '../kit/api.ts';
import type { Section } from '../kit/layout.tsx';
import { ConfirmPage, Phone } from '../kit/parts.tsx';
import { consoleOf } from '../kit/request.ts';
import { act } from '../kit/responses.tsx';
import { useWords } from '../kit/view.tsx';
import { inboundWords } from './words.ts';

type Params = { Params: z.infer<typeof idParams> };
const agent = { config: { access: 'agent' }, schema: { params: idParams } } as const;

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
    app.get<Params>(`${path}/:id/opt-out`, agent, async (request, reply) => {
      const { id } = request.params;
      const phone = await phoneOf(consoleOf(request).api, id);
      return reply.page(
        <OptOutPage phone={phone} section={section} action={`${path}/${id}/opt-out`} back={back(id)} />,
      );
    });

    app.post<Params>(`${path}/:id/opt-out`, agent, async (request, reply) => {
      const { api, view } = consoleOf(request);
      const { id } = request.params;
      return act(request, reply, back(id), async () => {
        await api.send('POST', `/api${path}/${id}/opt-out`);
        return { to: back(id), notice: { words: inboundWords[view.locale].optedOut } };
      });
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
