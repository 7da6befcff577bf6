import { stripAnsi } from '../../format/ansi.ts';
import type { ConsoleLine } from './console-buffer.ts';

/** Where lines stand when each takes as many rows as its text needs. Rows and lines count from 0. */
export interface LineLayout {
  /** All rows there are. */
  readonly rows: number;
  /** The first row of a line. */
  rowOf(line: number): number;
  /** The line that a row belongs to. */
  lineAt(row: number): number;
  /** Takes lines that were added at the end; begins anew for other ones or another width. */
  update(lines: readonly ConsoleLine[], generation: number, columns: number): void;
}

/** @param columns of {@link LineLayout.update}: how many characters fit in a row; `Infinity` does not wrap */
export function createLineLayout(): LineLayout {
  // The row after each line.
  let ends: number[] = [];
  let known = { generation: -1, columns: Infinity };

  const rowOf = (line: number): number => (line <= 0 ? 0 : (ends[line - 1] ?? ends.at(-1) ?? 0));

  return {
    get rows() {
      return ends.at(-1) ?? 0;
    },
    rowOf,
    lineAt(row) {
      let low = 0;
      let high = ends.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((ends[middle] ?? 0) > row) high = middle;
        else low = middle + 1;
      }
      return Math.min(low, Math.max(0, ends.length - 1));
    },
    update(lines, generation, columns) {
      if (known.generation !== generation || known.columns !== columns) ends = [];
      known = { generation, columns };
      for (let index = ends.length; index < lines.length; index += 1) {
        const text = lines[index]?.text ?? '';
        ends.push(rowOf(index) + rowsOf(text, columns));
      }
    },
  };
}

function rowsOf(text: string, columns: number): number {
  if (text.length <= columns && !HAS_WIDE.test(text)) return 1;
  const plain = stripAnsi(text);
  let width = 0;
  for (const character of plain) width += HAS_WIDE.test(character) ? 2 : 1;
  return Math.max(1, Math.ceil(width / columns));
}

/** Characters that take two columns: East Asian ones and pictures. */
const HAS_WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\u{1F300}-\u{1FAFF}]/u;
