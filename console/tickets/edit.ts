import { z } from 'zod';
import { type Api, refusalOf } from '../kit/api.ts';
import type { FormValues } from '../kit/form-data.ts';
import type { Ticket } from './parts.tsx';

const names = [
  'status',
  'resolutionId',
  'userId',
  'departmentId',
  'assigneeId',
  'categoryId',
  'subcategoryId',
] as const;

/** The fields of a ticket's form with the values that they show. */
export const fieldsOf = (ticket: Ticket): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(names.map((name) => [name, String(ticket[name] ?? '')])),
  ...Object.fromEntries(Object.entries(ticket.extra).map(([name, value]) => [`extra.${name}`, value])),
});

/** A sent form against the ticket as it is now. */
export interface Edit {
  /** The fields that the user has changed. */
  changed: readonly string[];
  /** Those among them that someone else has changed to another value since the form was opened. */
  clashes: readonly { field: string; present: string; typed: string }[];
  /** The form's values: what the user has changed, and otherwise what the ticket has now. */
  values: FormValues;
}

const seenFields = z.record(z.string(), z.string());

export function editOf(ticket: Ticket, form: FormValues): Edit {
  const present = fieldsOf(ticket);
  const seen = seenIn(form) ?? present;
  const changed = Object.keys(present).filter(
    (field) => form.has(field) && form.text(field) !== (seen[field] ?? ''),
  );
  const clashes = changed.flatMap((field) => {
    const [now, typed] = [present[field] ?? '', form.text(field)];
    return now !== (seen[field] ?? '') && now !== typed ? [{ field, present: now, typed }] : [];
  });
  const others = Object.entries(present).filter(([field]) => !changed.includes(field));
  return { changed, clashes, values: form.with(Object.fromEntries(others)) };
}

function seenIn(form: FormValues): Readonly<Record<string, string>> | null {
  try {
    return seenFields.parse(JSON.parse(form.text('seen')));
  } catch {
    return null;
  }
}

/**
 * Saves what the user has changed in the form; changes of others to other fields stay. If someone else has changed the
 * same field, the change is refused once: the form is shown again with both values.
 */
export async function saveTicket(api: Api, ticket: Ticket, form: FormValues): Promise<void> {
  const { changed, clashes } = editOf(ticket, form);
  const { version } = ticket;
  if (clashes.length > 0) {
    throw refusalOf(409, 'version_conflict', { params: { version, ofPart: true } });
  }
  const isFinished = form.text('status') === 'finished';
  const isChanged = (field: string): boolean => changed.includes(field);
  const simple = names.filter((name) => isChanged(name) && name !== 'resolutionId');
  await api.send('PATCH', `/api/tickets/${ticket.id}`, {
    version,
    ...Object.fromEntries(
      simple.map((name) => [name, name === 'status' ? form.text(name) : form.number(name)]),
    ),
    // Without effect in other statuses.
    ...(isFinished && (isChanged('resolutionId') || isChanged('status'))
      ? { resolutionId: form.number('resolutionId') }
      : {}),
    ...(changed.some((field) => field.startsWith('extra.')) ? { extra: extraOf(ticket, form) } : {}),
  });
}

/** All extra fields, because the API replaces them all. */
const extraOf = (ticket: Ticket, form: FormValues): Record<string, string> =>
  Object.fromEntries(
    Object.entries(ticket.extra).map(([name, value]) => [
      name,
      form.has(`extra.${name}`) ? form.text(`extra.${name}`) : value,
    ]),
  );
