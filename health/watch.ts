import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Why a server cannot be used. Health checks show these without a login: they name no host and quote no error.
 *
 * - `unreachable`: there is no connection;
 * - `silent`: it does not answer in time;
 * - `refused`: it refuses the login, or has no such database;
 * - `not_prepared`: `npm run migrate` has not prepared it;
 * - `restored`: it was restored from a backup, and `npm run migrate` has not been run since;
 * - `disk_full`, `read_only`: it answers, but takes no write;
 * - `failing`: it answers with another error, which is in the log.
 */
export const serverProblems = [
  'unreachable',
  'silent',
  'refused',
  'not_prepared',
  'restored',
  'disk_full',
  'read_only',
  'failing',
] as const;
export type ServerProblem = (typeof serverProblems)[number];

/** The error of a probe. `cause` is the original error. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly problem: ServerProblem;

  constructor(problem: ServerProblem, cause: unknown) {
    super(describe(cause), { cause });
    this.problem = problem;
  }
}

/** One line. Node.js gives an error of several addresses no message, only a code. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : error.name;
  return error.message.split('\n', 1)[0] || code;
}

/** The state of a server at the last check. */
export interface ServerState {
  /** Null: it is available. */
  problem: ServerProblem | null;
  /** Since when it is available, or not, as seen by this process. */
  since: Date;
}

export interface WatchOptions<Name extends string> {
  /** Resolves when the server is available, and throws a `ServerError` otherwise. Each runs at most once at a time. */
  probes: Readonly<Record<Name, () => Promise<void>>>;
  /** The names of the servers in the log. */
  labels: Readonly<Record<Name, string>>;
  log: { warn: (fields: object, message: string) => void };
  /** A probe that takes longer counts as `silent`. */
  timeoutMs?: number;
  /** No answer of `look` is older than this. */
  cacheMs?: number;
  /** How often the watch checks by itself. */
  everyMs?: number;
  /** How often the log repeats that a server is unavailable. */
  repeatMs?: number;
}

interface Watched<Name> {
  name: Name;
  state: ServerState | null;
  /** When the last check ended, on the monotonic clock. */
  lookedAt: number;
  look: Promise<ServerState> | null;
  /** A probe that timed out may still be running: the server is not asked again before it ends. */
  probeRuns: boolean;
  loggedAt: number;
}

/**
 * Watches the servers that a process depends on. Logs when one becomes unavailable, once a minute while that lasts, and
 * when it is available again. Answers health checks: callers share a check for a second, so asking costs nothing.
 */
export function createServerWatch<Name extends string>({
  probes,
  labels,
  log,
  timeoutMs = 2_000,
  cacheMs = 1_000,
  everyMs = 5_000,
  repeatMs = 60_000,
}: WatchOptions<Name>) {
  const servers = (Object.keys(probes) as Name[]).map((name): Watched<Name> => {
    return { name, state: null, lookedAt: -Infinity, look: null, probeRuns: false, loggedAt: -Infinity };
  });
  const closed = new AbortController();

  const probe = async (server: Watched<Name>): Promise<ServerError | null> => {
    const late = new ServerError('silent', `No answer within ${timeoutMs} ms`);
    if (server.probeRuns) return late;
    server.probeRuns = true;
    const answer = probes[server.name]()
      .then(() => null)
      .catch((error: unknown) => (error instanceof ServerError ? error : new ServerError('failing', error)))
      .finally(() => (server.probeRuns = false));
    const answered = new AbortController();
    const timeout = sleep(timeoutMs, late, { signal: answered.signal });
    timeout.catch(() => undefined);
    return Promise.race([answer, timeout]).finally(() => answered.abort());
  };

  const record = (server: Watched<Name>, error: ServerError | null): ServerState => {
    const { name, state: before } = server;
    const [now, problem] = [performance.now(), error?.problem ?? null];
    const changed = before === null || (before.problem === null) !== (problem === null);
    const state = { problem, since: changed ? new Date() : before.since };
    const seconds = before === null ? 0 : Math.round((Date.now() - before.since.getTime()) / 1000);
    server.state = state;
    server.lookedAt = now;
    if (error !== null && (before?.problem !== problem || now - server.loggedAt >= repeatMs)) {
      server.loggedAt = now;
      log.warn(
        { server: name, problem, detail: error.message, seconds: changed ? 0 : seconds },
        changed ? `Waiting for ${labels[name]}` : `Still waiting for ${labels[name]}`,
      );
    }
    if (error === null && before !== null && changed)
      log.warn({ server: name, seconds }, `${labels[name]} can be used again`);
    return state;
  };

  const lookAt = async (server: Watched<Name>): Promise<ServerState> => {
    const { state, lookedAt } = server;
    if (state !== null && performance.now() - lookedAt < cacheMs) return state;
    server.look ??= probe(server)
      .then((error) => record(server, error))
      .finally(() => (server.look = null));
    return server.look;
  };

  const look = async (): Promise<Record<Name, ServerState>> => {
    const states = servers.map(async (server) => [server.name, await lookAt(server)] as const);
    return Object.fromEntries(await Promise.all(states)) as Record<Name, ServerState>;
  };

  const watch = async (): Promise<void> => {
    while (!closed.signal.aborted) {
      await look();
      await sleep(everyMs, undefined, { signal: closed.signal, ref: false }).catch(() => undefined);
    }
  };

  return {
    /** The state of each server, at most `cacheMs` old. Never throws. */
    look,

    /** Starts periodic checks, until `close`. */
    start(): void {
      void watch();
    },

    close(): void {
      closed.abort();
    },
  };
}
export type ServerWatch<Name extends string> = ReturnType<typeof createServerWatch<Name>>;

const retryMs = 500;

/**
 * Repeats `attempt` for as long as it fails because its server is unavailable. Throws its other errors, and the
 * signal's reason once that is aborted.
 */
export async function whenReachable<T>(
  attempt: () => Promise<T>,
  isAway: (error: unknown) => boolean,
  signal?: AbortSignal,
): Promise<T> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!isAway(error)) throw error;
    }
    await sleep(retryMs, undefined, signal ? { signal } : {});
  }
}
