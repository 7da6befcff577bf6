import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createPasswordSeal, readSealKey } from './password-seal.ts';

it('opens what it sealed, in the same context alone', () => {
  const seal = createPasswordSeal(readSealKey(undefined));
  const sealed = seal.seal('pässword', 'report.token');
  expect(sealed).not.toContain('pässword');
  expect(seal.isSealed(sealed)).toBe(true);
  expect(seal.open(sealed, 'report.token')).toBe('pässword');
  expect(seal.open(sealed, 'report.other')).toBe(undefined);
  expect(createPasswordSeal(readSealKey(undefined)).open(sealed, 'report.token')).toBe(undefined);
});

it('gives the same text for the same password, and another for another', () => {
  const seal = createPasswordSeal(readSealKey(undefined));
  expect(seal.seal('a', 'x')).toBe(seal.seal('a', 'x'));
  expect(new Set([seal.seal('a', 'x'), seal.seal('b', 'x'), seal.seal('a', 'y')]).size).toBe(3);
});

it.each(['sealed:v1:', 'sealed:v1:AAAA', 'plain', `sealed:v1:${'A'.repeat(80)}`])('refuses %j', (text) => {
  expect(createPasswordSeal(readSealKey(undefined)).open(text, 'x')).toBe(undefined);
});

it('keeps its key in a file that nobody else may read', ({ onTestFinished }) => {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-seal-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'data', 'seal.key');
  const key = readSealKey(file);
  expect(readSealKey(file)).toEqual(key);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});
