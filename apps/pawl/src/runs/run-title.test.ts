import { describe, expect, it } from 'vitest';
import { commandTitle, programTitle } from './run-title.ts';

describe('commandTitle', () => {
  it.each([
    ['/srv/report.py', ['--month', '5'], 'report.py --month 5'],
    ['sh', ['-c', 'echo "hi"'], `sh -c 'echo "hi"'`],
    ['say', ["it's", ''], String.raw`say 'it'\''s' ''`],
    ['ls', undefined, 'ls'],
  ])('is what one would type: %s %j', (file, args, title) => {
    expect(commandTitle(file, args)).toBe(title);
  });

  it('is no longer than a line', () => {
    expect(commandTitle('x', ['y'.repeat(500)])).toMatch(/^x y{117}…$/);
  });
});

describe('programTitle', () => {
  it.each([
    ['print(1)', 'print(1)'],
    ['# about\n\n  def f():\n    pass', 'def f():'],
    ['# nothing else', '# nothing else'],
    ['', ''],
  ])('is the first line that says something: %j', (code, title) => {
    expect(programTitle(code)).toBe(title);
  });
});
