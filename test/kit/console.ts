import { randomBytes } from 'node:crypto';
import type { LightMyRequestResponse } from 'fastify';
import { hashSecret } from '../../api/http/auth.ts';
import { adminConsole } from '../../console/app.tsx';
import { insertSession } from '../../db/access/sessions.ts';
import { insertUser } from '../../db/access/users.ts';
import type { Locale, Role } from '../../domain/user.ts';
import { createApi, type TestApi, type TestApiOptions } from './api.ts';
import { collectPages } from './pages.ts';

export interface TestConsole extends TestApi {
  /** The patterns of all pages, such as `/campaigns/:id`, without fragments. */
  pages: string[];
  /** Creates a user with the role and signs in. */
  signIn: (role: Role) => Promise<SignedInUser>;
}

export interface SignedInUser {
  id: number;
  /** The session cookie as `name=value`. */
  cookie: string;
  get: (url: string, headers?: Record<string, string>) => Promise<LightMyRequestResponse>;
  /** Submits a form like a browser from a console page. */
  post: (
    url: string,
    fields?: Readonly<Record<string, string | readonly string[]>>,
    headers?: Record<string, string>,
  ) => Promise<LightMyRequestResponse>;
}

/** The API with the console as in api/main.ts. Plain HTTP, so that a browser can open it. */
export async function createConsole(options: TestApiOptions = {}): Promise<TestConsole> {
  const publicUrl = options.publicUrl ?? 'http://127.0.0.1:3000';
  const api = await createApi({ ...options, publicUrl });
  const { app, sql } = api;
  const pages = collectPages(app);
  await app.register(adminConsole, { publicUrl });

  let users = 0;
  return {
    ...api,
    pages,
    async signIn(role) {
      const login = `${role}-${++users}`;
      const { id } = await insertUser(sql, { login, name: `Pessoa ${users}`, role, passwordHash: '' });
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

/** Encodes a form like a browser. Several values of one name are repeated. */
export const formOf = (fields: Readonly<Record<string, string | readonly string[]>>): string =>
  new URLSearchParams(
    Object.entries(fields).flatMap(([name, value]) => [value].flat().map((one) => [name, one])),
  ).toString();

/** Returns the text of a page without tags and with resolved entities. */
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
