import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { insertUser } from '../../db/access/users.ts';
import { type Role, roles } from '../../domain/user.ts';
import { createApi, publicUrl } from '../kit/api.ts';
import { insertCookie } from '../kit/sessions.ts';

const allowed = {
  any_role: ['admin', 'operator', 'agent', 'viewer'],
  viewer: ['admin', 'operator', 'viewer'],
  agent: ['admin', 'operator', 'agent'],
  operator: ['admin', 'operator'],
  admin: ['admin'],
} as const;

/**
 * Authorization of every route, documented or not, for every method: anonymous, as a user of each role, and with a token
 * of each role. A new route needs a line here.
 *
 * - `open`: everyone
 * - `any_role`, `viewer`, `agent`, `operator`, `admin`: users and tokens of the roles of `allowed`
 * - `any_role user`, `admin user`: signed-in users of those roles, but no tokens
 * - `signature`: requests signed by a provider (test/api/webhooks.test.ts); none in this file
 */
const matrix = {
  'GET /health/live': 'open',
  'GET /health/ready': 'open',
  'GET /api/docs': 'open',
  'GET /api/docs/json': 'open',
  'GET /api/docs/yaml': 'open',
  'GET /api/docs/static/*': 'open',
  'GET /api/docs/static/index.html': 'open',
  'GET /api/docs/static/swagger-initializer.js': 'open',
  'GET /webhooks/providers/{id}/receipts': 'signature',
  'POST /webhooks/providers/{id}/receipts': 'signature',
  'GET /webhooks/providers/{id}/receipts/{key}': 'signature',
  'POST /webhooks/providers/{id}/receipts/{key}': 'signature',
  'GET /webhooks/providers/{id}/inbound': 'signature',
  'POST /webhooks/providers/{id}/inbound': 'signature',
  'GET /webhooks/providers/{id}/inbound/{key}': 'signature',
  'POST /webhooks/providers/{id}/inbound/{key}': 'signature',
  'POST /api/session': 'open',
  'GET /api/session': 'any_role',
  'PATCH /api/session': 'any_role user',
  'DELETE /api/session': 'any_role',
  'PUT /api/session/password': 'any_role user',
  'GET /api/password-resets': 'open',
  'POST /api/password-resets': 'open',
  'POST /api/password-resets/check': 'open',
  'POST /api/password-resets/use': 'open',
  'GET /api/users': 'admin',
  'POST /api/users': 'admin user',
  'GET /api/users/{id}': 'admin',
  'PATCH /api/users/{id}': 'admin user',
  'GET /api/tokens': 'admin',
  'POST /api/tokens': 'admin user',
  'DELETE /api/tokens/{id}': 'admin user',
  'GET /api/audit': 'operator',
  'GET /api/audit.csv': 'operator',
  'GET /api/audit/actors': 'operator',
  'GET /api/settings/company': 'open',
  'PUT /api/settings/company': 'admin',
  'GET /api/settings/company/logo': 'open',
  'PUT /api/settings/company/logo': 'admin',
  'DELETE /api/settings/company/logo': 'admin',
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
  'GET /api/settings/regions': 'any_role',
  'GET /api/settings/regions/{id}': 'any_role',
  'GET /api/settings/regions/{id}/uses': 'viewer',
  'POST /api/settings/regions': 'admin',
  'PUT /api/settings/regions/{id}': 'admin',
  'DELETE /api/settings/regions/{id}': 'admin',
  'GET /api/settings/customer-types': 'any_role',
  'GET /api/settings/customer-types/{id}': 'any_role',
  'GET /api/settings/customer-types/{id}/uses': 'viewer',
  'POST /api/settings/customer-types': 'admin',
  'PUT /api/settings/customer-types/{id}': 'admin',
  'DELETE /api/settings/customer-types/{id}': 'admin',
  'GET /api/settings/departments': 'any_role',
  'GET /api/settings/departments/{id}': 'any_role',
  'GET /api/settings/departments/{id}/uses': 'viewer',
  'POST /api/settings/departments': 'admin',
  'PUT /api/settings/departments/{id}': 'admin',
  'DELETE /api/settings/departments/{id}': 'admin',
  'GET /api/settings/assignees': 'any_role',
  'GET /api/settings/assignees/{id}': 'any_role',
  'GET /api/settings/assignees/{id}/uses': 'viewer',
  'POST /api/settings/assignees': 'admin',
  'PUT /api/settings/assignees/{id}': 'admin',
  'DELETE /api/settings/assignees/{id}': 'admin',
  'GET /api/settings/categories': 'any_role',
  'GET /api/settings/categories/{id}': 'any_role',
  'GET /api/settings/categories/{id}/uses': 'viewer',
  'POST /api/settings/categories': 'admin',
  'PUT /api/settings/categories/{id}': 'admin',
  'DELETE /api/settings/categories/{id}': 'admin',
  'GET /api/settings/subcategories': 'any_role',
  'GET /api/settings/subcategories/{id}': 'any_role',
  'GET /api/settings/subcategories/{id}/uses': 'viewer',
  'POST /api/settings/subcategories': 'admin',
  'PUT /api/settings/subcategories/{id}': 'admin',
  'DELETE /api/settings/subcategories/{id}': 'admin',
  'GET /api/settings/extra-field-groups': 'any_role',
  'GET /api/settings/extra-field-groups/{id}': 'any_role',
  'GET /api/settings/extra-field-groups/{id}/uses': 'viewer',
  'POST /api/settings/extra-field-groups': 'admin',
  'PUT /api/settings/extra-field-groups/{id}': 'admin',
  'DELETE /api/settings/extra-field-groups/{id}': 'admin',
  'GET /api/settings/quick-replies': 'any_role',
  'GET /api/settings/quick-replies/{id}': 'any_role',
  'GET /api/settings/quick-replies/{id}/uses': 'viewer',
  'POST /api/settings/quick-replies': 'admin',
  'PUT /api/settings/quick-replies/{id}': 'admin',
  'DELETE /api/settings/quick-replies/{id}': 'admin',
  'GET /api/settings/resolutions': 'any_role',
  'GET /api/settings/resolutions/{id}': 'any_role',
  'GET /api/settings/resolutions/{id}/uses': 'viewer',
  'POST /api/settings/resolutions': 'admin',
  'PUT /api/settings/resolutions/{id}': 'admin',
  'DELETE /api/settings/resolutions/{id}': 'admin',
  'GET /api/settings/reply-words': 'viewer',
  'PUT /api/settings/reply-words': 'admin',
  'GET /api/settings/automatic-texts': 'viewer',
  'PUT /api/settings/automatic-texts': 'admin',
  'GET /api/providers': 'viewer',
  'GET /api/providers/rates': 'viewer',
  'GET /api/providers/{id}/uses': 'viewer',
  'GET /api/providers/{id}/fallback': 'viewer',
  'GET /api/providers/{id}': 'viewer',
  'POST /api/providers': 'admin',
  'PUT /api/providers/{id}': 'admin',
  'DELETE /api/providers/{id}': 'admin',
  'PUT /api/providers/{id}/fallback': 'admin',
  'GET /api/providers/{id}/prices': 'viewer',
  'PUT /api/providers/{id}/prices': 'admin',
  'DELETE /api/providers/{id}/prices': 'admin',
  'POST /api/providers/{id}/release': 'operator',
  'GET /api/providers/{id}/unread': 'viewer',
  'POST /api/providers/{id}/unread/read-again': 'operator',
  'POST /api/providers/{id}/unread/set-aside': 'operator',
  'GET /api/costs': 'viewer',
  'GET /api/costs/budget': 'viewer',
  'PUT /api/costs/budget': 'admin',
  'GET /api/campaigns': 'viewer',
  'GET /api/campaigns/{id}': 'viewer',
  'POST /api/campaigns': 'operator',
  'PUT /api/campaigns/{id}': 'operator',
  'DELETE /api/campaigns/{id}': 'operator',
  'POST /api/campaigns/{id}/enable': 'operator',
  'POST /api/campaigns/{id}/disable': 'operator',
  'POST /api/campaigns/{id}/archive': 'operator',
  'POST /api/campaigns/{id}/restore': 'operator',
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
  'POST /api/restores/last/complete': 'admin',
  'GET /api/runs/{id}/answer': 'operator',
  'GET /api/reports': 'viewer',
  'GET /api/reports.csv': 'viewer',
  'GET /api/reports/campaigns': 'viewer',
  'GET /api/reports/reasons': 'viewer',
  'GET /api/reports/reasons.csv': 'viewer',
  'GET /api/reports/runs': 'viewer',
  'GET /api/runs': 'viewer',
  'GET /api/runs/{id}': 'viewer',
  'GET /api/runs/{id}/progress': 'viewer',
  'GET /api/runs/{id}/samples': 'viewer',
  'GET /api/runs/{id}/events': 'viewer',
  'POST /api/runs/{id}/seen': 'operator',
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
  'GET /api/search': 'any_role',
  'GET /api/runs.csv': 'viewer',
  'GET /api/opt-outs.csv': 'viewer',
  'GET /api/messages/{id}': 'viewer',
  'POST /api/messages/{id}/resolve': 'operator',
  'GET /api/runs/{id}/unknown': 'viewer',
  'POST /api/runs/{id}/resolve': 'operator',
  'GET /api/sandbox/phones': 'viewer',
  'GET /api/sandbox/phones/{phone}': 'viewer',
  'POST /api/sandbox/phones/{phone}/replies': 'operator',
  'GET /api/campaigns/{id}/mailing/bad-lines.csv': 'viewer',
  'GET /api/runs/{id}/bad-lines.csv': 'viewer',
  'GET /api/customers': 'any_role',
  'GET /api/customers/{id}': 'any_role',
  'POST /api/customers': 'operator',
  'PUT /api/customers/{id}': 'operator',
  'DELETE /api/customers/{id}': 'admin',
  'GET /api/customers/{id}/messages': 'any_role',
  'GET /api/customers/{id}/consents': 'any_role',
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
  'GET /api/holds': 'any_role',
  'POST /api/holds/{id}/decide': 'agent',
  'GET /api/tickets': 'any_role',
  'GET /api/tickets.csv': 'any_role',
  'GET /api/tickets/{id}': 'any_role',
  'PATCH /api/tickets/{id}': 'agent',
  'GET /api/alerts': 'any_role',
  'GET /api/session/alerts': 'any_role user',
  'PUT /api/session/alerts': 'any_role user',
  'GET /api/settings/alerts': 'admin',
  'PUT /api/settings/alerts': 'admin',
  'GET /api/settings/alerts/undelivered': 'admin',
  'GET /api/settings/email': 'admin',
  'PUT /api/settings/email': 'admin',
  'POST /api/settings/email/test': 'admin',
  'GET /api/settings/alert-webhook': 'admin',
  'PUT /api/settings/alert-webhook': 'admin',
  'POST /api/settings/alert-webhook/test': 'admin',
  'GET /api/tickets/{id}/answers': 'any_role',
  'POST /api/tickets/{id}/answers': 'agent',
  'POST /api/tickets/{id}/answers/preview': 'agent',
  'POST /api/answers/{id}/resolve': 'agent',
  'PATCH /api/tickets': 'agent',
  'GET /api/tickets/counts': 'any_role',
  'GET /api/tickets/users': 'any_role',
  'POST /api/tickets/{id}/notes': 'agent',
  'POST /api/tickets/{id}/opt-out': 'agent',
  'POST /api/replies/{id}/opt-out': 'agent',
  'GET /api/settings/ticket-automation': 'viewer',
  'PUT /api/settings/ticket-automation': 'admin',
  'GET /api/settings/ticket-posting': 'admin',
  'PUT /api/settings/ticket-posting': 'admin',
  'GET /api/ticket-posts': 'operator',
  'GET /api/ticket-posts/{eventId}': 'operator',
  'POST /api/ticket-posts/{eventId}/replay': 'operator',
  'POST /api/ticket-posts/replay-failed': 'operator',
  'GET /api/metrics': 'viewer',
  'GET /api/replies': 'any_role',
  'GET /api/replies.csv': 'any_role',
  'GET /api/replies/{id}': 'any_role',
} as const satisfies Record<string, Rule>;
type Rule = 'open' | 'signature' | keyof typeof allowed | `${keyof typeof allowed} user`;

// Each request has a new session, whose first request counts as unauthenticated.
const api = await createApi({ requestsPerMinute: { account: 100_000, unauthenticated: 100_000 } });
const { app, sql } = api;

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
type Method = (typeof methods)[number];

const document = z
  .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
  .parse((await app.inject('/api/docs/json')).json());
const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
  Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
);
/** The routes of the router, including undocumented ones; HEAD is implied by GET. */
const routed = app.accessTable
  .filter(({ method }) => method !== 'HEAD')
  .map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);

/** Sends a request that passes authorization but fails after it. */
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
/** A new session for each request, because one of the routes ends it. */
const sessionOf = (role: Role) => insertCookie(sql, userIds.get(role) ?? 0);
const tokenOf = (role: Role) => ({ authorization: `Bearer ${api.tokens[role]}` });

/** The authorization result that the status shows. */
const verdict = (status: number): 'unauthenticated' | 'forbidden' | 'allowed' =>
  status === 401 ? 'unauthenticated' : status === 403 ? 'forbidden' : 'allowed';
function expectedOf(rule: Rule, role: Role, kind: 'user' | 'token') {
  if (rule === 'open') return 'allowed';
  if (rule === 'signature') return 'forbidden';
  const [needs = '', only] = rule.split(' ');
  if (only === 'user' && kind === 'token') return 'forbidden';
  const who: Readonly<Record<string, readonly Role[]>> = allowed;
  return who[needs]?.includes(role) ? 'allowed' : 'forbidden';
}

test('the matrix lists exactly the routes of the router', () => {
  expect([...new Set(routed)].toSorted()).toEqual(Object.keys(matrix).toSorted());
});

test('the OpenAPI document has all routes except provider callbacks and the document itself', () => {
  const rows = Object.entries(matrix).filter(
    ([route, rule]) => rule !== 'signature' && !route.startsWith('GET /api/docs'),
  );
  expect(documented.toSorted()).toEqual(rows.map(([route]) => route).toSorted());
});

describe('authorization', () => {
  test.each(Object.entries(matrix))('%s: %s', async (route, rule) => {
    const [method, path] = route.split(' ') as [Method, string];
    const called = method === 'GET' ? (['GET', 'HEAD'] as const) : [method];
    for (const calledMethod of called) {
      const anonymous = verdict(await statusOf(calledMethod, path, {}));
      const expected = { open: 'allowed', signature: 'forbidden' }[rule as string] ?? 'unauthenticated';
      // Provider callbacks have GET and POST, but no HEAD.
      if (rule === 'signature' && calledMethod === 'HEAD') continue;
      expect(anonymous, `${calledMethod} without credentials`).toBe(expected);
      for (const role of roles) {
        for (const kind of ['user', 'token'] as const) {
          const headers = kind === 'user' ? await sessionOf(role) : tokenOf(role);
          const status = await statusOf(calledMethod, path, headers);
          expect(verdict(status), `${calledMethod} by a ${kind} of the role ${role}: ${status}`).toBe(
            expectedOf(rule, role, kind),
          );
        }
      }
    }
  });

  test('is denied for a method that a path does not support', async () => {
    const paths = new Set(Object.keys(matrix).map((route) => route.split(' ')[1] ?? ''));
    for (const path of paths) {
      for (const method of methods) {
        if (Object.hasOwn(matrix, `${method === 'HEAD' ? 'GET' : method} ${path}`)) continue;
        // 401: the path also matches another route, as `{id}`.
        expect([401, 404], `${method} ${path}`).toContain(await statusOf(method, path, {}));
      }
    }
  });
});
