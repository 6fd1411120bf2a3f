import { z } from 'zod';
import { serverProblems, type ServerState } from './watch.ts';

export type Servers = 'database' | 'temporal';

/** The names of the servers in the log. */
export const serverLabels = { database: 'PostgreSQL', temporal: 'Temporal' } as const satisfies Record<
  Servers,
  string
>;

/** The answer of a health check. */
export const readiness = z.object({
  ready: z.boolean(),
  /** It accepted a write at the last check, at most a second ago. */
  database: z.boolean(),
  temporal: z.boolean(),
  /** The servers that this process waits for. */
  waitingFor: z.array(
    z.object({
      server: z.enum(['database', 'temporal']),
      problem: z.enum(serverProblems),
      /** By this process's clock. */
      since: z.iso.datetime(),
    }),
  ),
});

/** Derives the state of a process from the states of its servers; `otherwiseReady` is what else it needs. */
export function readinessOf(
  states: Record<Servers, ServerState>,
  otherwiseReady: boolean,
): z.infer<typeof readiness> {
  const [database, temporal] = [states.database.problem === null, states.temporal.problem === null];
  return {
    ready: database && temporal && otherwiseReady,
    database,
    temporal,
    waitingFor: (['database', 'temporal'] as const).flatMap((server) => {
      const { problem, since } = states[server];
      return problem === null ? [] : [{ server, problem, since: since.toISOString() }];
    }),
  };
}
