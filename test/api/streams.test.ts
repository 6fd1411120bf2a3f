import { expect, test } from 'vitest';
import { hashSecret, newToken } from '../../api/http/auth.ts';
import { insertToken } from '../../db/access/tokens.ts';
import { updateUser, insertUser } from '../../db/access/users.ts';
import { createApi, createCatalog, createRun } from '../kit/api.ts';
import { insertCookie, ownPage } from '../kit/sessions.ts';

const api = await createApi();
const { app, sql } = api;
const publicUrl = await app.listen({ port: 0, host: '127.0.0.1' });
const { runId } = await createRun(api, await createCatalog(api));

interface Reader {
  userId: number;
  headers: Record<string, string>;
}
let readers = 0;
const signIn = async (userId: number): Promise<Reader> => ({
  userId,
  headers: { ...(await insertCookie(sql, userId)), ...ownPage },
});
async function newUser(): Promise<Reader> {
  const user = { login: `reader-${++readers}`, name: 'Reader', role: 'operator', passwordHash: '' } as const;
  return signIn((await insertUser(sql, user)).id);
}
async function newTokenReader(): Promise<Reader> {
  const token = newToken();
  const { id } = await insertToken(sql, {
    name: 'reader',
    role: 'viewer',
    tokenHash: hashSecret(token),
    createdBy: api.adminId,
    expiresAt: null,
  });
  return { userId: id, headers: { authorization: `Bearer ${token}` } };
}

/** Opens a stream and reads its first event; `text` resolves to the rest when the stream ends. */
async function open({ headers }: Reader) {
  const signal = AbortSignal.timeout(50_000);
  const stream = await fetch(`${publicUrl}/api/runs/${runId}/events`, { headers, signal });
  expect(stream.status).toBe(200);
  const reader = stream.body?.getReader();
  const first = await reader?.read();
  expect(Buffer.from(first?.value ?? []).toString()).toContain('event: progress');
  const rest = async (): Promise<string> => {
    let text = '';
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      text += Buffer.from(part.value).toString();
    }
    return text;
  };
  return { text: rest(), cancel: () => reader?.cancel() };
}

const admin = await signIn(api.adminId);
const call = async (method: 'DELETE' | 'PATCH', url: string, { headers }: Reader, payload?: object) => {
  const answer = await app.inject({ method, url, headers, ...(payload ? { payload } : {}) });
  expect(answer.statusCode).toBeLessThan(300);
};

test.each<[string, () => Promise<Reader>, (reader: Reader) => Promise<unknown>]>([
  ['signs out', newUser, (reader) => call('DELETE', '/api/session', reader)],
  [
    'gets another role',
    newUser,
    ({ userId }) => call('PATCH', `/api/users/${userId}`, admin, { role: 'viewer' }),
  ],
  ['is disabled', newUser, ({ userId }) => call('PATCH', `/api/users/${userId}`, admin, { enabled: false })],
  [
    'gets a new password',
    newUser,
    ({ userId }) => call('PATCH', `/api/users/${userId}`, admin, { password: 'another long password' }),
  ],
  ['must choose a password', newUser, ({ userId }) => updateUser(sql, userId, { mustChangePassword: true })],
  [
    'signed in a week ago',
    newUser,
    ({ userId }) => sql`update sessions set expires_at = now() where user_id = ${userId}`,
  ],
  [
    'was inactive for twelve hours',
    newUser,
    ({ userId }) =>
      sql`update sessions set last_seen_at = now() - interval '13 hours' where user_id = ${userId}`,
  ],
  [
    'used a token that is revoked',
    newTokenReader,
    ({ userId }) => call('DELETE', `/api/tokens/${userId}`, admin),
  ],
  [
    'used a token that expires',
    newTokenReader,
    ({ userId }) => sql`update api_tokens set expires_at = now() where id = ${userId}`,
  ],
])('only the stream of a reader who %s ends', async (_, newReader, change) => {
  const reader = await newReader();
  const other = await open(await newUser());
  const stream = await open(reader);
  await change(reader);
  expect(await stream.text).toMatch(/event: signed_out\ndata: \{\}\n\n$/);
  await other.cancel();
  expect(await other.text).not.toContain('signed_out');
  const again = await fetch(`${publicUrl}/api/runs/${runId}/events`, { headers: reader.headers });
  expect([401, 403]).toContain(again.status);
  await again.text();
});
