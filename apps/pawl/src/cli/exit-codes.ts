import { constants } from 'node:os';

/** Exit codes of the command, by the convention of sysexits.h, and for signals as shells do it. */
export const exitCodes = {
  ok: 0,
  /** A run or a program's tests failed, or what was asked for can't be done as things stand. */
  failed: 1,
  usage: 64,
  /** The script, run, module, schedule or other thing is missing. */
  noInput: 66,
  /** A program or service that is needed is missing, or the port or data folder is taken. */
  unavailable: 69,
  software: 70,
  /** The run was lost, or the service is busy: a second try may do better. */
  tryAgain: 75,
  /** The service wants a token, or one with a higher role. */
  noPermission: 77,
  /** The configuration can't be used. */
  config: 78,
  /** The program or run used up its time, as `timeout` shows it. */
  timedOut: 124,
  /** The script may not be executed. */
  notExecutable: 126,
  /** The run was cancelled, or somebody pressed Ctrl-C. */
  interrupted: 130,
  /** Nobody reads the output any more, as of a program that SIGPIPE ended. */
  brokenPipe: 141,
} as const;

/** What each means, for people. */
export const exitCodeMeanings: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'all is well'],
  ['0-255', "run, exec, submit --wait: the script's or program's own"],
  ['1', 'the run, or the tests of a program, failed; or it can not be done as things stand'],
  ['64', 'the command was used wrongly, or the service refused what was sent'],
  ['66', 'there is no such script, run, module, schedule or other thing'],
  ['69', 'a program, a sandbox or the service is missing; serve: the port or folder is taken'],
  ['70', 'Pawl itself failed'],
  ['75', 'the run was lost with its machine, or the service is busy: a second try may do better'],
  ['77', 'the service wants a token, or one with a higher role'],
  ['78', 'a setting can not be used'],
  ['124', 'the program or run used up its time'],
  ['126', 'the script may not be executed'],
  ['128+n', 'it was ended by signal n, such as 137 when it had to be killed'],
  ['130', 'the run was cancelled, or you pressed Ctrl-C'],
  ['141', 'nobody read the output to its end'],
];

/** The exit code that mirrors how a process ended: its own, or 128 and the number of the signal. */
export function mirrorExit(exitCode: number | null, signal: NodeJS.Signals | null): number {
  if (signal !== null) return 128 + constants.signals[signal];
  return exitCode ?? exitCodes.software;
}
