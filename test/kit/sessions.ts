import { randomBytes } from 'node:crypto';
import { hashSecret } from '../../api/http/auth.ts';
import type { Sql } from '../../db/core/client.ts';
import { insertSession } from '../../db/access/sessions.ts';
import { insertUser } from '../../db/access/users.ts';
import type { Role } from '../../domain/user.ts';
import { publicUrl, type TestApi } from './api.ts';
import { cheapHash } from './password.ts';

/** Headers of a page of the deployment: a change with a session is rejected without them. */
export const ownPage = { origin: publicUrl };

export const userPassword = 'a long password';

/** Inserts a session of the user, and returns the header with its cookie. */
export async function insertCookie(sql: Sql, userId: number): Promise<{ cookie: string }> {
  const id = randomBytes(32).toString('base64url');
  await insertSession(sql, { idHash: hashSecret(id), userId });
  return { cookie: `__Host-torpedo=${id}` };
}

/** Requests of signed-in users. */
export function createSessions({ app, sql }: TestApi) {
  const sessionOf = async (login: string): Promise<Record<string, string>> => {
    const [user] = await sql<{ id: number }[]>`select id from users where login = ${login}`;
    return { ...(await insertCookie(sql, user?.id ?? 0)), ...ownPage };
  };
  return {
    /** The headers of a new session of the user. */
    sessionOf,
    login: (login: string, password: string, headers: Record<string, string> = {}) =>
      app.inject({ method: 'POST', url: '/api/session', payload: { login, password }, headers }),
    whoAmI: (headers: Record<string, string>) => app.inject({ method: 'GET', url: '/api/session', headers }),
    /** A request of the first admin with a session: tokens cannot manage users and tokens. */
    asAdmin: async (method: 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) =>
      app.inject({ method, url, headers: await sessionOf('admin'), ...(payload ? { payload } : {}) }),
    addUser: async (login: string, role: Role): Promise<number> =>
      (await insertUser(sql, { login, name: login, role, passwordHash: cheapHash(userPassword) })).id,
  };
}
