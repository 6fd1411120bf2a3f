import type { FastifyPluginAsync } from 'fastify';
import type { ComponentChildren } from 'preact';
import { z } from 'zod';
import { keptWords } from '../../api/campaigns/mailing-check.ts';
import { messageStoryView, messageView } from '../../api/messages/messages.ts';
import { failureReasons, type MessageStatus, messageStatuses, skipReasons } from '../../domain/message.ts';
import { DownloadLink } from '../kit/buttons.tsx';
import { urlOf } from '../kit/api.ts';
import { customerWords } from '../customers/words.ts';
import { messages as messageWords } from './words.ts';
import { lookUpResultWords } from '../../domain/problems/runs.ts';
import { messageStatusWords } from '../../domain/problems/states.ts';
import type { Locale } from '../../domain/user.ts';
import { runs as runWords } from '../runs/words.ts';
import { resolveWords } from './words-resolve.ts';
import { Icon } from '../kit/icons.tsx';
import { lineWords } from '../kit/words-lines.ts';
import { Page } from '../kit/layout.tsx';
import { type Found, List, searched } from '../kit/list.tsx';
import { Card, Facts, Phone, State, Time, type Tone } from '../kit/parts.tsx';
import { addPage } from '../kit/routes.ts';
import { useFormat, useMay, useView, useWords } from '../kit/view.tsx';
import { labeled } from '../kit/fields.tsx';

type Message = z.output<typeof messageView>;

const perPage = 100;
/** `next`: the line after which the next page begins. */
const messageList = z.object({ messages: z.array(messageView), next: z.int().nullable() });

/** The messages of a run, and one with its history. */
export const messages: FastifyPluginAsync = async (app) => {
  addPage(app, '/runs/:id/messages', 'viewer', async ({ api, id, query }) => {
    const search = api.get(`/api/runs/${id}/messages`, messageList, { ...query, limit: perPage });
    return <MessagesPage runId={id} {...await searched(query, search)} />;
  });

  addPage(app, '/messages/:id', 'viewer', async ({ api, id }) => (
    <MessagePage {...await api.get(`/api/messages/${id}`, messageStoryView)} />
  ));
};

const tones: Readonly<Record<MessageStatus, Tone>> = {
  queued: 'neutral',
  sending: 'busy',
  sent: 'busy',
  delivered: 'good',
  undelivered: 'bad',
  failed: 'bad',
  skipped: 'neutral',
  unknown: 'warn',
  cancelled: 'neutral',
};

export function MessageState({ message }: { message: Message }) {
  const t = useWords(runWords);
  return <State tone={tones[message.status]}>{t.oneMessage[message.status]}</State>;
}

function MessagesPage({ runId, answer, ...list }: Found<z.output<typeof messageList>> & { runId: number }) {
  const t = useWords(messageWords);
  const run = useWords(runWords);
  const resolve = useWords(resolveWords);
  const mayResolve = useMay('operator');
  const format = useFormat();
  const { messages = [], next = null } = answer ?? {};
  return (
    <Page
      title={t.of(String(runId))}
      section="runs"
      trail={[{ href: `/runs/${runId}`, label: run.run(String(runId)) }]}
      actions={
        <>
          {list.query.status === 'unknown' && messages.length > 0 && mayResolve && (
            <a class="btn" href={`/runs/${runId}/resolve`}>
              <Icon name="check" /> {resolve.openAll}
            </a>
          )}
          <DownloadLink
            href={urlOf(`/api/runs/${runId}/messages.csv`, { ...list.query, after: undefined })}
          />
        </>
      }
    >
      <List
        {...list}
        path={`/runs/${runId}/messages`}
        caption={t.title}
        filters={[
          { name: 'phone', label: t.phone },
          { name: 'text', label: t.text },
          { name: 'status', label: t.status, options: labeled(messageStatuses, run.message) },
          {
            name: 'reason',
            label: t.reason,
            options: labeled([...skipReasons, ...failureReasons], run.reason),
          },
        ]}
        rows={messages}
        columns={[
          {
            heading: t.line,
            numeric: true,
            cell: ({ id, line }) => <a href={`/messages/${id}`}>{format.number(line)}</a>,
          },
          { heading: t.phone, cell: ({ phone }) => <Phone phone={phone} /> },
          { heading: t.name, wide: true, cell: ({ name }) => name },
          { heading: t.status, cell: (message) => <MessageState message={message} /> },
          {
            heading: t.reason,
            cell: ({ reason }) => (reason === null ? '' : run.reason[reason]),
          },
          { heading: t.endedAt, wide: true, cell: ({ endedAt, sentAt }) => <Time at={endedAt ?? sentAt} /> },
        ]}
        pageSize={perPage}
        pageBy="after"
        next={next}
        icon="messages"
        empty={{ title: t.empty, text: t.emptyText }}
        nothing={{ title: t.nothingFound, text: t.nothingFoundText }}
      />
    </Page>
  );
}

/**
 * A provider's status with our name where both mean the same: `undelivered, 30003` → `Não entregue, 30003`. Other words
 * stay as they are, because only the provider's adapter knows what they mean.
 */
const inOurWords = (says: string, locale: Locale): string =>
  says
    .split(', ')
    .map((word) => {
      const status = messageStatuses.find((one) => one === word.toLowerCase());
      return status === undefined ? word : messageStatusWords[locale][status];
    })
    .join(', ');

/** An entry of a message's history; without a time it has not happened. */
interface Moment {
  at: Date | null;
  words: ComponentChildren;
  /** The data that was received. */
  more?: unknown;
}

function MessagePage({
  message,
  events,
  replies,
  lookUp,
  run: of,
  tickets,
  resends,
  optOuts,
}: z.output<typeof messageStoryView>) {
  const t = useWords(messageWords);
  const resolve = useWords(resolveWords);
  const mayResolve = useMay('operator');
  const mayErase = useMay('admin');
  const run = useWords(runWords);
  const customer = useWords(customerWords).fields;
  const { format } = useView();
  const lines = useWords(lineWords);
  const { runId, line, reason, extra, problem, warnings } = message;
  const moments: Moment[] = [
    { at: of.mailingAt, words: t.read(format.number(line)) },
    { at: message.sendingAt, words: t.sendingAt },
    { at: message.sentAt, words: t.sentAt },
    // The text of a reply is on the reply's page.
    ...events
      .filter(({ kind }) => kind !== 'message' || replies.length === 0)
      .map(({ receivedAt, kind, payload, says }) => {
        const words = {
          message: t.reply,
          look_up: t.lookedUp,
          resolved: t.resolved,
          receipt: t.receipt,
          other: t.receipt,
        }[kind];
        return {
          at: receivedAt,
          words: says === null ? words : `${words}: ${inOurWords(says, format.locale)}`,
          more: payload,
        };
      }),
    // A receipt with a final status has the same time, and comes first.
    { at: message.endedAt, words: `${t.endedAt}: ${run.oneMessage[message.status]}` },
    ...replies.map(({ receivedAt, text }) => ({ at: receivedAt, words: `${t.reply}: ${text}` })),
    ...optOuts.map(({ at, kind }) => ({ at, words: t.optOuts[kind] })),
    ...tickets.map(({ id, openedAt }) => ({
      at: openedAt,
      words: <a href={`/tickets/${id}`}>{t.ticket(String(id))}</a>,
    })),
    ...resends.map(({ id, runId: other, status, at }) => ({
      at,
      words: <a href={`/messages/${id}`}>{t.resend(String(other), run.oneMessage[status])}</a>,
    })),
  ];
  const past = moments
    .flatMap(({ at, ...moment }) => (at === null ? [] : [{ at, ...moment }]))
    .sort((a, b) => a.at.getTime() - b.at.getTime());
  return (
    <Page
      title={t.lineOf(format.number(line))}
      section="runs"
      trail={[
        { href: `/campaigns/${of.campaignId}`, label: of.campaignName },
        { href: `/runs/${runId}`, label: run.run(String(runId)) },
        { href: `/runs/${runId}/messages`, label: t.title },
      ]}
      actions={
        <>
          <MessageState message={message} />
          {message.status === 'unknown' && mayResolve && (
            <a class="btn" href={`/messages/${message.id}/resolve`}>
              <Icon name="check" /> {resolve.open}
            </a>
          )}
          {mayErase && (
            <a class="btn" href={`/messages/${message.id}/person`}>
              {t.person}
            </a>
          )}
        </>
      }
    >
      <Card title={t.text}>
        {message.text === null ? (
          <p class="text-secondary">{t.notComposed}</p>
        ) : (
          <p class="bubble mb-3">{message.text}</p>
        )}
        <Facts
          facts={[
            [
              t.phone,
              message.phone === null ? (
                <Phone phone={null} />
              ) : (
                <a href={urlOf('/messages', { phone: message.phone })}>
                  <Phone phone={message.phone} />
                </a>
              ),
            ],
            [t.name, message.name ?? '—'],
            [t.code, message.code ?? '—'],
            [customer.regionId, message.regionName ?? '—'],
            [customer.customerTypeId, message.customerTypeName ?? '—'],
            [t.reason, reason === null ? '—' : run.reason[reason]],
            problem && [lines.problem, keptWords(problem, format)],
            warnings.length > 0 && [
              lines.warnings,
              warnings.map((warning, index) => (
                <div key={index}>
                  {keptWords(warning, format)} <code>{warning.value}</code>
                </div>
              )),
            ],
            lookUp && [resolve.lookUp, lookUpResultWords[format.locale][lookUp.result ?? 'waiting']],
            [t.segments, format.number(message.segments)],
            [t.attempts, format.number(message.attempts)],
            [t.provider, message.providerMessageId ?? '—'],
            [t.providerCode, message.providerCode ?? '—'],
            ...Object.entries(extra ?? {}).map(([name, value]) => [name, value] as const),
          ]}
        />
      </Card>
      <Card title={t.story}>
        {past.length === 0 ? (
          <p class="text-secondary mb-0">{t.noEvents}</p>
        ) : (
          <ol class="entries">
            {past.map(({ at, words, more }, index) => (
              <li key={index}>
                <Time at={at} exact /> <strong>{words}</strong>
                {more !== undefined && more !== null && (
                  <details>
                    <summary>{t.raw}</summary>
                    <pre tabIndex={0}>{JSON.stringify(more, null, 2)}</pre>
                  </details>
                )}
              </li>
            ))}
          </ol>
        )}
      </Card>
    </Page>
  );
}
