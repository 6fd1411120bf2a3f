import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { SubjectKind } from '../../db/access/audit.ts';
import type { Database, Sql } from '../../db/core/client.ts';
import { changesBetween } from '../../domain/changes.ts';
import { codedIssue, type Problem } from '../../domain/problems/coded.ts';
import type { Permission } from '../../domain/user.ts';
import { audit } from './auth.ts';
import { parseInputAsync } from './input.ts';
import { nameVersion, requireVersion, versionHeaders } from './versions.ts';

/** A settings document that exists once in a deployment. */
export interface SettingsDocument<T extends object> {
  schema: z.ZodType<T>;
  /** Its name in the audit log. */
  subject: SubjectKind;
  /** Who may read it. Only admins change it. */
  access: Permission;
  get: (sql: Sql) => Promise<T>;
  /** The stored document, locked until the transaction ends, even if it does not exist yet. */
  lock: (sql: Sql) => Promise<T>;
  save: (sql: Sql, document: T) => Promise<void>;
  /** Problems that the schema cannot find. Reported together with those that it finds, unless a type is wrong. */
  problemsOf?: (sql: Sql, before: T, document: T) => Promise<Problem[]>;
  /** For the API's documentation. */
  tags: string[];
  read: { summary: string };
  change: { summary: string; description: string };
}

/** Adds GET and PUT at `url`: reads the document with its version; changes it and records this in the audit log. */
export function addSettingsDocument<T extends object>(
  app: FastifyInstance,
  { sql, url }: { sql: Database; url: string },
  { schema, subject, access, get, lock, save, problemsOf, tags, read, change }: SettingsDocument<T>,
): void {
  app.get(
    url,
    { config: { access }, schema: { tags, ...read, response: { 200: schema } } },
    async (_request, reply) => {
      const document = await get(sql);
      nameVersion(reply, document);
      return document;
    },
  );

  app.put(
    url,
    {
      config: { access: 'admin' },
      schema: { tags, ...change, headers: versionHeaders, body: schema, response: { 200: schema } },
      // The body is parsed below, together with the checks that need the stored document.
      attachValidation: true,
    },
    async (request) => {
      const { validationError } = request;
      if (validationError && validationError.validationContext !== 'body') throw validationError;
      return sql.begin(async (tx) => {
        const before = await lock(tx);
        const complete = schema.superRefine(async (document, context) => {
          for (const { field, ...found } of (await problemsOf?.(tx, before, document)) ?? [])
            context.addIssue(codedIssue(found, field.split('.')));
        });
        const document = await parseInputAsync(complete, request.body);
        requireVersion(request, before);
        await save(tx, document);
        const changes = changesBetween(before, document);
        await audit(tx, request, `${subject}.update`, { kind: subject, id: null }, {}, changes);
        return document;
      });
    },
  );
}
