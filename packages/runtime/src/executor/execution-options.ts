import { checkBoolean, checkDurationMs, checkKnownKeys, ownOptions } from '@pawl/core';
import type { OutputStream } from '../process/worker-process.ts';
import { checkRunOptions, type Progress, type RunLogEntry } from '../process/run-options.ts';
import type { Admission, TokenDemand } from '../scheduling/admission/admission.ts';

/** How one run is to be executed. */
export interface ExecutionOptions {
  /** Cancels the run: its outcome is `cancelled` at once. */
  readonly signal?: AbortSignal | undefined;
  /** How long everything may take, waiting and retries included, in milliseconds. @default the executor's `timeoutMs` */
  readonly timeoutMs?: number | undefined;
  /** How long one attempt may take once it has a worker, in milliseconds. @default the pool's `runTimeoutMs` */
  readonly attemptTimeoutMs?: number | undefined;
  /** Higher is sooner: low 1, normal 2, high 3, urgent 4, or any number. @default 2 */
  readonly priority?: number | undefined;
  /** Whose run it is: in the queue of a pool the keys of a priority take turns. */
  readonly key?: string | undefined;
  /** Runs of the same affinity go to the same worker of a pool, and wait for it. @default to any worker */
  readonly affinity?: string | undefined;
  /** What it takes of the executor's admission while it runs, such as `{ gpu: 1 }`. @default nothing */
  readonly tokens?: TokenDemand | undefined;
  /** Names the run, for `cancel` and for events. @default a random UUID */
  readonly runId?: string | undefined;
  /** A W3C `traceparent`. @default what the executor's `trace` gives */
  readonly trace?: string | undefined;
  /** Whether the same input always gives the same result, so that a stored one may serve. @default false */
  readonly deterministic?: boolean | undefined;
  /** Runs even if a result is stored; the new one replaces it. @default false */
  readonly force?: boolean | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly onLog?: ((entry: RunLogEntry) => void) | undefined;
  readonly onOutput?: ((stream: OutputStream, chunk: Buffer) => void) | undefined;
}

const KEYS: readonly (keyof ExecutionOptions)[] = [
  'signal',
  'timeoutMs',
  'attemptTimeoutMs',
  'priority',
  'key',
  'affinity',
  'tokens',
  'runId',
  'trace',
  'deterministic',
  'force',
  'onProgress',
  'onLog',
  'onOutput',
];

/** An execution's own options, checked. @throws TypeError, RangeError */
export function resolveExecutionOptions(
  given: ExecutionOptions,
  admission: Admission | undefined,
): ExecutionOptions {
  const options = ownOptions(given);
  checkKnownKeys('execute', options, KEYS);
  const { attemptTimeoutMs, tokens, deterministic, force } = options;
  if (tokens !== undefined) {
    if (admission === undefined)
      throw new TypeError('Expected no `tokens`: the executor has no `admission`.');
    // Looks at the names and numbers, too.
    admission.check(tokens);
  }
  if (attemptTimeoutMs !== undefined) {
    checkDurationMs('attemptTimeoutMs', attemptTimeoutMs, { infinite: true });
  }
  if (deterministic !== undefined) checkBoolean('deterministic', deterministic);
  if (force !== undefined) checkBoolean('force', force);
  checkRunOptions(options);
  return options;
}
