import { randomBytes, scryptSync } from 'node:crypto';
import { createPasswords } from '../../api/access/passwords.ts';

const cost = { ln: 4, r: 8, p: 1 };

/** Passwords at a cost of a millisecond and not of half a second, in the APIs of tests. */
export const cheapPasswords = createPasswords(cost);

/**
 * The hash of a password that is compared in a millisecond: what it costs is written in it (api/access/passwords.ts).
 * For the users of tests whose password is nobody's concern.
 */
export function cheapHash(password: string): string {
  const { ln, r, p } = cost;
  const salt = randomBytes(16);
  const hash = scryptSync(password, salt, 32, { N: 2 ** ln, r, p });
  return `$scrypt$ln=${ln},r=${r},p=${p}$${salt.toString('base64')}$${hash.toString('base64')}`;
}
