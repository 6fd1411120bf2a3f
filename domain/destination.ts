import { type Problem, problem } from './problems/coded.ts';

/**
 * Where stored secrets are sent. A user who changes an address must not obtain a secret that way: a secret is bound to
 * the origins (scheme, host and port) that it was entered for.
 */

/** The origin of an address; placeholders may follow it (domain/http-gateway.ts). Null: not an address. */
export const originOf = (address: string): string | null =>
  URL.canParse(address) ? new URL(address).origin : null;

/** Whether the addresses `after` include an origin that the addresses `before` do not. */
export function hasNewOrigin(before: readonly string[], after: readonly string[]): boolean {
  const known = new Set(before.map(originOf));
  return after.some((address) => !known.has(originOf(address)));
}

const missing: ReadonlySet<string> = new Set(['missing', 'missing_header', 'missing_template_secret']);

/** Problems of secrets that are missing only because the stored ones were entered for another address. */
export const askedAgain = <P extends { field: string; code: string }>(
  problems: readonly P[],
): (P | Problem<'enter_again'>)[] =>
  problems.map((one) => (missing.has(one.code) ? problem(one.field, 'enter_again') : one));
