import type { FastifyRequest } from 'fastify';
import type { Api } from './api.ts';
import type { View } from './view.tsx';

/** The console's side of a request. */
export interface ConsoleRequest {
  api: Api;
  view: View;
  /** A signed-in user has to choose their own password first; `view.me` is null then. */
  givenPassword: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    console: ConsoleRequest | null;
  }
  interface FastifyContextConfig {
    /** A part of a page, for htmx: without layout. The console's tests visit every other GET. */
    fragment?: boolean;
  }
}

/** For handlers of the console. */
export function consoleOf(request: FastifyRequest): ConsoleRequest {
  if (!request.console) throw new Error('The console has not looked at this request.');
  return request.console;
}

/** Whether a script requests a part of a page; without scripts the browser requests the whole page. */
export const isPart = (request: FastifyRequest): boolean => request.headers['hx-request'] === 'true';
