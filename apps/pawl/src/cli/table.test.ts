import { createColors } from 'picocolors';
import { describe, expect, it } from 'vitest';
import { type Column, formatFields, formatTable } from './table.ts';
import type { Terminal } from './terminal.ts';
import { toHarmless, toOneLine, truncate, widthOf } from './text-width.ts';

const PIPE: Terminal = { isTerminal: false, width: Infinity, colors: createColors(false) };
const narrow = (width: number, hasColors = false): Terminal => ({
  isTerminal: true,
  width,
  colors: createColors(hasColors),
});

interface Row {
  readonly id: string;
  readonly what: string;
  readonly runs: number;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'RUNS', value: ({ runs }) => String(runs), align: 'right' },
  { title: 'WHAT', value: ({ what }) => what, shrinks: true },
];
const ROWS: readonly Row[] = [
  { id: 'a', what: 'report.py --month 5', runs: 7 },
  { id: 'long-name', what: 'x', runs: 12_345 },
];

describe('formatTable', () => {
  it('aligns, and puts no space at the end of a line', () => {
    expect(formatTable(COLUMNS, ROWS, PIPE)).toEqual([
      'ID          RUNS  WHAT',
      'a              7  report.py --month 5',
      'long-name  12345  x',
    ]);
  });

  it('cuts what may shrink to the width of a terminal, and nothing in a pipe', () => {
    const lines = formatTable(COLUMNS, ROWS, narrow(30));
    expect(lines[1]).toBe('a              7  report.py -…');
    expect(lines.map((line) => line.length)).toEqual([22, 30, 19]);
    const long = [{ id: 'a', what: 'x'.repeat(5_000), runs: 1 }];
    expect(formatTable(COLUMNS, long, PIPE)[1]).toHaveLength(5_010);
  });

  it('leaves a name whole however narrow the terminal is', () => {
    const [, line] = formatTable(COLUMNS, ROWS.slice(1), narrow(5));
    expect(line).toMatch(/^long-name {2}12345/);
  });

  it('aligns what takes two columns, or none', () => {
    const rows = [
      { id: '日本', what: 'x', runs: 1 },
      { id: 'e\u0301', what: 'y', runs: 2 },
    ];
    expect(formatTable(COLUMNS, rows, PIPE)).toEqual([
      'ID    RUNS  WHAT',
      '日本     1  x',
      'e\u0301        2  y',
    ]);
  });

  it('lets no cell break its line, move the cursor or change colours', () => {
    const rows = [{ id: 'a\nb', what: '\u001B[2Jgone\r\u0007', runs: 1 }];
    expect(formatTable(COLUMNS, rows, PIPE)[1]).toBe('a b     1  [2Jgone');
  });

  it('paints after it has measured', () => {
    const painted = [
      { ...COLUMNS[0], paint: (text: string) => `<${text}>` } as Column<Row>,
      ...COLUMNS.slice(1),
    ];
    expect(formatTable(painted, ROWS, PIPE)[1]).toBe('<a        >      7  report.py --month 5');
    expect(formatTable(COLUMNS, ROWS, narrow(80, true))[0]).toBe('\u001B[2mID          RUNS  WHAT\u001B[22m');
  });
});

it('shows fields that have a value', () => {
  const fields = [
    ['run', 'a'],
    ['ended', null],
    ['waits for', 'b'],
    ['note', ''],
  ] as const;
  expect(formatFields(fields, PIPE)).toEqual(['run        a', 'waits for  b']);
});

it('measures and cuts by columns', () => {
  expect([widthOf('abc'), widthOf('日本'), widthOf('🐾'), widthOf('e\u0301')]).toEqual([3, 4, 2, 1]);
  expect([truncate('abcdef', 4), truncate('日本語', 4), truncate('abc', 3), truncate('abc', 0)]).toEqual([
    'abc…',
    '日…',
    'abc',
    '',
  ]);
  expect(toOneLine(' a\n\tb\u001B[31m ')).toBe('a b [31m');
});

it.each([
  ['plain\ttext\r', 'plain\ttext\r'],
  ['\u001B[31mred', '\u001B[31mred\u001B[0m'],
  ['\u001B]0;title\u0007\u001B[2J\u001B[1;1Hgone\u009B5n', ']0;title[2J[1;1Hgone5n'],
  ['\u0000\u0008\u007F', ''],
])('prints %j of a program as %j', (line, shown) => {
  expect(toHarmless(line)).toBe(shown);
});
