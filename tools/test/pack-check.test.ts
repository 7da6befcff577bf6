import { describe, expect, it } from 'vitest';

interface Pack {
  readonly manifest: object;
  readonly files: readonly string[];
  readonly sourceSize: number;
  readonly unpackedSize: number;
}

const { faultsOf } = (await import(new URL('../pack-check.mjs', import.meta.url).href)) as {
  readonly faultsOf: (pack: Pack) => readonly string[];
};

/** A sound package, changed. */
function setup(
  change: { add?: string[]; drop?: string[]; manifest?: object; unpackedSize?: number } = {},
): Pack {
  const sources = ['index', 'run/run'];
  const built = [
    ...sources.flatMap((name) => [`src/${name}.ts`, `dist/${name}.d.ts`, `dist/${name}.d.ts.map`]),
    ...['index', 'shared/main'].flatMap((name) => [`dist/${name}.js`, `dist/${name}.js.map`]),
  ];
  const files = ['package.json', 'README.md', 'LICENSE', 'bin/pawl.js', 'src/python/worker.py', ...built];
  return {
    files: [...files, ...(change.add ?? [])].filter((file) => !change.drop?.includes(file)),
    sourceSize: 1_000,
    unpackedSize: change.unpackedSize ?? 4_000,
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

  it('asks a command line for a file of each source, and for no types', () => {
    const untyped = { manifest: { exports: { './package.json': './package.json' } } };
    const files = ['dist/index', 'dist/run/run'].flatMap((name) => [`${name}.js`, `${name}.js.map`]);
    expect(faultsOf(setup({ ...untyped, add: [...files, 'dist/ui/assets/index-1.js'] }))).toEqual([
      'dist/shared/main.js has no source: a stale build?',
      'dist/shared/main.js.map has no source: a stale build?',
    ]);
    expect(faultsOf(setup(untyped))).toContain('dist/run/run lacks .js .js.map: build first');
  });

  it.each([
    ['README.md is not packed', { drop: ['README.md'] }],
    ['LICENSE is not packed', { drop: ['LICENSE'] }],
    ['bin/pawl.js is not packed', { drop: ['bin/pawl.js'] }],
    ['src/index.ts is not packed', { drop: ['src/index.ts'] }],
    ['dist/index.d.ts is not packed', { drop: ['dist/index.d.ts'] }],
    ['dist/index.js is not packed', { drop: ['dist/index.js'] }],
    ['dist/run/run lacks .d.ts.map: build first', { drop: ['dist/run/run.d.ts.map'] }],
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
    ['54001 bytes unpacked, over the budget of 54000 for 1000 of source', { unpackedSize: 54_001 }],
  ])('finds: %s', (fault, change) => {
    expect(faultsOf(setup(change))).toContain(fault);
  });
});
