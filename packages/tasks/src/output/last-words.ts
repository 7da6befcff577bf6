/** The end of a report of an error that nobody caught: a line of the stack, or what Node puts below it. */
const REPORT_END = /^(?:\s+at |Node\.js v\d)/;
/** Stack, cause and fields of an error are indented or close a bracket; what Node advises is in parentheses. */
const REPORT_HEAD = /^[^\s(\]}]/;

/** What a failed program said last, in one line: the message of an error that nobody caught, else the last line. */
export function lastWords(stderr: string): string {
  return uncaughtMessage(stderr) ?? stderr.trimEnd().split('\n').at(-1)?.trim() ?? '';
}

/** The message of the error with which a program ended, if its stack comes last. */
export function uncaughtMessage(stderr: string): string | undefined {
  const lines = stderr.trimEnd().split('\n');
  if (!REPORT_END.test(lines.pop() ?? '')) return undefined;
  return lines.findLast((line) => REPORT_HEAD.test(line))?.trim();
}
