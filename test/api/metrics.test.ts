import { expect, test } from 'vitest';
import { createApi } from '../kit/api.ts';

const { as, app, sql } = await createApi();

test('Prometheus reads the figures with a token, and each status has its line', async () => {
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

test('Without a token there are no figures', async () => {
  const answer = await app.inject({ method: 'GET', url: '/api/metrics' });
  expect(answer.statusCode).toBe(401);
});
