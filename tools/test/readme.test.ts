import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readmes = [
  'README.md',
  ...['packages', 'apps'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}/README.md`),
  ),
  ...readdirSync(join(root, 'docs/guide')).map((name) => `docs/guide/${name}`),
];
/** A package shows what it does, a page of the guide how it is done; an index need not. */
const WITH_EXAMPLE = /^(?:packages|docs\/guide)\/(?!README)/;

/** A block of code that is followed, with nothing between, by a block of what it prints. */
const EXAMPLE = /```js\n(?<code>(?:(?!```)[\s\S])*)```\n\n```text\n(?<output>(?:(?!```)[\s\S])*)```/g;

/** A block of code that is introduced by the name of its file: ``A worker, `worker.mjs`:`` */
const FILE = /`(?<name>[\w-]+\.(?:m?js|py|sh))`:\n\n```(?:js|py|sh)\n(?<code>(?:(?!```)[\s\S])*)```/g;

/** Runs code as a user's own file would: the packages built, the examples beside it. */
async function run(code: string, files: readonly (readonly [name: string, code: string])[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-readme-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['node_modules', 'examples']) symlinkSync(join(root, name), join(folder, name));
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
  const file = join(folder, 'example.mjs');
  writeFileSync(file, code);
  const { stdout } = await promisify(execFile)(process.execPath, ['--preserve-symlinks-main', file], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1' },
    timeout: 20_000,
  });
  return stdout;
}

describe.each(readmes)('%s', (name) => {
  it('exists', () => {
    expect(existsSync(join(root, name))).toBe(true);
  });

  const text = existsSync(join(root, name)) ? readFileSync(join(root, name), 'utf8') : '';
  const files = [...text.matchAll(FILE)].map(
    ({ groups }) => [groups?.['name'] ?? '', groups?.['code'] ?? ''] as const,
  );
  const examples = [...text.matchAll(EXAMPLE)].map(({ groups }, index) => ({
    number: index + 1,
    code: groups?.['code'] ?? '',
    output: groups?.['output'] ?? '',
  }));
  it.each(examples)('prints in example $number what it says', async ({ code, output }) => {
    expect(await run(code, files)).toBe(output);
  });

  it('has an example, if it is of a package or a page of the guide', () => {
    expect(examples.length).toBeGreaterThanOrEqual(WITH_EXAMPLE.test(name) ? 1 : 0);
  });
});
