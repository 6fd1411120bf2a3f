import { z } from 'zod';

const rate = z.number().min(0).max(1).default(0);

/**
 * What may go wrong with a message before or after the gateway has accepted it. The first three refuse it; the others
 * leave the client without an answer about the outcome.
 */
export const answerFaults = [
  /** 429 with Retry-After; not accepted. */
  'http429',
  /** 503 with Retry-After; not accepted. */
  'http503',
  /** The connection is closed; not accepted. */
  'drop_before_accept',
  /** 500; not accepted. */
  'http500',
  /** 500; accepted. */
  'http500_after_accept',
  /** Accepted, then the connection is closed. */
  'drop_after_accept',
  /** Accepted, then no answer ever. */
  'hang_after_accept',
] as const;
export type AnswerFault = (typeof answerFaults)[number];

/** How the gateway misbehaves. All rates are fractions from 0 to 1. */
export const faults = z
  .strictObject({
    /** Delays each answer by this time; the message is accepted at once. */
    latencyMs: z.number().int().min(0).max(600_000).default(0),
    /** At most one of them affects a message: their sum is at most 1. */
    errorRate: z
      .strictObject({
        http429: rate,
        http503: rate,
        drop_before_accept: rate,
        http500: rate,
        http500_after_accept: rate,
        drop_after_accept: rate,
        hang_after_accept: rate,
      })
      .prefault({})
      .refine(
        (rates) => Object.values(rates).reduce((sum, one) => sum + one, 0) <= 1,
        'The rates add up to more than 1.',
      ),
    /** In the Retry-After of 429 and 503. */
    retryAfterSeconds: z.number().int().min(0).default(1),
    /**
     * Numbers, whole or by their last digits, and the Twilio code for them: a code below 30000 refuses the message, any other
     * accepts it and reports it as undelivered.
     */
    refuse: z
      .array(
        z.strictObject({
          endsWith: z.string().regex(/^\d{1,15}$/),
          code: z.number().int().min(10_000).max(65_535),
        }),
      )
      .default([]),
    undeliveredRate: rate,
    /** False holds them back until it is true again. */
    receipts: z.boolean().default(true),
    /** The time from acceptance to `sent`, and from there to the final receipt. */
    receiptDelayMs: z.number().int().min(0).max(86_400_000).default(1000),
    /** The fraction of receipts that are posted twice. */
    duplicateReceipts: rate,
    /** The fraction of messages whose final receipt arrives before `sent`. */
    reorderReceipts: rate,
  })
  .prefault({});
export type Faults = z.infer<typeof faults>;

/** Independent sequences of random numbers. */
export const streams = {
  answer: 1,
  delivery: 2,
  cause: 3,
  repeatSent: 4,
  repeatFinal: 5,
  reorder: 6,
} as const;

/**
 * A number from 0 to 1 (exclusive) that depends only on its arguments, so that a failing run can be repeated: the n-th
 * message under one seed always gets the same fault. (The finalizer of MurmurHash3.)
 */
export function draw(seed: number, stream: number, counter: number): number {
  let hash = Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream, 0x85ebca77) ^ Math.imul(counter + 1, 0xc2b2ae3d);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** The fault of the n-th request, if any. */
export function answerFault({ errorRate }: Faults, seed: number, counter: number): AnswerFault | null {
  let left = draw(seed, streams.answer, counter);
  for (const fault of answerFaults) {
    left -= errorRate[fault];
    if (left < 0) return fault;
  }
  return null;
}

/** Twilio's code for messages to this number; null: none. */
export function refusalCode({ refuse }: Faults, to: string): number | null {
  return refuse.find(({ endsWith }) => to.endsWith(endsWith))?.code ?? null;
}
