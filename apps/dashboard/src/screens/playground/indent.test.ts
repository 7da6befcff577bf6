import { expect, it } from 'vitest';
import { indentAfter } from './indent.ts';

it.each([
  ['x = 1', ''],
  ['def f():', '    '],
  ['    if a:  # why', '        '],
  ['  y = 2', '  '],
  ['a\n    b', '    '],
])('indents the line after %j', (text, indentation) => {
  expect(indentAfter(text)).toBe(indentation);
});
