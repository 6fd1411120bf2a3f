/** Until the provider has taken one message, so many at a time are risked; doubled with each that it takes. */
export const probeInFlight = 4;
/** More failures than this in a row, or in `recentSpan` sends more than `recentShare`, are the provider's, not the messages'. */
const failuresInARow = 20;
const recentSpan = 100;
const recentShare = 0.8;

abstract class ProviderError extends Error {
  readonly code: string;
  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** The provider refuses the account: no message will be taken until a person has acted. */
export class ProviderAccountError extends ProviderError {
  override readonly name = 'ProviderAccountError';
}

/** Sends fail one after the other: the provider, or the way to it, is down. */
export class ProviderUnavailableError extends ProviderError {
  override readonly name = 'ProviderUnavailableError';
}

/** Tells failures that are the provider's from those of single messages. */
export function createHealth() {
  let proven = false;
  let inARow = 0;
  const recent: boolean[] = [];
  const note = (bad: boolean): void => {
    recent.push(bad);
    if (recent.length > recentSpan) recent.shift();
  };
  return {
    good(): void {
      proven = true;
      inARow = 0;
      note(false);
    },
    /** True: stop. */
    bad(): boolean {
      inARow++;
      note(true);
      const share = recent.filter(Boolean).length / recentSpan;
      return inARow >= (proven ? failuresInARow : probeInFlight) || share >= recentShare;
    },
  };
}
