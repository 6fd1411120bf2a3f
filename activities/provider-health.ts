import { plainEnglish } from '../domain/format.ts';
import { type ProviderDetail, providerDetailWords } from '../domain/problems/providers.ts';
import { doubtsAllowed } from '../domain/provider-trouble.ts';
import { fewestRefused } from '../domain/safeguards.ts';

/** Until the provider has accepted a message of the run, at most this many are risked at once. */
export const probeInFlight = 4;
/** More failures in a row, or a larger share of the last `recentSpan` sends, are caused by the provider. */
const failuresInARow = 20;
const recentSpan = 100;
const recentShare = 0.8;

/** When an account accepts messages, this many may get an account error: those errors are about their numbers. */
export const suspectsAllowed = 2;

abstract class ProviderError extends Error {
  readonly code: string;
  readonly detail: ProviderDetail;
  constructor(code: string, detail: ProviderDetail) {
    super(providerDetailWords(detail, plainEnglish));
    this.code = code;
    this.detail = detail;
  }
}

/** The provider refuses the account: it accepts no message until a user has acted. */
export class ProviderAccountError extends ProviderError {
  override readonly name = 'ProviderAccountError';
}

/** Consecutive sends fail: the provider, or the connection to it, is down. */
export class ProviderUnavailableError extends ProviderError {
  override readonly name = 'ProviderUnavailableError';
}

/** Distinguishes the provider's failures from those of single messages. `reached`: it accepts the run's messages. */
export function createHealth({ reached = false }: { reached?: boolean } = {}) {
  let proven = false;
  let hasTaken = reached;
  let failures = 0;
  let inARow = 0;
  let doubtsInARow = 0;
  const suspects = new Set<number>();
  const recent: boolean[] = [];
  const note = (bad: boolean): void => {
    recent.push(bad);
    if (recent.length > recentSpan) recent.shift();
  };
  return {
    /** The provider accepted a message, or refused it permanently. */
    good({ taken }: { taken: boolean }): void {
      proven = true;
      inARow = 0;
      doubtsInARow = 0;
      if (taken) {
        hasTaken = true;
        suspects.clear();
      }
      note(false);
    },
    hasTaken: (): boolean => hasTaken,
    /**
     * A message failed. Returns true if the sender must stop, because the run reaches nobody: the check of the stored
     * outcomes comes too late when the database is slow.
     */
    failed(): boolean {
      return !hasTaken && ++failures >= fewestRefused;
    },
    /** The provider may have accepted a message. Returns true if the sender must stop. */
    doubtful(): boolean {
      return ++doubtsInARow >= doubtsAllowed;
    },
    doubts: (): number => doubtsInARow,
    /** The provider returned an account error. Returns true if it is the account's, and no message will be accepted. */
    refusesAccount(messageId: number): boolean {
      suspects.add(messageId);
      return !hasTaken || suspects.size > suspectsAllowed;
    },
    /** Returns true if the sender must stop. */
    bad(): boolean {
      inARow++;
      note(true);
      const share = recent.filter(Boolean).length / recentSpan;
      return inARow >= (proven ? failuresInARow : probeInFlight) || share >= recentShare;
    },
  };
}
