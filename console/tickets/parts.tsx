import { z } from 'zod';
import type { ticketStoryView, ticketView } from '../../api/tickets/tickets.ts';
import type { SettingKind } from '../../domain/settings.ts';
import type { Api } from '../kit/api.ts';
import { settingsOf } from '../kit/choices.ts';
import { State, Time, type Tone } from '../kit/parts.tsx';
import { useFormat, useWords } from '../kit/view.tsx';
import { ticketWords } from './words.ts';

export const ticketsPath = '/tickets';
export type Ticket = z.output<typeof ticketView>;
/** A ticket with its message and its history. */
export type Story = z.output<typeof ticketStoryView>;

/** The settings that classify a ticket, each with its field. */
const kinds = {
  departmentId: 'departments',
  assigneeId: 'assignees',
  categoryId: 'categories',
  subcategoryId: 'subcategories',
  resolutionId: 'resolutions',
} as const satisfies Record<string, SettingKind>;
/** The fields of a ticket that refer to an entry or a user. */
export type Reference = keyof typeof kinds | 'userId';
export type TicketSettings = Readonly<
  Record<Reference, readonly { id: number; name: string; archivedAt: Date | null }[]>
>;
export const isReference = (field: string): field is Reference => field in kinds || field === 'userId';

const ticketUsers = z.object({
  users: z.array(z.object({ id: z.int(), name: z.string(), available: z.boolean() })),
});

export async function settingsOfTickets(api: Api): Promise<TicketSettings> {
  const [departmentId, assigneeId, categoryId, subcategoryId, resolutionId, { users }] = await Promise.all([
    settingsOf(api, kinds.departmentId),
    settingsOf(api, kinds.assigneeId),
    settingsOf(api, kinds.categoryId),
    settingsOf(api, kinds.subcategoryId),
    settingsOf(api, kinds.resolutionId),
    api.get('/api/tickets/users', ticketUsers),
  ]);
  // An unavailable user is like an archived entry: shown where chosen, and not offered.
  const userId = users.map(({ id, name, available }) => ({
    id,
    name,
    archivedAt: available ? null : new Date(0),
  }));
  return { departmentId, assigneeId, userId, categoryId, subcategoryId, resolutionId };
}

const tones = {
  open: 'warn',
  in_progress: 'busy',
  waiting: 'neutral',
  finished: 'good',
} as const satisfies Record<string, Tone>;

export function TicketState({ status }: { status: Ticket['status'] }) {
  const t = useWords(ticketWords);
  return <State tone={tones[status]}>{t.statuses[status]}</State>;
}

/** How long the customer has waited for an answer, and against which target; nothing for others. `words`: without a target. */
export function Waiting({ ticket, words }: { ticket: Ticket; words: (duration: string) => string }) {
  const t = useWords(ticketWords);
  const format = useFormat();
  const { unanswered, overdue, customerWroteAt, firstAnsweredAt, answerDueAt } = ticket;
  if (!unanswered || !customerWroteAt) return null;
  const now = Date.now();
  const since = (at: Date): string => format.duration(Math.max(0, now - at.getTime()));
  if (overdue && answerDueAt) return <State tone="bad">{t.overdueFor(since(answerDueAt))}</State>;
  if (answerDueAt && !firstAnsweredAt) {
    return <State tone="warn">{t.dueIn(format.duration(answerDueAt.getTime() - now))}</State>;
  }
  return <span title={format.exact(customerWroteAt)}>{words(since(customerWroteAt))}</span>;
}

/** When the first answer was written, or is due. */
export function FirstAnswer({ ticket }: { ticket: Ticket }) {
  const t = useWords(ticketWords);
  const format = useFormat();
  const { customerFirstWroteAt, firstAnsweredAt, answerDueAt } = ticket;
  if (!firstAnsweredAt) {
    return ticket.unanswered ? (
      <>
        <Waiting ticket={ticket} words={t.unansweredFor} />
        {answerDueAt && (
          <small class="d-block text-secondary">
            <Time at={answerDueAt} />
          </small>
        )}
      </>
    ) : (
      <Time at={null} />
    );
  }
  if (!customerFirstWroteAt || firstAnsweredAt < customerFirstWroteAt) return <Time at={firstAnsweredAt} />;
  const took = format.duration(firstAnsweredAt.getTime() - customerFirstWroteAt.getTime());
  return answerDueAt && firstAnsweredAt > answerDueAt ? (
    <State tone="bad">{t.answeredLate(took)}</State>
  ) : (
    <>{t.answeredIn(took)}</>
  );
}
