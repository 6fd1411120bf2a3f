import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from './errors.ts';

export interface RequestsPerMinute {
  /** Of a user or a token. */
  account: number;
  /** Of an address, without a session or token that was good a moment ago. */
  stranger: number;
}
/** Above what pages and programs ask for, and an office that signs in; below what is asked to do harm. */
const usualRequestsPerMinute: RequestsPerMinute = { account: 3_000, stranger: 1_000 };
/** A session or token that was good is no stranger's for so long. */
const provenForMs = 10 * 60_000;
const maxProven = 10_000;

/** A client by its address; of IPv6 by its network, since one client has 2^64 addresses there. */
export const clientOf = ({ ip }: FastifyRequest): string => normalizeIP(ip);

/** Who a request counts for: whoever signed in, else the client's address. */
const accountOf = (request: FastifyRequest): string =>
  request.actor ? `${request.actor.kind}:${request.actor.id}` : clientOf(request);

/**
 * Limits the requests of the scope it is called in. What may cost a look into the database is limited before that look,
 * by address; who is known counts by themselves, so that nobody uses up what others at the same address may ask.
 */
export async function createRequestLimits(
  app: FastifyInstance,
  { account, stranger }: RequestsPerMinute = usualRequestsPerMinute,
) {
  // Routes may have a limit of their own (`config.rateLimit`).
  await app.register(rateLimit, {
    global: false,
    cache: 20_000,
    keyGenerator: accountOf,
    errorResponseBuilder: (_, { ttl }) => tooMany(ttl),
  });
  const ofAddress = app.createRateLimit({
    max: stranger,
    timeWindow: '1 minute',
    keyGenerator: clientOf,
  });
  const ofAccount = app.createRateLimit({ max: account, timeWindow: '1 minute' });
  /** Hashes of sessions and tokens, with the time until which they count as proven; the longest unused first. */
  const proven = new Map<string, number>();

  return {
    /** Before anything is asked of the database. Throws `rate_limited`. */
    async stranger(request: FastifyRequest, credential: Buffer | null): Promise<void> {
      if (credential && (proven.get(credential.toString('base64')) ?? 0) > Date.now()) return;
      const count = await ofAddress(request);
      if (!count.isAllowed && count.isExceeded) throw tooMany(count.ttl);
    },

    /** Once it is known who asks. Throws `rate_limited`. */
    async account(request: FastifyRequest): Promise<void> {
      const count = await ofAccount(request);
      if (!count.isAllowed && count.isExceeded) throw tooMany(count.ttl);
    },

    /** A session or token was good. */
    prove(credential: Buffer): void {
      const key = credential.toString('base64');
      proven.delete(key);
      proven.set(key, Date.now() + provenForMs);
      const [oldest] = proven.keys();
      if (proven.size > maxProven && oldest !== undefined) proven.delete(oldest);
    },

    /** It is not, any more. */
    disprove(credential: Buffer): void {
      proven.delete(credential.toString('base64'));
    },
  };
}
export type RequestLimits = Awaited<ReturnType<typeof createRequestLimits>>;

const tooMany = (retryAfterMs: number): ApiError =>
  new ApiError('rate_limited', { params: { retryAfterMs, logins: false } });
