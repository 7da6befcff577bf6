// Writes the comparison of the six patterns, as the code has it, into the pages that show it. Run it after a build when
// `pattern-advisor-catalogue.ts` has changed: node tools/pattern-table.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { comparePatterns } from '@pawl/tasks';

/** The pages with the table. */
export const pages = ['../docs/guide/which-pattern.md', '../packages/tasks/README.md'].map(
  (path) => new URL(path, import.meta.url),
);

const BEGIN = '<!-- Written by tools/pattern-table.mjs -->';
const END = '<!-- Until here -->';

const COLUMNS = [
  ['pattern', 'name'],
  ['begins with', 'entry'],
  ['answers', 'answers'],
  ['output', 'output'],
  ['at once', 'atOnce'],
  ['kept after a restart', 'keptAfterRestart'],
  ['cancel', 'cancel'],
];

/** @returns the text of a page with the table between its two marks */
export function withPatternTable(text) {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`Expected \`${BEGIN}\` and, behind it, \`${END}\`.`);
  return `${text.slice(0, begin)}${BEGIN}\n\n${patternTable()}\n\n${text.slice(end)}`;
}

/** As oxfmt would lay it out. */
function patternTable() {
  const patterns = comparePatterns().map((pattern) => ({ ...pattern, entry: `\`${pattern.entry}\`` }));
  const columns = COLUMNS.map(([title, field]) => [title, ...patterns.map((pattern) => pattern[field])]).map(
    (cells) => {
      const width = Math.max(...cells.map((cell) => cell.length));
      return cells.toSpliced(1, 0, '-'.repeat(width)).map((cell) => cell.padEnd(width));
    },
  );
  return columns[0].map((_, row) => `| ${columns.map((cells) => cells[row]).join(' | ')} |`).join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const page of pages) writeFileSync(page, withPatternTable(readFileSync(page, 'utf8')));
}
