import { setTimeout } from 'node:timers/promises';
import {
  Connection,
  defaultGrpcRetryOptions,
  isGrpcServiceError,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';
import { ServerError, type ServerProblem } from './watch.ts';

export interface TemporalServer {
  address: string;
  tls: boolean;
  apiKey?: string | undefined;
}

export interface TemporalConnection {
  connection: Connection;
  /** Ends the calls that are open. They fail, and no call may follow. */
  close: () => Promise<void>;
}

const longestRetryPauseMs = 2_000;

/**
 * A connection that opens at its first use. By default gRPC waits up to two minutes between attempts to connect, long
 * after the server is back.
 *
 * The client repeats failed calls from a timer, and throws there once the channel is closed, where nobody can catch it
 * (`retry` in grpc-retry.js of @temporalio/client). So `close` first waits for these timers.
 */
export function connectLazily({ address, tls, apiKey }: TemporalServer): TemporalConnection {
  const { retryableDecider, delayFunction } = defaultGrpcRetryOptions();
  let isClosing = false;
  let lastRetryAt = 0;
  const connection = Connection.lazy({
    address,
    tls,
    ...(apiKey === undefined ? {} : { apiKey }),
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 2_000 },
    interceptors: [
      makeGrpcRetryInterceptor({
        retryableDecider: (attempt, status) => !isClosing && retryableDecider(attempt, status),
        delayFunction: (attempt, status) => {
          const pauseMs = Math.min(longestRetryPauseMs, delayFunction(attempt, status));
          lastRetryAt = Math.max(lastRetryAt, performance.now() + pauseMs);
          return pauseMs;
        },
      }),
    ],
  });
  return {
    connection,
    close: async () => {
      isClosing = true;
      const leftMs = lastRetryAt - performance.now();
      if (leftMs > 0) await setTimeout(leftMs + 10);
      await connection.close();
    },
  };
}

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
