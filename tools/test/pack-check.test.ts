import { describe, expect, it } from 'vitest';

interface Pack {
  readonly manifest: object;
  readonly files: readonly string[];
  readonly unpackedSize: number;
}

const { faultsOf } = (await import(new URL('../pack-check.mjs', import.meta.url).href)) as {
  readonly faultsOf: (pack: Pack, budgetBytes?: number) => readonly string[];
};

/** A sound package, changed. */
function setup(
  change: { add?: string[]; drop?: string[]; manifest?: object; unpackedSize?: number } = {},
): Pack {
  const built = ['index', 'run/run'].flatMap((name) => [
    `src/${name}.ts`,
    ...['.js', '.js.map', '.d.ts', '.d.ts.map'].map((end) => `dist/${name}${end}`),
  ]);
  const files = ['package.json', 'README.md', 'LICENSE', 'bin/pawl.js', 'src/python/worker.py', ...built];
  return {
    files: [...files, ...(change.add ?? [])].filter((file) => !change.drop?.includes(file)),
    unpackedSize: change.unpackedSize ?? 1_000,
    manifest: {
      bin: { pawl: './bin/pawl.js' },
      dependencies: { '@pawl/core': '^0.1.0' },
      exports: {
        '.': { '@pawl/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
        './package.json': './package.json',
      },
      ...change.manifest,
    },
  };
}

describe('the pack check', () => {
  it('finds nothing wrong with a sound package', () => {
    expect(faultsOf(setup())).toEqual([]);
  });

  it.each([
    ['README.md is not packed', { drop: ['README.md'] }],
    ['LICENSE is not packed', { drop: ['LICENSE'] }],
    ['bin/pawl.js is not packed', { drop: ['bin/pawl.js'] }],
    ['src/index.ts is not packed', { drop: ['src/index.ts'] }],
    ['dist/index.d.ts is not packed', { drop: ['dist/index.d.ts'] }],
    ['dist/run/run lacks .js.map: build first', { drop: ['dist/run/run.js.map'] }],
    ['dist/gone.js has no source: a stale build?', { add: ['dist/gone.js'] }],
    ['dist/gone.d.ts.map has no source: a stale build?', { add: ['dist/gone.d.ts.map'] }],
    ['src/index.test.ts must not be packed', { add: ['src/index.test.ts'] }],
    ['test/index.ts must not be packed', { add: ['test/index.ts'] }],
    ['dist/.tsbuildinfo must not be packed', { add: ['dist/.tsbuildinfo'] }],
    [
      'src/python/__pycache__/worker.cpython-311.pyc must not be packed',
      { add: ['src/python/__pycache__/worker.cpython-311.pyc'] },
    ],
    ['@pawl/core@* cannot be published', { manifest: { dependencies: { '@pawl/core': '*' } } }],
    ['1600001 bytes unpacked, over the budget of 1600000', { unpackedSize: 1_600_001 }],
  ])('finds: %s', (fault, change) => {
    expect(faultsOf(setup(change))).toContain(fault);
  });
});
