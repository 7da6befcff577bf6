import { PawlError } from '@pawl/core';

/** A command can't do what was asked. The message is one line for the user. */
export class CommandError extends PawlError {
  declare readonly code: 'COMMAND_FAILED';
  /** What the command ends with. */
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { code: 'COMMAND_FAILED', ...options });
    this.exitCode = exitCode;
  }
}
