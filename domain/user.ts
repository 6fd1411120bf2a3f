import { z } from 'zod';
import { coded } from './problems/coded.ts';

/** In the order of the console's lists. */
export const roles = ['admin', 'operator', 'agent', 'viewer'] as const;
export const role = z.enum(roles);
export type Role = z.infer<typeof role>;

/**
 * Who may do what: each route requires one permission, and these roles have it. A permission is named after the role
 * with the fewest others that has it; an agent and a viewer are beside each other.
 */
export const permissions = {
  /** Settings, providers, users, privacy. */
  admin: ['admin'],
  /** Change campaigns, runs and customers. */
  operator: ['admin', 'operator'],
  /** Change and answer tickets, opt a phone out. */
  agent: ['admin', 'operator', 'agent'],
  /** Read everything without secrets. */
  viewer: ['admin', 'operator', 'viewer'],
  /** Read tickets, replies, customers and the settings of their forms; one's own session and profile. */
  any_role: ['admin', 'operator', 'agent', 'viewer'],
} as const satisfies Record<string, readonly Role[]>;
export type Permission = keyof typeof permissions;

export const roleSuffices = (role: Role, needs: Permission): boolean => {
  const allowed: readonly Role[] = permissions[needs];
  return allowed.includes(role);
};

export const locale = z.enum(['pt-BR', 'en']);
export type Locale = z.infer<typeof locale>;

/** A login name. Case is not significant: stored in lower case. */
export const login = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9][a-z0-9._@+-]{0,99}$/, coded('login_format'));

/** A new password. Only its length matters (NIST SP 800-63B, 3.1.1.2); the maximum bounds the work of hashing. */
export const newPassword = z
  .string()
  .min(12, coded('password_too_short'))
  .max(200, coded('password_too_long'));

export const personName = z.string().trim().min(1, coded('missing')).max(120);
