import { describe, expect, it } from 'vitest';
import { levelOf, mayNameLevel } from './output-level.ts';

describe('the level of a line', () => {
  it.each([
    ['all fine', 'INFO'],
    ['0 errors, 0 warnings', 'INFO'],
    ['0 error(s)', 'INFO'],
    ['finished with no error', 'INFO'],
    ['terrors and debugger', 'INFO'],
    ['error_count=7', 'INFO'],
    ['1 error found', 'ERROR'],
    ['Error: no such table', 'ERROR'],
    ['uncaught exception', 'ERROR'],
    ['fatal: not a git repository', 'CRITICAL'],
    ['2026-03-08 CRITICAL after an ERROR', 'CRITICAL'],
    ['WARN disk is 91 % full', 'WARNING'],
    ['warning: unused variable', 'WARNING'],
    ['DEBUG the error handler is in place', 'DEBUG'],
    ['[INFO] retrying after an error', 'INFO'],
    ['größere error', 'ERROR'],
    ['', 'INFO'],
  ])('%j on stdout is %s', (line, level) => {
    expect(levelOf(line, 'stdout')).toBe(level);
  });

  it.each([
    ['all fine', 'ERROR'],
    ['INFO listening', 'INFO'],
    ['warning: deprecated', 'WARNING'],
  ])('%j on stderr is %s', (line, level) => {
    expect(levelOf(line, 'stderr')).toBe(level);
  });

  it('is looked for in every line that has a level word', () => {
    for (const word of ['critical', 'fatal', 'error', 'exception', 'warning', 'warn', 'debug', 'info']) {
      expect([mayNameLevel(`a ${word} b`), mayNameLevel(word.toUpperCase())]).toEqual([true, true]);
    }
    expect(mayNameLevel('nothing to see')).toBe(false);
  });
});
