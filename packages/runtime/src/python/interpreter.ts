import { PawlError } from '@pawl/core';
import { childEnvironment } from '../process/environment.ts';

export interface PythonInterpreter {
  /** The real program: version managers put shims in the `PATH` that cost some 60 ms a start. */
  readonly path: string;
  /** Such as `3.11.7`. */
  readonly version: string;
}

/** There is no usable Python here. */
export class PythonNotFoundError extends PawlError {
  declare readonly code: 'PYTHON_NOT_FOUND';
  readonly command: string;

  constructor(command: string, why: string, options: { readonly cause?: unknown } = {}) {
    super(`Can't use \`${command}\` as Python: ${why}. Install Python 3.8 or later, or name one.`, {
      ...options,
      code: 'PYTHON_NOT_FOUND',
    });
    this.command = command;
  }
}

const PROBE = 'import sys; print(sys.executable); print("%d.%d.%d" % sys.version_info[:3])';
const OLDEST: readonly [number, number] = [3, 8];
const PROBE_TIMEOUT_MS = 10_000;

/**
 * Asks a Python where it really is.
 * @param command a program name or path
 * @throws PythonNotFoundError when it is missing, too old, or no Python
 */
export async function findPython(command = 'python3'): Promise<PythonInterpreter> {
  // Loaded when needed: it would be most of the time that importing this package takes.
  const { execa, ExecaError } = await import('execa');
  let lines: readonly string[];
  try {
    const { stdout } = await execa(command, ['-I', '-S', '-c', PROBE], {
      env: childEnvironment(),
      extendEnv: false,
      lines: true,
      stdin: 'ignore',
      timeout: PROBE_TIMEOUT_MS,
    });
    lines = stdout;
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    const why = error.code === 'ENOENT' ? 'there is no such program' : error.shortMessage;
    throw new PythonNotFoundError(command, why, { cause: error });
  }
  const [path, version = ''] = lines;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (path === undefined || path === '' || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new PythonNotFoundError(command, 'it does not answer as a Python would');
  }
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new PythonNotFoundError(command, `version ${version} is too old`);
  }
  return { path, version };
}
