import type { Problem } from './campaign.ts';

/**
 * Where stored secrets are sent. Whoever may change an address must not by that learn a secret which nobody is shown: a
 * secret stays with the origins (scheme, host and port) that it was entered for.
 */

/** The origin of an address; placeholders may follow it (domain/http-gateway.ts). Null: this is no address. */
export const originOf = (address: string): string | null =>
  URL.canParse(address) ? new URL(address).origin : null;

/** Whether what was sent to the addresses `before` would be sent to another origin by the addresses `after`. */
export function leadsElsewhere(before: readonly string[], after: readonly string[]): boolean {
  const known = new Set(before.map(originOf));
  return after.some((address) => !known.has(originOf(address)));
}

/** Problems of secrets that are missing only because what is stored was entered for another address. */
export const askedAgain = (problems: readonly Problem[]): Problem[] =>
  problems.map((problem) =>
    problem.code === 'missing'
      ? {
          ...problem,
          code: 'enter_again',
          message:
            'The stored secret was entered for another address. Enter it again to have it sent to this one.',
        }
      : problem,
  );
