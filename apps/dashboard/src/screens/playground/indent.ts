/** The indentation of the line after this text of Python: as before, and deeper after a colon. */
export function indentAfter(text: string): string {
  const line = text.slice(text.lastIndexOf('\n') + 1);
  const before = /^[ \t]*/.exec(line)?.[0] ?? '';
  const code = line.replace(/#[^'"]*$/, '').trimEnd();
  return code.endsWith(':') ? `${before}    ` : before;
}
