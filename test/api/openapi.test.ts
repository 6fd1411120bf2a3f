import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createConsole } from '../kit/console.ts';

/** The console is registered too, as in production. */
const { app } = await createConsole();
const get = (url: string) => app.inject({ method: 'GET', url });

const operation = z.object({
  summary: z.string().min(1),
  description: z.string().min(1),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  responses: z.record(
    z.string(),
    z.object({ description: z.string(), content: z.record(z.string(), z.unknown()).optional() }),
  ),
});
const documentShape = z.object({ paths: z.record(z.string(), z.record(z.string(), operation)) });

test('the API document is valid OpenAPI, and contains only API and health routes', async () => {
  const answer = await get('/api/docs/json');
  expect(answer.statusCode).toBe(200);
  const { valid, errors } = await new Validator().validate(answer.json<Record<string, unknown>>());
  expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
  const { paths } = documentShape.parse(answer.json());
  expect(Object.keys(paths).filter((path) => !/^\/(api|health)\//.test(path))).toEqual([]);
  expect(Object.keys(paths['/api/campaigns'] ?? {})).toEqual(['get', 'post']);
  expect(paths['/api/campaigns']?.post?.security).toEqual([{ token: [] }]);
  expect(paths['/health/live']?.get?.security).toEqual([]);
  const typesOf = (path: string, method: string) =>
    Object.entries(paths[path]?.[method]?.responses ?? {}).map(([status, { content = {} }]) => [
      status,
      ...Object.keys(content),
    ]);
  expect(typesOf('/api/settings/regions/{id}', 'delete')).toEqual([['204'], ['default', 'application/json']]);
  expect(typesOf('/api/tickets.csv', 'get')).toEqual([
    ['200', 'text/csv'],
    ['default', 'application/json'],
  ]);
});

test('the documentation page loads all its assets from our own server', async () => {
  const page = await get('/api/docs/');
  expect(page.statusCode).toBe(200);
  const assets = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, asset]) => asset ?? '');
  expect(assets.length).toBeGreaterThan(3);
  for (const asset of assets) {
    const { pathname, host } = new URL(asset, 'http://here/api/docs/');
    expect([asset, host, (await get(pathname)).statusCode]).toEqual([asset, 'here', 200]);
  }
});
