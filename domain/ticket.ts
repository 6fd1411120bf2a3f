import { z } from 'zod';
import type { ExtraField } from './contact.ts';
import type { MessageStatus } from './message.ts';
import { type Problem, problem } from './problems/coded.ts';

const id = z.int().positive();

/** A ticket is a period of customer service for a contact ("Atendimento"). */
export const ticketStatuses = ['open', 'in_progress', 'waiting', 'finished'] as const;
export const ticketStatus = z.enum(ticketStatuses);
export type TicketStatus = z.infer<typeof ticketStatus>;
export const unfinishedStatuses = [
  'open',
  'in_progress',
  'waiting',
] as const satisfies readonly TicketStatus[];

/**
 * The lists that agents work from: unfinished tickets of a user, tickets whose customer waits for an answer, those whose
 * first answer is overdue, and all unfinished ones.
 */
export const ticketViews = ['mine', 'unanswered', 'overdue', 'open'] as const;
export type TicketView = (typeof ticketViews)[number];
/** Counting the tickets of a view stops here: a larger number is of no use to an agent. */
export const mostTicketsCounted = 1_000;

/**
 * The transitions of a ticket that a user may make; docs/states.md draws them. Finishing needs a resolution; reopening
 * a finished ticket clears it.
 */
export const ticketMoves: Readonly<Record<TicketStatus, readonly TicketStatus[]>> = {
  open: ['in_progress', 'waiting', 'finished'],
  in_progress: ['open', 'waiting', 'finished'],
  waiting: ['in_progress', 'finished'],
  finished: ['open', 'in_progress'],
};

const optionalId = id.nullable().default(null);

/** The initial values of every ticket of a campaign. Ids of settings; null while the draft is incomplete. */
const target = {
  departmentId: optionalId,
  assigneeId: optionalId,
  categoryId: optionalId,
  subcategoryId: optionalId,
  channel: z.literal('sms').default('sms'),
  /** Null: `open`, or `finished` if there is a resolution. */
  status: ticketStatus.nullable().default(null),
};

/** When a campaign opens tickets, and how ("Dados do atendimento"). */
export const ticketPolicy = z.discriminatedUnion('when', [
  z.strictObject({ when: z.literal('never') }),
  z.strictObject({
    when: z.literal('on_reply'),
    ...target,
    /** Set if and only if the status is `finished`. */
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

/** Required fields of the policy, in the order of the form, with the problem code when one is missing. */
const required = {
  departmentId: 'department',
  assigneeId: 'assignee',
  categoryId: 'category',
  subcategoryId: 'subcategory',
  resolutionOnSuccessId: 'resolution_on_success',
  resolutionOnFailureId: 'resolution_on_failure',
} as const;

/** A subcategory of a campaign's tickets: its category, and the fields of its group. */
export interface TicketSubcategory {
  categoryId: number;
  fields: readonly ExtraField[];
}

/**
 * The problems of this policy that block enabling its campaign, all at once.
 *
 * @param extraFields the extra fields that the campaign's mailing declares
 * @param subcategory the subcategory of the policy; null when it has none
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

/** The initial values of a ticket; ids of settings. */
export interface TicketOpening {
  departmentId: number;
  assigneeId: number;
  categoryId: number;
  subcategoryId: number;
  status: TicketStatus;
  resolutionId: number | null;
}

/** Throws when the policy is incomplete: never for a run, because only complete campaigns are enabled. */
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

/** The initial values of tickets on send, by the outcome of their messages (`ticketOutcomes`). */
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
 * Which messages get a ticket on send, and whether it has the success resolution: those that were handed to the
 * provider. An `unknown` message is no success until a receipt reports one. Skipped lines and messages that never left
 * get none.
 */
export const ticketOutcomes = {
  success: ['sent', 'delivered'],
  failure: ['undelivered', 'failed', 'unknown'],
} as const satisfies Record<string, readonly MessageStatus[]>;
