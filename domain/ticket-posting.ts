import { z } from 'zod';
import { coded } from './problems/coded.ts';

/**
 * The events of a ticket, in its history and in posts to the helpdesk:
 *
 * - `opened`; `changed` by a user; `reply`: the customer wrote again; `note`: a user wrote an internal note;
 * - `receipt`: a receipt of the SMS corrected the resolution;
 * - `answer`: an SMS that answers the customer was stored, by a user or as an automatic text.
 */
export const ticketEventKinds = ['opened', 'changed', 'reply', 'receipt', 'note', 'answer'] as const;
export type TicketEventKind = (typeof ticketEventKinds)[number];

/** `waiting` for its turn or for the helpdesk; `failed`: given up, until a user posts it again. */
export const ticketPostStates = ['waiting', 'delivered', 'failed'] as const;
export type TicketPostState = (typeof ticketPostStates)[number];

/** An address to post to. */
export const postingUrl = z
  .url({ protocol: /^https?$/, error: coded('url_expected') })
  .max(2000)
  .refine((url) => !URL.canParse(url) || new URL(url).username === '', coded('url_credentials_as_header'));

/** Where ticket events are posted ("integração com o helpdesk"). */
export const ticketPosting = z.strictObject({
  enabled: z.boolean().default(false),
  url: postingUrl,
  events: z
    .array(z.enum(ticketEventKinds))
    .min(1, coded('event_missing'))
    .max(ticketEventKinds.length)
    .default([...ticketEventKinds]),
});
export type TicketPosting = z.infer<typeof ticketPosting>;

/** The key of the signature. The minimum length prevents guessing. */
const signingSecret = z.string().regex(/^[\x21-\x7e]{24,200}$/, coded('signing_secret_format'));

// RFC 9110, 5.6.2: a token. An admin cannot set headers that HTTP or Torpedo itself sets.
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

/** Write-only values: the key of the signature, and headers such as `Authorization`. */
export const postingSecrets = z.strictObject({
  secret: signingSecret,
  headers: z.record(headerName, headerValue),
});
export type PostingSecrets = z.infer<typeof postingSecrets>;

/** Changes of the secrets: an omitted one stays, and so do headers that are null. */
export const postingSecretChanges = z.strictObject({
  secret: signingSecret.optional(),
  headers: z.record(headerName, headerValue.nullable()).optional(),
});

/** The outcome of a post by the helpdesk's answer; null: no answer. */
export type PostOutcome = 'delivered' | 'refused' | 'try_again';

/** Statuses that refuse this one post, and would again. */
const refusals: ReadonlySet<number> = new Set([400, 409, 413, 422]);

/**
 * Any 2xx is success. Every other status that is not about this post may change: the helpdesk recovers, or an admin
 * corrects the address or the credentials (redirects are not followed).
 */
export function postOutcome(status: number | null): PostOutcome {
  if (status === null) return 'try_again';
  if (status >= 200 && status < 300) return 'delivered';
  return refusals.has(status) ? 'refused' : 'try_again';
}

/** A post is given up after this time: a helpdesk may be down for a long weekend. */
export const giveUpAfterMs = 7 * 24 * 60 * 60 * 1000;

/** The pause of one post after its n-th attempt (from 1), while other posts continue. */
export const postPauseMs = (attempts: number): number =>
  Math.min(60 * 60_000, 5_000 * 2 ** Math.min(attempts - 1, 20));
