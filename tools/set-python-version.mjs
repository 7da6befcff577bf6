// Part of `npm run version`: gives the Python SDK the version of the package it ships in.
import { readFileSync, writeFileSync } from 'node:fs';

const { version } = JSON.parse(
  readFileSync(new URL('../packages/runtime/package.json', import.meta.url), 'utf8'),
);
const sdk = new URL('../packages/runtime/src/python/pawl_worker.py', import.meta.url);
const line = /^__version__ = ".*"$/m;
const text = readFileSync(sdk, 'utf8');
if (!line.test(text)) throw new Error('pawl_worker.py has no line `__version__ = "…"`.');
writeFileSync(sdk, text.replace(line, `__version__ = "${version}"`));
