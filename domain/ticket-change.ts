import { z } from 'zod';
import { checkExtraValue, extraField } from './contact.ts';
import { type Problem, problem } from './problems/coded.ts';
import { ticketMoves, ticketStatus, type TicketSubcategory } from './ticket.ts';

const id = z.int().positive();

/** What a person may change of a ticket; what is left out stays. */
export const ticketChange = z.strictObject({
  departmentId: id.optional(),
  assigneeId: id.optional(),
  categoryId: id.optional(),
  subcategoryId: id.optional(),
  status: ticketStatus.optional(),
  /** Goes with the status `finished`, and only with it. */
  resolutionId: id.nullable().optional(),
  note: z.string().max(4000).optional(),
  /** All of them: one that is left out is gone. */
  extra: z.record(extraField.shape.name, z.string().max(500)).optional(),
});
export type TicketChange = z.infer<typeof ticketChange>;

/** The part of a ticket that a person may change. */
export type TicketContent = Required<TicketChange>;

/** Fields of free text: a history tells that they changed, not what a person wrote there. */
const freeText: ReadonlySet<string> = new Set(['note', 'extra'] satisfies (keyof TicketContent)[]);

/** By field what it was and is; nulls for free text. */
export type TicketChanges = Record<string, [from: string | number | null, to: string | number | null]>;

interface ExtraProblem {
  field: string;
  code: string;
  message: string;
}

/**
 * A ticket after a person's change, and in what it differs; or all that is wrong with the change. Who takes up a
 * finished ticket again clears its resolution.
 *
 * @param subcategory the one that the change leads to
 */
export function changedTicket(
  before: TicketContent,
  change: TicketChange,
  subcategory: TicketSubcategory,
):
  | { ok: true; content: TicketContent; changes: TicketChanges }
  | { ok: false; problems: (Problem | ExtraProblem)[] } {
  const content = { ...before };
  Object.assign(content, change);
  const reopened = before.status === 'finished' && content.status !== 'finished';
  if (reopened && change.resolutionId === undefined) content.resolutionId = null;

  const problems: (Problem | ExtraProblem)[] = [];
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
