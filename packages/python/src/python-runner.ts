import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkDurationMs, createLifecycle, type Service } from '@pawl/core';
import { type PoolStats, type ProcessPool, PoolStoppedError, type RunOptions } from '@pawl/runtime';
import { type ExecutionRequest, type ResolvedRequest, resolveRequest } from './execution-request.ts';
import { createExecutionResult, type ExecutionResult, type WorkerAnswer } from './execution-result.ts';
import type { ExerciseFolder } from './exercises/exercise-folder.ts';
import { DEFAULT_LIMITS, DEFAULT_MAX_LIMITS } from './limits.ts';
import { type PythonRunnerOptions, resolveRunnerOptions } from './runner-options.ts';
import type { SandboxKind, SandboxReport } from './sandbox/sandbox.ts';
import { openSandbox } from './sandbox/selection.ts';
import { createWaitingLimits, type WaitingLimits } from './waiting-limit.ts';

export interface ExecuteOptions {
  /** Ends the program; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How long it may wait for a free worker, in milliseconds. @default Infinity */
  readonly maxWaitMs?: number | undefined;
  /** Called when a worker begins with it. */
  readonly onStart?: (() => void) | undefined;
}

/** Runs submitted Python programs, each in a sandbox of its own. */
export interface PythonRunner extends Service {
  /**
   * Runs a program, and its tests if there are any. Starts the runner if need be. A program that fails, or is ended
   * because of a limit, is a result, not an error.
   * @throws InvalidExecutionError, ExerciseNotFoundError, SandboxUnavailableError, QueueFullError, WaitTooLongError,
   * PoolStoppedError, or the reason of `options.signal`
   */
  execute(request: ExecutionRequest, options?: ExecuteOptions): Promise<ExecutionResult>;
  /** Looks whether a request may be run as it is, without running it. @throws InvalidExecutionError */
  check(request: ExecutionRequest): void;
  /**
   * Which sandbox is in use and what its probe found. Starts the runner if need be.
   * @throws SandboxUnavailableError when none works here
   */
  sandboxReport(): Promise<SandboxReport>;
  readonly exercises: ExerciseFolder;
  /** `undefined` until it is started. */
  stats(): PoolStats | undefined;
  /** The workers that programs run in; `undefined` until it is started. */
  readonly pool: RunnerPool | undefined;
}

/** Of a pool what does not go past the runner. */
export type RunnerPool = Pick<
  ProcessPool,
  'drain' | 'maxWorkers' | 'minWorkers' | 'recycle' | 'scaleTo' | 'size' | 'stats' | 'workers'
>;

/** What the pool waits beyond the program's own time before it gives the worker up. */
const BACKSTOP_MS = 10_000;

/** Makes a runner. @throws TypeError, RangeError for wrong options */
export function createPythonRunner(options: PythonRunnerOptions = {}): PythonRunner {
  const resolved = resolveRunnerOptions(options);
  const { clock, exercises } = resolved;
  let folder: string | undefined;
  let pool: ProcessPool | undefined;
  let waits: WaitingLimits | undefined;
  let report: SandboxReport | undefined;

  const lifecycle = createLifecycle({
    name: 'the Python runner',
    async start(signal) {
      folder = await mkdtemp(join(tmpdir(), 'pawl-python-'));
      // Workers that give up root's rights pass through it to folders of their own.
      await chmod(folder, 0o711);
      const opened = await openSandbox({ ...resolved, folder, runIn, signal });
      pool = opened.pool;
      waits = createWaitingLimits(pool, clock);
      report = opened.report;
    },
    async stop({ graceMs }) {
      const stopped = await pool?.stop({ graceMs });
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
      return stopped;
    },
  });

  async function execute(
    target: ProcessPool,
    kind: SandboxKind,
    { runTests, ...checked }: ResolvedRequest,
    how: Pick<RunOptions, 'runId' | 'signal'> = {},
  ): Promise<ExecutionResult> {
    const began = clock.now();
    const testCode =
      checked.exerciseId === undefined
        ? checked.testCode
        : (await exercises.get(checked.exerciseId)).testCode;
    const { code, stdin, files, limits } = checked;
    const answer = (await target.run(
      'execute',
      {
        code,
        stdin,
        files,
        limits,
        testCode: runTests ? testCode : null,
        // Tests import the program; without tests it is the main program.
        module: runTests ? 'starter' : null,
        stripInteractive: !runTests && stdin === '',
      },
      { ...how, timeoutMs: limits.wallMs + BACKSTOP_MS },
    )) as WorkerAnswer;
    const executionTime = Math.round(clock.now() - began);
    return createExecutionResult(answer, { limits, sandbox: kind, executionTime });
  }

  const runIn = (
    target: ProcessPool,
    kind: SandboxKind,
    request: ExecutionRequest,
  ): Promise<ExecutionResult> =>
    execute(target, kind, resolveRequest(request, DEFAULT_LIMITS, DEFAULT_MAX_LIMITS));

  return {
    get state() {
      return lifecycle.state;
    },
    start: () => lifecycle.start(),
    stop: (stopOptions) => lifecycle.stop(stopOptions),
    [Symbol.asyncDispose]: () => lifecycle[Symbol.asyncDispose](),
    exercises,
    stats: () => pool?.stats(),
    get pool() {
      return pool;
    },
    async execute(request, { signal, maxWaitMs = Infinity, onStart } = {}) {
      // Checked before anything is started for it.
      const checked = resolveRequest(request, resolved.limits, resolved.maxLimits);
      checkDurationMs('maxWaitMs', maxWaitMs, { infinite: true });
      signal?.throwIfAborted();
      await lifecycle.start();
      if (pool === undefined || waits === undefined || report === undefined) {
        throw new PoolStoppedError('The program was refused');
      }
      const [target, { kind }] = [pool, report];
      return waits.limit({ maxWaitMs, signal, onStart }, (how) => execute(target, kind, checked, how));
    },
    check: (request) => void resolveRequest(request, resolved.limits, resolved.maxLimits),
    async sandboxReport() {
      await lifecycle.start();
      if (report === undefined) throw new PoolStoppedError('There is no report');
      return report;
    },
  };
}
