import { createHash } from 'node:crypto';
import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { answeringView, answerPreview, answerView } from '../../api/tickets/answers.ts';
import { ticketStoryView } from '../../api/tickets/tickets.ts';
import type { MessageStatus } from '../../domain/message.ts';
import { messageReasonWords, messageStatusWords } from '../../domain/problems/states.ts';
import { quickReply } from '../../domain/settings.ts';
import { maxTemplateLength } from '../../domain/template.ts';
import { type Api, ApiFailure } from '../kit/api.ts';
import { Submit } from '../kit/buttons.tsx';
import { optionsOf, settingsOf } from '../kit/choices.ts';
import { CheckField, type Option, Options, TextAreaField } from '../kit/fields.tsx';
import type { FormValues } from '../kit/form-data.ts';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { Icon, type IconName } from '../kit/icons.tsx';
import { Page } from '../kit/layout.tsx';
import { LivePart } from '../kit/live-part.tsx';
import { Card, Time } from '../kit/parts.tsx';
import { allProblemWords } from '../kit/problems.ts';
import { useRetryWords } from '../kit/retrying.tsx';
import { addAction, addForm, addPart } from '../kit/routes.ts';
import { useFormat, useMay, useView, useWords } from '../kit/view.tsx';
import { threadWords } from './words-thread.ts';
import { ticketWords } from './words.ts';

const path = '/tickets';
/** The form of notes on the same page has a `text`. */
const field = 'answer';
type Story = z.output<typeof ticketStoryView>;
type Answer = z.output<typeof answerView>;

/** One SMS of the conversation. */
interface Item {
  key: string;
  isOurs: boolean;
  /** The name of a user; null: `from` names the sender. */
  writer: string | null;
  from: 'campaign' | 'customer' | Exclude<Answer['kind'], 'user'>;
  text: string | null;
  at: Date | null;
  /** Of ours. */
  status: MessageStatus | null;
  reason: string | null;
  retrying: Answer['retrying'];
  /** Of an answer. */
  answerId: number | null;
}

/** The conversation of a ticket, and whether the customer can be answered. */
export interface Thread {
  ticketId: number;
  items: Item[];
  quickReplies: Option[];
  blocked: z.output<typeof answeringView>['blocked'];
}

export async function threadOf(api: Api, { ticket, message, history }: Story): Promise<Thread> {
  const { answers, answering } = await api.get(
    `/api/tickets/${ticket.id}/answers`,
    z.object({ answers: z.array(answerView), answering: answeringView }),
  );
  const bare = { writer: null, status: null, reason: null, retrying: null, answerId: null };
  const replies = history.flatMap(({ reply }) => reply ?? []);
  const items: Item[] = [
    ...(message === null
      ? []
      : [
          {
            ...bare,
            key: 'message',
            isOurs: true,
            from: 'campaign' as const,
            text: message.text,
            at: message.sentAt,
            status: message.status,
            reason: message.reason,
          },
        ]),
    ...replies.map(({ id, text, receivedAt }) => ({
      ...bare,
      key: `reply-${id}`,
      isOurs: false,
      from: 'customer' as const,
      text: text === '' ? null : text,
      at: receivedAt,
    })),
    ...answers.map(({ id, kind, actorName, text, status, reason, createdAt, sendingAt, retrying }) => ({
      ...{ key: `answer-${id}`, isOurs: true, text, status, reason, retrying, answerId: id },
      writer: kind === 'user' ? actorName : null,
      from: kind === 'user' ? ('customer' as const) : kind,
      at: sendingAt ?? createdAt,
    })),
  ];
  return {
    ticketId: ticket.id,
    quickReplies: optionsOf(await settingsOf(api, 'quickReplies'), ''),
    // What has no time has not left.
    items: items.toSorted((a, b) => (a.at?.getTime() ?? 0) - (b.at?.getTime() ?? 0)),
    blocked: answering.blocked,
  };
}

/** A new answer with the text of a quick reply, filled in for this customer. What cannot be filled in stays as it is. */
export async function answerFrom(
  api: Api,
  ticketId: number,
  quickReplyId: string | undefined,
): Promise<FormState> {
  if (quickReplyId === undefined || !/^\d{1,15}$/.test(quickReplyId)) return newAnswer();
  const { definition } = await api.get(`/api/settings/quick-replies/${quickReplyId}`, quickReplyView);
  try {
    const body = { text: definition.text, removeAccents: false };
    const filled = await api.send('POST', `/api/tickets/${ticketId}/answers/preview`, body, answerPreview);
    return picked(filled.text);
  } catch (failure) {
    if (failure instanceof ApiFailure && failure.status < 500) return picked(definition.text);
    throw failure;
  }
}
/** Not saved yet: an older draft must not replace it. */
const picked = (text: string): FormState => ({ ...newAnswer(text), typed: true });
const quickReplyView = z.object({ definition: quickReply });

/** The conversation with a ticket's customer: both directions live, and the box to answer. */
export const thread: FastifyPluginAsync = async (app) => {
  const storyOf = (api: Api, id: number) => api.get(`/api/tickets/${id}`, ticketStoryView);

  addPart(app, `${path}/:id/conversation`, 'any_role', async ({ api, id, query }) => {
    const found = await threadOf(api, await storyOf(api, id));
    // An unchanged conversation is left alone, so that it keeps its place and screen readers stay quiet.
    return query.seen === seenOf(found) ? null : <Bubbles thread={found} />;
  });

  addPart(
    app,
    `${path}/:id/answers/preview`,
    'agent',
    async ({ api, id, form }) => <Cost cost={await costOf(api, id, form)} />,
    { method: 'POST' },
  );

  addForm(app, `${path}/:id/answers`, 'agent', {
    send: async ({ api, view, id, form }) => {
      await api.send('POST', `/api/tickets/${id}/answers`, bodyOf(form), answerView);
      return { to: `${path}/${id}`, notice: { words: threadWords[view.locale].sent } };
    },
    again: async ({ api, id }, state) => {
      const found = await threadOf(api, await storyOf(api, id));
      const problems = state.problems.map((one) => ({ ...one, field }));
      return <AnswerPage thread={found} state={{ ...state, problems }} />;
    },
  });

  // From tickets and from the list of replies: see `Resolve`.
  addAction(app, '/answers/:id/resolve', 'agent', {
    work: async ({ api, id, form }) => {
      const sent = { yes: true, no: false }[form.text('sent')];
      await api.send('POST', `/api/answers/${id}/resolve`, { sent }, answerView);
      return { notice: 'saved' };
    },
    otherwise: () => path,
  });
};

const bodyOf = (form: FormValues) => ({
  text: form.text(field),
  removeAccents: form.checked('removeAccents'),
});

type AnswerCost = { cost: z.output<typeof answerPreview> } | { failure: ApiFailure } | null;

async function costOf(api: Api, id: number, form: FormValues): Promise<AnswerCost> {
  if (form.text(field).trim() === '') return null;
  try {
    return {
      cost: await api.send('POST', `/api/tickets/${id}/answers/preview`, bodyOf(form), answerPreview),
    };
  } catch (failure) {
    if (failure instanceof ApiFailure && failure.status === 422) return { failure };
    throw failure;
  }
}

const seenOf = ({ items, blocked }: Thread): string =>
  createHash('sha256')
    .update(JSON.stringify([items, blocked]))
    .digest('base64url')
    .slice(0, 16);

/** The state of a new answer: accents are removed, as in campaigns. */
const newAnswer = (text = ''): FormState => newForm({ [field]: text, removeAccents: true });

/** The conversation and the box below it. */
export function Conversation({ thread: shown, state }: { thread: Thread; state: FormState }) {
  const t = useWords(threadWords);
  return (
    <Card title={t.title}>
      <Bubbles thread={shown} />
      <AnswerBox thread={shown} state={state} />
    </Card>
  );
}

/** Asks for itself again every few seconds. */
function Bubbles({ thread: shown }: { thread: Thread }) {
  const t = useWords(threadWords);
  return (
    <div
      role="log"
      tabIndex={0}
      aria-label={t.log}
      class="thread"
      hx-get={`${path}/${shown.ticketId}/conversation?seen=${seenOf(shown)}`}
      hx-trigger="every 4s"
      hx-swap="outerHTML"
    >
      {shown.items.length === 0 && <p class="text-secondary mb-0">{t.empty}</p>}
      <ol class="conversation">
        {shown.items.map((item) => (
          <Bubble key={item.key} item={item} ticketId={shown.ticketId} />
        ))}
      </ol>
    </div>
  );
}

function Bubble({ item, ticketId }: { item: Item; ticketId: number }) {
  const t = useWords(threadWords);
  const retrying = useRetryWords(item.retrying);
  return (
    <li class={item.isOurs ? 'written' : undefined}>
      <span class="bubble">{item.text ?? <em>{t.erasedText}</em>}</span>
      <small class="text-secondary">
        {item.writer ?? t.from[item.from]}
        {item.at && (
          <>
            {' · '}
            <Time at={item.at} />
          </>
        )}
        {item.status && <Status status={item.status} reason={item.reason} />}
      </small>
      {retrying !== null && <small class="text-secondary">{retrying}</small>}
      {item.status === 'unknown' && item.answerId !== null && (
        <Resolve answerId={item.answerId} back={`${path}/${ticketId}`} />
      )}
    </li>
  );
}

/** What a user knows about an answer that the provider may have taken. */
export function Resolve({ answerId, back, label }: { answerId: number; back: string; label?: string }) {
  const t = useWords(threadWords).resolve;
  if (!useMay('agent')) return null;
  return (
    <details class="thread-resolve">
      <summary>{label ?? t.open}</summary>
      <p class="text-secondary mb-2">{t.about}</p>
      {/* No ActionButton: it leads back to the page that has it, which may be the live part. */}
      <form method="post" action={`/answers/${answerId}/resolve`}>
        <input type="hidden" name="back" value={back} />
        {(['yes', 'no'] as const).map((sent) => (
          <div key={sent} class="mb-2">
            <button type="submit" class="btn btn-sm" name="sent" value={sent} data-submit="">
              {t.choices[sent]}
            </button>{' '}
            <small class="text-secondary">{t.means[sent]}</small>
          </div>
        ))}
      </form>
    </details>
  );
}

const icons: Readonly<Record<MessageStatus, IconName>> = {
  queued: 'clock',
  sending: 'clock',
  sent: 'check',
  delivered: 'check',
  undelivered: 'warning',
  failed: 'warning',
  skipped: 'stop',
  unknown: 'warning',
  cancelled: 'stop',
};

function Status({ status, reason }: { status: MessageStatus; reason: string | null }) {
  const { locale } = useView();
  return (
    <span class={`thread-status thread-${status}`}>
      {' · '}
      <span class="text-nowrap">
        <Icon name={icons[status]} /> {messageStatusWords[locale][status]}
      </span>
      {reason !== null && ` (${messageReasonWords[locale][reason] ?? reason})`}
    </span>
  );
}

/** Works without scripts: the page opens again with the text in the box. */
function QuickReplies({ thread: { ticketId, quickReplies } }: { thread: Thread }) {
  const t = useWords(threadWords);
  if (quickReplies.length === 0) return null;
  return (
    <form method="get" action={`${path}/${ticketId}`} class="quick-replies">
      <label class="form-label" for="quick-reply">
        {t.quick}
      </label>
      <div class="input-group">
        <select id="quick-reply" name="quickReply" class="form-select" required>
          <option value="">{t.choose}</option>
          <Options options={quickReplies} />
        </select>
        <button type="submit" class="btn">
          {t.insert}
        </button>
      </div>
    </form>
  );
}

function AnswerBox({ thread, state }: { thread: Thread; state: FormState }) {
  const { ticketId, blocked } = thread;
  const t = useWords(threadWords);
  const mayAnswer = useMay('agent');
  if (blocked !== null)
    return (
      <p class="alert alert-warning mt-3 mb-0" role="status">
        {t.blocked[blocked]}
      </p>
    );
  if (!mayAnswer) return null;
  return (
    <div class="mt-3">
      <QuickReplies thread={thread} />
      <Form action={`${path}/${ticketId}/answers`} state={state} words={t} once draft={`answer ${ticketId}`}>
        <TextAreaField
          name={field}
          maxLength={maxTemplateLength}
          data={{ 'data-ctrl-enter': '', enterkeyhint: 'send' }}
        />
        <CheckField name="removeAccents" />
        <LivePart from={`${path}/${ticketId}/answers/preview`}>
          <Cost cost={null} />
        </LivePart>
        <div class="buttons mt-2">
          <Submit>{t.send}</Submit>
        </div>
      </Form>
    </div>
  );
}

/** The size of the SMS, or why it cannot be sent. */
function Cost({ cost }: { cost: AnswerCost }) {
  const t = useWords(threadWords);
  const format = useFormat();
  if (cost === null) return <small class="text-secondary">{t.previewEmpty}</small>;
  if ('failure' in cost) return <small class="text-danger">{allProblemWords(format, cost.failure)}</small>;
  const { characters, segments, remaining, text } = cost.cost;
  return (
    <>
      <p class="bubble mb-1">{text}</p>
      <small class="text-secondary">
        {t.cost(format.number(characters), t.segments(segments), format.number(remaining))}
      </small>
    </>
  );
}

/** An answer that was refused, with its problems. */
function AnswerPage({ thread: shown, state }: { thread: Thread; state: FormState }) {
  const t = useWords(threadWords);
  const words = useWords(ticketWords);
  return (
    <Page
      title={t.title}
      section="tickets"
      trail={[
        { href: path, label: words.title },
        { href: `${path}/${shown.ticketId}`, label: words.one(shown.ticketId) },
      ]}
    >
      <Conversation thread={shown} state={state} />
    </Page>
  );
}
