import { randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { ApiError } from '../http/errors.ts';
import { createTurns } from './turns.ts';

interface PasswordCost {
  /** The logarithm of N to the base 2. */
  ln: number;
  r: number;
  p: number;
}

/** OWASP's minimum for scrypt; 128 MiB and half a second of a core each. */
const passwordCost: PasswordCost = { ln: 17, r: 8, p: 1 };
/** Above the 128 · N · r bytes that scrypt needs: Node's default limit is a quarter of that. */
const maxmem = 256 * 1024 * 1024;
const hashBytes = 32;

/** Each hash takes 128 MiB and one thread of the pool that file and DNS operations share. */
const inTurn = createTurns({
  atOnce: 2,
  maxWaiting: 40,
  refusal: () => new ApiError('busy', { params: { with: 'requests' } }),
});

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  scrypt,
);

/** Clients take turns: login attempts must not use up the memory, or the threads that other work needs. */
const derived = (
  client: string,
  password: string,
  salt: Buffer,
  { ln, r, p }: PasswordCost,
): Promise<Buffer> =>
  inTurn(client, () =>
    // The same characters in another Unicode composition are the same password.
    derive(password.normalize('NFKC'), salt, hashBytes, { N: 2 ** ln, r, p, maxmem }),
  );

const encoded = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/;

/** Hashes passwords. Tests that are not about the cost use a small one. */
export function createPasswords(cost: PasswordCost = passwordCost) {
  return {
    /**
     * `$scrypt$ln=17,r=8,p=1$salt$hash`, after the PHC string format.
     *
     * @param client the caller, because clients take turns (`clientOf`)
     * @throws {ApiError} `busy`, when too many clients wait
     */
    async hash(password: string, client = ''): Promise<string> {
      const salt = randomBytes(16);
      const hashed = await derived(client, password, salt, cost);
      const { ln, r, p } = cost;
      return `$scrypt$ln=${ln},r=${r},p=${p}$${salt.toString('base64')}$${hashed.toString('base64')}`;
    },

    /** Takes as long for an unknown user (`null`) as for a wrong password. `client` and errors as in `hash`. */
    async verify(password: string, stored: string | null, client = ''): Promise<boolean> {
      const match = stored === null ? null : encoded.exec(stored);
      if (!match) {
        await derived(client, password, Buffer.alloc(16), cost);
        return false;
      }
      const [, ln, r, p, salt = '', expected = ''] = match;
      const actual = await derived(client, password, Buffer.from(salt, 'base64'), {
        ln: Number(ln),
        r: Number(r),
        p: Number(p),
      });
      const hashed = Buffer.from(expected, 'base64');
      return hashed.length === actual.length && timingSafeEqual(hashed, actual);
    },
  };
}
export type Passwords = ReturnType<typeof createPasswords>;

/** Without similar-looking characters: 0 and o, 1 and l and i. */
const readable = 'abcdefghjkmnpqrstuvwxyz23456789';

/** A random password that is easy to read out and type: 20 characters in groups, 99 bits. */
export function generatePassword(): string {
  const character = () => readable.charAt(randomInt(readable.length));
  return Array.from({ length: 5 }, () => Array.from({ length: 4 }, character).join('')).join('-');
}
