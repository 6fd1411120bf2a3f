import { expect, test } from 'vitest';
import { benchKill } from '../../bench/kill.ts';

// On servers of its own: those of the other tests must not be killed.
test('PostgreSQL, Temporal and the worker killed in the middle of a run lose nobody, and nobody is written to twice', async () => {
  const result = await benchKill({
    lines: 4_000,
    kills: 3,
    targets: ['postgres', 'temporal', 'worker'],
    latencyMs: 40,
  });
  expect(result).toMatchObject({ kept: true, passing: 0, duplicatesAtGateway: 0 });
}, 240_000);
