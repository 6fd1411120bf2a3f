/**
 * What holds back the messages of a provider, over all runs and workers (db/providers/trouble.ts).
 *
 * - A pause that it asked for: nothing leaves until it ends or a user lifts it.
 * - Answers with an unknown outcome: after `doubtsAllowed` consecutive ones, only single messages leave as probes, at
 *   growing intervals; after as many probes as there are delays, nothing leaves until a user decides. Any clear answer
 *   ends this. If the provider refuses repetitions, unknown outcomes are harmless, and none of this applies.
 */

/** After this many consecutive answers with an unknown outcome, only probes are sent. */
export const doubtsAllowed = 4;
/** The delay of the first probe after the last unknown outcome, then of each later one. */
export const defaultProbeDelaysMs: readonly number[] = [2_000, 15_000, 60_000];

export interface ProviderTrouble {
  /** The time of this state, by the database's clock, like all times here. */
  asOf: Date;
  /** `code`: the provider's answer. */
  pause: { until: Date; code: string } | null;
  /**
   * `answers`: consecutive answers with an unknown outcome; `probes`: messages sent as probes since; `nextAt`: when the
   * next probe may leave; null: not before a user decides.
   */
  doubt: { answers: number; probes: number; code: string; nextAt: Date | null } | null;
}

/** The run waits for a longer pause, so that a user sees it and can lift it; senders wait for a shorter one. */
export const longestPauseInSenderMs = 5_000;
