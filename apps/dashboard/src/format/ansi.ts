/** A piece of text and the classes of its colours. */
export interface AnsiSpan {
  readonly text: string;
  /** Such as `ansi-31 ansi-bold`; empty for plain text. */
  readonly className: string;
}

// CSI sequences, OSC ones up to their end, and single escapes.
// oxlint-disable-next-line eslint/no-control-regex -- these are control characters
const ESCAPES = /\u001B(?:\[([0-9;:?]*)[ -/]*([@-~])|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\^_])/g;

/** Without escape sequences. */
export function stripAnsi(text: string): string {
  return text.includes('\u001B') ? text.replaceAll(ESCAPES, '') : text;
}

/** Text with colour sequences (SGR) as spans; other sequences are left out. */
export function parseAnsi(text: string): readonly AnsiSpan[] {
  if (!text.includes('\u001B')) return [{ text, className: '' }];
  const spans: AnsiSpan[] = [];
  const style = { color: '', isBold: false, isDim: false };
  let from = 0;
  const push = (piece: string): void => {
    if (piece === '') return;
    const names = [style.color, style.isBold ? 'ansi-bold' : '', style.isDim ? 'ansi-dim' : ''];
    spans.push({ text: piece, className: names.filter((name) => name !== '').join(' ') });
  };
  for (const match of text.matchAll(ESCAPES)) {
    push(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === 'm') applyCodes(style, match[1] ?? '');
  }
  push(text.slice(from));
  return spans;
}

function applyCodes(style: { color: string; isBold: boolean; isDim: boolean }, list: string): void {
  const codes = list.split(/[;:]/).map(Number);
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === 0) Object.assign(style, { color: '', isBold: false, isDim: false });
    else if (code === 1) style.isBold = true;
    else if (code === 2) style.isDim = true;
    else if (code === 22) Object.assign(style, { isBold: false, isDim: false });
    else if (code === 39) style.color = '';
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) style.color = `ansi-${code}`;
    else if (code === 38 || code === 48) {
      // A colour of a larger palette: of 256 the first 16 are known, the others are left as plain text.
      const color = codes[index + 2] ?? 0;
      if (code === 38 && codes[index + 1] === 5 && color < 16) {
        style.color = `ansi-${color < 8 ? 30 + color : 82 + color}`;
      }
      index += codes[index + 1] === 5 ? 2 : 4;
    }
  }
}
