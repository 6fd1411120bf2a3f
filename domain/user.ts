import { z } from 'zod';

/** From the one who may do most; each may do all that the ones behind it may. */
export const roles = ['admin', 'operator', 'viewer'] as const;
export const role = z.enum(roles, { error: `Expected a role: ${roles.join(', ')}.` });
export type Role = z.infer<typeof role>;

/** Whether someone with the role `has` may do what needs the role `needs`. */
export const roleSuffices = (has: Role, needs: Role): boolean => roles.indexOf(has) <= roles.indexOf(needs);

export const locale = z.enum(['pt-BR', 'en'], { error: 'Expected pt-BR or en.' });
export type Locale = z.infer<typeof locale>;

/** A name to log in with. Case is not significant: it is kept in lower case. */
export const login = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9][a-z0-9._@+-]{0,99}$/, 'Use up to 100 letters without accents, digits and . _ @ + -');

/**
 * A password as it is chosen. Length is all that is asked for (NIST SP 800-63B, 3.1.1.2); the longest bounds the work
 * of hashing.
 */
export const newPassword = z
  .string()
  .min(12, 'Choose a password of at least 12 characters.')
  .max(200, 'Choose a password of at most 200 characters.');

export const personName = z.string().trim().min(1, 'Give a name.').max(120);
