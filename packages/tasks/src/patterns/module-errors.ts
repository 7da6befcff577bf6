import { PawlError } from '@pawl/core';
import type { ModuleResult } from './run-module.ts';
import type { ModuleExit } from './supervised-module.ts';

/** The script is not there, or is no file. */
export class ScriptNotFoundError extends PawlError {
  declare readonly code: 'SCRIPT_NOT_FOUND';
  readonly scriptPath: string;

  constructor(scriptPath: string, why = 'there is no such file') {
    super(`Can't run the script ${scriptPath}: ${why}.`, { code: 'SCRIPT_NOT_FOUND' });
    this.scriptPath = scriptPath;
  }
}

/** This user may not run the script, or nothing says how. */
export class ScriptNotExecutableError extends PawlError {
  declare readonly code: 'SCRIPT_NOT_EXECUTABLE';
  readonly scriptPath: string;

  constructor(scriptPath: string, why: string, options: { readonly cause?: unknown } = {}) {
    super(`Can't run the script ${scriptPath}: ${why}.`, { ...options, code: 'SCRIPT_NOT_EXECUTABLE' });
    this.scriptPath = scriptPath;
  }
}

/** The program that runs the script is missing. */
export class InterpreterNotFoundError extends PawlError {
  declare readonly code: 'INTERPRETER_NOT_FOUND';
  readonly scriptPath: string;
  readonly interpreter: string;
  /** How to get it. */
  readonly hint: string;

  constructor(scriptPath: string, interpreter: string, hint: string, cause: unknown) {
    super(`Can't run the script ${scriptPath}: there is no usable \`${interpreter}\`. ${hint}`, {
      code: 'INTERPRETER_NOT_FOUND',
      cause,
    });
    this.scriptPath = scriptPath;
    this.interpreter = interpreter;
    this.hint = hint;
  }
}

/** It took longer than `timeoutMs`, and was ended with all it had started. */
export class ModuleTimeoutError extends PawlError {
  declare readonly code: 'RUN_TIMEOUT';
  readonly scriptPath: string;
  readonly timeoutMs: number;
  /** How it ended then; of `runModule` with what it had printed. */
  readonly end: ModuleExit | ModuleResult | undefined;

  constructor(scriptPath: string, timeoutMs: number, end: ModuleExit | ModuleResult | undefined) {
    super(`The script ${scriptPath} timed out after ${timeoutMs} ms.`, { code: 'RUN_TIMEOUT' });
    this.scriptPath = scriptPath;
    this.timeoutMs = timeoutMs;
    this.end = end;
  }
}

/** It was cancelled, and ended with all it had started; `cause` is the reason. */
export class ModuleCancelledError extends PawlError {
  declare readonly code: 'RUN_CANCELLED';
  readonly scriptPath: string;
  /** How it ended then; of `runModule` with what it had printed; undefined when it had not begun. */
  readonly end: ModuleExit | ModuleResult | undefined;

  constructor(scriptPath: string, reason: unknown, end: ModuleExit | ModuleResult | undefined) {
    super(`The script ${scriptPath} was cancelled${end === undefined ? ' before it began' : ''}.`, {
      code: 'RUN_CANCELLED',
      cause: reason,
    });
    this.scriptPath = scriptPath;
    this.end = end;
  }
}

/** It ended with an exit code other than 0, or by a signal, where only success will do. */
export class ModuleFailedError extends PawlError {
  declare readonly code: 'MODULE_FAILED';
  readonly scriptPath: string;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;

  /** @param said what it printed last */
  constructor(scriptPath: string, { exitCode, signal }: ModuleExit, said: string) {
    const how = signal === null ? `exited with code ${exitCode}` : `was ended by ${signal}`;
    super(`The script ${scriptPath} ${how}${said === '' ? '' : `: ${said}`}.`, { code: 'MODULE_FAILED' });
    this.scriptPath = scriptPath;
    this.exitCode = exitCode;
    this.signal = signal;
  }
}
