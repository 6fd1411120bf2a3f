import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { patchPostgres } from './scripts/patch-postgres.mjs';
import { SlowFilesFirst } from './test/kit/sequencer.ts';

// `npx vitest` runs no hook of npm.
patchPostgres();

const cores = availableParallelism();

// A few tests that kill and freeze whole systems for minutes. CI runs them always, a desk when they are asked for:
// `npx vitest run --project chaos`.
const withChaos = process.env.CI !== undefined || process.argv.some((word) => word.includes('chaos'));

const chaos = {
  extends: true as const,
  test: {
    name: 'chaos',
    include: ['test/chaos/**/*.test.ts'],
    globalSetup: 'test/kit/services.ts',
    maxWorkers: 1,
    sequence: { groupOrder: 2 },
  },
};

export default defineConfig({
  test: {
    // What hangs ends here; no test passes later than its conditions come true (test/kit/until.ts).
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Concurrent tests wait for servers that say nothing.
    maxConcurrency: 20,
    expect: { poll: { timeout: 45_000 } },
    pool: 'forks',
    // Files of a process share its modules, its browser and the SDK's runtime. To load them anew for each file cost more
    // than all tests of the API. So no file may leave anything behind, and nothing may keep state in a module.
    isolate: false,
    sequence: { sequencer: SlowFilesFirst },
    ...(process.env.CI ? { reporters: ['default', './test/kit/reporter.ts'] } : {}),
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], maxWorkers: cores },
      },
      {
        extends: true,
        test: {
          name: 'services',
          include: ['test/{api,console,system}/**/*.test.ts'],
          globalSetup: 'test/kit/services.ts',
          // They wait for PostgreSQL, Temporal and the browser more than they compute.
          maxWorkers: 3 * cores,
          sequence: { groupOrder: 1 },
        },
      },
      ...(withChaos ? [chaos] : []),
    ],
  },
});
