import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

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
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source], {
    cwd: folder,
  });
  expect(stdout).toBe(blocks('text')[0]);
});

it('documents the options that there are', () => {
  for (const file of [
    'connection',
    'outbound-calls',
    'stdio-transport',
    'fd-transport',
    'handshake',
    'transport',
  ]) {
    const source = readFileSync(`${folder}/src/${file}.ts`, 'utf8');
    for (const [, body = ''] of source.matchAll(/export interface \w+Options[^{]*\{([\s\S]*?)\n\}/g)) {
      for (const [, name] of body.matchAll(/^ {2}readonly (\w+)\??:/gm)) {
        const isInternal = ['sendFrame', 'sendCancel'].includes(name ?? '');
        expect(isInternal || readme.includes(`\`${name}\``), `${name} of ${file}.ts`).toBe(true);
      }
    }
  }
});
