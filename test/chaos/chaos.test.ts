import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { z } from 'zod';

/** `npm run chaos -- …`, as its own process. */
async function chaos(...options: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'chaos/main.ts', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, log] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, output, log };
}

const result = z.object({
  kept: z.boolean(),
  disruptions: z.int(),
  freezes: z.int(),
  lines: z.int(),
  takenByGateway: z.int(),
  findings: z.array(z.unknown()),
});

test('The plan depends on the options alone', async () => {
  const [one, same, other] = await Promise.all(
    ['7', '7', '8'].map((seed) => chaos('--seed', seed, '--kills', '20', '--plan')),
  );
  expect(one).toMatchObject({ code: 0 });
  expect(same?.output).toBe(one?.output);
  expect(other?.output).not.toBe(one?.output);
});

test('Under kills, freezes and cuts nobody is written to twice, nobody is lost, and each run ends', async () => {
  const { code, output, log } = await chaos(
    ...['--seed', '5', '--kills', '8', '--contacts', '200', '--longest', '8', '--json'],
  );
  expect(code, log).toBe(0);
  const { lines, takenByGateway, ...told } = result.parse(JSON.parse(output.trim().split('\n').at(-1) ?? ''));
  expect(told, log).toEqual({ kept: true, disruptions: 8, freezes: 4, findings: [] });
  // Some have opted out, repeat a phone or have none.
  expect(takenByGateway).toBeGreaterThan(0.5 * lines);
}, 600_000);
