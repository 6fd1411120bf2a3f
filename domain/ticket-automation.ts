import { z } from 'zod';
import { coded } from './problems/coded.ts';

/** The moves of tickets that no user makes ("Movimentação automática"). */
export const ticketAutomation = z
  .strictObject({
    /** A ticket that waits for the customer is open again when they write. */
    reopenOnReply: z.boolean().default(true),
    /** A ticket waits for the customer when a user has answered. */
    waitOnAnswer: z.boolean().default(true),
    /** A ticket that has had no change for this many days is finished; null: never. */
    finishAfterDays: z.int().min(1).max(365).nullable().default(null),
    /** With this resolution. */
    finishResolutionId: z.int().positive().nullable().default(null),
  })
  .refine(
    ({ finishAfterDays, finishResolutionId }) => finishAfterDays === null || finishResolutionId !== null,
    {
      path: ['finishResolutionId'],
      error: coded('missing'),
    },
  );
export type TicketAutomation = z.infer<typeof ticketAutomation>;
