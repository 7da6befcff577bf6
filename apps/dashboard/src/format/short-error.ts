/**
 * An error in one line, for lists: of a Python traceback only what was raised, which stands at its end.
 * @param message its lines parted by line ends or ` | `
 */
export function shortError(message: string): string {
  const [before = '', ...traceback] = message.split('Traceback (most recent call last):');
  const raised = traceback
    .join('')
    .split(/\n| \| /)
    .map((line) => line.trim())
    .findLast((line) => line !== '');
  if (raised === undefined) return message.split('\n', 1)[0] ?? '';
  return `${before.trim()} ${raised}`.trim();
}
