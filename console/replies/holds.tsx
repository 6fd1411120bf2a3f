import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { idParams } from '../../api/http/parameters.ts';
import { holdList, type holdView } from '../../api/replies/holds.ts';
import { ActionButton } from '../kit/buttons.tsx';
import { Page } from '../kit/layout.tsx';
import { Empty, LinkFor, Pager, Phone, Table, Time } from '../kit/parts.tsx';
import { act, formOf } from '../kit/responses.tsx';
import { consoleOf } from '../kit/request.ts';
import { useMay, useWords } from '../kit/view.tsx';
import { holdWords } from './words-holds.ts';
import { inboundWords } from './words.ts';

export const holdsPath = '/replies/held';
const pageSize = 50;
type Hold = z.output<typeof holdView>;

const pageQuery = z.object({ after: z.string().optional().catch(undefined) });

/** The phones that have probably opted out, each with the two decisions. */
export const holds: FastifyPluginAsync = async (app) => {
  app.get(holdsPath, { config: { access: 'any_role' } }, async (request, reply) => {
    const { after } = pageQuery.parse(request.query);
    const answer = await consoleOf(request).api.get('/api/holds', holdList, { after, limit: pageSize });
    return reply.page(<HoldsPage holds={answer.holds} paged={after !== undefined} />);
  });

  app.post<{ Params: z.infer<typeof idParams> }>(
    `${holdsPath}/:id`,
    { config: { access: 'agent' }, schema: { params: idParams } },
    async (request, reply) =>
      act(request, reply, holdsPath, async () => {
        const { api, view } = consoleOf(request);
        const decision = formOf(request).text('decision');
        await api.send('POST', `/api/holds/${request.params.id}/decide`, { decision });
        const t = holdWords[view.locale];
        return { to: holdsPath, notice: { words: decision === 'opt_out' ? t.optedOut : t.released } };
      }),
  );
};

function HoldsPage({ holds, paged }: { holds: readonly Hold[]; paged: boolean }) {
  const t = useWords(holdWords);
  const replies = useWords(inboundWords);
  const mayDecide = useMay('agent');
  const last = holds.at(-1);
  return (
    <Page title={t.title} section="replies" trail={[{ href: '/replies', label: replies.title }]}>
      <p class="text-secondary">{t.intro}</p>
      <Table
        caption={t.title}
        rows={holds}
        columns={[
          {
            heading: t.phone,
            cell: ({ phone, sandbox }) => (
              <>
                <Phone phone={phone} call />
                {sandbox && <small class="text-secondary d-block">{t.inSandbox}</small>}
              </>
            ),
          },
          {
            heading: t.text,
            cell: ({ text }) =>
              text === null || text === '' ? (
                <span class="text-secondary">{t.noText}</span>
              ) : (
                <strong class="long-text">{text}</strong>
              ),
          },
          {
            heading: t.answers,
            cell: ({ messageId, messageText, campaignName, ticketId }) =>
              messageId === null ? (
                <span class="text-secondary">{t.nobody}</span>
              ) : (
                <>
                  <LinkFor href={`/messages/${messageId}`}>{campaignName}</LinkFor>
                  {messageText !== null && (
                    <small class="text-secondary long-text d-block">{messageText}</small>
                  )}
                  {ticketId !== null && <a href={`/tickets/${ticketId}`}>{t.ticket(String(ticketId))}</a>}
                </>
              ),
          },
          { heading: t.due, cell: ({ dueAt }) => <Time at={dueAt} /> },
          ...(mayDecide
            ? [
                {
                  heading: t.decision,
                  cell: ({ id }: Hold) => (
                    <div class="buttons">
                      <ActionButton action={`${holdsPath}/${id}`} values={{ decision: 'opt_out' }} small>
                        {t.optOut}
                      </ActionButton>
                      <ActionButton action={`${holdsPath}/${id}`} values={{ decision: 'release' }} small>
                        {t.release}
                      </ActionButton>
                    </div>
                  ),
                },
              ]
            : []),
        ]}
        empty={<Empty icon="replies" title={t.empty} text={t.emptyText} />}
      />
      <Pager
        first={paged ? holdsPath : null}
        next={holds.length === pageSize && last ? `${holdsPath}?after=${last.id}` : null}
      />
    </Page>
  );
}
