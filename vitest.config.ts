import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
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
