import type { FastifyInstance } from 'fastify';
import type { VNode } from 'preact';
import type { z } from 'zod';
import { type Permission, roleSuffices } from '../../domain/user.ts';
import type { FormValues } from './form-data.ts';
import { type FormProps, type FormState, newForm } from './form.tsx';
import type { ConsoleRequest } from './request.ts';
import { addForm, addPage } from './routes.ts';
import { readForm } from './schema-form.ts';

/** What the form of a document needs besides its fields and words. */
export type DocumentForm = Pick<FormProps, 'action' | 'state' | 'changes' | 'readOnly'> & {
  schema: z.ZodType;
};

interface Document<S extends z.ZodType, M> {
  /** The path of its page. */
  path: string;
  /** Its address in the API. */
  api: string;
  /** Who may see it; only admins may change it. */
  access?: Permission;
  schema: S;
  /** The schema of a change, if it differs. */
  change?: z.ZodType;
  /** If the form differs from the document: the conversions in both directions. */
  valuesOf?: (document: z.output<S>, request: ConsoleRequest) => unknown;
  bodyOf?: (form: FormValues) => object;
  /** `more`: what another action of the page adds when it shows the page again. */
  page: (
    request: ConsoleRequest,
    form: DocumentForm,
    shown: { document: z.output<S>; more: M | undefined },
  ) => VNode | Promise<VNode>;
}

/** The page of a document of settings: its form, which replaces the document. Returns the page for other actions. */
export function addDocument<S extends z.ZodType, M = never>(
  app: FastifyInstance,
  {
    path,
    api: address,
    access = 'viewer',
    schema,
    change = schema,
    valuesOf = (document) => document,
    bodyOf = (form) => readForm(change, form),
    page,
  }: Document<S, M>,
): (request: ConsoleRequest, more: M) => Promise<VNode> {
  // Read again for a rejected form: that gives the page the current version.
  const show = async (request: ConsoleRequest, rejected: FormState | null, more?: M): Promise<VNode> => {
    const document = await request.api.get(address, schema);
    const { me } = request.view;
    const form = {
      action: path,
      changes: address,
      state: rejected ?? newForm(valuesOf(document, request)),
      schema: change,
      readOnly: me === null || !roleSuffices(me.role, 'admin'),
    };
    return page(request, form, { document, more });
  };
  addPage(app, path, access, (request) => show(request, null));
  addForm(app, path, 'admin', {
    send: async ({ api, form }) => {
      await api.send('PUT', address, bodyOf(form));
      return { to: path, notice: 'saved' };
    },
    again: show,
  });
  return (request, more) => show(request, null, more);
}
