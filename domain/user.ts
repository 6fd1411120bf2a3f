import { z } from 'zod';
import { coded } from './problems/coded.ts';

/** From the one who may do most; each may do all that the ones behind it may. */
export const roles = ['admin', 'operator', 'viewer'] as const;
export const role = z.enum(roles);
export type Role = z.infer<typeof role>;

/** Whether someone with the role `has` may do what needs the role `needs`. */
export const roleSuffices = (has: Role, needs: Role): boolean => roles.indexOf(has) <= roles.indexOf(needs);

export const locale = z.enum(['pt-BR', 'en']);
export type Locale = z.infer<typeof locale>;

/** A name to log in with. Case is not significant: it is kept in lower case. */
export const login = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9][a-z0-9._@+-]{0,99}$/, coded('login_format'));

/**
 * A password as it is chosen. Length is all that is asked for (NIST SP 800-63B, 3.1.1.2); the longest bounds the work
 * of hashing.
 */
export const newPassword = z
  .string()
  .min(12, coded('password_too_short'))
  .max(200, coded('password_too_long'));

export const personName = z.string().trim().min(1, coded('missing')).max(120);
