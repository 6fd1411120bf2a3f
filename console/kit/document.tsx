import type { FastifyInstance } from 'fastify';
import type { VNode } from 'preact';
import type { z } from 'zod';
import type { Permission } from '../../domain/user.ts';
import type { FormValues } from './form-data.ts';
import type { FormState } from './form.tsx';
import type { ConsoleRequest } from './request.ts';
import { addForm, addPage } from './routes.ts';
import { readForm } from './schema-form.ts';

interface Document {
  /** The path of its page. */
  path: string;
  /** Its address in the API. */
  api: string;
  /** Who may see it; only admins may change it. */
  access?: Permission;
  schema: z.ZodType;
  /** If the form differs from the document. */
  bodyOf?: (form: FormValues) => object;
  /** Reads the document, also to show a rejected form again: that gives the page the current version. */
  page: (request: ConsoleRequest, rejected: FormState | null) => VNode | Promise<VNode>;
}

/** The page of a document of settings: its form, which replaces the document. */
export function addDocument(
  app: FastifyInstance,
  {
    path,
    api: address,
    access = 'viewer',
    schema,
    bodyOf = (form) => readForm(schema, form),
    page,
  }: Document,
): void {
  addPage(app, path, access, (request) => page(request, null));
  addForm(app, path, 'admin', {
    send: async ({ api, form }) => {
      await api.send('PUT', address, bodyOf(form));
      return { to: path, notice: 'saved' };
    },
    again: page,
  });
}
