import { defineConfig } from 'vitest/config';
import { patchPostgres } from './scripts/patch-postgres.mjs';

// `npx vitest` runs no hook of npm.
patchPostgres();

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/kit/services.ts',
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // One real PostgreSQL and one real Temporal server serve all files; two files at a time fit the two cores of CI.
    maxWorkers: 2,
    pool: 'forks',
    ...(process.env.CI ? { reporters: ['default', './test/kit/reporter.ts'] } : {}),
  },
});
