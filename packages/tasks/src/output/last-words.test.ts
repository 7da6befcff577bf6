import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { lastWords, uncaughtMessage } from './last-words.ts';

/** What Node itself prints of it. */
const crash = (code: string): string =>
  spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }).stderr;

describe('the last words of a program', () => {
  it.each([
    ['no such table\n', 'no such table'],
    ['one\ntwo  \n\n', 'two'],
    ['Traceback:\n  File "a.py", line 1\nValueError: no such table\n', 'ValueError: no such table'],
    ['   ', ''],
    ['', ''],
  ])('%j are its last line: %j', (stderr, words) => {
    expect(lastWords(stderr)).toBe(words);
    expect(uncaughtMessage(stderr)).toBe(undefined);
  });

  it.each([
    ['throw new Error("no such table")', 'Error: no such table'],
    ['throw Object.assign(new Error("no"), { code: "X", cause: new Error("why") })', 'Error: no'],
    ['throw new AggregateError([new Error("a")], "all bad")', 'AggregateError: all bad'],
    ['console.error("one"); null.x', "TypeError: Cannot read properties of null (reading 'x')"],
    ['throw "a word"', 'a word'],
  ])('of Node are the message of what nobody caught: %s', (code, message) => {
    expect(lastWords(crash(code))).toContain(message);
  });

  it('are the message above a stack, whoever printed it', () => {
    expect(lastWords('boom\nError: no\n    at file.mjs:1:7\n    at run (file.mjs:2:1)\n')).toBe('Error: no');
    expect(lastWords('    at nowhere\n')).toBe('at nowhere');
  });
});
