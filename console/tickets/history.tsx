import { ticketNote } from '../../domain/ticket-change.ts';
import { Submit } from '../kit/buttons.tsx';
import { TextAreaField } from '../kit/fields.tsx';
import { Form, type FormState } from '../kit/form.tsx';
import { Card, Time } from '../kit/parts.tsx';
import { common } from '../kit/words.ts';
import { useMay, useWords } from '../kit/view.tsx';
import { isReference, type Story, ticketsPath, type TicketSettings } from './parts.tsx';
import { ticketWords } from './words.ts';

type Event = Story['history'][number];

/** The notes of users for users, oldest first, and the form of the next one. */
export function Notes({ story: { ticket, history }, state }: { story: Story; state: FormState }) {
  const t = useWords(ticketWords);
  const mayAdd = useMay('agent');
  const notes = history.filter(({ kind }) => kind === 'note');
  return (
    <Card title={t.notes}>
      <p class="form-hint">{t.notesHelp}</p>
      {notes.length === 0 && <p class="text-secondary">{t.noNotes}</p>}
      <ol class="notes">
        {notes.map((event) => (
          <li key={event.id} class="internal-note">
            <strong>{event.actorName === '' ? event.actor : event.actorName}</strong>{' '}
            <small class="text-secondary">
              <Time at={event.at} />
            </small>
            <div class="long-text">{event.note ?? t.erasedNote}</div>
          </li>
        ))}
      </ol>
      {mayAdd && (
        <Form
          action={`${ticketsPath}/${ticket.id}/notes`}
          state={state}
          schema={ticketNote}
          words={{ fields: { text: t.note } }}
          once
        >
          <TextAreaField name="text" rows={3} />
          <Submit kind="plain">{t.addNote}</Submit>
        </Form>
      )}
    </Card>
  );
}

export function HistoryItem({
  event,
  campaignName,
  settings,
}: {
  event: Event;
  /** The ticket's campaign, the only one that its events refer to. */
  campaignName: string;
  settings: TicketSettings;
}) {
  const t = useWords(ticketWords);
  const [kind = '', id = ''] = event.actor.split(':');
  const isSystem = (name: string): name is keyof typeof t.systemActors => name in t.systemActors;
  const who =
    event.actorName !== ''
      ? event.actorName
      : isSystem(kind)
        ? `${t.systemActors[kind]} ${kind === 'campaign' ? `“${campaignName}”` : id}`
        : event.actor;
  return (
    <li>
      <strong>{t.events[event.kind]}</strong> <span class="text-secondary">{who}</span>
      <small class="d-block text-secondary">
        <Time at={event.at} exact />
        {event.postState && ` · ${t.posts[event.postState]}`}
      </small>
      {/* The conversation shows the text of an answer, and its status. */}
      {event.reply && <blockquote>{event.reply.text}</blockquote>}
      {Object.entries(event.changes).map(([field, [from, to]]) => (
        <small key={field} class="d-block">
          <Change field={field} from={from} to={to} settings={settings} />
        </small>
      ))}
    </li>
  );
}

/** The old and new value of a field, by the names of the referenced entries. */
function Change({
  field,
  from,
  to,
  settings,
}: {
  field: string;
  from: string | number | null;
  to: string | number | null;
  settings: TicketSettings;
}) {
  const t = useWords(ticketWords);
  const words = useWords(common);
  const labels: Readonly<Record<string, string>> = t.fields;
  const label = labels[field] ?? field;
  // For free text, only the fact of the change is stored.
  if (from === null && to === null) return <>{label}</>;
  const name = (value: string | number | null) => nameIn({ t, words, settings }, field, value);
  return (
    <>
      {label}: {name(from)} → {name(to)}
    </>
  );
}

/** The name of a field's value: of a status, an entry or a user. */
export function nameIn(
  {
    t,
    words,
    settings,
  }: {
    t: (typeof ticketWords)['en' | 'pt-BR'];
    words: (typeof common)['en' | 'pt-BR'];
    settings: TicketSettings;
  },
  field: string,
  value: string | number | null,
): string {
  if (value === null) return field === 'userId' ? t.nobody : words.none;
  const statuses: Readonly<Record<string, string>> = t.statuses;
  if (field === 'status') return statuses[value] ?? String(value);
  const list = isReference(field) ? settings[field] : [];
  return list.find(({ id }) => String(id) === String(value))?.name ?? String(value);
}
