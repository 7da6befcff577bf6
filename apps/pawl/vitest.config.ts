import { mergeConfig } from 'vitest/config';
import { project } from '../../vitest.shared.ts';

// Built before its tests also when they are run from this folder: they start what users start.
export default mergeConfig(project('pawl'), {
  test: { globalSetup: ['../../tools/build-before-tests.ts'], maxConcurrency: 8 },
});
