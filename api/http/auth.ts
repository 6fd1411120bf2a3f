import { createHash, randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type AuditEntry, insertAudit, type SubjectKind } from '../../db/access/audit.ts';
import type { Sql } from '../../db/core/client.ts';
import { useSession } from '../../db/access/sessions.ts';
import { useToken } from '../../db/access/tokens.ts';
import { hasUsers, insertFirstUser } from '../../db/access/users.ts';
import { type Locale, type Permission, type Role, roleSuffices } from '../../domain/user.ts';
import type { AuditAction } from '../../domain/words/audit.ts';
import { ApiError } from './errors.ts';
import type { RequestLimits } from './request-limits.ts';
import { createPasswords, generatePassword, type Passwords } from '../access/passwords.ts';

/** Who may call a route: everybody (`open`), or those with a permission. Each route declares it in its config. */
export type Access = 'open' | Permission;

/** The actor of a request. */
export interface Actor {
  kind: 'user' | 'token';
  id: number;
  name: string;
  role: Role;
  mustChangePassword: boolean;
  /** The language and time zone of a user; null for a token. */
  reads: { locale: Locale; timezone: string } | null;
  /** The session of the request; null for a token. */
  sessionHash: Buffer | null;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** Not available to API tokens, whatever their role. */
    usersOnly?: boolean;
    /** Also available to a user who must choose a new password first. */
    withGivenPassword?: boolean;
  }
  interface FastifyRequest {
    /** Null on open routes. */
    actor: Actor | null;
  }
  interface FastifyInstance {
    /** Every route with its access, in order of registration. */
    accessTable: { method: string; url: string; access: () => Access | undefined }[];
  }
}

/** `user:7`, `token:3`: the actor's name in the audit log and in Temporal. */
export const actorId = ({ kind, id }: Actor): string => `${kind}:${id}`;

/** The actor of a request. For handlers of routes that are not open. */
export function actorOf(request: FastifyRequest): Actor {
  if (!request.actor) throw new ApiError('unauthenticated');
  return request.actor;
}

/** Writes the audit log's entry for a change; call it in the transaction of the change, before a subject is deleted. */
export async function audit(
  tx: Sql,
  request: FastifyRequest,
  action: AuditAction,
  subject: { kind: SubjectKind; id: number | null },
  details: AuditEntry['details'] = {},
  changes: AuditEntry['changes'] = {},
): Promise<void> {
  const actor = actorOf(request);
  await insertAudit(tx, {
    actor: actorId(actor),
    actorName: actor.name,
    action,
    subjectKind: subject.kind,
    subjectId: subject.id,
    details,
    changes,
  });
}

/** Sessions and tokens have 256 random bits: a fast hash is sufficient. */
export const hashSecret = (secret: string): Buffer => createHash('sha256').update(secret).digest();

const tokenPrefix = 'tpd_';
export const newToken = (): string => tokenPrefix + randomBytes(32).toString('base64url');

/** The session cookie of a deployment at `publicUrl`. */
export function createSessionCookie(publicUrl: string) {
  const secure = publicUrl.startsWith('https:');
  // A browser accepts a cookie with this prefix only from the host itself, over TLS: a sibling subdomain cannot set it.
  const name = secure ? '__Host-torpedo' : 'torpedo';
  // Lax, not Strict: a user who follows a link from the Temporal UI or a mail must stay logged in. No GET changes
  // anything.
  const options = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const;
  return {
    read: (request: FastifyRequest): string | undefined => request.cookies[name],
    /** Without an age: the browser deletes it when it closes, and the database expires it before that. */
    set: (reply: FastifyReply, id: string) => reply.setCookie(name, id, options),
    clear: (reply: FastifyReply) => reply.clearCookie(name, options),
  };
}
export type SessionCookie = ReturnType<typeof createSessionCookie>;

/**
 * Authenticates every request of the scope it is called in and checks the route's declared access, before the body is
 * read. A route without a declaration cannot be called.
 */
export function addAuthentication(
  app: FastifyInstance,
  {
    sql,
    cookie,
    limits,
    publicUrl,
  }: { sql: Sql; cookie: SessionCookie; limits: RequestLimits; publicUrl: string },
): void {
  const publicOrigin = new URL(publicUrl).origin;

  app.addHook('onRequest', async (request) => {
    // Fastify's own answer to an unknown address has no config of ours.
    if (request.is404) return;
    const credential = credentialOf(request);
    await limits.unauthenticated(request, credential?.hash ?? null);
    const { access, usersOnly, withGivenPassword } = request.routeOptions.config;
    if (access === 'open') return;
    // The automatic requests of an open page must not keep its session alive.
    const isBackground = request.headers['torpedo-background'] !== undefined;
    const actor = credential && (await actorOfCredential(credential, isBackground));
    if (!actor) {
      if (credential) limits.disprove(credential.hash);
      throw new ApiError('unauthenticated');
    }
    limits.prove(credential.hash);
    request.actor = actor;
    await limits.account(request);
    if (actor.mustChangePassword && !withGivenPassword) throw new ApiError('password_change_required');
    if (access === undefined) {
      request.log.error({ route: request.routeOptions.url }, 'the route declares no access');
      throw new ApiError('forbidden', { params: { needs: null, role: null } });
    }
    if (!roleSuffices(actor.role, access)) {
      throw new ApiError('forbidden', {
        params: { needs: access === 'any_role' ? null : access, role: actor.role },
      });
    }
    if (usersOnly && actor.kind === 'token') throw new ApiError('not_for_tokens');
    if (actor.sessionHash && isCrossSite(request, publicOrigin)) throw new ApiError('cross_site');
  });

  /** The credentials of a request; null if there are none, or if the value cannot be a credential. */
  function credentialOf(request: FastifyRequest): Credential | null {
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      // Do not fall back to the session: a client that sends a token wants to act as the token.
      const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
      return token?.startsWith(tokenPrefix) === true ? { kind: 'token', hash: hashSecret(token) } : null;
    }
    const id = cookie.read(request);
    return id === undefined ? null : { kind: 'session', hash: hashSecret(id) };
  }

  async function actorOfCredential({ kind, hash }: Credential, isBackground: boolean): Promise<Actor | null> {
    if (kind === 'token') {
      const token = await useToken(sql, hash);
      return token && { kind: 'token', sessionHash: null, mustChangePassword: false, reads: null, ...token };
    }
    const user = await useSession(sql, hash, { mark: !isBackground });
    if (!user) return null;
    const { id, name, role, mustChangePassword, locale, timezone } = user;
    const reads = { locale, timezone };
    return { kind: 'user', id, name, role, mustChangePassword, reads, sessionHash: hash };
  }
}

interface Credential {
  kind: 'session' | 'token';
  hash: Buffer;
}

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Whether a browser sends the request from a page of another site. Sec-Fetch-Site shows it; browsers omit it on plain
 * HTTP, and then Origin shows it. Without both headers, nothing proves that the page is ours.
 */
export function isCrossSite(request: FastifyRequest, publicOrigin: string): boolean {
  if (safeMethods.has(request.method)) return false;
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin } = request.headers;
  return (
    origin !== publicOrigin && !(URL.canParse(origin ?? '') && new URL(origin ?? '').host === request.host)
  );
}

/**
 * Creates the user `admin` with a random password if there are no users, and returns both, only this once; null if
 * there are users. The caller shows the password to the operator who starts the deployment. The password only permits
 * choosing another one: a copy in a log is useless after that.
 */
export async function ensureFirstAdmin(
  sql: Sql,
  passwords: Passwords = createPasswords(),
): Promise<{ login: string; password: string } | null> {
  if (await hasUsers(sql)) return null;
  const login = 'admin';
  const password = generatePassword();
  const passwordHash = await passwords.hash(password);
  const added = await insertFirstUser(sql, { login, name: 'Admin', passwordHash, role: 'admin' });
  return added ? { login, password } : null;
}
