import { expect, test } from 'vitest';
import { createApi, createCatalog, createRun } from '../kit/api.ts';
import { createTicketCatalog, onReply, openTicket } from '../kit/tickets.ts';

const api = await createApi();
const { as, app, sql } = api;

test('Prometheus reads the metrics with a token, and each status has its own line', async () => {
  await sql`insert into campaigns (definition, enabled) values ('{"name": "A"}', true)`;
  await as('viewer')('GET', '/api/campaigns/999');
  const answer = await as('viewer')('GET', '/api/metrics');
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-type']).toContain('text/plain');
  expect(answer.body).toContain('torpedo_enabled_campaigns 1');
  expect(answer.body).toContain('torpedo_runs{status="failed"} 0');
  expect(answer.body).toContain('torpedo_messages{status="unknown"} 0');
  expect(answer.body).toMatch(
    /torpedo_http_request_seconds_count\{method="GET",route="\/api\/campaigns\/:id",status="404"\} 1/,
  );
});

test('metrics require a token', async () => {
  const answer = await app.inject({ method: 'GET', url: '/api/metrics' });
  expect(answer.statusCode).toBe(401);
});

test('answers to customers are counted by status, and unknown answers are counted regardless of their age', async () => {
  const tickets = await createTicketCatalog(sql);
  const { messageIds } = await createRun(api, await createCatalog(api), {
    phones: ['+5511977770001'],
    changes: { ticketPolicy: onReply(tickets) },
  });
  const id = await openTicket(sql, messageIds[0] ?? 0);
  for (let n = 0; n < 3; n++) await as('agent')('POST', `/api/tickets/${id}/answers`, { text: 'Olá' });
  await sql`
    update answers set status = 'unknown', created_at = created_at - n * interval '3 days'
    from (select id, row_number() over (order by id) - 1 as n from answers) as numbered
    where numbered.id = answers.id and n < 2`;
  const { body } = await as('viewer')('GET', '/api/metrics');
  expect(body).toContain('torpedo_answers{status="queued"} 1');
  expect(body).toContain('torpedo_answers{status="unknown"} 1');
  expect(body).toContain('torpedo_answers{status="failed"} 0');
  expect(body).toContain('torpedo_unknown_answers 2');
});
