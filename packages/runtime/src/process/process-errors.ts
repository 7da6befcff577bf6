import { PawlError } from '@pawl/core';

/** Why a program could not be started. */
export type StartFault =
  | 'not-found'
  | 'not-permitted'
  | 'bad-interpreter'
  | 'bad-cwd'
  | 'no-resources'
  | 'other';

const FAULT_TEXT: Record<StartFault, string> = {
  'not-found': 'there is no such program',
  'not-permitted': 'it may not be executed',
  'bad-interpreter': 'the program that is to run it does not exist or may not be executed',
  'bad-cwd': 'its working folder does not exist',
  'no-resources': 'the system has no more processes, descriptors or memory to give',
  other: 'the operating system refused',
};

/** What the field would have to be. */
const FAULT_RULE: Record<StartFault, string> = {
  'not-found': 'the name of a program in `PATH`, or the path of one',
  'not-permitted': 'a file that this user may execute',
  'bad-interpreter': 'a script whose first line names a program that exists',
  'bad-cwd': 'a folder that exists',
  'no-resources': 'started while the system has room',
  other: 'a program that the system can start',
};

/** A program that could not be started at all. */
export class ProcessStartError extends PawlError {
  declare readonly code: 'PROCESS_START_FAILED';
  readonly fault: StartFault;
  readonly command: string;
  readonly cwd: string | undefined;
  /** The field of the config that is wrong. */
  readonly field: 'command' | 'cwd';
  /** What it is, or what its first line names. */
  readonly value: string;
  /** What it would have to be. */
  readonly rule: string;
  /** Whether the same may work later: a retry policy takes it. */
  readonly retryable: boolean;

  /** @param interpreter what the first line of the script names */
  constructor(
    fault: StartFault,
    command: string,
    cwd: string | undefined,
    cause: unknown,
    interpreter?: string,
  ) {
    const where = fault === 'bad-cwd' ? cwd : interpreter;
    super(`Can't start \`${command}\`: ${FAULT_TEXT[fault]}${where === undefined ? '' : ` (${where})`}.`, {
      code: 'PROCESS_START_FAILED',
      cause,
    });
    this.fault = fault;
    this.command = command;
    this.cwd = cwd;
    this.field = fault === 'bad-cwd' ? 'cwd' : 'command';
    this.value = where ?? command;
    this.rule = FAULT_RULE[fault];
    this.retryable = fault === 'no-resources';
  }
}
