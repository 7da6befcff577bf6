import { exitCodes } from './exit-codes.ts';

/** Prints lines for people. */
export function print(...lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}

/** Prints the one document of `--json`. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2));
}

/** Prints one event of a stream with `--json`. */
export function printJsonLine(value: unknown): void {
  print(JSON.stringify(value));
}

/** Says something beside the output, on stderr. */
export function note(line: string): void {
  process.stderr.write(`pawl: ${line}\n`);
}

/** Ends the command where nobody reads on: `pawl ls | head -1` is no failure worth words. */
export function endOnBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(exitCodes.brokenPipe);
      throw error;
    });
  }
}
