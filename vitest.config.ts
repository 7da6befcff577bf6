import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Much of what runs here waits for other processes: two at a time also on a small machine.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: ['packages/*', 'apps/*', 'tools'],
    reporters: ['default', './tools/closing-line.ts'],
    globalSetup: ['./tools/build-before-tests.ts', './tools/no-orphans.ts'],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**'],
      reporter: ['text-summary', 'json-summary', 'lcov'],
    },
  },
});
