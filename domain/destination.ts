import { type Problem, problem } from './problems/coded.ts';

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

const missing: ReadonlySet<string> = new Set(['missing', 'missing_header', 'missing_template_secret']);

/** Problems of secrets that are missing only because what is stored was entered for another address. */
export const askedAgain = <P extends { field: string; code: string }>(
  problems: readonly P[],
): (P | Problem<'enter_again'>)[] =>
  problems.map((one) => (missing.has(one.code) ? problem(one.field, 'enter_again') : one));
