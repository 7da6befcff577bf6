import type { Terminal } from './terminal.ts';
import { toOneLine, truncate, widthOf } from './text-width.ts';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: 'left' | 'right';
  /** Cut when the terminal is too narrow for all. */
  readonly shrinks?: boolean;
  /** How it is coloured; it may only add colours. */
  readonly paint?: (text: string, row: Row) => string;
}

const GAP = '  ';
/** What a column keeps when others need room. */
const MIN_WIDTH = 8;

/** Lines of aligned columns, headings first. On a terminal they fit its width; in a pipe nothing is cut. */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, colors }: Terminal,
): readonly string[] {
  const cells = rows.map((row) => columns.map(({ value }) => toOneLine(value(row))));
  const natural = columns.map(({ title }, index) =>
    Math.max(widthOf(title), ...cells.map((line) => widthOf(line[index] ?? ''))),
  );
  const widths = fit(columns, natural, width);
  const pad = (text: string, index: number): string => {
    const room = widths[index] ?? 0;
    const cut = truncate(text, room);
    const space = ' '.repeat(room - widthOf(cut));
    if (columns[index]?.align === 'right') return space + cut;
    return index === columns.length - 1 ? cut : cut + space;
  };
  return [
    colors.dim(columns.map(({ title }, index) => pad(title, index)).join(GAP)),
    ...cells.map((line, rowIndex) =>
      line
        .map((cell, index) => {
          const row = rows[rowIndex];
          const padded = pad(cell, index);
          const paint = columns[index]?.paint;
          return paint === undefined || row === undefined ? padded : paint(padded, row);
        })
        .join(GAP)
        .trimEnd(),
    ),
  ];
}

/** Takes what is too much from the columns that may shrink, the widest first. */
function fit<Row>(
  columns: readonly Column<Row>[],
  natural: readonly number[],
  width: number,
): readonly number[] {
  const widths = [...natural];
  const total = (): number => widths.reduce((sum, each) => sum + each + GAP.length, -GAP.length);
  while (total() > width) {
    let widest = -1;
    for (const [index, { shrinks = false }] of columns.entries()) {
      const room = widths[index] ?? 0;
      if (shrinks && room > MIN_WIDTH && room > (widths[widest] ?? 0)) widest = index;
    }
    if (widest === -1) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/** Lines `name  value`, aligned; those without a value are left out. */
export function formatFields(
  fields: readonly (readonly [name: string, value: string | null | undefined])[],
  { colors }: Terminal,
): readonly string[] {
  const shown = fields.filter(
    (field): field is readonly [string, string] => typeof field[1] === 'string' && field[1] !== '',
  );
  const width = Math.max(0, ...shown.map(([name]) => widthOf(name)));
  return shown.map(([name, value]) => `${colors.dim(name.padEnd(width))}${GAP}${value}`);
}
