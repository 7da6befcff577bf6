import { availableParallelism } from 'node:os';
import {
  checkAtMost,
  checkBoolean,
  checkInteger,
  checkKnownKeys,
  checkOneOf,
  checkString,
  type Clock,
  type Logger,
  silentLogger,
  systemClock,
} from '@pawl/core';
import { DEFAULT_LIMITS, DEFAULT_MAX_LIMITS, type ExecutionLimits, resolveLimits } from './limits.ts';
import { createExerciseFolder, type ExerciseFolder, SAMPLE_EXERCISES } from './exercises/exercise-folder.ts';
import { bubblewrapSandbox } from './sandbox/bubblewrap.ts';
import { landlockSandbox } from './sandbox/landlock.ts';
import { noSandbox } from './sandbox/none.ts';
import type { Sandbox, SandboxKind } from './sandbox/sandbox.ts';

export interface PythonRunnerOptions {
  /** `'auto'` takes the strongest that passes its probe. @default 'auto' */
  readonly sandbox?: 'auto' | SandboxKind;
  /** The weakest tier that `'auto'` may take: 1 is bubblewrap, 2 landlock too. @default 2 */
  readonly minTier?: 1 | 2;
  /** Whether programs may be run without a sandbox where none works. They can then do all that this service can. @default false */
  readonly allowUnsandboxed?: boolean;
  /** Workers kept warm even when idle, each with an interpreter that waits in its sandbox. @default the smaller of 2 and `maxConcurrent` */
  readonly warm?: number;
  /** Programs at the same time. @default the number of CPUs this process may use */
  readonly maxConcurrent?: number;
  /** Programs that may wait; one more is refused with QUEUE_FULL. @default 100 */
  readonly maxQueue?: number;
  /** Runs after which a worker is replaced. @default 1000 */
  readonly maxRunsPerWorker?: number;
  /** What a request gets that asks for nothing else. */
  readonly limits?: Partial<ExecutionLimits>;
  /** The most a request may ask for. */
  readonly maxLimits?: Partial<ExecutionLimits>;
  /** The interpreter: a name or path. @default 'python3', and '/usr/bin/python3' where that one can't be used in the sandbox */
  readonly python?: string;
  /** Where `bwrap` is. @default looked for in /usr/bin, /usr/local/bin and /bin */
  readonly bubblewrap?: string;
  /** The folder of exercises. @default the samples of this package */
  readonly exercises?: string | URL;
  /** @default systemClock */
  readonly clock?: Clock;
  /** @default silentLogger */
  readonly logger?: Logger;
}

export interface ResolvedRunnerOptions {
  /** In the order in which they are tried. */
  readonly sandboxes: readonly Sandbox[];
  readonly warm: number;
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  readonly maxRunsPerWorker: number;
  readonly limits: ExecutionLimits;
  readonly maxLimits: ExecutionLimits;
  /** In the order in which they are tried. */
  readonly pythons: readonly string[];
  readonly exercises: ExerciseFolder;
  readonly clock: Clock;
  readonly logger: Logger;
}

const KEYS: readonly (keyof PythonRunnerOptions)[] = [
  'sandbox',
  'minTier',
  'allowUnsandboxed',
  'warm',
  'maxConcurrent',
  'maxQueue',
  'maxRunsPerWorker',
  'limits',
  'maxLimits',
  'python',
  'bubblewrap',
  'exercises',
  'clock',
  'logger',
];

/** Checks every option and fills in the defaults. @throws TypeError, RangeError */
export function resolveRunnerOptions(options: PythonRunnerOptions): ResolvedRunnerOptions {
  checkKnownKeys('createPythonRunner', options, KEYS);
  const maxConcurrent = checkInteger('maxConcurrent', options.maxConcurrent ?? availableParallelism(), {
    min: 1,
  });
  const warm = checkInteger('warm', options.warm ?? Math.min(2, maxConcurrent), { min: 0 });
  checkAtMost('warm', warm, 'maxConcurrent', maxConcurrent);
  const maxLimits = resolveLimits('maxLimits', options.maxLimits ?? {}, DEFAULT_MAX_LIMITS);
  return {
    sandboxes: sandboxesOf(options),
    warm,
    maxConcurrent,
    maxQueue: checkInteger('maxQueue', options.maxQueue ?? 100, { min: 0, infinite: true }),
    maxRunsPerWorker: checkInteger('maxRunsPerWorker', options.maxRunsPerWorker ?? 1_000, {
      min: 1,
      infinite: true,
    }),
    limits: resolveLimits('limits', options.limits ?? {}, DEFAULT_LIMITS, maxLimits),
    maxLimits,
    pythons:
      options.python === undefined
        ? ['python3', '/usr/bin/python3']
        : [checkString('python', options.python)],
    exercises: createExerciseFolder(options.exercises ?? SAMPLE_EXERCISES),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  };
}

function sandboxesOf(options: PythonRunnerOptions): readonly Sandbox[] {
  const chosen = checkOneOf('sandbox', options.sandbox ?? 'auto', ['auto', 'bubblewrap', 'landlock', 'none']);
  const minTier = checkOneOf('minTier', options.minTier ?? 2, [1, 2]);
  const unsandboxed = checkBoolean('allowUnsandboxed', options.allowUnsandboxed ?? false);
  const path = options.bubblewrap === undefined ? undefined : checkString('bubblewrap', options.bubblewrap);
  const bubblewrap = bubblewrapSandbox(path);
  if (chosen === 'bubblewrap') return [bubblewrap];
  if (chosen === 'landlock') return [landlockSandbox];
  if (chosen === 'auto') {
    return [bubblewrap, ...(minTier === 2 ? [landlockSandbox] : []), ...(unsandboxed ? [noSandbox] : [])];
  }
  if (unsandboxed) return [noSandbox];
  throw new TypeError('Expected `allowUnsandboxed` to be true where `sandbox` is "none".');
}
