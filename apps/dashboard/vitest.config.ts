import { mergeConfig } from 'vitest/config';
import { project } from '../../vitest.shared.ts';

// The page is tested as it is served, by the service that was built.
export default mergeConfig(project('dashboard'), {
  test: {
    globalSetup: ['../../tools/build-before-tests.ts'],
    testTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
  },
});
