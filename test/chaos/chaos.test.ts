import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { z } from 'zod';

/** `npm run chaos -- …` in a separate process. */
async function chaos(...options: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'chaos/main.ts', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, log] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, output, log };
}

const result = z.object({
  passed: z.boolean(),
  disruptions: z.int(),
  freezes: z.int(),
  lines: z.int(),
  acceptedByGateway: z.int(),
  findings: z.array(z.unknown()),
});

test('the plan depends only on the options', async () => {
  const [one, same, other] = await Promise.all(
    ['7', '7', '8'].map((seed) => chaos('--seed', seed, '--kills', '20', '--plan')),
  );
  expect(one).toMatchObject({ code: 0 });
  expect(same?.output).toBe(one?.output);
  expect(other?.output).not.toBe(one?.output);
});

test('under kills, freezes and cuts no contact is lost or gets a message twice, and each run ends', async () => {
  const { code, output, log } = await chaos(
    ...['--seed', '5', '--kills', '8', '--contacts', '200', '--longest', '8', '--json'],
  );
  expect(code, log).toBe(0);
  const { lines, acceptedByGateway, ...summary } = result.parse(
    JSON.parse(output.trim().split('\n').at(-1) ?? ''),
  );
  expect(summary, log).toEqual({ passed: true, disruptions: 8, freezes: 4, findings: [] });
  // Some lines repeat a phone, have none, or belong to a contact who has opted out.
  expect(acceptedByGateway).toBeGreaterThan(0.5 * lines);
}, 600_000);
