import { expect, it } from 'vitest';
import { joinArguments, splitArguments } from './command-line.ts';

it.each([
  ['', []],
  ['  du  -sh /var/log ', ['du', '-sh', '/var/log']],
  [`echo 'two words' "and \\"more\\""`, ['echo', 'two words', 'and "more"']],
  ['a\\ b', ['a b']],
  [`''`, ['']],
  [`it's open`, ['its open']],
])('splits %s', (text, words) => {
  expect(splitArguments(text)).toEqual(words);
});

it('joins to what splits into the same again', () => {
  const words = ['echo', 'two words', `it's`, '', '*', '$HOME', 'a\\b', '--month=5', 'ä'];
  expect(splitArguments(joinArguments(words))).toEqual(words);
  expect(joinArguments(['report.py', '--month', '5'])).toBe('report.py --month 5');
});
