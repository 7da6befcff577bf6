import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';

const { pages, withPatternTable } = (await import(new URL('../pattern-table.mjs', import.meta.url).href)) as {
  readonly pages: readonly URL[];
  readonly withPatternTable: (text: string) => string;
};

describe('the comparison of the patterns', () => {
  it.each(pages.map((page) => [basename(page.pathname), page] as const))(
    'is in %s what the code says: `node tools/pattern-table.mjs` writes it',
    (_, page) => {
      const text = readFileSync(page, 'utf8');
      expect(withPatternTable(text)).toBe(text);
    },
  );

  it('takes the place of whatever is between the marks, and leaves the rest alone', () => {
    const [page] = pages.map((each) => readFileSync(each, 'utf8'));
    const outdated = page?.replace('| signal, timeout ', '| by magic ') ?? '';
    expect(outdated).not.toBe(page);
    expect(withPatternTable(outdated)).toBe(page);
  });

  it('needs its marks', () => {
    expect(() => withPatternTable('# A page\n')).toThrow('Written by tools/pattern-table.mjs');
  });
});
