import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { VNode } from 'preact';
import { z } from 'zod';
import { idParams } from '../../api/http/parameters.ts';
import type { Permission } from '../../domain/user.ts';
import { type Query, queryOf } from './filters.tsx';
import type { FormState } from './form.tsx';
import type { FormValues } from './form-data.ts';
import { type ConsoleRequest, consoleOf } from './request.ts';
import { act, type Done, formOf, type Shown, submit } from './responses.tsx';

/** The parts of a request that pages and forms use. */
export interface PageRequest extends ConsoleRequest {
  /** The `:id` of the address. */
  readonly id: number;
  /** Another parameter of the address. */
  param: (name: string) => string;
  /** The parameters of the address that have a value. */
  query: Query;
  /** The sent form. */
  form: FormValues;
}

const validated = z.object({ id: z.int() });
const parameters = z.record(z.string(), z.string());

export const pageRequest = (request: FastifyRequest): PageRequest => ({
  ...consoleOf(request),
  get id() {
    return validated.parse(request.params).id;
  },
  param: (name) => parameters.parse(request.params)[name] ?? '',
  query: queryOf(request.query),
  form: formOf(request),
});

/** `open`: also without a user, or before the user has chosen their own password. */
export type Access = Permission | 'open';

export const routeOptions = (path: string, access: Access) => ({
  config: { access, ...(access === 'open' ? { withGivenPassword: true } : {}) },
  ...(path.includes('/:id') ? { schema: { params: idParams } } : {}),
});

type Render<T> = (request: PageRequest) => T | Promise<T>;

/** A page of the console, or the address of the one to see instead. */
export function addPage(
  app: FastifyInstance,
  path: string,
  access: Access,
  page: Render<VNode | { to: string }>,
): void {
  app.get(path, routeOptions(path, access), async (request, reply) => {
    const answer = await page(pageRequest(request));
    return 'to' in answer ? reply.redirect(answer.to, 303) : reply.page(answer);
  });
}

/** A part of a page that htmx requests; null: it has not changed. */
export function addPart(
  app: FastifyInstance,
  path: string,
  access: Access,
  part: Render<VNode | null>,
  { method = 'GET' }: { method?: 'GET' | 'POST' } = {},
): void {
  const options = routeOptions(path, access);
  app.route({
    method,
    url: path,
    ...options,
    config: { ...options.config, fragment: true },
    handler: async (request, reply) => {
      const changed = await part(pageRequest(request));
      return changed === null ? reply.code(204).send() : reply.fragment(changed);
    },
  });
}

interface FormRoute {
  /** Calls the API, and returns the next page. */
  send: (request: PageRequest) => Promise<Done | Shown>;
  /** The page with the form, if the API rejects it. */
  again: (request: PageRequest, state: FormState) => VNode | Promise<VNode>;
}

/** The target of a form: see `submit`. */
export function addForm(
  app: FastifyInstance,
  path: string,
  access: Access,
  { send, again }: FormRoute,
): void {
  app.post(path, routeOptions(path, access), async (request, reply) => {
    const sent = pageRequest(request);
    return submit(
      request,
      reply,
      () => send(sent),
      (state) => again(sent, state),
    );
  });
}

interface ActionRoute {
  /** Calls the API, and returns the next page, if it is not the one that the button's form names. */
  work: (request: PageRequest) => Promise<Partial<Done>>;
  /** The next page if neither names one. */
  otherwise: (request: PageRequest) => string;
}

/** The target of a button: see `act`. */
export function addAction(
  app: FastifyInstance,
  path: string,
  access: Access,
  { work, otherwise }: ActionRoute,
): void {
  app.post(path, routeOptions(path, access), async (request, reply) => {
    const sent = pageRequest(request);
    return act(request, reply, otherwise(sent), () => work(sent));
  });
}
