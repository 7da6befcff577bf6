import process from 'node:process';
import { inspect } from 'node:util';

/** Tells stderr, whose tail the host keeps. */
export function reportFault(error: unknown): void {
  process.stderr.write(`${inspect(error)}\n`);
}
