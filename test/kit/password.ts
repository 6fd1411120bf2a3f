import { randomBytes, scryptSync } from 'node:crypto';
import { createPasswords } from '../../api/access/passwords.ts';

const cost = { ln: 4, r: 8, p: 1 };

/** Password hashing that takes a millisecond instead of half a second. */
export const cheapPasswords = createPasswords(cost);

/**
 * A password hash that takes a millisecond to verify, because a hash contains its own cost (api/access/passwords.ts). For
 * test users whose password does not matter.
 */
export function cheapHash(password: string): string {
  const { ln, r, p } = cost;
  const salt = randomBytes(16);
  const hash = scryptSync(password, salt, 32, { N: 2 ** ln, r, p });
  return `$scrypt$ln=${ln},r=${r},p=${p}$${salt.toString('base64')}$${hash.toString('base64')}`;
}
