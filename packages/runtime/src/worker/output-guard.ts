import { Readable } from 'node:stream';

/**
 * Keeps the code of tasks away from the channel, and says which descriptor the frames go to. With `fd3` the streams of
 * the process are free: what is printed can't touch a frame. With `stdout`, prints go to stderr instead. Either way
 * `process.stdin`, which carries the host's frames, looks empty to tasks.
 */
export function guardOutput(channel: string | undefined): number {
  Object.defineProperty(process, 'stdin', { value: Readable.from([]), configurable: true });
  if (channel === 'fd3') return 3;
  const { stderr } = process;
  process.stdout.write = stderr.write.bind(stderr);
  return 1;
}
