import { z } from 'zod';

/**
 * What happens to a ticket, as its history and the helpdesk are told:
 *
 * - `opened`; `changed` by a person; `reply`: the customer wrote again;
 * - `receipt`: a receipt of the SMS corrected the resolution.
 */
export const ticketEventKinds = ['opened', 'changed', 'reply', 'receipt'] as const;
export type TicketEventKind = (typeof ticketEventKinds)[number];

/** `waiting` for its turn or for the helpdesk; `failed`: given up, until a person has it posted again. */
export const ticketPostStates = ['waiting', 'delivered', 'failed'] as const;
export type TicketPostState = (typeof ticketPostStates)[number];

/** Where openings and changes of tickets are posted ("integração com o helpdesk"). */
export const ticketPosting = z.strictObject({
  enabled: z.boolean().default(false),
  url: z
    .url({ protocol: /^https?$/, error: 'Expected an address that begins with https:// or http://.' })
    .max(2000)
    .refine(
      (url) => !URL.canParse(url) || new URL(url).username === '',
      'Leave user and password out of the address: use an integration.',
    ),
  events: z
    .array(z.enum(ticketEventKinds))
    .min(1, 'Choose at least one event.')
    .default([...ticketEventKinds])
    .transform((events) => ticketEventKinds.filter((kind) => events.includes(kind))),
  /** Stored authentication and headers. */
  integrationId: z.int().positive().nullable().default(null),
});
export type TicketPosting = z.infer<typeof ticketPosting>;

/** The key of the signature. Long enough that it can't be guessed. */
export const postingSecret = z
  .string()
  .regex(/^[\x21-\x7e]{24,200}$/, 'Use 24 to 200 characters without spaces or accents.');

/** What an answer of the helpdesk says of a post; null: none came. */
export type PostOutcome = 'delivered' | 'refused' | 'try_again';

/**
 * Any 2xx is success. A redirect is not followed: the admin corrects the address. 408, 425, 429 and 5xx are of the moment,
 * like no answer at all; every other 4xx would be said again.
 */
export function postOutcome(status: number | null): PostOutcome {
  if (status === null || status === 408 || status === 425 || status === 429 || status >= 500)
    return 'try_again';
  return status >= 200 && status < 300 ? 'delivered' : 'refused';
}

/** A post that can't be delivered for so long is given up: a helpdesk may be away for a long weekend. */
export const giveUpAfterMs = 7 * 24 * 60 * 60 * 1000;

/** How long one post waits after its n-th attempt (from 1), while others get through. */
export const postPauseMs = (attempts: number): number =>
  Math.min(60 * 60_000, 5_000 * 2 ** Math.min(attempts - 1, 20));
