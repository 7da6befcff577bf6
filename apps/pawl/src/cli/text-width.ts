/** Emoji and the scripts of East Asia take two columns. */
const WIDE =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}/u;
/** Accents that stand on the letter before them, and what joins or changes it. */
const NARROW = /^(?:\p{Mn}|\p{Me}|[\u{200B}-\u{200D}]|\u{FE0F})$/u;
// oxlint-disable-next-line no-control-regex -- These are what is looked for.
const CONTROL = /[\u0000-\u001F\u007F-\u009F\u2028\u2029]+/g;

/** The columns that a text takes on a terminal. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

/** A text that takes at most `width` columns, with … where something is cut. */
export function truncate(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let taken = '';
  let room = width - 1;
  for (const character of text) {
    room -= columnsOf(character);
    if (room < 0) break;
    taken += character;
  }
  return width < 1 ? '' : `${taken}…`;
}

/** A text on one line that can't move the cursor or change colours. */
export function toOneLine(text: string): string {
  return text.replace(CONTROL, ' ').trim();
}

/** A line with its colours, and without what else would change the terminal: somebody's program printed it. */
export function toHarmless(line: string): string {
  const kept = line.replace(COLOR_OR_CONTROL, (sequence) => (sequence.endsWith('m') ? sequence : ''));
  // A colour that is left on would colour what follows.
  return kept.includes(ESCAPE) ? `${kept}${ESCAPE}[0m` : kept;
}

const ESCAPE = '\u001B';
// oxlint-disable-next-line no-control-regex -- All but tab and carriage return, which progress bars print.
const COLOR_OR_CONTROL = /\u001B\[[\d;:]*m|[\u0000-\u0008\u000A-\u000C\u000E-\u001F\u007F-\u009F]/g;

function columnsOf(character: string): number {
  if (NARROW.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
