import { constants } from 'node:os';

/** Exit codes of the command, by the convention of sysexits.h, and for signals as shells do it. */
export const exitCodes = {
  ok: 0,
  /** The tests of a program failed. */
  failed: 1,
  usage: 64,
  /** The script is missing. */
  noInput: 66,
  /** A program that is needed is missing, or the port is taken. */
  unavailable: 69,
  software: 70,
  /** The configuration can't be used. */
  config: 78,
  /** The program used up its time, as `timeout` shows it. */
  timedOut: 124,
  /** The script may not be executed. */
  notExecutable: 126,
  interrupted: 130,
} as const;

/** The exit code that mirrors how a process ended: its own, or 128 and the number of the signal. */
export function mirrorExit(exitCode: number | null, signal: NodeJS.Signals | null): number {
  if (signal !== null) return 128 + constants.signals[signal];
  return exitCode ?? exitCodes.software;
}
