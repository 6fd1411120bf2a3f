import type { Reporter, TestModule } from 'vitest/node';

/**
 * Ends the output of CI with a machine-readable line: `12 passed, 0 failed`. A file that cannot be loaded and an error
 * outside of tests count as failures.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(files: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    for (const file of files) {
      const before = failed;
      for (const test of file.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') failed++;
      }
      if (file.state() === 'failed' && failed === before) failed++;
    }
    // At exit, so that the line follows the output of the other reporters.
    process.once('exit', () => console.log(`${passed} passed, ${failed} failed`));
  }
}
