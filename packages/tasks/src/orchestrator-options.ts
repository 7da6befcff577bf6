import { checkInteger, checkKnownKeys, checkOneOf, type Clock, type Logger } from '@pawl/core';
import { silentLogger, systemClock } from '@pawl/core';
import type { PoolOptions } from '@pawl/runtime';
import type { OutputLogs } from './output/output-logs.ts';
import type { Admission } from './patterns/concurrent-admission.ts';
import { RUN_MODES, type RunMode } from './patterns/run-mode.ts';
import { createMemoryRunStore } from './tracking/memory-run-store.ts';
import type { RunStore } from './tracking/run-store.ts';

export interface OrchestratorOptions {
  /** How scripts are run unless a request says otherwise. @default 'async' */
  readonly mode?: RunMode;
  /** Keeps the output of long-running and fire-and-forget runs in files. @default none, in memory */
  readonly logs?: OutputLogs;
  /** Where fire-and-forget runs are kept. @default createMemoryRunStore() */
  readonly store?: RunStore;
  /** Concurrent items, and apart from them fire-and-forget runs, under way at a time. @default 10 */
  readonly maxConcurrent?: number;
  /** Asked before each concurrent item starts. @default everything is admitted */
  readonly admission?: Admission;
  /** The pool of warm workers that each pooled script gets. @default those of createPool */
  readonly pool?: Omit<PoolOptions, 'worker' | 'clock' | 'logger'>;
  /** @default systemClock */
  readonly clock?: Clock;
  /** @default silentLogger */
  readonly logger?: Logger;
}

export interface ResolvedOrchestratorOptions {
  readonly mode: RunMode;
  readonly logs: OutputLogs | undefined;
  readonly store: RunStore;
  readonly maxConcurrent: number;
  readonly admission: Admission | undefined;
  readonly pool: Omit<PoolOptions, 'worker' | 'clock' | 'logger'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const KEYS: readonly (keyof OrchestratorOptions)[] = [
  'mode',
  'logs',
  'store',
  'maxConcurrent',
  'admission',
  'pool',
  'clock',
  'logger',
];

/** @throws TypeError, RangeError */
export function resolveOrchestratorOptions(options: OrchestratorOptions): ResolvedOrchestratorOptions {
  checkKnownKeys('createOrchestrator', options, KEYS);
  return {
    mode: checkOneOf('mode', options.mode ?? 'async', RUN_MODES),
    logs: options.logs,
    store: options.store ?? createMemoryRunStore(),
    maxConcurrent: checkInteger('maxConcurrent', options.maxConcurrent ?? 10, { min: 1 }),
    admission: options.admission,
    pool: options.pool ?? {},
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  };
}
