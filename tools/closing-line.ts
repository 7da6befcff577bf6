import type { Reporter, TestModule } from 'vitest/node';

/** Names what was skipped, then ends the run with one plain line, `N passed, N failed`, after everything else. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandled.length;
    const skipped: string[] = [];
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed += 1;
        else if (state === 'failed') failed += 1;
        else skipped.push(`${module.project.name}: ${test.fullName}`);
      }
    }
    process.once('exit', (code) => {
      if (code !== 0 && failed === 0) failed = 1;
      const lines = skipped.map((name) => `skipped: ${name}\n`).join('');
      const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
      process.stdout.write(`${lines}${passed} passed, ${failed} failed${tail}\n`);
    });
  }
}
