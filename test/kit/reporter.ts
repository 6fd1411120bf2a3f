import type { Reporter, TestModule } from 'vitest/node';

/**
 * Ends the output of CI with one line for programs: `12 passed, 0 failed`. A file that can't be loaded and an error
 * outside of any test count as failed, too.
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
    // After what the other reporters write at the same moment.
    process.once('exit', () => console.log(`${passed} passed, ${failed} failed`));
  }
}
