import { expect, test } from 'vitest';
import { benchKill } from '../../bench/kill.ts';

// Uses its own servers, because those of the other tests must not be killed.
test('no contact is lost or gets a message twice when PostgreSQL, Temporal and the worker are killed during a run', async () => {
  const result = await benchKill({
    lines: 4_000,
    kills: 3,
    targets: ['postgres', 'temporal', 'worker'],
    latencyMs: 40,
  });
  expect(result).toMatchObject({ passed: true, unfinished: 0, duplicatesAtGateway: 0 });
}, 240_000);
