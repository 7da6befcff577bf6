import process from 'node:process';
import { Readable } from 'node:stream';

/**
 * Keeps the code of tasks away from the channel, and says which descriptor the frames go to. With `fd3` the streams of
 * the process are free: what is printed can't touch a frame. With `stdout`, prints go to stderr instead. Either way
 * `process.stdin`, which carries the host's frames, looks empty to tasks.
 */
export function guardOutput(channel: string | undefined): number {
  Object.defineProperty(process, 'stdin', { value: Readable.from([]), configurable: true });
  const { stdout, stderr } = process;
  for (const stream of [stdout, stderr]) writeAtOnce(stream);
  if (channel === 'fd3') return 3;
  stdout.write = stderr.write.bind(stderr);
  return 1;
}

/**
 * Makes writes to a pipe block until the host took them, which it always does: so a print is out before the answer
 * that follows it, and before `process.exit()`. Node leaves it to the pipe's size otherwise, and has no public switch
 * (https://nodejs.org/docs/latest-v20.x/api/process.html#a-note-on-process-io).
 */
function writeAtOnce(stream: unknown): void {
  const { _handle: handle } = stream as { readonly _handle?: { setBlocking?(blocking: boolean): void } };
  handle?.setBlocking?.(true);
}
