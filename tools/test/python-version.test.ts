import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (file: string): string =>
  readFileSync(new URL(`../../packages/runtime/${file}`, import.meta.url), 'utf8');

it('keeps the Python SDK at the version of its package', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  expect(read('src/python/pawl_worker.py')).toContain(`\n__version__ = "${version}"\n`);
});
