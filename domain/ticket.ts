import { z } from 'zod';
import type { ExtraField } from './contact.ts';
import type { MessageStatus } from './message.ts';
import { type Problem, problem } from './problems/coded.ts';

const id = z.int().positive();

/** A ticket is a period of human service for a contact ("Atendimento"). */
export const ticketStatuses = ['open', 'in_progress', 'waiting', 'finished'] as const;
export const ticketStatus = z.enum(ticketStatuses);
export type TicketStatus = z.infer<typeof ticketStatus>;

/**
 * The allowed moves of a ticket, by a person; docs/states.md draws them. Finishing needs a resolution; who takes a
 * finished ticket up again clears it.
 */
export const ticketMoves: Readonly<Record<TicketStatus, readonly TicketStatus[]>> = {
  open: ['in_progress', 'waiting', 'finished'],
  in_progress: ['open', 'waiting', 'finished'],
  waiting: ['in_progress', 'finished'],
  finished: ['open', 'in_progress'],
};

const optionalId = id.nullable().default(null);

/** What every ticket of a campaign opens with. Ids of settings; null while the draft has gaps. */
const target = {
  departmentId: optionalId,
  assigneeId: optionalId,
  categoryId: optionalId,
  subcategoryId: optionalId,
  channel: z.literal('sms').default('sms'),
  /** Null: `open`, or `finished` where a resolution is given. */
  status: ticketStatus.nullable().default(null),
};

/** When a campaign opens tickets, and how ("Dados do atendimento"). */
export const ticketPolicy = z.discriminatedUnion('when', [
  z.strictObject({ when: z.literal('never') }),
  z.strictObject({
    when: z.literal('on_reply'),
    ...target,
    /** Goes with the status `finished`, and only with it. */
    resolutionId: optionalId,
  }),
  z.strictObject({
    when: z.literal('on_send'),
    ...target,
    resolutionOnSuccessId: optionalId,
    resolutionOnFailureId: optionalId,
  }),
]);
export type TicketPolicy = z.infer<typeof ticketPolicy>;

/** Required fields of the policy, in the order of the form, with what is missing where one is. */
const required = {
  departmentId: 'department',
  assigneeId: 'assignee',
  categoryId: 'category',
  subcategoryId: 'subcategory',
  resolutionOnSuccessId: 'resolution_on_success',
  resolutionOnFailureId: 'resolution_on_failure',
} as const;

/** A subcategory as a campaign's tickets use it: the category it belongs to, and the fields of its group. */
export interface TicketSubcategory {
  categoryId: number;
  fields: readonly ExtraField[];
}

/**
 * What keeps a campaign with this policy from being enabled, all at once.
 *
 * @param extraFields those that the campaign's mailing declares
 * @param subcategory the one that the policy names; null when it names none
 */
export function ticketPolicyProblems(
  policy: TicketPolicy,
  extraFields: readonly ExtraField[],
  subcategory: TicketSubcategory | null,
): Problem[] {
  if (policy.when === 'never') return [];
  const problems = ownProblems(policy);
  if (!subcategory) return problems;
  if (policy.categoryId !== null && policy.categoryId !== subcategory.categoryId) {
    problems.push(problem('ticketPolicy.subcategoryId', 'subcategory_of_another_category'));
  }
  for (const { name, type, required } of subcategory.fields) {
    const index = extraFields.findIndex((field) => field.name === name);
    const declared = extraFields[index];
    if (declared && declared.type !== type) {
      const params = { name, wanted: type, declared: declared.type };
      problems.push(problem(`mailing.extraFields.${index}.type`, 'extra_field_type', params));
    } else if (required && declared?.required !== true) {
      const field = declared ? `mailing.extraFields.${index}.required` : 'mailing.extraFields';
      const params = { name, wanted: type, declared: declared !== undefined };
      problems.push(problem(field, 'extra_field_missing', params));
    }
  }
  return problems;
}

function ownProblems(policy: Exclude<TicketPolicy, { when: 'never' }>): Problem[] {
  const values: Partial<Record<string, unknown>> = policy;
  const problems: Problem[] = Object.entries(required)
    .filter(([field]) => field in policy && values[field] === null)
    .map(([field, what]) => problem(`ticketPolicy.${field}`, 'missing', { what }));
  if (policy.when === 'on_reply') {
    if (policy.resolutionId !== null && policy.status !== null && policy.status !== 'finished') {
      problems.push(problem('ticketPolicy.resolutionId', 'resolution_without_finish'));
    }
    if (policy.resolutionId === null && policy.status === 'finished') {
      const params = { what: 'resolution_of_finished' } as const;
      problems.push(problem('ticketPolicy.resolutionId', 'missing', params));
    }
  }
  return problems;
}

/** What a ticket opens with; ids of settings. */
export interface TicketOpening {
  departmentId: number;
  assigneeId: number;
  categoryId: number;
  subcategoryId: number;
  status: TicketStatus;
  resolutionId: number | null;
}

/** Throws when the policy has gaps: of a run it has none, because only complete campaigns are enabled. */
function openingOf(
  { departmentId, assigneeId, categoryId, subcategoryId, status }: Exclude<TicketPolicy, { when: 'never' }>,
  resolutionId: number | null,
): TicketOpening {
  if (departmentId === null || assigneeId === null || categoryId === null || subcategoryId === null) {
    throw new Error('The ticket policy of a run has gaps: its campaign was enabled without a check.');
  }
  const otherwise = resolutionId === null ? 'open' : 'finished';
  return { departmentId, assigneeId, categoryId, subcategoryId, status: status ?? otherwise, resolutionId };
}

type PolicyOf<When extends TicketPolicy['when']> = Extract<TicketPolicy, { when: When }>;

export const openingOnReply = (policy: PolicyOf<'on_reply'>): TicketOpening =>
  openingOf(policy, policy.resolutionId);

/** What tickets on send open with, by what became of their messages (`ticketOutcomes`). */
export function openingsOnSend(policy: PolicyOf<'on_send'>): {
  success: TicketOpening;
  failure: TicketOpening;
} {
  const { resolutionOnSuccessId, resolutionOnFailureId } = policy;
  if (resolutionOnSuccessId === null || resolutionOnFailureId === null) {
    throw new Error('The ticket policy of a run has gaps: its campaign was enabled without a check.');
  }
  return {
    success: openingOf(policy, resolutionOnSuccessId),
    failure: openingOf(policy, resolutionOnFailureId),
  };
}

/**
 * Which messages get a ticket on send, and whether it is one of success: those that were handed to the provider. One
 * that may not have arrived (`unknown`) is no success until a receipt says so. Lines that were left out and messages
 * that never left have none.
 */
export const ticketOutcomes = {
  success: ['sent', 'delivered'],
  failure: ['undelivered', 'failed', 'unknown'],
} as const satisfies Record<string, readonly MessageStatus[]>;
