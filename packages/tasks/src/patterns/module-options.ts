import {
  checkDurationMs,
  checkFunction,
  checkKnownKeys,
  checkOneOf,
  checkSignal,
  checkString,
  type Clock,
  expectedMessage,
  type Logger,
  silentLogger,
  systemClock,
} from '@pawl/core';
import type { ProcessConfig, ProcessHandle } from '@pawl/runtime';
import { RUN_MODES, type RunMode } from './run-mode.ts';

/** How a module is run: what every pattern has in common. */
export interface ModuleOptions {
  /** @default the working folder of this process */
  readonly cwd?: string | undefined;
  /** @default 'async' */
  readonly mode?: RunMode | undefined;
  /** Added to the minimal environment of a process. @default {} */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Names passed on from this process's environment besides the harmless ones. @default [] */
  readonly inheritEnv?: readonly string[] | undefined;
  /** Cancels the module: it is ended with all it had started. */
  readonly signal?: AbortSignal | undefined;
  /** How long it may take, in milliseconds. @default Infinity */
  readonly timeoutMs?: number | undefined;
  /** Between the request to end and SIGKILL, when it must end early, in milliseconds. @default 5000 */
  readonly graceMs?: number | undefined;
  /** The program that runs it: a name or a path. @default by its extension, else by its first line */
  readonly interpreter?: string | undefined;
  /**
   * Starts the process. One for all calls lets a host with much memory start processes faster.
   * @default a manager for this call alone
   */
  readonly processes?: ModuleSpawner | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
  /** Gets the command of a dry run. @default silentLogger */
  readonly logger?: Logger | undefined;
}

/** Starts processes: a process manager, or the context of a tracked run. */
export interface ModuleSpawner {
  spawn(config: ProcessConfig): Promise<ProcessHandle>;
}

export interface ResolvedModuleOptions {
  readonly cwd: string | undefined;
  readonly mode: RunMode;
  readonly env: Readonly<Record<string, string>>;
  readonly inheritEnv: readonly string[];
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly graceMs: number;
  readonly interpreter: string | undefined;
  readonly processes: ModuleSpawner | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

const KEYS: readonly (keyof ModuleOptions)[] = [
  'cwd',
  'mode',
  'env',
  'inheritEnv',
  'signal',
  'timeoutMs',
  'graceMs',
  'interpreter',
  'processes',
  'clock',
  'logger',
];

/**
 * @param what the function that takes the options
 * @param more its own options
 * @throws TypeError, RangeError
 */
export function resolveModuleOptions(
  what: string,
  options: ModuleOptions,
  more: readonly string[],
): ResolvedModuleOptions {
  checkKnownKeys(what, options, [...KEYS, ...more]);
  const { cwd, signal, interpreter, processes } = options;
  if (processes !== undefined) checkFunction('processes.spawn', processes.spawn.bind(processes));
  return {
    cwd: cwd === undefined ? undefined : checkString('cwd', cwd),
    mode: checkOneOf('mode', options.mode ?? 'async', RUN_MODES),
    env: options.env ?? {},
    inheritEnv: options.inheritEnv ?? [],
    signal: signal === undefined ? undefined : checkSignal('signal', signal),
    timeoutMs: checkDurationMs('timeoutMs', options.timeoutMs ?? Infinity, { infinite: true }),
    graceMs: checkDurationMs('graceMs', options.graceMs ?? 5_000, { infinite: true }),
    interpreter: interpreter === undefined ? undefined : checkString('interpreter', interpreter),
    processes,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  };
}

/** @throws TypeError when it names no script */
export function checkScriptPath(scriptPath: string | URL): string | URL {
  if (!(scriptPath instanceof URL)) return checkString('scriptPath', scriptPath);
  if (scriptPath.protocol === 'file:') return scriptPath;
  throw new TypeError(expectedMessage('scriptPath', 'a path or a file: URL', scriptPath.href));
}

/** @throws TypeError when it is no array of strings */
export function checkArgs(args: readonly string[]): readonly string[] {
  if (Array.isArray(args) && args.every((arg) => typeof arg === 'string')) return args;
  throw new TypeError(expectedMessage('args', 'an array of strings', args));
}
