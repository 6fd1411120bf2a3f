import { z } from 'zod';
import { coded } from './problems/coded.ts';

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
    .url({ protocol: /^https?$/, error: coded('url_expected') })
    .max(2000)
    .refine((url) => !URL.canParse(url) || new URL(url).username === '', coded('url_credentials_as_header')),
  events: z
    .array(z.enum(ticketEventKinds))
    .min(1, coded('event_missing'))
    .max(ticketEventKinds.length)
    .default([...ticketEventKinds]),
});
export type TicketPosting = z.infer<typeof ticketPosting>;

/** The key of the signature. Long enough that it can't be guessed. */
const signingSecret = z.string().regex(/^[\x21-\x7e]{24,200}$/, coded('signing_secret_format'));

// RFC 9110, 5.6.2: a token. What HTTP or Torpedo itself has to say in a post is not for an admin to say.
const headerName = z
  .string()
  .max(100)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, coded('header_name'))
  .refine(
    (name) =>
      !/^(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*|torpedo-.*)$/i.test(
        name,
      ),
    coded('header_reserved'),
  );
const headerValue = z
  .string()
  .max(4000)
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, coded('header_value'));

/** What is written and never shown again: the key of the signature, and headers such as `Authorization`. */
export const postingSecrets = z.strictObject({
  secret: signingSecret,
  headers: z.record(headerName, headerValue),
});
export type PostingSecrets = z.infer<typeof postingSecrets>;

/** Changes of them: a secret that is left out stays; of headers those that are null. */
export const postingSecretChanges = z.strictObject({
  secret: signingSecret.optional(),
  headers: z.record(headerName, headerValue.nullable()).optional(),
});

/** What an answer of the helpdesk says of a post; null: none came. */
export type PostOutcome = 'delivered' | 'refused' | 'try_again';

/** What the helpdesk says of this one post, and would say again. */
const refusals: ReadonlySet<number> = new Set([400, 409, 413, 422]);

/**
 * Any 2xx is success. Everything else that is not about this very post may change: the helpdesk comes back, or an admin
 * corrects address or credentials (redirects are not followed).
 */
export function postOutcome(status: number | null): PostOutcome {
  if (status === null) return 'try_again';
  if (status >= 200 && status < 300) return 'delivered';
  return refusals.has(status) ? 'refused' : 'try_again';
}

/** A post that can't be delivered for so long is given up: a helpdesk may be away for a long weekend. */
export const giveUpAfterMs = 7 * 24 * 60 * 60 * 1000;

/** How long one post waits after its n-th attempt (from 1), while others get through. */
export const postPauseMs = (attempts: number): number =>
  Math.min(60 * 60_000, 5_000 * 2 ** Math.min(attempts - 1, 20));
