import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { transformWithOxc } from 'vite';
import { describe, expect, it, onTestFinished } from 'vitest';

const run = promisify(execFile);

const folder = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${folder}/README.md`, 'utf8');
const blocks = (language: string): readonly string[] =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, text]) => text ?? '',
  );

it('prints what the README says it prints', async () => {
  const [worker = '', host = ''] = blocks('js');
  const inline = JSON.stringify(['--input-type=module', '-e', worker]);
  const source = host.replace("['worker.mjs']", () => inline);
  expect(source).not.toBe(host);
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', source], {
    cwd: folder,
  });
  expect(stdout).toBe(blocks('text')[0]);
});

describe('the example of a contract', () => {
  const [, source = '', output] = /```ts\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/.exec(readme) ?? [];

  it('prints what the README says it prints', async () => {
    const { code } = await transformWithOxc(source, 'counter.ts');
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: folder });
    expect(stdout).toBe(output);
  });

  it('compiles, and does not when it is misspelt', { timeout: 60_000 }, async () => {
    const at = mkdtempSync(join(tmpdir(), 'pawl-contract-'));
    onTestFinished(() => rmSync(at, { recursive: true, force: true }));
    const root = join(folder, '../..');
    symlinkSync(join(root, 'node_modules'), join(at, 'node_modules'));
    symlinkSync(join(root, 'tsconfig.base.json'), join(at, 'tsconfig.base.json'));
    const compilerOptions = { noEmit: true, customConditions: ['@pawl/source'] };
    const config = { extends: './tsconfig.base.json', compilerOptions, files: ['counter.ts'] };
    writeFileSync(join(at, 'tsconfig.json'), JSON.stringify(config));
    writeFileSync(join(at, 'package.json'), '{ "type": "module" }');
    const compile = async (text: string): Promise<string> => {
      writeFileSync(join(at, 'counter.ts'), text);
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      return run(process.execPath, [tsc, '-p', at]).then(
        ({ stdout }) => stdout,
        (error: { readonly stdout: string }) => error.stdout,
      );
    };
    expect(await compile(source)).toBe('');
    expect(await compile(source.replace('{ to: 5 }', "{ to: '5' }"))).toContain(
      "Type 'string' is not assignable to type 'number'.",
    );
    expect(await compile(source.replace("'count',", "'cuont',"))).toContain('"cuont"');
  });
});

it('documents the options of the commands that there are', () => {
  const sources = ['src/conformance/cli.ts', 'fuzz/cli.ts'].map((file) =>
    readFileSync(`${folder}/${file}`, 'utf8'),
  );
  for (const [, name = '', about = ''] of sources.join().matchAll(/^ {2}(--[\w-]+)(?: <\w+>)? +(.*)$/gm)) {
    expect(readme).toContain(name);
    const [, byDefault] = /default: (\w+)/.exec(about) ?? [];
    const [row = ''] = readme.split('\n').filter((line) => line.startsWith('|') && line.includes(name));
    expect(row, name).toContain(byDefault === undefined ? name : `\`${byDefault}\``);
  }
});

it('documents the options that there are', () => {
  for (const file of [
    'connection',
    'outbound-calls',
    'stdio-transport',
    'fd-transport',
    'handshake',
    'heartbeat',
    'transport',
  ]) {
    const source = readFileSync(`${folder}/src/${file}.ts`, 'utf8');
    for (const [, body = ''] of source.matchAll(/export interface \w+Options[^{]*\{([\s\S]*?)\n\}/g)) {
      for (const [, name] of body.matchAll(/^ {2}readonly (\w+)\??:/gm)) {
        const isInternal = ['sendFrame', 'sendCancel', 'onListenerFault'].includes(name ?? '');
        expect(isInternal || readme.includes(`\`${name}\``), `${name} of ${file}.ts`).toBe(true);
      }
    }
  }
});
