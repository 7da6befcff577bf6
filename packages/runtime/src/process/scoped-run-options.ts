import type { CancelScope } from '@pawl/resilience';
import type { RunOptions } from './run-options.ts';

/** What its options say of a run, but for its signal. */
type ScopedRun = Omit<RunOptions, 'signal' | 'runId' | 'attempt'> & {
  readonly runId: string;
  readonly attempt: number;
};

/** The signal of scoped options, an own property so that it goes with a copy of them. */
const SIGNAL: PropertyDescriptor & ThisType<ScopedRunOptions> = {
  enumerable: true,
  get() {
    return ScopedRunOptions.signalOf(this);
  },
};

/**
 * Options of a run that is ended by a scope, checked and bound to their caller's context already. Whoever does not know
 * of that reads them like any others: then the signal is made. A pool takes the scope, and no signal is made at all.
 */
export class ScopedRunOptions implements RunOptions {
  declare readonly signal: AbortSignal;
  readonly runId: string;
  readonly attempt: number;
  readonly timeoutMs: number | undefined;
  readonly priority: number | undefined;
  readonly key: string | undefined;
  readonly affinity: string | undefined;
  readonly trace: string | undefined;
  readonly onProgress: RunOptions['onProgress'];
  readonly onLog: RunOptions['onLog'];
  readonly onOutput: RunOptions['onOutput'];
  readonly #scope: CancelScope;
  #heeding: Promise<unknown> | undefined;

  constructor(options: ScopedRun, scope: CancelScope) {
    this.runId = options.runId;
    this.attempt = options.attempt;
    this.timeoutMs = options.timeoutMs;
    this.priority = options.priority;
    this.key = options.key;
    this.affinity = options.affinity;
    this.trace = options.trace;
    this.onProgress = options.onProgress;
    this.onLog = options.onLog;
    this.onOutput = options.onOutput;
    this.#scope = scope;
    Object.defineProperty(this, 'signal', SIGNAL);
  }

  /** Whether this is the promise of a pool that heeds the scope: it rejects as soon as that is aborted. */
  isHeededBy(work: Promise<unknown>): boolean {
    return this.#heeding === work;
  }

  /**
   * The scope to heed; undefined when options have a signal instead, or nothing.
   * @param promise what rejects as soon as the scope is aborted
   */
  static takeScope(how: RunOptions, promise?: Promise<unknown>): CancelScope | undefined {
    if (!(how instanceof ScopedRunOptions)) return undefined;
    how.#heeding = promise;
    return how.#scope;
  }

  static signalOf(how: ScopedRunOptions): AbortSignal {
    return how.#scope.signal;
  }
}
