import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { afterAll, expect, inject, test } from 'vitest';
import { prepareNamespace, retentionMs } from '../../worker/namespace.ts';

const connection = await Connection.connect({ address: inject('temporalAddress') });
afterAll(() => connection.close());

test('a namespace is created with its search attributes and not changed afterwards', async () => {
  const namespace = `new-${randomBytes(4).toString('hex')}`;
  const made = await prepareNamespace(connection, namespace, ['One', 'Two']);
  expect(made).toEqual({ created: true, searchAttributes: ['One', 'Two'] });

  const { config } = await connection.workflowService.describeNamespace({ namespace });
  expect(optionalTsToMs(config?.workflowExecutionRetentionTtl)).toBe(retentionMs);

  const again = await prepareNamespace(connection, namespace, ['One', 'Two']);
  expect(again).toEqual({ created: false, searchAttributes: [] });
});

test('only missing search attributes are added', async () => {
  const namespace = `old-${randomBytes(4).toString('hex')}`;
  await prepareNamespace(connection, namespace, ['One']);
  const changes = await prepareNamespace(connection, namespace, ['One', 'Two']);
  expect(changes).toEqual({ created: false, searchAttributes: ['Two'] });
});
