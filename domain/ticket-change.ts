import { z } from 'zod';
import { checkExtraValue, extraField } from './contact.ts';
import { coded, type Problem, problem } from './problems/coded.ts';
import { ticketMoves, ticketStatus, type TicketSubcategory } from './ticket.ts';

const id = z.int().positive();

/** The fields of a ticket that a user may change; an omitted field stays as it is. */
export const ticketChange = z.strictObject({
  departmentId: id.optional(),
  assigneeId: id.optional(),
  /** The user who works on it; null: nobody. */
  userId: id.nullable().optional(),
  categoryId: id.optional(),
  subcategoryId: id.optional(),
  status: ticketStatus.optional(),
  /** Set if and only if the status is `finished`. */
  resolutionId: id.nullable().optional(),
  /** All extra fields: an omitted one is deleted. */
  extra: z.record(extraField.shape.name, z.string().max(500)).optional(),
});
export type TicketChange = z.infer<typeof ticketChange>;

/** An internal note on a ticket, for users. */
export const ticketNote = z.strictObject({ text: z.string().trim().min(1, coded('missing')).max(4000) });

/** The fields of a ticket that a user may change. */
export type TicketContent = Required<TicketChange>;

/** Fields of free text: the history records that they changed, not their text. */
const freeText: ReadonlySet<string> = new Set(['extra'] satisfies (keyof TicketContent)[]);

/** The old and the new value, by field; nulls for free text. */
export type TicketChanges = Record<string, [from: string | number | null, to: string | number | null]>;

/**
 * A ticket after a user's change, with the differences; or all problems of the change. Reopening a finished ticket
 * clears its resolution.
 *
 * @param subcategory the subcategory after the change
 */
export function changedTicket(
  before: TicketContent,
  change: TicketChange,
  subcategory: TicketSubcategory,
): { ok: true; content: TicketContent; changes: TicketChanges } | { ok: false; problems: Problem[] } {
  const content = { ...before };
  Object.assign(content, change);
  const reopened = before.status === 'finished' && content.status !== 'finished';
  if (reopened && change.resolutionId === undefined) content.resolutionId = null;

  const problems: Problem[] = [];
  if (content.status !== before.status && !ticketMoves[before.status].includes(content.status)) {
    const allowed = [...ticketMoves[before.status]];
    problems.push(problem('status', 'move_not_allowed', { from: before.status, allowed }));
  }
  if (content.status === 'finished' && content.resolutionId === null) {
    problems.push(problem('resolutionId', 'missing', { what: 'resolution' }));
  }
  if (content.status !== 'finished' && content.resolutionId !== null && change.resolutionId !== undefined) {
    if (content.resolutionId !== before.resolutionId || reopened) {
      problems.push(problem('resolutionId', 'resolution_without_finish'));
    }
  }
  if (content.categoryId !== subcategory.categoryId) {
    problems.push(problem('subcategoryId', 'subcategory_of_another_category'));
  }
  if (change.extra !== undefined) {
    for (const field of subcategory.fields) {
      const value = content.extra[field.name] ?? '';
      if (value === '') {
        if (field.required) problems.push(problem(`extra.${field.name}`, 'missing'));
        continue;
      }
      const expected = checkExtraValue(field, value);
      if (expected !== null)
        problems.push(problem(`extra.${field.name}`, 'value_invalid', { column: field.name, expected }));
    }
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, content, changes: changesOf(before, content) };
}

function changesOf(before: TicketContent, after: TicketContent): TicketChanges {
  const changes: TicketChanges = {};
  const old = new Map<string, unknown>(Object.entries(before));
  for (const [field, value] of Object.entries(after)) {
    const was = old.get(field);
    if (JSON.stringify(was) === JSON.stringify(value)) continue;
    changes[field] = freeText.has(field) ? [null, null] : [plain(was), plain(value)];
  }
  return changes;
}

const plain = (value: unknown): string | number | null =>
  typeof value === 'string' || typeof value === 'number' ? value : null;
