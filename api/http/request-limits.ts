import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from './errors.ts';

export interface RequestsPerMinute {
  /** For a user or a token. */
  account: number;
  /** For an address, without a recently valid session or token. */
  unauthenticated: number;
}
/** More than pages, programs and a whole office at one address need; less than an attack needs. */
const usualRequestsPerMinute: RequestsPerMinute = { account: 3_000, unauthenticated: 1_000 };
/** A session or token counts as known for this long after it was valid. */
const provenForMs = 10 * 60_000;
const maxProven = 10_000;

/** A client by its address; for IPv6 by its network, because one client has 2^64 addresses there. */
export const clientOf = ({ ip }: FastifyRequest): string => normalizeIP(ip);

/** The actor that a request counts for, or the client's address. */
const accountOf = (request: FastifyRequest): string =>
  request.actor ? `${request.actor.kind}:${request.actor.id}` : clientOf(request);

/**
 * Limits the requests of the scope it is called in. A request that may query the database is limited before that query,
 * by address. A known actor is counted separately, so that others at the same address cannot use up its limit.
 */
export async function createRequestLimits(
  app: FastifyInstance,
  { account, unauthenticated }: RequestsPerMinute = usualRequestsPerMinute,
) {
  // Routes may have a limit of their own (`config.rateLimit`).
  await app.register(rateLimit, {
    global: false,
    cache: 20_000,
    keyGenerator: accountOf,
    errorResponseBuilder: (_, { ttl }) => tooMany(ttl),
  });
  const ofAddress = app.createRateLimit({
    max: unauthenticated,
    timeWindow: '1 minute',
    keyGenerator: clientOf,
  });
  const ofAccount = app.createRateLimit({ max: account, timeWindow: '1 minute' });
  /** Hashes of sessions and tokens, with the time until which they count as valid; the least recently used first. */
  const proven = new Map<string, number>();

  return {
    /** Call before the first database query. Throws `rate_limited`. */
    async unauthenticated(request: FastifyRequest, credential: Buffer | null): Promise<void> {
      if (credential && (proven.get(credential.toString('base64')) ?? 0) > Date.now()) return;
      const count = await ofAddress(request);
      if (!count.isAllowed && count.isExceeded) throw tooMany(count.ttl);
    },

    /** Call once the actor is known. Throws `rate_limited`. */
    async account(request: FastifyRequest): Promise<void> {
      const count = await ofAccount(request);
      if (!count.isAllowed && count.isExceeded) throw tooMany(count.ttl);
    },

    /** Call if a session or token was valid. */
    prove(credential: Buffer): void {
      const key = credential.toString('base64');
      proven.delete(key);
      proven.set(key, Date.now() + provenForMs);
      const [oldest] = proven.keys();
      if (proven.size > maxProven && oldest !== undefined) proven.delete(oldest);
    },

    /** Call if it is no longer valid. */
    disprove(credential: Buffer): void {
      proven.delete(credential.toString('base64'));
    },
  };
}
export type RequestLimits = Awaited<ReturnType<typeof createRequestLimits>>;

const tooMany = (retryAfterMs: number): ApiError =>
  new ApiError('rate_limited', { params: { retryAfterMs, logins: false } });
