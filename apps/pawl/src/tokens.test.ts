import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@pawl/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTokens } from './tokens.ts';

function setup() {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-tokens-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'tokens.json');
  const write = (...names: readonly string[]): void =>
    writeFileSync(
      file,
      JSON.stringify({
        tokens: names.map((name) => ({
          name,
          role: 'run',
          sha256: createHash('sha256').update(`token of ${name}`).digest('hex'),
        })),
      }),
    );
  return { file, write, create: () => createTokens({ file, logger: silentLogger }) };
}

describe('createTokens', () => {
  it('knows who a token belongs to', () => {
    const { write, create } = setup();
    write('ada', 'grace');
    const tokens = create();
    expect(tokens.inUse).toBe(true);
    expect(tokens.ownerOf('token of grace')).toMatchObject({ name: 'grace', role: 'run' });
    expect(tokens.ownerOf('token of eve')).toBeUndefined();
    expect(tokens.ownerOf('')).toBeUndefined();
  });

  it('follows the file', () => {
    const { file, write, create } = setup();
    const tokens = create();
    expect([tokens.inUse, tokens.ownerOf('token of ada')]).toEqual([false, undefined]);
    write('ada');
    expect(tokens.ownerOf('token of ada')).toMatchObject({ name: 'ada' });
    write('grace');
    expect([tokens.ownerOf('token of ada'), tokens.ownerOf('token of grace')?.name]).toEqual([
      undefined,
      'grace',
    ]);
    // Nobody gets in because the file is gone, or half written.
    writeFileSync(file, '{"tokens":[{"name":');
    expect(tokens.ownerOf('token of grace')?.name).toBe('grace');
    rmSync(file);
    expect([tokens.inUse, tokens.ownerOf('token of grace')?.name]).toEqual([true, 'grace']);
  });

  it.each(['', '[]', '{"tokens":{}}', '{"tokens":[{"name":"a","role":"root","sha256":"00"}]}'])(
    'refuses to begin with a file that is none: %s',
    (content) => {
      const { file, create } = setup();
      writeFileSync(file, content);
      expect(create).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(file) }),
      );
    },
  );
});
