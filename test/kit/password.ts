import { randomBytes, scryptSync } from 'node:crypto';

/**
 * The hash of a password that is compared in a millisecond and not in half a second: what it costs is written in it
 * (api/access/passwords.ts). For the users of tests whose password is nobody's concern.
 */
export function cheapHash(password: string): string {
  const salt = randomBytes(16);
  const hash = scryptSync(password, salt, 32, { N: 2 ** 4, r: 8, p: 1 });
  return `$scrypt$ln=4,r=8,p=1$${salt.toString('base64')}$${hash.toString('base64')}`;
}
