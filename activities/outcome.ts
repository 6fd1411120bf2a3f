import type { ClaimedMessage, Outcome } from '../db/messages/claims.ts';
import type { SendOutcome } from '../sms/provider.ts';

/** A message that failed temporarily waits this long, doubled with each attempt. */
const retryDelayMs = 2_000;
const maxRetryDelayMs = 5 * 60_000;

/** Of a message that was claimed but not handed to the provider. */
export const unsent = ({ id, providerId }: ClaimedMessage): Outcome => ({
  id,
  status: 'queued',
  reason: null,
  providerId,
  providerMessageId: null,
  providerCode: null,
  notBefore: null,
  uncounted: true,
  handedOverAt: null,
  elapsedMs: 0,
});

/**
 * What the answer to a send means for the message's row. The five answers are those of sms/provider.ts; `attempts`
 * counts this one. If the provider may have accepted an earlier attempt, this answer does not rule that out. Also used
 * by `sendMessage`.
 *
 * One literal and no inner function: this runs for each message, and tsx names every inner function again at each call
 * (measured: a twentieth of the sender's CPU).
 */
export function outcomeOf(
  message: ClaimedMessage,
  answer: SendOutcome,
  { providerId, deduplicates }: { providerId: number; deduplicates: boolean },
  handedOverAt: number | null,
  elapsedMs: number,
): Outcome {
  const outcome: Outcome = {
    id: message.id,
    status: 'queued',
    reason: null,
    providerId: message.providerId,
    providerMessageId: null,
    providerCode: answer.kind === 'accepted' ? null : answer.code,
    notBefore: null,
    uncounted: false,
    handedOverAt,
    elapsedMs,
  };
  switch (answer.kind) {
    case 'accepted':
      outcome.status = 'sent';
      outcome.providerId = providerId;
      outcome.providerMessageId = answer.providerMessageId;
      break;
    case 'refused':
      outcome.status = 'failed';
      outcome.providerId = providerId;
      outcome.reason = answer.reason;
      break;
    case 'temporary':
      // An outage costs the message no attempt. Its wait is stored with the provider, and a user can lift it: the
      // message gets no longer wait of its own.
      outcome.uncounted = answer.outage;
      outcome.notBefore = new Date(
        answeredAt(outcome) +
          (answer.outage
            ? Math.min(answer.retryAfterMs ?? retryDelayMs, retryDelayMs)
            : (answer.retryAfterMs ?? retryDelay(message.attempts))),
      );
      break;
    case 'ambiguous':
      outcome.providerId = providerId;
      if (deduplicates) {
        outcome.notBefore = new Date(answeredAt(outcome) + retryDelay(message.attempts));
      } else {
        outcome.status = 'unknown';
        outcome.reason = 'no_answer';
      }
      break;
    case 'account':
      outcome.uncounted = true;
      break;
  }
  return outcome;
}

/** By the database's clock, which claims use. */
const answeredAt = ({ handedOverAt, elapsedMs }: Outcome): number => (handedOverAt ?? Date.now()) + elapsedMs;

/**
 * An account error that affects only a few numbers: the message is tried again, and fails with its third such answer
 * (activities/sending-plan.ts, activities/provider-health.ts).
 */
export function suspect(message: ClaimedMessage, outcome: Outcome): Outcome {
  return message.attempts >= suspectAttempts
    ? { ...outcome, uncounted: false, status: 'failed', reason: 'request_refused' }
    : {
        ...outcome,
        uncounted: false,
        notBefore: new Date(answeredAt(outcome) + retryDelay(message.attempts)),
      };
}
const suspectAttempts = 3;

const retryDelay = (attempts: number): number =>
  Math.min(maxRetryDelayMs, retryDelayMs * 2 ** (attempts - 1));
