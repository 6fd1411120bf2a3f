import type { FastifyBaseLogger } from 'fastify';
import { sessionsInForce } from '../../db/access/sessions.ts';
import { tokensInForce } from '../../db/access/tokens.ts';
import type { Sql } from '../../db/core/client.ts';
import { type Permission, type Role, roleSuffices } from '../../domain/user.ts';
import type { Actor } from '../http/auth.ts';

/** How long a stream may outlive the session or token that opened it. */
const lookMs = 2_000;

interface Guarded {
  actor: Actor;
  needs: Permission;
  end: () => void;
}

/**
 * Ends streams whose session or token has ended or lost the role that the stream needs: a request is authenticated
 * once, and without this a stream would continue until its reader ends it. One query serves all streams of the process.
 *
 * While the database is unavailable, streams stay open: nothing new is sent on them then.
 */
export function createStreamGuard({ sql, log }: { sql: Sql; log: FastifyBaseLogger }) {
  const streams = new Set<Guarded>();
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  const look = async (): Promise<void> => {
    try {
      const looked = [...streams];
      const [sessions, tokens] = await Promise.all([
        sessionsInForce(
          sql,
          looked.flatMap(({ actor }) => actor.sessionHash ?? []),
        ),
        tokensInForce(
          sql,
          looked.flatMap(({ actor }) => (actor.kind === 'token' ? actor.id : [])),
        ),
      ]);
      const roles = new Map<string, Role>([
        ...sessions.map(({ idHash, role }) => [idHash.toString('base64'), role] as const),
        ...tokens.map(({ id, role }) => [`token:${id}`, role] as const),
      ]);
      for (const stream of looked) {
        const role = roles.get(keyOf(stream.actor));
        if (role !== undefined && roleSuffices(role, stream.needs)) continue;
        streams.delete(stream);
        stream.end();
      }
    } catch (error) {
      log.warn({ err: error, streams: streams.size }, 'event streams could not be checked');
    }
    timer = null;
    lookAgain();
  };
  const lookAgain = (): void => {
    if (!closed && streams.size > 0) timer ??= setTimeout(() => void look(), lookMs);
  };

  return {
    /** Calls `end` once, when the actor may no longer read the stream. Returns a function that stops the watch. */
    watch(actor: Actor, needs: Permission, end: () => void): () => void {
      const stream = { actor, needs, end };
      streams.add(stream);
      lookAgain();
      return () => streams.delete(stream);
    },

    close(): void {
      closed = true;
      if (timer) clearTimeout(timer);
      streams.clear();
    },
  };
}
export type StreamGuard = ReturnType<typeof createStreamGuard>;

const keyOf = ({ sessionHash, id }: Actor): string => sessionHash?.toString('base64') ?? `token:${id}`;
