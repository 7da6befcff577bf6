import { constants } from 'node:os';
import type { RunListView } from '../api/run-schemas.ts';
import { exitCodes } from './exit-codes.ts';

type RunState = RunListView['state'];

/** Whether nothing more will become of it. */
export function hasEnded(state: RunState): boolean {
  return state !== 'queued' && state !== 'running';
}

/** The exit code that mirrors how a run ended: its process's own where it had one. */
export function exitCodeOfRun({
  state,
  exitCode,
  signal,
}: Pick<RunListView, 'state' | 'exitCode' | 'signal'>): number {
  if (state !== 'failed') return EXIT_CODES[state];
  if (signal !== null && signal in constants.signals) {
    return 128 + constants.signals[signal as NodeJS.Signals];
  }
  return exitCode === null || exitCode === 0 ? exitCodes.failed : exitCode;
}

const EXIT_CODES: Readonly<Record<Exclude<RunState, 'failed'>, number>> = {
  queued: exitCodes.ok,
  running: exitCodes.ok,
  succeeded: exitCodes.ok,
  'timed-out': exitCodes.timedOut,
  cancelled: exitCodes.interrupted,
  lost: exitCodes.tryAgain,
};
