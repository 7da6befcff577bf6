/** Exit codes of the command, by the convention of sysexits.h, and for signals as shells do it. */
export const exitCodes = {
  ok: 0,
  usage: 64,
  /** The script is missing. */
  noInput: 66,
  /** A program that is needed is missing, or the port is taken. */
  unavailable: 69,
  software: 70,
  /** The configuration can't be used. */
  config: 78,
  /** The script may not be executed. */
  notExecutable: 126,
} as const;

const SIGNAL_NUMBERS: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** The exit code that mirrors how a process ended: its own, or 128 and the number of the signal. */
export function mirrorExit(exitCode: number | null, signal: NodeJS.Signals | null): number {
  if (signal !== null) return 128 + (SIGNAL_NUMBERS[signal] ?? 0);
  return exitCode ?? exitCodes.software;
}
