import { randomBytes } from 'node:crypto';
import type { LightMyRequestResponse } from 'fastify';
import { hashSecret } from '../../api/http/auth.ts';
import { adminConsole } from '../../console/app.tsx';
import { insertSession } from '../../db/access/sessions.ts';
import { insertUser } from '../../db/access/users.ts';
import type { Locale, Role } from '../../domain/user.ts';
import { createApi, type TestApi, type TestApiOptions } from './api.ts';
import { notePages } from './pages.ts';

export interface TestConsole extends TestApi {
  /** The addresses of all pages, as patterns: `/campaigns/:id`. Parts of pages are none. */
  pages: string[];
  /** A person of the role who is signed in. */
  person: (role: Role) => Promise<Person>;
}

export interface Person {
  id: number;
  /** `name=value` of the session. */
  cookie: string;
  get: (url: string, headers?: Record<string, string>) => Promise<LightMyRequestResponse>;
  /** Sends a form as a browser does from a page of ours. */
  post: (
    url: string,
    fields?: Readonly<Record<string, string | readonly string[]>>,
    headers?: Record<string, string>,
  ) => Promise<LightMyRequestResponse>;
}

/** The API with the console on it, as api/main.ts puts them together. Plain HTTP, so that a browser can be sent there. */
export async function createConsole(options: TestApiOptions = {}): Promise<TestConsole> {
  const publicUrl = options.publicUrl ?? 'http://127.0.0.1:3000';
  const api = await createApi({ ...options, publicUrl });
  const { app, sql } = api;
  const pages = notePages(app);
  await app.register(adminConsole, { publicUrl });

  let people = 0;
  return {
    ...api,
    pages,
    async person(role) {
      const login = `${role}-${++people}`;
      const { id } = await insertUser(sql, { login, name: `Pessoa ${people}`, role, passwordHash: '' });
      const session = randomBytes(32).toString('base64url');
      await insertSession(sql, { idHash: hashSecret(session), userId: id });
      const cookie = `torpedo=${session}`;
      return {
        id,
        cookie,
        get: (url, headers = {}) => app.inject({ method: 'GET', url, headers: { cookie, ...headers } }),
        post: (url, fields = {}, headers = {}) =>
          app.inject({
            method: 'POST',
            url,
            payload: formOf(fields),
            headers: {
              cookie,
              'sec-fetch-site': 'same-origin',
              'content-type': 'application/x-www-form-urlencoded',
              ...headers,
            },
          }),
      };
    },
  };
}

/** As a browser encodes a form; several values of one name are sent each. */
export const formOf = (fields: Readonly<Record<string, string | readonly string[]>>): string =>
  new URLSearchParams(
    Object.entries(fields).flatMap(([name, value]) => [value].flat().map((one) => [name, one])),
  ).toString();

/** What a page says, as its reader sees it: without tags, entities resolved. */
export const textOf = (answer: LightMyRequestResponse): string =>
  answer.body
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ');

export const languages: readonly Locale[] = ['pt-BR', 'en'];
