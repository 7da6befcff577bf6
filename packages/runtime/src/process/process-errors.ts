import { PawlError } from '@pawl/core';

/** Why a program could not be started. */
export type StartFault = 'not-found' | 'not-permitted' | 'bad-cwd' | 'other';

const FAULT_TEXT: Record<StartFault, string> = {
  'not-found': 'there is no such program',
  'not-permitted': 'it may not be executed',
  'bad-cwd': 'its working folder does not exist',
  other: 'the operating system refused',
};

/** A program that could not be started at all. */
export class ProcessStartError extends PawlError {
  declare readonly code: 'PROCESS_START_FAILED';
  readonly fault: StartFault;
  readonly command: string;
  readonly cwd: string | undefined;

  constructor(fault: StartFault, command: string, cwd: string | undefined, cause: unknown) {
    const where = fault === 'bad-cwd' ? ` (${cwd})` : '';
    super(`Can't start \`${command}\`: ${FAULT_TEXT[fault]}${where}.`, {
      code: 'PROCESS_START_FAILED',
      cause,
    });
    this.fault = fault;
    this.command = command;
    this.cwd = cwd;
  }
}
