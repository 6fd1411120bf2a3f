import { Connection, isGrpcServiceError } from '@temporalio/client';
import { ServerError, type ServerProblem } from './watch.ts';

export interface TemporalServer {
  address: string;
  tls: boolean;
  apiKey?: string | undefined;
}

/**
 * A connection that opens at its first use. By default gRPC waits up to two minutes between attempts to connect, long
 * after the server is back.
 */
export const connectLazily = ({ address, tls, apiKey }: TemporalServer): Connection =>
  Connection.lazy({
    address,
    tls,
    ...(apiKey === undefined ? {} : { apiKey }),
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 2_000 },
  });

/** By gRPC's code: https://grpc.io/docs/guides/status-codes/ */
const problems: ReadonlyMap<number, ServerProblem> = new Map([
  // The client repeats a call that finds no server until its deadline.
  [4, 'unreachable'],
  [5, 'not_prepared'],
  [7, 'refused'],
  [14, 'unreachable'],
  [16, 'refused'],
]);

const problemOf = (error: unknown): ServerProblem =>
  (isGrpcServiceError(error) ? problems.get(error.code) : null) ?? 'failing';

/** Shorter than the watch waits for a probe. */
const timeoutMs = 1_500;

/** Resolves when Temporal answers and has the namespace. */
export const temporalProbe = (connection: Connection, namespace: string) => async (): Promise<void> => {
  try {
    await connection.withDeadline(Date.now() + timeoutMs, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
  } catch (error) {
    throw new ServerError(problemOf(error), error);
  }
};
