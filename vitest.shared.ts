import { defaultServerConditions } from 'vite';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const conditions: string[] = ['@pawl/source', ...defaultServerConditions];

/** One package's test project: workspace imports resolve to sources, so the code under test needs no build. */
export function project(name: string): ViteUserConfig {
  return defineConfig({
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      name,
      include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
      environment: 'node',
      testTimeout: 15_000,
      unstubEnvs: true,
      restoreMocks: true,
      benchmark: { include: ['bench/**/*.bench.ts'] },
    },
  });
}
