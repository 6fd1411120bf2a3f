import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hashSecret } from '../../api/http/auth.ts';
import { insertSession } from '../../db/access/sessions.ts';
import { insertUser } from '../../db/access/users.ts';
import { type Role, roles } from '../../domain/user.ts';
import { createApi, publicUrl } from '../kit/api.ts';

/**
 * Who may call what: every route of the OpenAPI document and every one that it leaves out, by every method, as nobody, as
 * a user of each role and with a token of each role. A new route needs its line here.
 *
 * - `open`: everybody
 * - `viewer`, `operator`, `admin`: users and tokens of at least that role
 * - `viewer user`, `admin user`: signed-in users of at least that role, no token
 * - `signature`: whoever signs as a provider does (test/api/webhooks.test.ts); nobody here
 */
const matrix = {
  'GET /health/live': 'open',
  'GET /health/ready': 'open',
  'GET /webhooks/providers/{id}/receipts': 'signature',
  'POST /webhooks/providers/{id}/receipts': 'signature',
  'GET /webhooks/providers/{id}/receipts/{key}': 'signature',
  'POST /webhooks/providers/{id}/receipts/{key}': 'signature',
  'GET /webhooks/providers/{id}/inbound': 'signature',
  'POST /webhooks/providers/{id}/inbound': 'signature',
  'GET /webhooks/providers/{id}/inbound/{key}': 'signature',
  'POST /webhooks/providers/{id}/inbound/{key}': 'signature',
  'POST /api/session': 'open',
  'GET /api/session': 'viewer',
  'PATCH /api/session': 'viewer user',
  'DELETE /api/session': 'viewer',
  'PUT /api/session/password': 'viewer user',
  'GET /api/users': 'admin',
  'POST /api/users': 'admin user',
  'GET /api/users/{id}': 'admin',
  'PATCH /api/users/{id}': 'admin user',
  'GET /api/tokens': 'admin',
  'POST /api/tokens': 'admin user',
  'DELETE /api/tokens/{id}': 'admin user',
  'GET /api/audit': 'operator',
  'GET /api/settings/sending-hours': 'viewer',
  'GET /api/settings/sending-hours/{id}': 'viewer',
  'GET /api/settings/sending-hours/{id}/uses': 'viewer',
  'POST /api/settings/sending-hours': 'admin',
  'PUT /api/settings/sending-hours/{id}': 'admin',
  'DELETE /api/settings/sending-hours/{id}': 'admin',
  'GET /api/settings/holiday-calendars': 'viewer',
  'GET /api/settings/holiday-calendars/{id}': 'viewer',
  'GET /api/settings/holiday-calendars/{id}/uses': 'viewer',
  'POST /api/settings/holiday-calendars': 'admin',
  'PUT /api/settings/holiday-calendars/{id}': 'admin',
  'DELETE /api/settings/holiday-calendars/{id}': 'admin',
  'GET /api/settings/regions': 'viewer',
  'GET /api/settings/regions/{id}': 'viewer',
  'GET /api/settings/regions/{id}/uses': 'viewer',
  'POST /api/settings/regions': 'admin',
  'PUT /api/settings/regions/{id}': 'admin',
  'DELETE /api/settings/regions/{id}': 'admin',
  'GET /api/settings/customer-types': 'viewer',
  'GET /api/settings/customer-types/{id}': 'viewer',
  'GET /api/settings/customer-types/{id}/uses': 'viewer',
  'POST /api/settings/customer-types': 'admin',
  'PUT /api/settings/customer-types/{id}': 'admin',
  'DELETE /api/settings/customer-types/{id}': 'admin',
  'GET /api/settings/departments': 'viewer',
  'GET /api/settings/departments/{id}': 'viewer',
  'GET /api/settings/departments/{id}/uses': 'viewer',
  'POST /api/settings/departments': 'admin',
  'PUT /api/settings/departments/{id}': 'admin',
  'DELETE /api/settings/departments/{id}': 'admin',
  'GET /api/settings/assignees': 'viewer',
  'GET /api/settings/assignees/{id}': 'viewer',
  'GET /api/settings/assignees/{id}/uses': 'viewer',
  'POST /api/settings/assignees': 'admin',
  'PUT /api/settings/assignees/{id}': 'admin',
  'DELETE /api/settings/assignees/{id}': 'admin',
  'GET /api/settings/categories': 'viewer',
  'GET /api/settings/categories/{id}': 'viewer',
  'GET /api/settings/categories/{id}/uses': 'viewer',
  'POST /api/settings/categories': 'admin',
  'PUT /api/settings/categories/{id}': 'admin',
  'DELETE /api/settings/categories/{id}': 'admin',
  'GET /api/settings/subcategories': 'viewer',
  'GET /api/settings/subcategories/{id}': 'viewer',
  'GET /api/settings/subcategories/{id}/uses': 'viewer',
  'POST /api/settings/subcategories': 'admin',
  'PUT /api/settings/subcategories/{id}': 'admin',
  'DELETE /api/settings/subcategories/{id}': 'admin',
  'GET /api/settings/extra-field-groups': 'viewer',
  'GET /api/settings/extra-field-groups/{id}': 'viewer',
  'GET /api/settings/extra-field-groups/{id}/uses': 'viewer',
  'POST /api/settings/extra-field-groups': 'admin',
  'PUT /api/settings/extra-field-groups/{id}': 'admin',
  'DELETE /api/settings/extra-field-groups/{id}': 'admin',
  'GET /api/settings/resolutions': 'viewer',
  'GET /api/settings/resolutions/{id}': 'viewer',
  'GET /api/settings/resolutions/{id}/uses': 'viewer',
  'POST /api/settings/resolutions': 'admin',
  'PUT /api/settings/resolutions/{id}': 'admin',
  'DELETE /api/settings/resolutions/{id}': 'admin',
  'GET /api/settings/reply-words': 'viewer',
  'PUT /api/settings/reply-words': 'admin',
  'GET /api/providers': 'viewer',
  'GET /api/providers/rates': 'viewer',
  'GET /api/providers/{id}/uses': 'viewer',
  'GET /api/providers/{id}': 'viewer',
  'POST /api/providers': 'admin',
  'PUT /api/providers/{id}': 'admin',
  'DELETE /api/providers/{id}': 'admin',
  'PUT /api/providers/{id}/fallback': 'admin',
  'GET /api/campaigns': 'viewer',
  'GET /api/campaigns/{id}': 'viewer',
  'POST /api/campaigns': 'operator',
  'PUT /api/campaigns/{id}': 'operator',
  'DELETE /api/campaigns/{id}': 'operator',
  'POST /api/campaigns/{id}/enable': 'operator',
  'POST /api/campaigns/{id}/disable': 'operator',
  'POST /api/campaigns/{id}/run-now': 'operator',
  'POST /api/campaigns/{id}/dry-run': 'operator',
  'GET /api/campaigns/{id}/occurrences': 'viewer',
  'POST /api/campaigns/preview-occurrences': 'viewer',
  'GET /api/campaigns/{id}/mailing/layout': 'viewer',
  'GET /api/campaigns/{id}/mailing/file': 'viewer',
  'GET /api/campaigns/{id}/mailing/file/content': 'viewer',
  'PUT /api/campaigns/{id}/mailing/file': 'operator',
  'GET /api/integrations': 'viewer',
  'GET /api/integrations/{id}': 'viewer',
  'GET /api/integrations/{id}/uses': 'viewer',
  'POST /api/integrations': 'admin',
  'PUT /api/integrations/{id}': 'admin',
  'DELETE /api/integrations/{id}': 'admin',
  'POST /api/webservice/answer': 'operator',
  'POST /api/webservice/preview': 'operator',
  'POST /api/campaigns/{id}/preview-message': 'viewer',
  'POST /api/campaigns/{id}/test-send': 'operator',
  'GET /api/overview': 'viewer',
  'GET /api/restores/last': 'viewer',
  'POST /api/restores/last/settle': 'admin',
  'GET /api/runs/{id}/answer': 'operator',
  'GET /api/runs': 'viewer',
  'GET /api/runs/{id}': 'viewer',
  'GET /api/runs/{id}/progress': 'viewer',
  'GET /api/runs/{id}/samples': 'viewer',
  'GET /api/runs/{id}/events': 'viewer',
  'POST /api/runs/{id}/pause': 'operator',
  'POST /api/runs/{id}/resume': 'operator',
  'POST /api/runs/{id}/approve': 'operator',
  'POST /api/runs/{id}/cancel': 'operator',
  'POST /api/runs/{id}/retry': 'operator',
  'GET /api/runs/{id}/resend': 'viewer',
  'POST /api/runs/{id}/resend': 'operator',
  'GET /api/runs/{id}/messages': 'viewer',
  'GET /api/runs/{id}/messages.csv': 'viewer',
  'GET /api/messages': 'viewer',
  'GET /api/messages.csv': 'viewer',
  'GET /api/messages/{id}': 'viewer',
  'POST /api/messages/{id}/settle': 'operator',
  'GET /api/runs/{id}/unknown': 'viewer',
  'POST /api/runs/{id}/settle': 'operator',
  'GET /api/sandbox/phones': 'viewer',
  'GET /api/sandbox/phones/{phone}': 'viewer',
  'POST /api/sandbox/phones/{phone}/replies': 'operator',
  'GET /api/campaigns/{id}/mailing/bad-lines.csv': 'viewer',
  'GET /api/runs/{id}/bad-lines.csv': 'viewer',
  'GET /api/customers': 'viewer',
  'GET /api/customers/{id}': 'viewer',
  'POST /api/customers': 'operator',
  'PUT /api/customers/{id}': 'operator',
  'DELETE /api/customers/{id}': 'admin',
  'GET /api/customers/{id}/messages': 'viewer',
  'GET /api/customers/{id}/consents': 'viewer',
  'POST /api/customers/{id}/consents': 'operator',
  'GET /api/customers/layout': 'viewer',
  'GET /api/customers.csv': 'viewer',
  'POST /api/customers/import': 'operator',
  'GET /api/privacy/settings': 'viewer',
  'PUT /api/privacy/settings': 'admin',
  'POST /api/privacy/look-up': 'admin',
  'GET /api/privacy/customers/{id}': 'admin',
  'POST /api/privacy/export': 'admin',
  'POST /api/privacy/erase': 'admin',
  'GET /api/opt-outs': 'viewer',
  'GET /api/opt-outs/{id}/history': 'viewer',
  'POST /api/opt-outs': 'admin',
  'POST /api/opt-outs/{id}/remove': 'admin',
  'GET /api/tickets': 'viewer',
  'GET /api/tickets.csv': 'viewer',
  'GET /api/tickets/{id}': 'viewer',
  'PATCH /api/tickets/{id}': 'operator',
  'GET /api/settings/ticket-posting': 'admin',
  'PUT /api/settings/ticket-posting': 'admin',
  'GET /api/ticket-posts': 'operator',
  'GET /api/ticket-posts/{eventId}': 'operator',
  'POST /api/ticket-posts/{eventId}/replay': 'operator',
  'POST /api/ticket-posts/replay-failed': 'operator',
  'GET /api/metrics': 'viewer',
  'GET /api/replies': 'viewer',
  'GET /api/replies.csv': 'viewer',
  'GET /api/replies/{id}': 'viewer',
} as const satisfies Record<string, Rule>;
type Rule = 'open' | 'signature' | Role | `${Role} user`;

// As many sessions as requests: each is a stranger's first.
const api = await createApi({ requestsPerMinute: { account: 100_000, stranger: 100_000 } });
const { app, sql } = api;

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
type Method = (typeof methods)[number];

const document = z
  .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
  .parse((await app.inject('/api/docs/json')).json());
const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
  Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
);
/** As the router has them, also those that the document leaves out; HEAD goes with GET. */
const routed = app.accessTable
  .filter(({ method, url }) => method !== 'HEAD' && !url.startsWith('/api/docs'))
  .map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);

/** A request that gets past the check of who may call, and no further. */
async function statusOf(method: Method, path: string, headers: Record<string, string>): Promise<number> {
  const url = path
    .replaceAll('{phone}', encodeURIComponent('+5511900000000'))
    .replaceAll(/\{\w+\}/g, '999999999');
  const { statusCode } = await app.inject({ method, url, headers: { origin: publicUrl, ...headers } });
  return statusCode;
}
const userIds = new Map<Role, number>();
for (const role of roles) {
  const user = { login: `the-${role}`, name: role, role, passwordHash: '' };
  userIds.set(role, (await insertUser(sql, user)).id);
}
/** A session of its own for each request: one of the routes ends it. */
async function sessionOf(role: Role): Promise<Record<string, string>> {
  const id = randomBytes(32).toString('base64url');
  await insertSession(sql, { idHash: hashSecret(id), userId: userIds.get(role) ?? 0 });
  return { cookie: `__Host-torpedo=${id}` };
}
const tokenOf = (role: Role) => ({ authorization: `Bearer ${api.tokens[role]}` });

/** What the status says of who called. */
const verdict = (status: number): 'unauthenticated' | 'forbidden' | 'allowed' =>
  status === 401 ? 'unauthenticated' : status === 403 ? 'forbidden' : 'allowed';
function expectedOf(rule: Rule, role: Role, kind: 'user' | 'token') {
  if (rule === 'open') return 'allowed';
  if (rule === 'signature') return 'forbidden';
  const [needs, only] = rule.split(' ');
  if (only === 'user' && kind === 'token') return 'forbidden';
  return roles.indexOf(role) <= roles.findIndex((one) => one === needs) ? 'allowed' : 'forbidden';
}

test('every route has its line, and every line its route', () => {
  expect([...new Set(routed)].toSorted()).toEqual(Object.keys(matrix).toSorted());
});

test('the document has every route but those of providers', () => {
  const rows = Object.entries(matrix).filter(([, rule]) => rule !== 'signature');
  expect(documented.toSorted()).toEqual(rows.map(([route]) => route).toSorted());
});

describe('who may call', () => {
  test.each(Object.entries(matrix))('%s: %s', async (route, rule) => {
    const [method, path] = route.split(' ') as [Method, string];
    const called = method === 'GET' ? (['GET', 'HEAD'] as const) : [method];
    for (const one of called) {
      const anonymous = verdict(await statusOf(one, path, {}));
      const nobody = { open: 'allowed', signature: 'forbidden' }[rule as string] ?? 'unauthenticated';
      // Providers call by GET and POST: there is no HEAD.
      if (rule === 'signature' && one === 'HEAD') continue;
      expect(anonymous, `${one} by nobody`).toBe(nobody);
      for (const role of roles) {
        for (const kind of ['user', 'token'] as const) {
          const headers = kind === 'user' ? await sessionOf(role) : tokenOf(role);
          const status = await statusOf(one, path, headers);
          expect(verdict(status), `${one} by a ${kind} of the role ${role}: ${status}`).toBe(
            expectedOf(rule, role, kind),
          );
        }
      }
    }
  });

  test('an address by a method that it does not have: nobody', async () => {
    const paths = new Set(Object.keys(matrix).map((route) => route.split(' ')[1] ?? ''));
    for (const path of paths) {
      for (const method of methods) {
        if (Object.hasOwn(matrix, `${method === 'HEAD' ? 'GET' : method} ${path}`)) continue;
        // 401: the same address is another route's, as `{id}`.
        expect([401, 404], `${method} ${path}`).toContain(await statusOf(method, path, {}));
      }
    }
  });
});
