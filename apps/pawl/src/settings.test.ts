import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeSettings, SETTINGS } from './settings.ts';

describe('describeSettings', () => {
  it('says of every setting what it does, and what it is by itself', () => {
    const described = describeSettings();
    expect(described.map(({ name }) => name)).toEqual(SETTINGS);
    for (const { name, description, default: fallback } of described) {
      expect(description, name).toMatch(/^\S.*\.$/);
      expect(fallback, name).not.toBe('');
    }
    expect(described.find(({ name }) => name === 'PAWL_PORT')?.default).toBe('3001');
  });

  it('is what the README says', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const rows = [...readme.matchAll(/^\| `(PAWL_\w+)` +\| (.*?) +\| (.*?) +\|$/gm)].map(
      ([, name, description, fallback]) => ({ name, description, default: fallback?.replaceAll('`', '') }),
    );
    const described = describeSettings().map((setting) => ({
      ...setting,
      default: setting.default.replaceAll('`', ''),
    }));
    expect(rows).toEqual(described);
  });
});
